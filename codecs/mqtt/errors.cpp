// Braid, Apache-2.0.
//
// The tables behind errors.hpp and the names of the numbers in types.hpp.
#include "codecs/mqtt/errors.hpp"

#include <array>

namespace braid::mqtt {

namespace {

struct ReasonName {
  ReasonCode code;
  std::string_view name;
};

constexpr ReasonName reason_names[] = {
    {ReasonCode::success, "Success"},
    {ReasonCode::granted_qos_1, "Granted QoS 1"},
    {ReasonCode::granted_qos_2, "Granted QoS 2"},
    {ReasonCode::disconnect_with_will, "Disconnect with will message"},
    {ReasonCode::no_matching_subscribers, "No matching subscribers"},
    {ReasonCode::no_subscription_existed, "No subscription existed"},
    {ReasonCode::continue_authentication, "Continue authentication"},
    {ReasonCode::reauthenticate, "Re-authenticate"},
    {ReasonCode::unspecified_error, "Unspecified error"},
    {ReasonCode::malformed_packet, "Malformed packet"},
    {ReasonCode::protocol_error, "Protocol error"},
    {ReasonCode::implementation_specific_error, "Implementation specific error"},
    {ReasonCode::unsupported_protocol_version, "Unsupported protocol version"},
    {ReasonCode::client_identifier_not_valid, "Client identifier not valid"},
    {ReasonCode::bad_user_name_or_password, "Bad user name or password"},
    {ReasonCode::not_authorized, "Not authorized"},
    {ReasonCode::server_unavailable, "Server unavailable"},
    {ReasonCode::server_busy, "Server busy"},
    {ReasonCode::banned, "Banned"},
    {ReasonCode::server_shutting_down, "Server shutting down"},
    {ReasonCode::bad_authentication_method, "Bad authentication method"},
    {ReasonCode::keep_alive_timeout, "Keep alive timeout"},
    {ReasonCode::session_taken_over, "Session taken over"},
    {ReasonCode::topic_filter_invalid, "Topic filter invalid"},
    {ReasonCode::topic_name_invalid, "Topic name invalid"},
    {ReasonCode::packet_identifier_in_use, "Packet identifier in use"},
    {ReasonCode::packet_identifier_not_found, "Packet identifier not found"},
    {ReasonCode::receive_maximum_exceeded, "Receive maximum exceeded"},
    {ReasonCode::topic_alias_invalid, "Topic alias invalid"},
    {ReasonCode::packet_too_large, "Packet too large"},
    {ReasonCode::message_rate_too_high, "Message rate too high"},
    {ReasonCode::quota_exceeded, "Quota exceeded"},
    {ReasonCode::administrative_action, "Administrative action"},
    {ReasonCode::payload_format_invalid, "Payload format invalid"},
    {ReasonCode::retain_not_supported, "Retain not supported"},
    {ReasonCode::qos_not_supported, "QoS not supported"},
    {ReasonCode::use_another_server, "Use another server"},
    {ReasonCode::server_moved, "Server moved"},
    {ReasonCode::shared_subscriptions_not_supported, "Shared subscriptions not supported"},
    {ReasonCode::connection_rate_exceeded, "Connection rate exceeded"},
    {ReasonCode::maximum_connect_time, "Maximum connect time"},
    {ReasonCode::subscription_identifiers_not_supported, "Subscription identifiers not supported"},
    {ReasonCode::wildcard_subscriptions_not_supported, "Wildcard subscriptions not supported"},
};

constexpr std::array<std::string_view, 16> packet_names = {
    "reserved",  "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
    "SUBSCRIBE", "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};

}  // namespace

std::string_view to_string(PacketType type) {
  return packet_names[static_cast<std::uint8_t>(type) & 15];
}

std::string_view to_string(ProtocolLevel level) {
  switch (level) {
    case ProtocolLevel::v3_1:
      return "MQTT 3.1";
    case ProtocolLevel::v3_1_1:
      return "MQTT 3.1.1";
    case ProtocolLevel::v5:
      return "MQTT 5.0";
  }
  return "unknown MQTT level";
}

std::string_view to_string(ReasonCode code) {
  for (const auto& entry : reason_names)
    if (entry.code == code) return entry.name;
  return "Unknown reason code";
}

std::string describe(const DecodeError& error) {
  constexpr char digits[] = "0123456789ABCDEF";
  const auto code = static_cast<std::uint8_t>(error.reason);
  std::string text = "0x";
  text += digits[code >> 4];
  text += digits[code & 15];
  text += ' ';
  text += to_string(error.reason);
  text += ": ";
  text += error.sentence;
  return text;
}

ReasonCode reason_code(Errc error) {
  switch (error) {
    case Errc::none:
      return ReasonCode::success;
    case Errc::unknown_topic:
    case Errc::unknown_partition:
    case Errc::invalid_topic_name:
      return ReasonCode::topic_name_invalid;
    case Errc::batch_too_large:
      return ReasonCode::packet_too_large;
    case Errc::overloaded:
      return ReasonCode::quota_exceeded;
    case Errc::shutting_down:
      return ReasonCode::server_shutting_down;
    case Errc::topic_exists:
    case Errc::invalid_partitions:
    case Errc::invalid_setting:
    case Errc::corrupt_batch:
    case Errc::invalid_record:
    case Errc::unsupported_compression:
    case Errc::invalid_timestamp:
      return ReasonCode::implementation_specific_error;
    case Errc::offset_out_of_range:
    case Errc::out_of_order_sequence:
    case Errc::invalid_producer_epoch:
    case Errc::storage_failed:
    case Errc::unknown_outcome:
    case Errc::not_leader:
    case Errc::fenced_leader_epoch:
    case Errc::unknown_leader_epoch:
    case Errc::timed_out:
    case Errc::damaged:
      return ReasonCode::unspecified_error;
  }
  return ReasonCode::unspecified_error;
}

std::optional<std::uint8_t> return_code(ReasonCode code) {
  switch (code) {
    case ReasonCode::success:
      return 0;
    case ReasonCode::unsupported_protocol_version:
      return 1;
    case ReasonCode::client_identifier_not_valid:
      return 2;
    case ReasonCode::server_unavailable:
    case ReasonCode::server_busy:
    case ReasonCode::server_shutting_down:
    case ReasonCode::quota_exceeded:
    case ReasonCode::connection_rate_exceeded:
    case ReasonCode::use_another_server:
    case ReasonCode::server_moved:
    case ReasonCode::unspecified_error:
      return 3;
    case ReasonCode::bad_user_name_or_password:
      return 4;
    case ReasonCode::not_authorized:
    case ReasonCode::banned:
      return 5;
    default:
      return std::nullopt;
  }
}

std::optional<ReasonCode> from_return_code(std::uint8_t code) {
  constexpr std::array codes = {ReasonCode::success,
                                ReasonCode::unsupported_protocol_version,
                                ReasonCode::client_identifier_not_valid,
                                ReasonCode::server_unavailable,
                                ReasonCode::bad_user_name_or_password,
                                ReasonCode::not_authorized};
  if (code >= codes.size()) return std::nullopt;
  return codes[code];
}

}  // namespace braid::mqtt
