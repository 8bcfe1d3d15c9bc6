// Braid, Apache-2.0.
#include "e2e/support/mqtt.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace braid::e2e {

namespace {

/// A property list that frees itself.
class PropertyList {
 public:
  PropertyList() = default;
  explicit PropertyList(const MqttProperties& from) {
    for (const auto& [name, value] : from.user)
      mosquitto_property_add_string_pair(&list_, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
    if (from.content_type) mosquitto_property_add_string(&list_, MQTT_PROP_CONTENT_TYPE, from.content_type->c_str());
    if (from.response_topic)
      mosquitto_property_add_string(&list_, MQTT_PROP_RESPONSE_TOPIC, from.response_topic->c_str());
    if (from.correlation_data)
      mosquitto_property_add_binary(&list_, MQTT_PROP_CORRELATION_DATA, from.correlation_data->data(),
                                    static_cast<std::uint16_t>(from.correlation_data->size()));
    if (from.expiry_interval_s)
      mosquitto_property_add_int32(&list_, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, *from.expiry_interval_s);
    if (from.payload_format)
      mosquitto_property_add_byte(&list_, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR,
                                  static_cast<std::uint8_t>(*from.payload_format));
  }
  ~PropertyList() { mosquitto_property_free_all(&list_); }
  PropertyList(const PropertyList&) = delete;
  PropertyList& operator=(const PropertyList&) = delete;
  const mosquitto_property* get() const { return list_; }

 private:
  mosquitto_property* list_ = nullptr;
};

std::optional<std::string> text_of(const mosquitto_property* list, int identifier) {
  char* value = nullptr;
  if (!mosquitto_property_read_string(list, identifier, &value, false)) return std::nullopt;
  std::string text = value;
  std::free(value);
  return text;
}

MqttProperties convert(const mosquitto_property* list) {
  MqttProperties properties;
  if (!list) return properties;
  char *name = nullptr, *value = nullptr;
  for (const mosquitto_property* at =
           mosquitto_property_read_string_pair(list, MQTT_PROP_USER_PROPERTY, &name, &value, false);
       at; at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, true)) {
    properties.user.emplace_back(name, value);
    std::free(name);
    std::free(value);
  }
  properties.content_type = text_of(list, MQTT_PROP_CONTENT_TYPE);
  properties.response_topic = text_of(list, MQTT_PROP_RESPONSE_TOPIC);
  void* data = nullptr;
  std::uint16_t size = 0;
  if (mosquitto_property_read_binary(list, MQTT_PROP_CORRELATION_DATA, &data, &size, false)) {
    properties.correlation_data = std::string(static_cast<char*>(data), size);
    std::free(data);
  }
  std::uint32_t expiry = 0;
  if (mosquitto_property_read_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &expiry, false))
    properties.expiry_interval_s = expiry;
  std::uint8_t format = 0;
  if (mosquitto_property_read_byte(list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, &format, false))
    properties.payload_format = format;
  return properties;
}

void check(int result, const char* what) {
  if (result != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string(what) + ": " + mosquitto_strerror(result));
}

}  // namespace

MqttClient::MqttClient(std::uint16_t port, MqttOptions options) : version_(options.version) {
  static const int initialized = mosquitto_lib_init();
  (void)initialized;
  if (options.client_id.empty() && !options.clean) throw std::runtime_error("a session needs a client identifier");
  handle_ = mosquitto_new(options.client_id.empty() ? nullptr : options.client_id.c_str(), options.clean, this);
  if (!handle_) throw std::runtime_error("mosquitto_new failed");
  mosquitto_int_option(handle_, MOSQ_OPT_PROTOCOL_VERSION, options.version);
  mosquitto_int_option(handle_, MOSQ_OPT_SEND_MAXIMUM, static_cast<int>(options.max_inflight));
  mosquitto_connect_v5_callback_set(handle_, &MqttClient::on_connect);
  mosquitto_disconnect_v5_callback_set(handle_, &MqttClient::on_disconnect);
  mosquitto_publish_v5_callback_set(handle_, &MqttClient::on_publish);
  mosquitto_message_v5_callback_set(handle_, &MqttClient::on_message);
  mosquitto_subscribe_v5_callback_set(handle_, &MqttClient::on_subscribe);
  mosquitto_unsubscribe_v5_callback_set(handle_, &MqttClient::on_unsubscribe);
  if (options.will) {
    const auto& will = *options.will;
    mosquitto_property* properties = nullptr;
    for (const auto& [name, value] : will.properties.user)
      mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
    if (options.will_delay_s != 0)
      mosquitto_property_add_int32(&properties, MQTT_PROP_WILL_DELAY_INTERVAL, options.will_delay_s);
    check(mosquitto_will_set_v5(handle_, will.topic.c_str(), static_cast<int>(will.payload.size()), will.payload.data(),
                                will.qos, will.retain, properties),
          "will");
  }
  mosquitto_property* properties = nullptr;
  if (options.session_expiry_s != 0 && version_ == 5)
    mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, options.session_expiry_s);
  const int result = mosquitto_connect_bind_v5(handle_, "127.0.0.1", port, options.keep_alive_s, nullptr, properties);
  mosquitto_property_free_all(&properties);
  check(result, "connect");
  check(mosquitto_loop_start(handle_), "loop");
  const bool answered = wait(10000, [this] { return connack_.has_value(); });
  if (!answered || *connack_ != 0) {
    mosquitto_loop_stop(handle_, true);
    mosquitto_destroy(handle_);
    throw std::runtime_error("no good CONNACK: " + (connack_ ? std::to_string(*connack_) : std::string("none")));
  }
}

