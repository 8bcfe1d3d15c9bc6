// Braid, Apache-2.0.
#include "e2e/support/amqp.hpp"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace braid::e2e {

namespace {

using Clock = std::chrono::steady_clock;

amqp_bytes_t bytes(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}
std::string text_of(const amqp_bytes_t& from) {
  return {static_cast<const char*>(from.bytes), from.len};
}
timeval to_timeval(int timeout_ms) {
  return {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
}

/// A table as librabbitmq takes it; `entries` must outlive it.
amqp_table_t to_table(const AmqpTable& table, std::vector<amqp_table_entry_t>& entries) {
  entries.clear();
  for (const auto& [name, value] : table) {
    amqp_table_entry_t entry;
    entry.key = bytes(name);
    if (value.text) {
      entry.value.kind = AMQP_FIELD_KIND_UTF8;
      entry.value.value.bytes = bytes(*value.text);
    } else {
      entry.value.kind = AMQP_FIELD_KIND_I64;
      entry.value.value.i64 = value.number;
    }
    entries.push_back(entry);
  }
  return {static_cast<int>(entries.size()), entries.data()};
}

AmqpProperties from(const amqp_basic_properties_t& given) {
  AmqpProperties properties;
  const auto has = [&](amqp_flags_t flag) { return (given._flags & flag) != 0; };
  properties.persistent = has(AMQP_BASIC_DELIVERY_MODE_FLAG) && given.delivery_mode == 2;
  if (has(AMQP_BASIC_PRIORITY_FLAG)) properties.priority = given.priority;
  if (has(AMQP_BASIC_CONTENT_TYPE_FLAG)) properties.content_type = text_of(given.content_type);
  if (has(AMQP_BASIC_CORRELATION_ID_FLAG)) properties.correlation_id = text_of(given.correlation_id);
  if (has(AMQP_BASIC_REPLY_TO_FLAG)) properties.reply_to = text_of(given.reply_to);
  if (has(AMQP_BASIC_EXPIRATION_FLAG)) properties.expiration = text_of(given.expiration);
  if (has(AMQP_BASIC_MESSAGE_ID_FLAG)) properties.message_id = text_of(given.message_id);
  if (has(AMQP_BASIC_TYPE_FLAG)) properties.type = text_of(given.type);
  if (has(AMQP_BASIC_USER_ID_FLAG)) properties.user_id = text_of(given.user_id);
  if (has(AMQP_BASIC_APP_ID_FLAG)) properties.app_id = text_of(given.app_id);
  if (has(AMQP_BASIC_TIMESTAMP_FLAG)) properties.timestamp = given.timestamp;
  if (has(AMQP_BASIC_HEADERS_FLAG))
    for (int i = 0; i < given.headers.num_entries; ++i) {
      const auto& entry = given.headers.entries[i];
      std::string value = "(" + std::string(1, static_cast<char>(entry.value.kind)) + ")";
      if (entry.value.kind == AMQP_FIELD_KIND_UTF8) value = text_of(entry.value.value.bytes);
      if (entry.value.kind == AMQP_FIELD_KIND_I64) value = std::to_string(entry.value.value.i64);
      properties.headers[text_of(entry.key)] = value;
    }
  return properties;
}

}  // namespace

AmqpClient::AmqpClient(std::uint16_t port, const AmqpOptions& options) {
  handle_ = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(handle_);
  if (amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK) {
    code_ = -1;
    text_ = "cannot connect";
    return;
  }
  connected_ =
      check(amqp_login(handle_, options.vhost.c_str(), options.channel_max, options.frame_max, options.heartbeat_s,
                       AMQP_SASL_METHOD_PLAIN, options.user.c_str(), options.password.c_str())) &&
      open(1);
}

AmqpClient::~AmqpClient() {
  if (handle_) amqp_destroy_connection(handle_);
}

bool AmqpClient::check(const amqp_rpc_reply_t_& reply) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return true;
  code_ = -1;
  text_ = reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION ? amqp_error_string2(reply.library_error) : "no reply";
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) return false;
  if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* method = static_cast<amqp_channel_close_t*>(reply.reply.decoded);
    code_ = method->reply_code;
    text_ = text_of(method->reply_text);
    amqp_channel_close_ok_t answer{};
    amqp_send_method(handle_, channel_, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer);
  } else if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto* method = static_cast<amqp_connection_close_t*>(reply.reply.decoded);
    code_ = method->reply_code;
    text_ = text_of(method->reply_text);
    connected_ = false;
  }
  return false;
}
bool AmqpClient::check() {
  return check(amqp_get_rpc_reply(handle_));
}

