// Braid, Apache-2.0.
//
// librdkafka as the tests use it: a producer that knows which messages were acknowledged, and a consumer that yields
// messages with everything they carry.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_message_s;

namespace braid::e2e {

using KafkaConfig = std::map<std::string, std::string>;
using KafkaHeaders = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct KafkaMessage {
  std::string topic;
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  std::int64_t timestamp_ms = -1;
  std::optional<std::string> key, value;
  KafkaHeaders headers;
};

class KafkaProducer {
 public:
  using Delivered = std::function<void(const std::string& error, std::int32_t partition, std::int64_t offset)>;

  KafkaProducer(const std::string& bootstrap, KafkaConfig config = {});
  ~KafkaProducer();
  /// Queues; `delivered` runs in a later poll or flush, with an empty error when acknowledged. -1: librdkafka's choice.
  void send(const std::string& topic, std::optional<std::string> key, std::optional<std::string> value,
            Delivered delivered = {}, std::int32_t partition = -1, const KafkaHeaders& headers = {},
            std::int64_t timestamp_ms = 0);
  void poll(int timeout_ms = 0);
  /// True when nothing is left.
  bool flush(int timeout_ms = 30000);
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t failed() const { return failed_; }
  std::string last_error() const { return last_error_; }
  /// The longest that the broker has told it to wait (throttle_time_ms).
  int throttled_ms() const { return throttled_ms_; }

 private:
  static void report(rd_kafka_s*, const rd_kafka_message_s* message, void* opaque);
  rd_kafka_s* handle_ = nullptr;
  std::uint64_t acknowledged_ = 0, failed_ = 0;
  std::string last_error_;
  int throttled_ms_ = 0;
};

class KafkaConsumer {
 public:
  /// A member of `group`.
  KafkaConsumer(const std::string& bootstrap, const std::string& group, const std::vector<std::string>& topics,
                KafkaConfig config = {});
  ~KafkaConsumer();
  std::optional<KafkaMessage> poll(int timeout_ms = 100);
  /// Polls until `count` messages came or the time is up.
  std::vector<KafkaMessage> take(std::size_t count, int timeout_ms = 30000);
  /// Waits for what was stored to be committed; the error, or empty.
  std::string commit();
  std::size_t assigned() const;
  /// Leaves the group.
  void close();
  std::string last_error() const { return last_error_; }
  int throttled_ms() const { return throttled_ms_; }

 private:
  rd_kafka_s* handle_ = nullptr;
  std::string last_error_;
  int throttled_ms_ = 0;
};

/// Everything in a topic's partitions from the beginning up to the high watermark of now.
std::vector<KafkaMessage> read_all(const std::string& bootstrap, const std::string& topic, int timeout_ms = 60000);

}  // namespace braid::e2e
