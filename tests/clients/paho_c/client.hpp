// Braid, Apache-2.0.
//
// Eclipse Paho for C, its blocking interface, as the tests use it: a client per object, everything released at its end.
#pragma once

#include <MQTTClient.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace braid::clients {

/// The properties of a packet; released with it.
class Properties {
 public:
  Properties() = default;
  ~Properties() { MQTTProperties_free(&properties_); }
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;

  Properties& number(MQTTPropertyCodes name, std::uint32_t value);
  Properties& text(MQTTPropertyCodes name, const std::string& value);
  Properties& user(const std::string& name, const std::string& value);
  MQTTProperties* get() { return &properties_; }

 private:
  MQTTProperties properties_ = MQTTProperties_initializer;
};

struct Message {
  std::string topic, payload;
  int qos = 0;
  bool retained = false, duplicate = false;
  std::vector<std::pair<std::string, std::string>> user;
  std::string content_type, response_topic, correlation_data;
  std::optional<std::uint32_t> expiry_s;
  std::vector<std::uint32_t> subscriptions;
};

struct Options {
  int version = MQTTVERSION_5;
  std::string client_id;  // one of its own if empty
  bool clean = true;
  std::optional<std::uint32_t> session_expiry_s;
  int keep_alive_s = 20;
  std::string will_topic, will_payload;
  int will_qos = 0;
};

class Client {
 public:
  /// Connects; a refusal throws with its reason.
  Client(std::uint16_t port, const Options& options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool session_present() const { return session_present_; }
  /// The code of the SUBACK.
  int subscribe(const std::string& filter, int qos, Properties* properties = nullptr);
  /// Returns when the broker has acknowledged; false when it refused or said nothing.
  bool publish(const std::string& topic, const std::string& payload, int qos, bool retained = false,
               Properties* properties = nullptr);
  /// The next message, or nothing after `timeout_ms`.
  std::optional<Message> receive(int timeout_ms = 20000);
  void disconnect();

 private:
  int version_;
  MQTTClient client_ = nullptr;
  bool session_present_ = false;
};

}  // namespace braid::clients