AmqpClient& AmqpClient::on(std::uint16_t channel) {
  channel_ = channel;
  return *this;
}
bool AmqpClient::open(std::uint16_t channel) {
  channel_ = channel;
  amqp_channel_open(handle_, channel);
  return check();
}
bool AmqpClient::close_channel() {
  return check(amqp_channel_close(handle_, channel_, AMQP_REPLY_SUCCESS));
}
bool AmqpClient::close() {
  connected_ = false;
  return check(amqp_connection_close(handle_, AMQP_REPLY_SUCCESS));
}
void AmqpClient::drop() {
  amqp_destroy_connection(handle_);
  handle_ = nullptr;
  connected_ = false;
}

std::optional<AmqpQueue> AmqpClient::declare(const std::string& queue, const QueueOptions& options) {
  std::vector<amqp_table_entry_t> entries;
  const auto* reply = amqp_queue_declare(handle_, channel_, bytes(queue), options.passive, options.durable,
                                         options.exclusive, options.auto_delete, to_table(options.arguments, entries));
  if (!check() || !reply) return {};
  return AmqpQueue{text_of(reply->queue), reply->message_count, reply->consumer_count};
}
bool AmqpClient::declare_exchange(const std::string& name, const std::string& type, const ExchangeOptions& options) {
  std::vector<amqp_table_entry_t> entries;
  amqp_exchange_declare(handle_, channel_, bytes(name), bytes(type), options.passive, options.durable,
                        options.auto_delete, options.internal, to_table(options.arguments, entries));
  return check();
}
bool AmqpClient::bind(const std::string& queue, const std::string& exchange, const std::string& key,
                      const AmqpTable& arguments) {
  std::vector<amqp_table_entry_t> entries;
  amqp_queue_bind(handle_, channel_, bytes(queue), bytes(exchange), bytes(key), to_table(arguments, entries));
  return check();
}
bool AmqpClient::unbind(const std::string& queue, const std::string& exchange, const std::string& key) {
  amqp_queue_unbind(handle_, channel_, bytes(queue), bytes(exchange), bytes(key), amqp_empty_table);
  return check();
}
bool AmqpClient::bind_exchange(const std::string& destination, const std::string& source, const std::string& key) {
  amqp_exchange_bind(handle_, channel_, bytes(destination), bytes(source), bytes(key), amqp_empty_table);
  return check();
}
std::optional<std::uint32_t> AmqpClient::purge(const std::string& queue) {
  const auto* reply = amqp_queue_purge(handle_, channel_, bytes(queue));
  if (!check() || !reply) return {};
  return reply->message_count;
}
std::optional<std::uint32_t> AmqpClient::delete_queue(const std::string& queue, bool if_unused, bool if_empty) {
  const auto* reply = amqp_queue_delete(handle_, channel_, bytes(queue), if_unused, if_empty);
  if (!check() || !reply) return {};
  return reply->message_count;
}
bool AmqpClient::delete_exchange(const std::string& name, bool if_unused) {
  amqp_exchange_delete(handle_, channel_, bytes(name), if_unused);
  return check();
}

