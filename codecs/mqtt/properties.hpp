// Braid, Apache-2.0.
//
// The properties of MQTT 5, section 2.2.2. A decoder that copies each property into an object allocates for every
// PUBLISH. Here the block of properties stays where it is: the decoder checks it once, notes which properties are
// there, lifts the numbers into plain fields, and keeps the block as it came. Text, binary and user properties are
// found in the block when they are asked for. Forwarding a message then means copying a block, in its order
// [MQTT-3.3.2-18], not rebuilding it.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "codecs/mqtt/errors.hpp"
#include "codecs/mqtt/types.hpp"
#include "model/byte_io.hpp"

namespace braid::mqtt {

enum class PropertyId : std::uint8_t {
  payload_format_indicator = 0x01,
  message_expiry_interval = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry_interval = 0x11,
  assigned_client_identifier = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay_interval = 0x18,
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
  wildcard_subscription_available = 0x28,
  subscription_identifier_available = 0x29,
  shared_subscription_available = 0x2A,
};

enum class PropertyType : std::uint8_t { none, byte, two_bytes, four_bytes, variable, text, binary, pair };
PropertyType type_of(PropertyId);

/// Who sent the packet: the properties that a packet may have depend on it.
enum class Sender : std::uint8_t { client, server };
/// Where a block stands: in a packet of some type, or with the will inside a CONNECT.
enum class PropertyPlace : std::uint8_t { will = 0 };
constexpr PropertyPlace place(PacketType type) {
  return static_cast<PropertyPlace>(type);
}

/// One property as it lies in a block.
struct Property {
  PropertyId id{};
  std::uint32_t number = 0;  ///< of all number types
  std::string_view text;     ///< of text and binary types; the value of a pair
  std::string_view name;     ///< of a pair
};

/// Yields the properties of a block in their order. On a block that was not checked it stops at the first fault.
class PropertyIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Property;
  using difference_type = std::ptrdiff_t;
  using pointer = const Property*;
  using reference = const Property&;

  PropertyIterator() = default;
  explicit PropertyIterator(std::string_view block) : rest_(block) { read(); }
  const Property& operator*() const { return property_; }
  const Property* operator->() const { return &property_; }
  PropertyIterator& operator++() {
    read();
    return *this;
  }
  void operator++(int) { read(); }
  friend bool operator==(const PropertyIterator& a, std::default_sentinel_t) { return a.done_; }
  /// What stands behind the current property.
  std::string_view rest() const { return rest_; }

 private:
  void read();
  std::string_view rest_;
  Property property_;
  bool done_ = true;
};

/// A range over a block: `for (const Property& property : PropertyRange(block))`.
class PropertyRange {
 public:
  explicit PropertyRange(std::string_view block) : block_(block) {}
  PropertyIterator begin() const { return PropertyIterator(block_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view block_;
};

/// A checked block. Numbers hold the default of the specification when the property is absent.
struct Properties {
  std::string_view block;     ///< all of them as they came, without the length in front
  std::uint64_t present = 0;  ///< bit n: the property with identifier n is there

  std::uint32_t message_expiry_interval_s = 0;
  std::uint32_t subscription_identifier = 0;  ///< the last of them, when there are several
  std::uint32_t session_expiry_interval_s = 0;
  std::uint32_t will_delay_interval_s = 0;
  std::uint32_t maximum_packet_size = max_packet_bytes;
  std::uint16_t user_property_count = 0;
  std::uint16_t subscription_identifier_count = 0;
  std::uint16_t receive_maximum = 65535;
  std::uint16_t topic_alias_maximum = 0;
  std::uint16_t topic_alias = 0;
  std::uint16_t server_keep_alive_s = 0;
  std::uint8_t payload_format_indicator = 0;
  std::uint8_t request_problem_information = 1;
  std::uint8_t request_response_information = 0;
  std::uint8_t maximum_qos = 2;
  std::uint8_t retain_available = 1;
  std::uint8_t wildcard_subscription_available = 1;
  std::uint8_t subscription_identifier_available = 1;
  std::uint8_t shared_subscription_available = 1;

  bool has(PropertyId id) const { return (present >> static_cast<std::uint8_t>(id)) & 1; }
  /// The text or binary property; nothing when it is absent.
  std::optional<std::string_view> text(PropertyId id) const;
  PropertyRange all() const { return PropertyRange(block); }
};

/// Checks a block and fills `into`.
Check parse_properties(std::string_view block, PropertyPlace, Sender, std::uint16_t max_user_properties,
                       Properties& into);

/// Properties of a PUBLISH or a will that travel on to subscribers unaltered: payload format, content type, response
/// topic, correlation data, user properties [MQTT-3.3.2-4] [-15] [-16] [-17] [-20]. Expiry, topic alias and
/// subscription identifiers are the business of each delivery.
inline constexpr std::uint64_t application_property_mask =
    1ull << static_cast<int>(PropertyId::payload_format_indicator) |
    1ull << static_cast<int>(PropertyId::content_type) | 1ull << static_cast<int>(PropertyId::response_topic) |
    1ull << static_cast<int>(PropertyId::correlation_data) | 1ull << static_cast<int>(PropertyId::user_property);
/// True when the block itself is what travels on, and need not be copied.
inline bool only_application_properties(const Properties& properties) {
  return (properties.present & ~application_property_mask) == 0;
}
void append_application_properties(ByteWriter&, const Properties&);

/// Builds a block. Strings can come from another protocol, so what MQTT cannot carry is refused, not written:
/// the answer is false, and the block is as it was.
class PropertyWriter {
 public:
  explicit PropertyWriter(std::size_t capacity = 64) : writer_(capacity) {}
  void number(PropertyId, std::uint32_t value);
  bool text(PropertyId, std::string_view value);
  bool user(std::string_view name, std::string_view value);
  /// Properties that were encoded before, such as application properties.
  void encoded(std::string_view block) { writer_.raw(block); }

  std::size_t size() const { return writer_.size(); }
  std::string_view view() const { return writer_.view(); }
  Bytes finish() { return writer_.finish(); }

 private:
  ByteWriter writer_;
};

}  // namespace braid::mqtt
