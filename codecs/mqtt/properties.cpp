// Braid, Apache-2.0.
//
// The table of properties (2.2.2.2) and the one parser that uses it: which property may stand where and who may send
// it there is data; only values with limits of their own are code.
#include "codecs/mqtt/properties.hpp"

#include <array>
#include <cassert>

#include "codecs/mqtt/topic.hpp"
#include "model/utf8.hpp"

namespace braid::mqtt {

namespace {

using Id = PropertyId;
using Type = PropertyType;

constexpr std::uint16_t will = 1;
constexpr std::uint16_t in(PacketType type) {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(type));
}
template <class... Types>
constexpr std::uint16_t in(PacketType first, Types... more) {
  return static_cast<std::uint16_t>(in(first) | in(more...));
}
constexpr std::uint16_t connect = in(PacketType::connect);
constexpr std::uint16_t connack = in(PacketType::connack);
constexpr std::uint16_t publish = in(PacketType::publish);
constexpr std::uint16_t disconnect = in(PacketType::disconnect);
constexpr std::uint16_t auth = in(PacketType::auth);
constexpr std::uint16_t acks = in(PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp);

struct Rule {
  Type type = Type::none;
  std::uint16_t from_client = 0;  ///< bit n: allowed in a packet of type n; bit 0: in the will
  std::uint16_t from_server = 0;
  bool repeatable = false;
};

constexpr std::size_t rule_count = 0x2B;

constexpr std::array<Rule, rule_count> make_rules() {
  std::array<Rule, rule_count> rules{};
  const auto set = [&rules](Id id, Type type, std::uint16_t from_client, std::uint16_t from_server,
                            bool repeatable = false) {
    rules[static_cast<std::size_t>(id)] = {type, from_client, from_server, repeatable};
  };
  set(Id::payload_format_indicator, Type::byte, publish | will, publish);
  set(Id::message_expiry_interval, Type::four_bytes, publish | will, publish);
  set(Id::content_type, Type::text, publish | will, publish);
  set(Id::response_topic, Type::text, publish | will, publish);
  set(Id::correlation_data, Type::binary, publish | will, publish);
  set(Id::subscription_identifier, Type::variable, in(PacketType::subscribe), publish, true);
  set(Id::session_expiry_interval, Type::four_bytes, connect | disconnect, connack);
  set(Id::assigned_client_identifier, Type::text, 0, connack);
  set(Id::server_keep_alive, Type::two_bytes, 0, connack);
  set(Id::authentication_method, Type::text, connect | auth, connack | auth);
  set(Id::authentication_data, Type::binary, connect | auth, connack | auth);
  set(Id::request_problem_information, Type::byte, connect, 0);
  set(Id::will_delay_interval, Type::four_bytes, will, 0);
  set(Id::request_response_information, Type::byte, connect, 0);
  set(Id::response_information, Type::text, 0, connack);
  set(Id::server_reference, Type::text, 0, connack | disconnect);
  set(Id::reason_string, Type::text, acks | disconnect | auth,
      connack | acks | disconnect | auth | in(PacketType::suback, PacketType::unsuback));
  set(Id::receive_maximum, Type::two_bytes, connect, connack);
  set(Id::topic_alias_maximum, Type::two_bytes, connect, connack);
  set(Id::topic_alias, Type::two_bytes, publish, publish);
  set(Id::maximum_qos, Type::byte, 0, connack);
  set(Id::retain_available, Type::byte, 0, connack);
  set(Id::user_property, Type::pair,
      connect | will | publish | acks | disconnect | auth | in(PacketType::subscribe, PacketType::unsubscribe),
      connack | publish | acks | disconnect | auth | in(PacketType::suback, PacketType::unsuback), true);
  set(Id::maximum_packet_size, Type::four_bytes, connect, connack);
  set(Id::wildcard_subscription_available, Type::byte, 0, connack);
  set(Id::subscription_identifier_available, Type::byte, 0, connack);
  set(Id::shared_subscription_available, Type::byte, 0, connack);
  return rules;
}

constexpr auto rules = make_rules();

constexpr const Rule* rule_of(std::uint8_t id) {
  return id < rule_count && rules[id].type != Type::none ? &rules[id] : nullptr;
}

/// Reads one value; a fault marks the reader as failed.
void read_value(ByteReader& reader, Type type, Property& into) {
  switch (type) {
    case Type::none:
      reader.fail();
      break;
    case Type::byte:
      into.number = reader.u8();
      break;
    case Type::two_bytes:
      into.number = reader.u16();
      break;
    case Type::four_bytes:
      into.number = reader.u32();
      break;
    case Type::variable: {
      const auto before = reader.position();
      into.number = static_cast<std::uint32_t>(reader.varint(28));
      if (reader.position() - before != varint_size(into.number)) reader.fail();  // not minimal [MQTT-1.5.5-1]
      break;
    }
    case Type::text:
    case Type::binary:
      into.text = reader.take_view(reader.u16());
      break;
    case Type::pair:
      into.name = reader.take_view(reader.u16());
      into.text = reader.take_view(reader.u16());
      break;
  }
}

Check check_flag(const Property& property, std::uint8_t& into) {
  if (property.number > 1) return protocol_error("a property that is 0 or 1 with another value");
  into = static_cast<std::uint8_t>(property.number);
  return {};
}

Check accept(const Property& property, Properties& into) {
  switch (property.id) {
    case Id::payload_format_indicator:
      return check_flag(property, into.payload_format_indicator);
    case Id::request_problem_information:
      return check_flag(property, into.request_problem_information);
    case Id::request_response_information:
      return check_flag(property, into.request_response_information);
    case Id::maximum_qos:
      return check_flag(property, into.maximum_qos);
    case Id::retain_available:
      return check_flag(property, into.retain_available);
    case Id::wildcard_subscription_available:
      return check_flag(property, into.wildcard_subscription_available);
    case Id::subscription_identifier_available:
      return check_flag(property, into.subscription_identifier_available);
    case Id::shared_subscription_available:
      return check_flag(property, into.shared_subscription_available);
    case Id::message_expiry_interval:
      into.message_expiry_interval_s = property.number;
      return {};
    case Id::session_expiry_interval:
      into.session_expiry_interval_s = property.number;
      return {};
    case Id::will_delay_interval:
      into.will_delay_interval_s = property.number;
      return {};
    case Id::server_keep_alive:
      into.server_keep_alive_s = static_cast<std::uint16_t>(property.number);
      return {};
    case Id::topic_alias_maximum:
      into.topic_alias_maximum = static_cast<std::uint16_t>(property.number);
      return {};
    case Id::receive_maximum:
      if (property.number == 0) return protocol_error("a Receive Maximum of 0 (3.1.2.11.3)");
      into.receive_maximum = static_cast<std::uint16_t>(property.number);
      return {};
    case Id::maximum_packet_size:
      if (property.number == 0) return protocol_error("a Maximum Packet Size of 0 (3.1.2.11.4)");
      into.maximum_packet_size = property.number;
      return {};
    case Id::topic_alias:
      if (property.number == 0)
        return DecodeError{ReasonCode::topic_alias_invalid, "a Topic Alias of 0 [MQTT-3.3.2-8]"};
      into.topic_alias = static_cast<std::uint16_t>(property.number);
      return {};
    case Id::subscription_identifier:
      if (property.number == 0) return protocol_error("a Subscription Identifier of 0 (3.8.2.1.2)");
      into.subscription_identifier = property.number;
      if (into.subscription_identifier_count < UINT16_MAX) ++into.subscription_identifier_count;
      return {};
    case Id::response_topic:
      switch (check_topic_name(property.text, UINT32_MAX)) {
        case TopicFault::none:
          return {};
        case TopicFault::wildcard:
          return protocol_error("a Response Topic with a wildcard [MQTT-3.3.2-14]");
        case TopicFault::not_utf8:
          return malformed("a Response Topic that is not well-formed UTF-8 [MQTT-3.3.2-13]");
        default:
          return protocol_error("an empty Response Topic [MQTT-4.7.3-1]");
      }
    case Id::user_property:
      if (!is_mqtt_utf8(property.name) || !is_mqtt_utf8(property.text))
        return malformed("a User Property that is not well-formed UTF-8 [MQTT-1.5.7-1]");
      return {};
    default:
      if (rules[static_cast<std::size_t>(property.id)].type == Type::text && !is_mqtt_utf8(property.text))
        return malformed("a property that is not well-formed UTF-8 [MQTT-1.5.4-1]");
      return {};
  }
}

}  // namespace

