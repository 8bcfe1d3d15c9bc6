// Braid, Apache-2.0.
//
// How a connection begins and how it ends.
#include <fmt/format.h>

#include "actors/mqtt/session.hpp"
#include "actors/mqtt/sys_values.hpp"
#include "codecs/protocol_guess.hpp"
#include "runtime/log.hpp"

namespace braid::mqtt {

namespace {
/// What stands before the properties.
constexpr std::size_t kConnackBytes = 2, kDisconnectBytes = 1;
}  // namespace

void Session::end_after_decode_error(ReceiveBuffer& buffer) {
  ++services_.metrics.protocol_errors;
  const auto& error = decoder_.error();
  if (phase_ == Phase::handshake) {
    const auto guess = guess_protocol(buffer.readable());
    if (guess != WireProtocol::unknown && guess != WireProtocol::mqtt) {
      BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer_}}, "closed: this is the MQTT port; the client speaks {}",
                        to_string(guess));
      phase_ = Phase::ended;
      return quit();
    }
    if (decoder_.announced_level() && !decoder_.level()) {
      encode_unsupported_level(out_, *decoder_.announced_level());
      flush();
    } else if (decoder_.level()) {
      level_ = *decoder_.level();
      return refuse(error.reason, error.sentence);
    }
    BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer_}}, "closed: {}", describe(error));
    phase_ = Phase::ended;
    return quit();
  }
  end(error.reason, error.sentence);
}

void Session::refuse(ReasonCode reason, std::string_view sentence) {
  BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer_}, {"client", client_id_}}, "refused: {}",
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
    encode(out_, level_, connack);
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
    will_ = RetainedWill{Bytes::copy(will.topic), Bytes::copy(will.payload), Bytes::copy(will.properties.block),
                         will.qos, will.retain};
  }
  const auto& settings = services_.settings.mqtt_protocol;
  asked_for_session_ = connect.properties.session_expiry_interval_s != 0;
  keep_alive_s_ = connect.keep_alive_s;
  if (v5() && settings.max_keep_alive_s != 0 && (keep_alive_s_ == 0 || keep_alive_s_ > settings.max_keep_alive_s)) {
    keep_alive_s_ = settings.max_keep_alive_s;
    keep_alive_overridden_ = true;
  }
  const std::uint16_t window =
      connect.properties.has(PropertyId::receive_maximum) ? connect.properties.receive_maximum : settings.max_inflight;
  outbound_.emplace(window, settings.max_queued_bytes);

  phase_ = Phase::claiming;
  timer_ = Timer();
  const auto home = std::hash<std::string>{}(client_id_) % services_.clients.size();
  ask(
      this, services_.clients[home], ClaimClient{client_id_, number(), TakeoverTarget(SessionActor(this))},
      [this](const ClientClaimed& reply) { claimed(reply); },
      [this](caf::error) { refuse(ReasonCode::server_unavailable, "the registry of clients is gone"); });
}

void Session::claimed(const ClientClaimed& reply) {
  if (phase_ != Phase::claiming) return;
  if (!reply.granted) return refuse(ReasonCode::server_busy, "a newer connection has the client identifier");
  accept();
}

