// Braid, Apache-2.0.
#include "e2e/support/kafka.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

namespace braid::e2e {

namespace {

rd_kafka_conf_t* configuration(const std::string& bootstrap, const KafkaConfig& config) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  const auto set = [&](const std::string& key, const std::string& value) {
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(error);
  };
  set("bootstrap.servers", bootstrap);
  set("broker.address.family", "v4");
  for (const auto& [key, value] : config) set(key, value);
  return conf;
}

KafkaMessage convert(const rd_kafka_message_t& from) {
  KafkaMessage message;
  message.topic = rd_kafka_topic_name(from.rkt);
  message.partition = from.partition;
  message.offset = from.offset;
  rd_kafka_timestamp_type_t type;
  message.timestamp_ms = rd_kafka_message_timestamp(&from, &type);
  if (from.key) message.key = std::string(static_cast<const char*>(from.key), from.key_len);
  if (from.payload) message.value = std::string(static_cast<const char*>(from.payload), from.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&from, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name;
    const void* value;
    std::size_t size;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      std::optional<std::string> text;
      if (value) text = std::string(static_cast<const char*>(value), size);
      message.headers.emplace_back(name, text);
    }
  }
  return message;
}

}  // namespace

// -- producer ---------------------------------------------------------------------------------------------------------

KafkaProducer::KafkaProducer(const std::string& bootstrap, KafkaConfig config) {
  config.try_emplace("linger.ms", "5");
  auto* conf = configuration(bootstrap, config);
  rd_kafka_conf_set_dr_msg_cb(conf, &KafkaProducer::report);
  rd_kafka_conf_set_throttle_cb(conf, [](rd_kafka_t*, const char*, int32_t, int throttled_ms, void* opaque) {
    auto& self = *static_cast<KafkaProducer*>(opaque);
    self.throttled_ms_ = std::max(self.throttled_ms_, throttled_ms);
  });
  rd_kafka_conf_set_opaque(conf, this);
  char error[512];
  handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (!handle_) throw std::runtime_error(error);
}

KafkaProducer::~KafkaProducer() {
  rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(handle_, 1000);
  rd_kafka_destroy(handle_);
}

void KafkaProducer::report(rd_kafka_s*, const rd_kafka_message_s* message, void* opaque) {
  auto& self = *static_cast<KafkaProducer*>(opaque);
  std::unique_ptr<Delivered> delivered(static_cast<Delivered*>(message->_private));
  std::string error;
  if (message->err) {
    error = rd_kafka_err2str(message->err);
    self.last_error_ = error;
    ++self.failed_;
  } else {
    ++self.acknowledged_;
  }
  if (delivered && *delivered) (*delivered)(error, message->partition, message->offset);
}

void KafkaProducer::send(const std::string& topic, std::optional<std::string> key, std::optional<std::string> value,
                         Delivered delivered, std::int32_t partition, const KafkaHeaders& headers,
                         std::int64_t timestamp_ms) {
  auto opaque = std::make_unique<Delivered>(std::move(delivered));
  void* const key_data = key ? key->data() : nullptr;
  void* const value_data = value ? value->data() : nullptr;
  for (;;) {
    rd_kafka_headers_t* list = rd_kafka_headers_new(headers.size());
    for (const auto& [name, text] : headers)
      rd_kafka_header_add(list, name.c_str(), static_cast<ssize_t>(name.size()), text ? text->data() : nullptr,
                          text ? static_cast<ssize_t>(text->size()) : 0);
    const std::array<rd_kafka_vu_t, 8> fields{{
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u = {.cstr = topic.c_str()}},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {key_data, key ? key->size() : 0}}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {value_data, value ? value->size() : 0}}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = list}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u = {.i64 = timestamp_ms}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = opaque.get()}},
    }};
    rd_kafka_error_t* const problem = rd_kafka_produceva(handle_, fields.data(), fields.size());
    const auto error = rd_kafka_error_code(problem);
    rd_kafka_error_destroy(problem);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      opaque.release();
      return;
    }
    rd_kafka_headers_destroy(list);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) throw std::runtime_error(rd_kafka_err2str(error));
    rd_kafka_poll(handle_, 50);
  }
}

void KafkaProducer::poll(int timeout_ms) {
  rd_kafka_poll(handle_, timeout_ms);
}