PropertyType type_of(PropertyId id) {
  const Rule* rule = rule_of(static_cast<std::uint8_t>(id));
  return rule ? rule->type : Type::none;
}

void PropertyIterator::read() {
  done_ = true;
  if (rest_.empty()) return;
  ByteReader reader(Bytes::literal(rest_));
  const std::uint8_t id = reader.u8();
  const Rule* rule = rule_of(id);
  if (!rule) return;
  property_ = {static_cast<PropertyId>(id), 0, {}, {}};
  read_value(reader, rule->type, property_);
  if (reader.failed()) return;
  rest_.remove_prefix(reader.position());
  done_ = false;
}

std::optional<std::string_view> Properties::text(PropertyId id) const {
  if (!has(id)) return std::nullopt;
  for (const Property& property : all())
    if (property.id == id) return property.text;
  return std::nullopt;
}

Check parse_properties(std::string_view block, PropertyPlace where, Sender sender, std::uint16_t max_user_properties,
                       Properties& into) {
  into = {};
  into.block = block;
  ByteReader reader(Bytes::literal(block));
  const auto bit = static_cast<std::uint16_t>(1u << static_cast<unsigned>(where));
  while (reader.remaining() > 0) {
    const std::uint8_t id = reader.u8();
    const Rule* rule = rule_of(id);
    if (!rule) return malformed("a property identifier that does not exist (2.2.2.2)");
    const std::uint16_t allowed = sender == Sender::client ? rule->from_client : rule->from_server;
    if (!(allowed & bit)) {
      const std::uint16_t other = sender == Sender::client ? rule->from_server : rule->from_client;
      if (other & bit)
        return protocol_error("a property that only the other side may send in this packet [MQTT-3.3.4-6]");
      return malformed("a property that this packet cannot have (2.2.2.2)");
    }
    const std::uint64_t mark = 1ull << id;
    const bool repeatable = rule->repeatable && where != place(PacketType::subscribe);
    if ((into.present & mark) && !(repeatable || id == static_cast<std::uint8_t>(Id::user_property)))
      return protocol_error("a property twice that may be there once (2.2.2.2)");
    into.present |= mark;
    Property property{static_cast<PropertyId>(id), 0, {}, {}};
    read_value(reader, rule->type, property);
    if (reader.failed()) return malformed("a property that does not fit its packet (2.2.2)");
    if (rule->type == Type::pair) {
      if (into.user_property_count >= max_user_properties)
        return DecodeError{ReasonCode::quota_exceeded, "more User Properties than the limit allows"};
      ++into.user_property_count;
    }
    if (auto error = accept(property, into)) return error;
  }
  return {};
}

