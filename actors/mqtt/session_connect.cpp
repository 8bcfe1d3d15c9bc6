// Braid, Apache-2.0.
//
// How a connection begins. How it ends is in session_leave.cpp.
#include <fmt/format.h>

#include "actors/mqtt/session.hpp"
#include "actors/mqtt/sys_values.hpp"
#include "codecs/protocol_guess.hpp"
#include "runtime/log.hpp"

namespace braid::mqtt {

namespace {
/// What stands before the properties.
constexpr std::size_t kConnackBytes = 2;
}  // namespace

void Session::refuse(ReasonCode reason, std::string_view sentence) {
  BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer()}, {"client", client_id_}}, "refused: {}",
                    describe(DecodeError{reason, sentence}));
  // Before MQTT 5 some reasons have no return code; then the connection just closes. As it does when the client, if it
  // has come to say so, has no room for even the shortest CONNACK.
  const bool fits = client_max_packet_bytes_ == 0 || packet_bytes(kConnackBytes + 1) <= client_max_packet_bytes_;
  if (fits && (v5() || return_code(reason))) {
    Connack connack;
    connack.reason = reason;
    PropertyWriter properties;
    if (v5()) explain(properties, sentence, kConnackBytes);
    connack.properties.block = properties.view();
    encode(out(), level_, connack);
    flush();
  }
  phase_ = Phase::ended;
  quit();
}

void Session::explain(PropertyWriter& properties, std::string_view sentence, std::size_t bytes_before) const {
  // An identifier, a length and the text [MQTT-3.2.2-19] [MQTT-3.14.2-3].
  if (packet_bytes(bytes_before + property_block_bytes(3 + sentence.size())) <= client_max_packet_bytes_)
    properties.text(PropertyId::reason_string, sentence);
}

void Session::handle(const Connect& connect) {
  level_ = connect.level;
  client_id_ = std::string(connect.client_id);
  client_max_packet_bytes_ = connect.properties.maximum_packet_size;
  asked_for_response_information_ = connect.properties.request_response_information == 1;
  if (connect.properties.has(PropertyId::authentication_method))
    return refuse(ReasonCode::bad_authentication_method, "there is no enhanced authentication");
  if (client_id_.empty()) {
    // [MQTT-3.1.3-6]; before MQTT 5 a client without identifier must want a clean session [MQTT-3.1.3-8].
    if (!v5() && !connect.clean_start)
      return refuse(ReasonCode::client_identifier_not_valid, "an empty client identifier with Clean Session 0");
    client_id_ = fmt::format("braid-{:016x}{:016x}", loop().random(), loop().random());
    client_id_assigned_ = true;
  }
  if (connect.will) {
    const auto& will = *connect.will;
    if (is_broker_topic(will.topic)) return refuse(ReasonCode::not_authorized, "a will under $SYS");
    will_ = std::make_unique<WillMessage>(
        WillMessage{Bytes::copy(will.topic), Bytes::copy(will.payload), Bytes::copy(will.properties.block), will.qos,
                    will.retain, will.properties.will_delay_interval_s, client_number(client_id_)});
  }
  const auto& settings = services_.settings.mqtt_protocol;
  clean_start_ = connect.clean_start;
  // Before MQTT 5 a session ends with its connection or never.
  asked_expiry_s_ = v5() ? connect.properties.session_expiry_interval_s : connect.clean_start ? 0 : never_expires;
  granted_expiry_s_ = std::min(asked_expiry_s_, settings.max_session_expiry_s);
  keep_alive_s_ = connect.keep_alive_s;
  if (v5() && settings.max_keep_alive_s != 0 && (keep_alive_s_ == 0 || keep_alive_s_ > settings.max_keep_alive_s)) {
    keep_alive_s_ = settings.max_keep_alive_s;
    keep_alive_overridden_ = true;
  }
  receive_maximum_ =
      connect.properties.has(PropertyId::receive_maximum) ? connect.properties.receive_maximum : settings.max_inflight;
  if (const auto aliases = std::min(connect.properties.topic_alias_maximum, settings.topic_alias_maximum); aliases != 0)
    outbound_aliases_ = std::make_unique<OutboundAliases>(aliases);
  // What the client has to know does not fit what it takes [MQTT-3.1.2-24]. Found out before the client identifier is
  // claimed, so that neither its connection of now nor its session notices.
  if (packet_bytes(kConnackBytes + property_block_bytes(connack_properties().size())) > client_max_packet_bytes_)
    return refuse(ReasonCode::packet_too_large, "the Maximum Packet Size has no room for a CONNACK");

  phase_ = Phase::claiming;
  claimed_ = true;
  timer_ = Timer();
  ask(
      this, registry(), ClaimClient{client_id_, id(), clean_start_, TakeoverTarget(SessionActor(this))},
      [this](const ClientClaimed& reply) { claimed(reply); },
      [this](caf::error) { refuse(ReasonCode::server_unavailable, "the registry of clients is gone"); });
}

