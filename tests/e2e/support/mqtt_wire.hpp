// Braid, Apache-2.0.
//
// MQTT byte by byte, for what no client library would send and for seeing exactly what comes back. It shares nothing
// with the broker's codec, so that a misreading of the specification there does not hide itself here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/support/raw.hpp"

namespace braid::e2e::wire {

// -- writing ----------------------------------------------------------------------------------------------------------

std::string u16(unsigned value);
std::string u32(std::uint32_t value);
std::string varint(unsigned value);
/// With its two bytes of length.
std::string str(std::string_view text);
/// A control packet: first byte, remaining length, body.
std::string packet(unsigned first, std::string_view body);

enum Type : unsigned {
  CONNECT = 1,
  CONNACK,
  PUBLISH,
  PUBACK,
  PUBREC,
  PUBREL,
  PUBCOMP,
  SUBSCRIBE,
  SUBACK,
  UNSUBSCRIBE,
  UNSUBACK,
  PINGREQ,
  PINGRESP,
  DISCONNECT,
  AUTH
};

/// Property identifiers, section 2.2.2.2.
enum Id : unsigned {
  payload_format = 0x01,
  message_expiry = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry = 0x11,
  assigned_client_identifier = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay = 0x18,
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user_property = 0x26,
  maximum_packet_size = 0x27,
  wildcard_available = 0x28,
  identifiers_available = 0x29,
  shared_available = 0x2A,
};
/// One property; the width of a number follows from its identifier.
std::string property(unsigned id, std::uint32_t number);
std::string property(unsigned id, std::string_view text);
std::string property(unsigned id, std::string_view name, std::string_view value);

struct Will {
  std::string topic = "will", payload = "gone";
  unsigned qos = 0;
  bool retain = false;
  std::string properties = {};
};
struct Connect {
  int level = 5;
  std::string client_id = {};
  bool clean = true;
  unsigned keep_alive_s = 0;
  std::string properties = {};
  std::optional<Will> will = {};
  std::optional<std::string> user = {}, password = {};
  /// Flags that are turned over, to make what is not allowed.
  unsigned wrong_flags = 0;
};
std::string encode(const Connect& connect);

struct Publish {
  int level = 5;
  std::string topic, payload;
  unsigned qos = 0;
  unsigned id = 0;
  bool retain = false;
  bool dup = false;
  std::string properties = {};
};
std::string encode(const Publish& publish);

struct Filter {
  std::string filter;
  unsigned options = 0;
};
std::string subscribe(int level, unsigned id, const std::vector<Filter>& filters, std::string_view properties = {});
std::string unsubscribe(int level, unsigned id, const std::vector<std::string>& filters,
                        std::string_view properties = {});
/// PUBACK, PUBREC, PUBREL, PUBCOMP; with a reason (MQTT 5) three bytes, with properties the long form.
std::string acknowledge(unsigned type, unsigned id, std::optional<unsigned> reason = {},
                        std::optional<std::string> properties = {});
std::string pingreq();
std::string disconnect(std::optional<unsigned> reason = {}, std::optional<std::string> properties = {});

// -- reading ----------------------------------------------------------------------------------------------------------

struct Property {
  unsigned id = 0;
  std::uint32_t number = 0;
  std::string text, value;  ///< value: of a pair
};
using Properties = std::vector<Property>;
const Property* find(const Properties& properties, unsigned id);
/// The number of a property, or `absent`.
std::uint32_t number(const Properties& properties, unsigned id, std::uint32_t absent = 0);

struct Packet {
  unsigned first = 0;
  std::string body;
  std::size_t bytes = 0;  ///< of the whole packet
  unsigned type() const { return first >> 4; }
  unsigned flags() const { return first & 15; }
  std::string describe() const;
};
struct Connack {
  unsigned flags = 0;
  unsigned reason = 0;
  Properties properties;
  bool session_present() const { return flags & 1; }
};
struct Received {
  std::string topic, payload;
  unsigned qos = 0, id = 0;
  bool retain = false, dup = false;
  Properties properties;
  std::size_t bytes = 0;
};
struct Answer {  ///< PUBACK to PUBCOMP, DISCONNECT
  unsigned id = 0, reason = 0;
  Properties properties;
};
struct Answers {  ///< SUBACK, UNSUBACK
  unsigned id = 0;
  std::vector<unsigned> reasons;
  Properties properties;
};

/// A connection that says what it is told and expects what it is told. What comes instead throws, with both in words.
class Client {
 public:
  /// TCP only.
  explicit Client(std::uint16_t port) : connection_(std::make_unique<RawConnection>(port)) {}
  /// Connects and expects to be accepted.
  Client(std::uint16_t port, const Connect& connect);

  Client& send(std::string_view bytes) {
    connection_->send(bytes);
    return *this;
  }
  Client& send(const Publish& publish) { return send(encode(publish)); }
  /// Nothing when the connection ends or nothing comes in time.
  std::optional<Packet> read(int timeout_ms = 5000);
  Packet expect(unsigned type, int timeout_ms = 5000);
  Connack expect_connack();
  Received expect_publish(int timeout_ms = 5000);
  Answer expect_answer(unsigned type);
  Answers expect_answers(unsigned type);
  /// Subscribes to one filter; the reason code of the SUBACK.
  unsigned subscribe(const std::string& filter, unsigned options = 0, std::string_view properties = {});
  unsigned unsubscribe(const std::string& filter);
  /// Publishes and waits for what its quality of service promises; the reason code of PUBACK or PUBREC.
  unsigned publish(Publish publish);
  /// PINGREQ; what came before the PINGRESP.
  std::vector<Packet> ping();
  /// The reason code of the DISCONNECT that is the next thing to come, with the connection's end behind it.
  unsigned expect_disconnect();
  /// The connection ends, and nothing but its end is to come.
  bool ends(int timeout_ms = 5000);
  /// The end of the connection without DISCONNECT.
  void drop() { connection_.reset(); }
  unsigned next_id() { return id_ = id_ % 65535 + 1; }

  Connack connack;
  int level = 5;

 private:
  std::unique_ptr<RawConnection> connection_;
  std::string buffer_;
  unsigned id_ = 0;
};

/// A name that no other test of this process uses.
std::string unique(std::string_view stem);

}  // namespace braid::e2e::wire