void append_application_properties(ByteWriter& writer, const Properties& properties) {
  if (only_application_properties(properties)) return writer.raw(properties.block);
  std::string_view left = properties.block;
  for (PropertyIterator at(left); at != std::default_sentinel; ++at) {
    const auto encoded = left.substr(0, left.size() - at.rest().size());
    if ((application_property_mask >> static_cast<std::uint8_t>(at->id)) & 1) writer.raw(encoded);
    left = at.rest();
  }
}

void PropertyWriter::number(PropertyId id, std::uint32_t value) {
  writer_.u8(static_cast<std::uint8_t>(id));
  switch (type_of(id)) {
    case Type::byte:
      return writer_.u8(static_cast<std::uint8_t>(value));
    case Type::two_bytes:
      return writer_.u16(static_cast<std::uint16_t>(value));
    case Type::four_bytes:
      return writer_.u32(value);
    case Type::variable:
      assert(value <= max_variable_integer);
      return writer_.varint(value);
    default:
      assert(!"a number for a property that holds text");
  }
}

bool PropertyWriter::text(PropertyId id, std::string_view value) {
  const auto type = type_of(id);
  assert(type == Type::text || type == Type::binary);
  if (value.size() > max_string_bytes || (type == Type::text && !is_mqtt_utf8(value))) return false;
  if (id == Id::response_topic && !valid_topic_name(value)) return false;
  writer_.u8(static_cast<std::uint8_t>(id));
  writer_.u16(static_cast<std::uint16_t>(value.size()));
  writer_.raw(value);
  return true;
}

bool PropertyWriter::user(std::string_view name, std::string_view value) {
  if (name.size() > max_string_bytes || value.size() > max_string_bytes) return false;
  if (!is_mqtt_utf8(name) || !is_mqtt_utf8(value)) return false;
  writer_.u8(static_cast<std::uint8_t>(PropertyId::user_property));
  writer_.u16(static_cast<std::uint16_t>(name.size()));
  writer_.raw(name);
  writer_.u16(static_cast<std::uint16_t>(value.size()));
  writer_.raw(value);
  return true;
}

}  // namespace braid::mqtt
