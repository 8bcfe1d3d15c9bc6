// Braid, Apache-2.0.
//
// libmosquitto as the tests use it: a client with its own thread, which knows what was acknowledged and keeps what it
// received.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace braid::e2e {

struct MqttProperties {
  std::vector<std::pair<std::string, std::string>> user;
  std::optional<std::string> content_type, response_topic, correlation_data;
  std::optional<std::uint32_t> expiry_interval_s;
  std::optional<int> payload_format;
};
struct MqttMessage {
  std::string topic, payload;
  int qos = 0;
  bool retain = false;
  MqttProperties properties;
};
struct MqttOptions {
  std::string client_id = {};
  int version = 5;  ///< 3, 4 or 5: the protocol level
  bool clean = true;
  int keep_alive_s = 60;
  unsigned max_inflight = 1000;
  std::optional<MqttMessage> will = {};
  std::uint32_t session_expiry_s = 0;  ///< MQTT 5
  std::uint32_t will_delay_s = 0;
};

class MqttClient {
 public:
  /// Connects and waits for the CONNACK; throws when it does not come or refuses.
  explicit MqttClient(std::uint16_t port, MqttOptions options = {});
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  /// Returns the message identifier; see acknowledged().
  int publish(const std::string& topic, const std::string& payload, int qos = 1, bool retain = false,
              const MqttProperties& properties = {});
  /// Publishes and waits for the acknowledgement; false when it does not come.
  bool publish_and_wait(const std::string& topic, const std::string& payload, int qos = 1, bool retain = false,
                        const MqttProperties& properties = {}, int timeout_ms = 10000);
  /// Waits for the SUBACK; the granted quality of service, or the reason code of the refusal.
  int subscribe(const std::string& filter, int qos = 1, int options = 0);
  void unsubscribe(const std::string& filter);

  std::vector<MqttMessage> received() const;
  /// Waits until `count` messages were received in all.
  bool wait_received(std::size_t count, int timeout_ms = 10000) const;
  std::size_t acknowledged() const;
  bool wait_acknowledged(std::size_t count, int timeout_ms = 60000) const;
  bool is_acknowledged(int message_id) const;
  bool connected() const;
  /// As the last CONNACK said.
  bool session_present() const;
  bool wait_disconnected(int timeout_ms = 10000) const;
  /// Reason of the last DISCONNECT or CONNACK that ended the connection (MQTT 5).
  int disconnect_reason() const;
  /// DISCONNECT, which drops the will.
  void disconnect();
  /// Ends the connection without a DISCONNECT.
  void drop();

 private:
  static void on_connect(mosquitto*, void*, int, int, const mqtt5__property*);
  static void on_disconnect(mosquitto*, void*, int, const mqtt5__property*);
  static void on_publish(mosquitto*, void*, int, int, const mqtt5__property*);
  static void on_message(mosquitto*, void*, const mosquitto_message*, const mqtt5__property*);
  static void on_subscribe(mosquitto*, void*, int, int, const int*, const mqtt5__property*);
  static void on_unsubscribe(mosquitto*, void*, int, const mqtt5__property*);
  template <class Condition>
  bool wait(int timeout_ms, Condition condition) const;

  mosquitto* handle_ = nullptr;
  int version_ = 5;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::optional<int> connack_;
  bool connected_ = false;
  bool session_present_ = false;
  int disconnect_reason_ = 0;
  std::set<int> acknowledged_;
  std::size_t acknowledged_count_ = 0;
  std::map<int, int> subacks_;
  std::set<int> unsubacks_;
  std::vector<MqttMessage> received_;
};

}  // namespace braid::e2e
