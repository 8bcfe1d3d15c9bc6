// Braid, Apache-2.0.
//
// Messages to the client: its window, its limits, and the retained messages of its new subscriptions.
#include "actors/mqtt/session.hpp"

namespace braid::mqtt {

namespace {
/// Payloads up to this size are copied behind their header; larger ones are sent from where they lie.
constexpr std::size_t kCopiedPayloadBytes = 1024;
constexpr std::uint32_t kRetainedAtOnce = 100;
}  // namespace

bool Session::may_send() const {
  return const_cast<Session*>(this)->stream().unsent_bytes() < services_.settings.limits.max_send_buffer_bytes;
}

void Session::deliver(const Delivery& delivery) {
  if (phase_ != Phase::connected) return;
  if (delivery.qos == 0) {
    if (may_send()) return write_publish(delivery);
  } else {
    if (!outbound_->anything_waits() && outbound_->window_open() && may_send()) return write_publish(delivery);
    if (outbound_->wait(delivery)) return;
  }
  ++dropped_;
  ++services_.metrics.mqtt_dropped;
}

void Session::write_publish(const Delivery& delivery) {
  const auto& publication = *delivery.publication;
  OutboundPublish publish;
  publish.topic = publication.topic.view();
  publish.payload_bytes = publication.payload.size();
  publish.qos = static_cast<QoS>(delivery.qos);
  publish.retain = delivery.retain;
  publish.subscription_identifiers = delivery.subscription_identifiers;
  publish.application_properties = publication.properties.view();
  if (publication.expiry_interval_s) {
    publish.message_expiry_interval_s = remaining_expiry_s(publication, loop().wall_clock());
    if (*publish.message_expiry_interval_s == 0) return;  // [MQTT-3.3.2-5]
  }
  // Too large for the client: as if it had been sent [MQTT-3.1.2-25].
  if (publish_bytes(level_, publish) > client_max_packet_bytes_) return;
  if (delivery.qos != 0) publish.packet_id = outbound_->begin(delivery.qos);
  encode_publish_header(out_, level_, publish);
  if (publication.payload.size() <= kCopiedPayloadBytes) {
    out_.raw(publication.payload);
  } else {
    chunks_.push_back(out_.finish());
    chunks_.push_back(publication.payload);
    out_ = ByteWriter();
  }
  ++services_.metrics.mqtt_delivered;
  ++services_.metrics.mqtt_packets_sent;
}

void Session::pump() {
  if (phase_ != Phase::connected) return;
  while (outbound_->anything_waits() && outbound_->window_open() && may_send()) write_publish(outbound_->next());
  advance_retained();
}

void Session::handle(const Puback& puback) {
  if (outbound_->state(puback.packet_id) == Outbound::State::wants_puback) {
    outbound_->finish(puback.packet_id);
    pump();
  }
}

void Session::handle(const Pubrec& pubrec) {
  const auto state = outbound_->state(pubrec.packet_id);
  if (!state || *state == Outbound::State::wants_puback)
    return encode_acknowledgement(out_, level_, PacketType::pubrel, pubrec.packet_id,
                                  ReasonCode::packet_identifier_not_found);
  if (is_failure(pubrec.reason)) {
    outbound_->finish(pubrec.packet_id);
    return pump();
  }
  outbound_->received(pubrec.packet_id);
  encode_acknowledgement(out_, level_, PacketType::pubrel, pubrec.packet_id);
}

void Session::handle(const Pubcomp& pubcomp) {
  if (outbound_->state(pubcomp.packet_id) == Outbound::State::wants_pubcomp) {
    outbound_->finish(pubcomp.packet_id);
    pump();
  }
}

void Session::advance_retained() {
  // The next lot is asked for only when the last has gone, so that what the client does not take stays in the keeper.
  if (asking_retained_ || retained_.empty() || outbound_->anything_waits() || !may_send()) return;
  asking_retained_ = true;
  const auto& cursor = retained_.front();
  ask(
      this, services_.retained, FindRetained{cursor.filter, cursor.position, kRetainedAtOnce},
      [this](const RetainedFound& found) {
        asking_retained_ = false;
        if (phase_ != Phase::connected || retained_.empty()) return;
        auto& current = retained_.front();
        for (const auto& publication : found.messages) {
          Delivery delivery{publication, std::min(current.qos, publication->qos), true, {}};
          if (current.subscription_identifier != 0)
            delivery.subscription_identifiers.push_back(current.subscription_identifier);
          deliver(delivery);
        }
        if (found.more)
          current.position = found.position;
        else
          retained_.pop_front();
        advance_retained();
        flush();
      },
      [this](caf::error) {
        asking_retained_ = false;
        retained_.clear();
      });
}

}  // namespace braid::mqtt
