// Braid, Apache-2.0.
//
// Moves the start of partitions forward: what lies before it is gone for readers, and its space comes back.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DeleteRecordsRequest {
  static constexpr MessageInfo info{"DeleteRecordsRequest", 21, {0, 2}, 2};

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t offset = 0;  ///< -1: everything up to the high watermark

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::offset, "offset", since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;

  template <class V>
  static void describe(V& v) {
    v(&DeleteRecordsRequest::topics, "topics", since(0));
    v(&DeleteRecordsRequest::timeout_ms, "timeout_ms", since(0));
  }
  friend bool operator==(const DeleteRecordsRequest&, const DeleteRecordsRequest&) = default;
};

struct DeleteRecordsResponse {
  static constexpr MessageInfo info{"DeleteRecordsResponse", 21, {0, 2}, 2};

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t low_watermark = 0;  ///< -1 when it failed
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::low_watermark, "low_watermark", since(0));
      v(&Partition::error_code, "error_code", since(0));
    }
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    Text name;
    std::vector<Partition> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::name, "name", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&DeleteRecordsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DeleteRecordsResponse::topics, "topics", since(0));
  }
  friend bool operator==(const DeleteRecordsResponse&, const DeleteRecordsResponse&) = default;
};

}  // namespace braid::kafka