bool AmqpClient::publish(const std::string& exchange, const std::string& key, const std::string& body,
                         const AmqpProperties& given, bool mandatory, bool immediate) {
  amqp_basic_properties_t properties{};
  const auto set = [&](amqp_flags_t flag, amqp_bytes_t& field, const std::optional<std::string>& value) {
    if (!value) return;
    properties._flags |= flag;
    field = bytes(*value);
  };
  set(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type, given.content_type);
  set(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id, given.correlation_id);
  set(AMQP_BASIC_REPLY_TO_FLAG, properties.reply_to, given.reply_to);
  set(AMQP_BASIC_EXPIRATION_FLAG, properties.expiration, given.expiration);
  set(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id, given.message_id);
  set(AMQP_BASIC_TYPE_FLAG, properties.type, given.type);
  set(AMQP_BASIC_USER_ID_FLAG, properties.user_id, given.user_id);
  set(AMQP_BASIC_APP_ID_FLAG, properties.app_id, given.app_id);
  if (given.persistent) {
    properties._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = 2;
  }
  if (given.priority) {
    properties._flags |= AMQP_BASIC_PRIORITY_FLAG;
    properties.priority = static_cast<std::uint8_t>(*given.priority);
  }
  if (given.timestamp) {
    properties._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    properties.timestamp = *given.timestamp;
  }
  AmqpTable table;
  std::vector<amqp_table_entry_t> entries;
  for (const auto& [name, value] : given.headers) table.emplace(name, AmqpValue(value));
  if (!table.empty()) {
    properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    properties.headers = to_table(table, entries);
  }
  return amqp_basic_publish(handle_, channel_, bytes(exchange), bytes(key), mandatory, immediate, &properties,
                            bytes(body)) == AMQP_STATUS_OK;
}

bool AmqpClient::confirm_select() {
  amqp_confirm_select(handle_, channel_);
  return check();
}

bool AmqpClient::wait_confirmed(std::uint64_t number, int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (confirmed_ < number && !rejected_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || !pump(static_cast<int>(left))) return false;
  }
  return !rejected_;
}

bool AmqpClient::qos(std::uint16_t prefetch, bool global) {
  amqp_basic_qos(handle_, channel_, 0, prefetch, global);
  return check();
}
std::optional<std::string> AmqpClient::consume(const std::string& queue, const ConsumeOptions& options) {
  std::vector<amqp_table_entry_t> entries;
  const auto* reply = amqp_basic_consume(handle_, channel_, bytes(queue), bytes(options.tag), false, options.no_ack,
                                         options.exclusive, to_table(options.arguments, entries));
  if (!check() || !reply) return {};
  return text_of(reply->consumer_tag);
}
bool AmqpClient::cancel(const std::string& tag) {
  amqp_basic_cancel(handle_, channel_, bytes(tag));
  return check();
}

AmqpMessage AmqpClient::read_message() {
  AmqpMessage read;
  amqp_message_t message;
  if (!check(amqp_read_message(handle_, channel_, &message, 0))) return read;
  read.body = text_of(message.body);
  read.properties = from(message.properties);
  amqp_destroy_message(&message);
  return read;
}

