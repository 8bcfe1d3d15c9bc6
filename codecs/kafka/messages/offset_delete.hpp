// Braid, Apache-2.0.
//
// Forgets committed offsets of topics that no member of the group subscribes to.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct OffsetDeleteRequest {
  static constexpr MessageInfo info{"OffsetDeleteRequest", 47, {0, 0}, never_flexible};

  struct Partition {
    std::int32_t partition_index = 0;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
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

  Text group_id;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&OffsetDeleteRequest::group_id, "group_id", since(0));
    v(&OffsetDeleteRequest::topics, "topics", since(0));
  }
  friend bool operator==(const OffsetDeleteRequest&, const OffsetDeleteRequest&) = default;
};

struct OffsetDeleteResponse {
  static constexpr MessageInfo info{"OffsetDeleteResponse", 47, {0, 0}, never_flexible};

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
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

  ErrorCode error_code = ErrorCode::none;
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;

  template <class V>
  static void describe(V& v) {
    v(&OffsetDeleteResponse::error_code, "error_code", since(0));
    v(&OffsetDeleteResponse::throttle_time_ms, "throttle_time_ms", since(0).ignorable());
    v(&OffsetDeleteResponse::topics, "topics", since(0));
  }
  friend bool operator==(const OffsetDeleteResponse&, const OffsetDeleteResponse&) = default;
};

}  // namespace braid::kafka
