// Braid, Apache-2.0.
//
// How much space partitions take, by directory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct DescribeLogDirsRequest {
  static constexpr MessageInfo info{"DescribeLogDirsRequest", 35, {1, 5}, 2};

  struct Topic {
    Text topic;
    std::vector<std::int32_t> partitions;

    template <class V>
    static void describe(V& v) {
      v(&Topic::topic, "topic", since(0));
      v(&Topic::partitions, "partitions", since(0));
    }
    friend bool operator==(const Topic&, const Topic&) = default;
  };

  std::optional<std::vector<Topic>> topics{std::in_place};  ///< null for all

  template <class V>
  static void describe(V& v) {
    v(&DescribeLogDirsRequest::topics, "topics", since(0).nullable_since(0));
  }
  friend bool operator==(const DescribeLogDirsRequest&, const DescribeLogDirsRequest&) = default;
};

struct DescribeLogDirsResponse {
  static constexpr MessageInfo info{"DescribeLogDirsResponse", 35, {1, 5}, 2};

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t partition_size = 0;
    std::int64_t offset_lag = 0;
    bool is_future_key = false;  ///< a copy that is on its way to another directory

    template <class V>
    static void describe(V& v) {
      v(&Partition::partition_index, "partition_index", since(0));
      v(&Partition::partition_size, "partition_size", since(0));
      v(&Partition::offset_lag, "offset_lag", since(0));
      v(&Partition::is_future_key, "is_future_key", since(0));
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
  struct Result {
    ErrorCode error_code = ErrorCode::none;
    Text log_dir;
    std::vector<Topic> topics;
    std::int64_t total_bytes = -1;   ///< of the volume; -1 when not known
    std::int64_t usable_bytes = -1;  ///< of the volume; -1 when not known
    bool is_cordoned = false;

    template <class V>
    static void describe(V& v) {
      v(&Result::error_code, "error_code", since(0));
      v(&Result::log_dir, "log_dir", since(0));
      v(&Result::topics, "topics", since(0));
      v(&Result::total_bytes, "total_bytes", since(4).ignorable());
      v(&Result::usable_bytes, "usable_bytes", since(4).ignorable());
      v(&Result::is_cordoned, "is_cordoned", since(5).ignorable());
    }
    friend bool operator==(const Result&, const Result&) = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Result> results;

  template <class V>
  static void describe(V& v) {
    v(&DescribeLogDirsResponse::throttle_time_ms, "throttle_time_ms", since(0));
    v(&DescribeLogDirsResponse::error_code, "error_code", since(3).ignorable());
    v(&DescribeLogDirsResponse::results, "results", since(0));
  }
  friend bool operator==(const DescribeLogDirsResponse&, const DescribeLogDirsResponse&) = default;
};

}  // namespace braid::kafka