bool AmqpClient::pump(int timeout_ms) {
  amqp_frame_t frame;
  const timeval timeout = to_timeval(timeout_ms);
  amqp_maybe_release_buffers(handle_);
  const int status = amqp_simple_wait_frame_noblock(handle_, &frame, &timeout);
  if (status == AMQP_STATUS_TIMEOUT) return false;
  if (status != AMQP_STATUS_OK) {
    code_ = -1;
    text_ = amqp_error_string2(status);
    connected_ = false;
    return false;
  }
  if (frame.frame_type != AMQP_FRAME_METHOD) return true;
  const auto& method = frame.payload.method;
  switch (method.id) {
    case AMQP_BASIC_DELIVER_METHOD: {
      const auto* deliver = static_cast<amqp_basic_deliver_t*>(method.decoded);
      AmqpMessage head;
      head.exchange = text_of(deliver->exchange);
      head.routing_key = text_of(deliver->routing_key);
      head.consumer_tag = text_of(deliver->consumer_tag);
      head.tag = deliver->delivery_tag;
      head.redelivered = deliver->redelivered;
      const auto was = std::exchange(channel_, frame.channel);
      AmqpMessage message = read_message();
      channel_ = was;
      head.body = std::move(message.body);
      head.properties = std::move(message.properties);
      deliveries_.push_back(std::move(head));
      break;
    }
    case AMQP_BASIC_RETURN_METHOD: {
      const auto* returned = static_cast<amqp_basic_return_t*>(method.decoded);
      const int code = returned->reply_code;
      const std::string exchange = text_of(returned->exchange), key = text_of(returned->routing_key);
      AmqpMessage message = read_message();
      message.exchange = exchange;
      message.routing_key = key;
      returns_.emplace_back(code, std::move(message));
      break;
    }
    case AMQP_BASIC_ACK_METHOD:
      confirmed_ = static_cast<amqp_basic_ack_t*>(method.decoded)->delivery_tag;
      ++confirm_frames_;
      break;
    case AMQP_BASIC_NACK_METHOD:
      rejected_ = true;
      break;
    case AMQP_CHANNEL_CLOSE_METHOD:
    case AMQP_CONNECTION_CLOSE_METHOD: {
      amqp_rpc_reply_t reply{};
      reply.reply_type = AMQP_RESPONSE_SERVER_EXCEPTION;
      reply.reply = method;
      check(reply);
      return false;
    }
    default:
      break;
  }
  return true;
}

std::optional<AmqpMessage> AmqpClient::next(int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (deliveries_.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || !pump(static_cast<int>(left))) return {};
  }
  AmqpMessage first = std::move(deliveries_.front());
  deliveries_.erase(deliveries_.begin());
  return first;
}

std::optional<AmqpMessage> AmqpClient::get(const std::string& queue, bool no_ack) {
  const auto reply = amqp_basic_get(handle_, channel_, bytes(queue), no_ack);
  if (!check(reply) || reply.reply.id != AMQP_BASIC_GET_OK_METHOD) return {};
  const auto* got = static_cast<amqp_basic_get_ok_t*>(reply.reply.decoded);
  AmqpMessage head;
  head.exchange = text_of(got->exchange);
  head.routing_key = text_of(got->routing_key);
  head.tag = got->delivery_tag;
  head.redelivered = got->redelivered;
  head.left = got->message_count;
  AmqpMessage message = read_message();
  head.body = std::move(message.body);
  head.properties = std::move(message.properties);
  return head;
}

std::optional<std::pair<int, AmqpMessage>> AmqpClient::returned(int timeout_ms) {
  while (returns_.empty())
    if (!pump(timeout_ms)) return {};
  auto first = std::move(returns_.front());
  returns_.erase(returns_.begin());
  return first;
}
int AmqpClient::wait_closed(int timeout_ms) {
  code_ = 0;
  while (pump(timeout_ms)) {
  }
  return code_;
}

bool AmqpClient::ack(std::uint64_t tag, bool multiple) {
  return amqp_basic_ack(handle_, channel_, tag, multiple) == AMQP_STATUS_OK;
}
bool AmqpClient::nack(std::uint64_t tag, bool multiple, bool requeue) {
  return amqp_basic_nack(handle_, channel_, tag, multiple, requeue) == AMQP_STATUS_OK;
}
bool AmqpClient::reject(std::uint64_t tag, bool requeue) {
  return amqp_basic_reject(handle_, channel_, tag, requeue) == AMQP_STATUS_OK;
}
bool AmqpClient::recover() {
  amqp_basic_recover(handle_, channel_, true);
  return check();
}
bool AmqpClient::tx_select() {
  amqp_tx_select(handle_, channel_);
  return check();
}
bool AmqpClient::tx_commit() {
  amqp_tx_commit(handle_, channel_);
  return check();
}
bool AmqpClient::tx_rollback() {
  amqp_tx_rollback(handle_, channel_);
  return check();
}

}  // namespace braid::e2e