MqttClient::~MqttClient() {
  mosquitto_disconnect(handle_);
  mosquitto_loop_stop(handle_, true);
  mosquitto_destroy(handle_);
}

template <class Condition>
bool MqttClient::wait(int timeout_ms, Condition condition) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), condition);
}

int MqttClient::publish(const std::string& topic, const std::string& payload, int qos, bool retain,
                        const MqttProperties& properties) {
  int id = 0;
  const PropertyList list(properties);
  check(mosquitto_publish_v5(handle_, &id, topic.c_str(), static_cast<int>(payload.size()), payload.data(), qos, retain,
                             version_ == 5 ? list.get() : nullptr),
        "publish");
  return id;
}

bool MqttClient::publish_and_wait(const std::string& topic, const std::string& payload, int qos, bool retain,
                                  const MqttProperties& properties, int timeout_ms) {
  const int id = publish(topic, payload, qos, retain, properties);
  return wait(timeout_ms, [&] { return acknowledged_.contains(id); });
}

int MqttClient::subscribe(const std::string& filter, int qos, int options) {
  int id = 0;
  check(mosquitto_subscribe_v5(handle_, &id, filter.c_str(), qos, options, nullptr), "subscribe");
  if (!wait(10000, [&] { return subacks_.contains(id); })) throw std::runtime_error("no SUBACK for " + filter);
  const std::lock_guard lock(mutex_);
  return subacks_[id];
}

void MqttClient::unsubscribe(const std::string& filter) {
  int id = 0;
  check(mosquitto_unsubscribe(handle_, &id, filter.c_str()), "unsubscribe");
  if (!wait(10000, [&] { return unsubacks_.contains(id); })) throw std::runtime_error("no UNSUBACK for " + filter);
}

std::vector<MqttMessage> MqttClient::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}
bool MqttClient::wait_received(std::size_t count, int timeout_ms) const {
  return wait(timeout_ms, [&] { return received_.size() >= count; });
}
std::size_t MqttClient::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_count_;
}
bool MqttClient::wait_acknowledged(std::size_t count, int timeout_ms) const {
  return wait(timeout_ms, [&] { return acknowledged_count_ >= count; });
}
bool MqttClient::is_acknowledged(int message_id) const {
  const std::lock_guard lock(mutex_);
  return acknowledged_.contains(message_id);
}
bool MqttClient::connected() const {
  const std::lock_guard lock(mutex_);
  return connected_;
}
bool MqttClient::session_present() const {
  const std::lock_guard lock(mutex_);
  return session_present_;
}
bool MqttClient::wait_disconnected(int timeout_ms) const {
  return wait(timeout_ms, [&] { return !connected_; });
}
int MqttClient::disconnect_reason() const {
  const std::lock_guard lock(mutex_);
  return disconnect_reason_;
}
void MqttClient::disconnect() {
  mosquitto_disconnect(handle_);
  wait_disconnected();
}
void MqttClient::drop() {
  // The socket goes, the library's thread with it; the peer sees a connection that ends without a DISCONNECT.
  mosquitto_loop_stop(handle_, true);
  const int socket = mosquitto_socket(handle_);
  if (socket >= 0) ::shutdown(socket, SHUT_RDWR);
  const std::lock_guard lock(mutex_);
  connected_ = false;
}

// -- callbacks, on the library's thread -------------------------------------------------------------------------------

void MqttClient::on_connect(mosquitto*, void* object, int reason, int flags, const mosquitto_property*) {
  auto& self = *static_cast<MqttClient*>(object);
  const std::lock_guard lock(self.mutex_);
  self.connack_ = reason;
  self.session_present_ = (flags & 1) != 0;
  self.connected_ = reason == 0;
  self.changed_.notify_all();
}
void MqttClient::on_disconnect(mosquitto*, void* object, int reason, const mosquitto_property*) {
  auto& self = *static_cast<MqttClient*>(object);
  const std::lock_guard lock(self.mutex_);
  self.connected_ = false;
  self.disconnect_reason_ = reason;
  self.changed_.notify_all();
}
void MqttClient::on_publish(mosquitto*, void* object, int id, int reason, const mosquitto_property*) {
  auto& self = *static_cast<MqttClient*>(object);
  const std::lock_guard lock(self.mutex_);
  if (reason >= 0x80) return;
  self.acknowledged_.insert(id);
  ++self.acknowledged_count_;
  self.changed_.notify_all();
}
void MqttClient::on_message(mosquitto*, void* object, const mosquitto_message* from, const mosquitto_property* list) {
  auto& self = *static_cast<MqttClient*>(object);
  MqttMessage message;
  message.topic = from->topic;
  message.payload.assign(static_cast<const char*>(from->payload), static_cast<std::size_t>(from->payloadlen));
  message.qos = from->qos;
  message.retain = from->retain;
  message.properties = convert(list);
  const std::lock_guard lock(self.mutex_);
  self.received_.push_back(std::move(message));
  self.changed_.notify_all();
}
void MqttClient::on_subscribe(mosquitto*, void* object, int id, int count, const int* granted,
                              const mosquitto_property*) {
  auto& self = *static_cast<MqttClient*>(object);
  const std::lock_guard lock(self.mutex_);
  self.subacks_[id] = count > 0 ? granted[0] : -1;
  self.changed_.notify_all();
}
void MqttClient::on_unsubscribe(mosquitto*, void* object, int id, const mosquitto_property*) {
  auto& self = *static_cast<MqttClient*>(object);
  const std::lock_guard lock(self.mutex_);
  self.unsubacks_.insert(id);
  self.changed_.notify_all();
}

}  // namespace braid::e2e