void Session::accept() {
  const auto& settings = services_.settings.mqtt_protocol;
  Connack connack;
  PropertyWriter properties;
  if (v5()) {
    if (asked_for_session_) properties.number(PropertyId::session_expiry_interval, 0);
    properties.number(PropertyId::receive_maximum, settings.receive_maximum);
    properties.number(PropertyId::maximum_packet_size, settings.max_packet_bytes);
    if (client_id_assigned_) properties.text(PropertyId::assigned_client_identifier, client_id_);
    if (settings.topic_alias_maximum != 0)
      properties.number(PropertyId::topic_alias_maximum, settings.topic_alias_maximum);
    properties.number(PropertyId::shared_subscription_available, 0);
    if (keep_alive_overridden_) properties.number(PropertyId::server_keep_alive, keep_alive_s_);
    if (asked_for_response_information_ && !settings.response_information.empty())
      properties.text(PropertyId::response_information, settings.response_information);
    connack.properties.block = properties.view();
    // What the client has to know does not fit what it takes [MQTT-3.1.2-24].
    if (packet_bytes(kConnackBytes + property_block_bytes(properties.size())) > client_max_packet_bytes_)
      return refuse(ReasonCode::packet_too_large, "the Maximum Packet Size has no room for a CONNACK");
  }
  encode(out_, level_, connack);
  phase_ = Phase::connected;
  accepted_ = true;
  ++services_.metrics.mqtt_connections;
  ++services_.metrics.mqtt_packets_sent;
  last_received_ms_ = loop().now_ms();
  if (keep_alive_s_ != 0) watch_keep_alive();
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

void Session::handle(const Disconnect& disconnect) {
  // [MQTT-3.14.4-3]: only 0x00 drops the will. Session expiry cannot grow from 0 at the end (3.14.2.2.2).
  if (disconnect.properties.session_expiry_interval_s != 0 && !asked_for_session_)
    return end(ReasonCode::protocol_error, "DISCONNECT raises a Session Expiry Interval of 0");
  if (disconnect.reason == ReasonCode::normal_disconnection) will_.reset();
  phase_ = Phase::ended;
  quit();
}

void Session::end(ReasonCode reason, std::string_view sentence) {
  if (phase_ == Phase::ended) return;
  BRAID_LOG_LIMITED(info, "mqtt", {{"peer", peer_}, {"client", client_id_}}, "closed: {}",
                    describe(DecodeError{reason, sentence}));
  // A server says DISCONNECT only after a good CONNACK, and only in MQTT 5 [MQTT-3.14.0-1].
  if (v5() && phase_ == Phase::connected) {
    Disconnect disconnect;
    disconnect.reason = reason;
    PropertyWriter properties;
    explain(properties, sentence, kDisconnectBytes);
    disconnect.properties.block = properties.view();
    encode(out_, level_, disconnect);
  }
  flush();
  phase_ = Phase::ended;
  quit();
}

void Session::drain() {
  // What was read is answered first: publishes that wait for the disk hold the end back, until the node loses patience.
  if (phase_ == Phase::connected && acknowledger_.waiting() != 0) {
    if (!paused_) stream().pause_reading();
    paused_ = true;
    timer_ = after(20, [this] { drain(); });
    return;
  }
  end(ReasonCode::server_shutting_down, "the broker stops");
}

void Session::closed(CloseReason reason) {
  if (phase_ != Phase::ended)
    BRAID_LOG_LIMITED(debug, "mqtt", {{"peer", peer_}, {"client", client_id_}}, "connection ended: {}", reason.text());
  phase_ = Phase::ended;
  quit();
}

void Session::on_exit() {
  phase_ = Phase::ended;
  if (will_) {
    send(services_.clients[loop().index().value],
         PublishWill{will_->topic, will_->payload, will_->properties, will_->qos, will_->retain});
  }
  if (!filters_.empty()) {
    ForgetSession forget;
    forget.session = number();
    for (const auto& filter : filters_) forget.filters.push_back(Bytes::copy(filter));
    send(services_.routers[loop().index().value], std::move(forget));
  }
  if (outbound_)
    send(services_.clients[std::hash<std::string>{}(client_id_) % services_.clients.size()],
         ReleaseClient{client_id_, number()});
  if (dropped_ != 0)
    log::warning("mqtt", {{"peer", peer_}, {"client", client_id_}},
                 "{} messages were not delivered: the client did not keep up", dropped_);
  --services_.metrics.connections;
  if (accepted_) --services_.metrics.mqtt_connections;
  services_.sessions.remove(id());
  ConnectionActor::on_exit();
}

}  // namespace braid::mqtt