PropertyWriter Session::connack_properties() const {
  PropertyWriter properties;
  if (!v5()) return properties;
  const auto& settings = services_.settings.mqtt_protocol;
  if (granted_expiry_s_ != asked_expiry_s_) properties.number(PropertyId::session_expiry_interval, granted_expiry_s_);
  properties.number(PropertyId::receive_maximum, settings.receive_maximum);
  properties.number(PropertyId::maximum_packet_size, settings.max_packet_bytes);
  if (client_id_assigned_) properties.text(PropertyId::assigned_client_identifier, client_id_);
  if (settings.topic_alias_maximum != 0)
    properties.number(PropertyId::topic_alias_maximum, settings.topic_alias_maximum);
  if (keep_alive_overridden_) properties.number(PropertyId::server_keep_alive, keep_alive_s_);
  if (asked_for_response_information_ && !settings.response_information.empty())
    properties.text(PropertyId::response_information, settings.response_information);
  return properties;
}

void Session::claimed(const ClientClaimed& reply) {
  if (phase_ != Phase::claiming) return;
  if (!reply.granted) {
    claimed_ = false;
    if (closed_early_) {
      phase_ = Phase::ended;
      return quit();
    }
    return refuse(ReasonCode::server_busy, "a newer connection has the client identifier");
  }
  const bool resumed = reply.state != nullptr;
  if (resumed) {
    state_ = std::move(*reply.state);
  } else {
    state_.number = id();
    state_.router = static_cast<std::uint8_t>(loop().index().value);
  }
  if (closed_early_) {
    // Nobody was accepted: the session, if there is one, goes back as it came.
    will_.reset();
    discarded_ = discarded_ || !resumed;
    phase_ = Phase::leaving;
    for (const auto& delivery : std::exchange(early_, {})) deliver(delivery);
    return go_on_leaving();
  }
  state_.will.reset();  // [MQTT-3.1.3-9]
  state_.expiry_interval_s = granted_expiry_s_;
  accept(resumed);
}

void Session::accept(bool resumed) {
  const auto& settings = services_.settings.mqtt_protocol;
  Connack connack;
  connack.session_present = resumed;
  const auto properties = connack_properties();
  connack.properties.block = properties.view();
  encode(out(), level_, connack);
  phase_ = Phase::connected;
  accepted_ = true;
  ++services_.metrics.mqtt_connections;
  ++services_.metrics.mqtt_packets_sent;
  last_received_ms_ = loop().now_ms();
  if (keep_alive_s_ != 0) watch_keep_alive();
  state_.outbound.connect(receive_maximum_, settings.queue_memory_bytes);
  if (state_.queue) state_.queue->resume();
  for (const auto id : state_.outbound.released()) encode_acknowledgement(out(), level_, PacketType::pubrel, id);
  pump();
  for (const auto& delivery : std::exchange(early_, {})) deliver(delivery);
  work_on_queue();
  flush();
  put_back_pressure();
}

void Session::watch_keep_alive() {
  // One and a half times the keep alive without a packet [MQTT-3.1.2-22].
  const std::int64_t limit_ms = std::int64_t{keep_alive_s_} * 1500;
  const std::int64_t left_ms = last_received_ms_ + limit_ms - loop().now_ms();
  if (left_ms <= 0 && !paused_) return end(ReasonCode::keep_alive_timeout, "nothing came for 1.5 times the keep alive");
  timer_ = after(std::max<std::int64_t>(left_ms, 100), [this] { watch_keep_alive(); });
}

}  // namespace braid::mqtt
