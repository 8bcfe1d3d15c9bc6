// Braid, Apache-2.0.
#include "actors/mqtt/session.hpp"

#include <algorithm>

#include "codecs/protocol_guess.hpp"
#include "runtime/log.hpp"

namespace braid::mqtt {

namespace {
/// Room that the next answers begin with: what the last ones took.
constexpr std::size_t kLeastOutBytes = 64, kMostOutBytes = 16u << 10;
/// More packet identifiers than there are, so only a client that repeats itself gets there.
constexpr std::size_t kMaxUnacknowledged = 1u << 17;
/// Subscriptions whose retained messages have not been looked for: past so many no more are taken, until fewer are
/// left.
constexpr std::size_t kMostCursors = 1000, kFewCursors = 500;

DecodeLimits decode_limits(const MqttSettings& settings) {
  return {.max_packet_bytes = settings.max_packet_bytes,
          .max_topic_levels = settings.max_topic_levels,
          .max_user_properties = settings.max_user_properties,
          .topic_alias_maximum = settings.topic_alias_maximum};
}

/// What is answered by one packet, now or later.
bool wants_answer(const Packet& packet) {
  switch (type_of(packet)) {
    case PacketType::publish:
      return std::get<Publish>(packet).qos != QoS::at_most_once;
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq:
      return true;
    default:
      return false;
  }
}
}  // namespace

Session::Session(caf::actor_config& config, Loop& loop, Services& services, std::unique_ptr<Stream> stream,
                 Admission admission)
    : ConnectionActor(config, loop, std::move(stream)),
      services_(services),
      admission_(std::move(admission)),
      decoder_(decode_limits(services.settings.mqtt_protocol)),
      budget_(services.budget) {}

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission) {
  spawn_on<Session>(services.loop, services, std::move(stream), std::move(admission));
}

Session::behavior_type Session::make_behavior() {
  services_.sessions.add(id(), DrainTarget(SessionActor(this)));
  ++services_.metrics.connections;
  ++services_.metrics.connections_accepted;
  stream().set_marks(services_.settings.limits.max_send_buffer_bytes / 4,
                     services_.settings.limits.max_send_buffer_bytes);
  timer_ = after(services_.settings.limits.handshake_timeout_ms, [this] {
    BRAID_LOG_LIMITED(info, "mqtt", {{"peer", peer()}}, "closed: no CONNECT within limits.handshake_timeout");
    quit();
  });
  return {
      [this](const Deliver& message) {
        for (const auto& delivery : message.deliveries) deliver(delivery);
        work_on_queue();
        flush();
      },
      [this](const TakenOver& by) { taken_over(by); },
      [this](const DrainSession&) { drain(); },
      [this](const RetainStored& message) {
        if (!publisher_) return;
        publisher_->stored(message, [this](const auto& receipts, ReasonCode reason) { finished(receipts, reason); });
        flush();
      },
  };
}

void Session::received(ReceiveBuffer& buffer) {
  last_received_ms_ = loop().now_ms();
  in_read_ = true;
  while (phase_ == Phase::handshake || phase_ == Phase::connected) {
    Packet packet;
    const auto step = decoder_.next(buffer.readable(), packet);
    if (step.status == Decoder::Status::need_more) {
      buffer.want(step.bytes);
      break;
    }
    if (step.status == Decoder::Status::failed) {
      end_after_decode_error(buffer);
      break;
    }
    // It is to reach the client's own subscription that stands before it; the stream offers it again.
    publish_waits_ = subscribing_ != 0 && type_of(packet) == PacketType::publish;
    if (publish_waits_) break;
    ++services_.metrics.mqtt_packets_received;
    services_.metrics.mqtt_bytes_received += step.bytes;
    handle_packet(packet);
    if (phase_ == Phase::leaving || phase_ == Phase::ended) break;
    buffer.skip(step.bytes);
  }
  in_read_ = false;
  // Also what stands in front of a DISCONNECT in the same read.
  publish_read();
  if (phase_ == Phase::leaving) return go_on_leaving();
  if (phase_ == Phase::ended) return;
  acknowledge_ready();
  flush();
  put_back_pressure();
}

/// While the keeper of retained messages is what is waited for, never while the client is: its acknowledgements must
/// come in.
bool Session::looking_up() const {
  return asking_retained_ && state_.retained.size() > (paused_ ? kFewCursors : kMostCursors);
}

std::string Session::peer() {
  return has_stream() ? stream().peer().text() : std::string();
}

void Session::publish_read() {
  if (!publisher_) return;
  publisher_->flush(this, [this](const auto& receipts, ReasonCode reason) { finished(receipts, reason); });
}

void Session::handle_packet(const Packet& packet) {
  if (wants_answer(packet)) ++services_.metrics.mqtt_packets_sent;
  switch (type_of(packet)) {
    case PacketType::connect:
      return handle(std::get<Connect>(packet));
    case PacketType::publish:
      return handle(std::get<Publish>(packet));
    case PacketType::puback:
      return handle(std::get<Puback>(packet));
    case PacketType::pubrec:
      return handle(std::get<Pubrec>(packet));
    case PacketType::pubrel:
      return handle(std::get<Pubrel>(packet));
    case PacketType::pubcomp:
      return handle(std::get<Pubcomp>(packet));
    case PacketType::subscribe:
      return handle(std::get<Subscribe>(packet));
    case PacketType::unsubscribe:
      return handle(std::get<Unsubscribe>(packet));
    case PacketType::pingreq:
      return encode_pingresp(out());
    case PacketType::disconnect:
      return handle(std::get<Disconnect>(packet));
    case PacketType::auth:
      // No CONNECT with an authentication method is accepted, so there is nothing to continue [MQTT-4.12.1-1].
      return end(ReasonCode::protocol_error, "AUTH without an authentication method in CONNECT");
    default:
      return end(ReasonCode::protocol_error, "a packet that only a server may send");
  }
}

void Session::put_back_pressure() {
  const auto& limits = services_.settings.limits;
  budget_.set(publishing_bytes());
  if (phase_ == Phase::leaving || phase_ == Phase::ended) return;
  const bool full = publishing_bytes() > limits.max_inflight_bytes || budget_.should_wait() ||
                    stream().unsent_bytes() > limits.max_send_buffer_bytes || phase_ == Phase::claiming ||
                    (publish_waits_ && subscribing_ != 0) || looking_up() ||
                    acknowledger_.waiting() > kMaxUnacknowledged;
  if (full == paused_) return;
  // With hysteresis, so that a socket is not stopped and started for every batch.
  if (!full && publishing_bytes() > limits.max_inflight_bytes / 2) return;
  paused_ = full;
  if (full)
    stream().pause_reading();
  else
    stream().resume_reading();
}

void Session::drained() {
  pump();
  flush();
  put_back_pressure();
}

ByteWriter& Session::out() {
  if (!out_) out_.emplace(out_bytes_);
  return *out_;
}

void Session::finish_out() {
  if (!out_) return;
  out_bytes_ = static_cast<std::uint32_t>(std::clamp(out_->size(), kLeastOutBytes, kMostOutBytes));
  if (out_->size() != 0) chunks_.push_back(out_->finish());
  out_.reset();
}

void Session::flush() {
  if (phase_ == Phase::leaving || phase_ == Phase::ended || !has_stream()) return;
  finish_out();
  if (chunks_.empty()) return;
  for (const auto& chunk : chunks_) services_.metrics.mqtt_bytes_sent += chunk.size();
  stream().write(std::move(chunks_));
  chunks_.clear();
}

}  // namespace braid::mqtt