bool KafkaProducer::flush(int timeout_ms) {
  return rd_kafka_flush(handle_, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

// -- consumer ---------------------------------------------------------------------------------------------------------

KafkaConsumer::KafkaConsumer(const std::string& bootstrap, const std::string& group,
                             const std::vector<std::string>& topics, KafkaConfig config) {
  config.try_emplace("auto.offset.reset", "earliest");
  config.emplace("group.id", group);
  auto* conf = configuration(bootstrap, config);
  rd_kafka_conf_set_throttle_cb(conf, [](rd_kafka_t*, const char*, int32_t, int throttled_ms, void* opaque) {
    auto& self = *static_cast<KafkaConsumer*>(opaque);
    self.throttled_ms_ = std::max(self.throttled_ms_, throttled_ms);
  });
  rd_kafka_conf_set_opaque(conf, this);
  char error[512];
  handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!handle_) throw std::runtime_error(error);
  rd_kafka_poll_set_consumer(handle_);
  auto* list = rd_kafka_topic_partition_list_new(static_cast<int>(topics.size()));
  for (const auto& topic : topics) rd_kafka_topic_partition_list_add(list, topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto subscribed = rd_kafka_subscribe(handle_, list);
  rd_kafka_topic_partition_list_destroy(list);
  if (subscribed) throw std::runtime_error(rd_kafka_err2str(subscribed));
}

KafkaConsumer::~KafkaConsumer() {
  close();
  rd_kafka_destroy(handle_);
}

void KafkaConsumer::close() {
  rd_kafka_consumer_close(handle_);
}

std::optional<KafkaMessage> KafkaConsumer::poll(int timeout_ms) {
  rd_kafka_message_t* raw = rd_kafka_consumer_poll(handle_, timeout_ms);
  if (!raw) return std::nullopt;
  std::optional<KafkaMessage> message;
  if (raw->err)
    last_error_ = rd_kafka_message_errstr(raw);
  else
    message = convert(*raw);
  rd_kafka_message_destroy(raw);
  return message;
}

std::vector<KafkaMessage> KafkaConsumer::take(std::size_t count, int timeout_ms) {
  std::vector<KafkaMessage> messages;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (messages.size() < count && std::chrono::steady_clock::now() < deadline)
    if (auto message = poll(100)) messages.push_back(std::move(*message));
  return messages;
}

std::string KafkaConsumer::commit() {
  const auto error = rd_kafka_commit(handle_, nullptr, 0);
  return error && error != RD_KAFKA_RESP_ERR__NO_OFFSET ? rd_kafka_err2str(error) : "";
}

std::size_t KafkaConsumer::assigned() const {
  rd_kafka_topic_partition_list_t* list = nullptr;
  if (rd_kafka_assignment(handle_, &list)) return 0;
  const auto count = static_cast<std::size_t>(list->cnt);
  rd_kafka_topic_partition_list_destroy(list);
  return count;
}

std::vector<KafkaMessage> read_all(const std::string& bootstrap, const std::string& topic, int timeout_ms) {
  auto* conf = configuration(bootstrap, {{"enable.partition.eof", "true"},
                                         {"auto.offset.reset", "earliest"},
                                         {"group.id", "read-all"},
                                         {"enable.auto.commit", "false"}});
  char error[512];
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!handle) throw std::runtime_error(error);
  rd_kafka_poll_set_consumer(handle);
  const rd_kafka_metadata_t* metadata = nullptr;
  auto* rkt = rd_kafka_topic_new(handle, topic.c_str(), nullptr);
  const auto asked = rd_kafka_metadata(handle, 0, rkt, &metadata, 10000);
  if (asked) throw std::runtime_error(rd_kafka_err2str(asked));
  const int partitions = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(rkt);
  auto* list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(handle, list);
  rd_kafka_topic_partition_list_destroy(list);

  std::vector<KafkaMessage> messages;
  int ended = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (ended < partitions && std::chrono::steady_clock::now() < deadline) {
    rd_kafka_message_t* raw = rd_kafka_consumer_poll(handle, 100);
    if (!raw) continue;
    if (raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
      ++ended;
    else if (!raw->err)
      messages.push_back(convert(*raw));
    rd_kafka_message_destroy(raw);
  }
  rd_kafka_consumer_close(handle);
  rd_kafka_destroy(handle);
  if (ended < partitions) throw std::runtime_error("the end of " + topic + " was not reached in time");
  return messages;
}

}  // namespace braid::e2e
