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
  switch (phase_) {
    case Phase::connected:
      break;
    case Phase::claiming:
      early_.push_back(delivery);
      return;
    case Phase::leaving:
      return enqueue(delivery);
    default:
      return;
  }
  if (delivery.qos == 0) {
    if (may_send() && !(state_.queue && services_.settings.mqtt_protocol.queue_qos0 && !state_.queue->empty()))
      return write_publish(delivery);
  } else if ((!state_.queue || state_.queue->empty()) && state_.outbound.window_open() && may_send()) {
    return write_publish(delivery);
  }
  enqueue(delivery);
}

void Session::enqueue(const Delivery& delivery) {
  const auto& settings = services_.settings.mqtt_protocol;
  if (delivery.qos != 0 || settings.queue_qos0) {
    if (!state_.queue) state_.queue = std::make_shared<DeliveryQueue>(queue_limits(settings));
    if (state_.queue->push(delivery)) return;
  }
  ++state_.dropped;
  ++services_.metrics.mqtt_dropped;
}

void Session::work_on_queue() {
  if (!state_.queue || phase_ != Phase::connected) return;
  if (state_.queue->spilled() != busy_) tell_busy(!busy_);
  state_.queue->work(this, services_, [this] {
    const auto lost = state_.queue ? state_.queue->take_lost() : 0;
    state_.dropped += lost;
    services_.metrics.mqtt_dropped += lost;
    if (phase_ == Phase::leaving) return go_on_leaving();
    pump();
    flush();
  });
}

void Session::tell_busy(bool busy) {
  busy_ = busy;
  if (!has_shared_filters(state_)) return;
  LoopSet routers = state_.routers(services_.loops);
  for (std::size_t i = 0; routers != 0; ++i, routers >>= 1)
    if (routers & 1) send(services_.routers[i], MemberBusy{state_.number, busy});
}

void Session::write_publish(const Delivery& delivery) {
  const auto& publication = *delivery.publication;
  OutboundPublish publish;
  publish.qos = static_cast<QoS>(delivery.qos);
  publish.retain = delivery.retain;
  publish.subscription_identifiers = delivery.subscription_identifiers;
  if (publication.expiry_interval_s) {
    publish.message_expiry_interval_s = remaining_expiry_s(publication, loop().wall_clock());
    if (*publish.message_expiry_interval_s == 0) return;  // [MQTT-3.3.2-5]
  }
  if (!fits(publication, publish)) return;
  if (delivery.qos != 0) {
    publish.packet_id = state_.outbound.begin(delivery.qos);
    // For sending it again on the next connection, or to another member of a shared subscription.
    if (state_.expiry_interval_s != 0 || (delivery.share != 0 && delivery.qos == 1))
      state_.outbound.keep(publish.packet_id, delivery);
  }
  write(publication, publish);
  ++services_.metrics.mqtt_delivered;
}

void Session::write_again(PacketId id) {
  const auto& delivery = state_.outbound.kept(id);
  const auto& publication = *delivery.publication;
  OutboundPublish publish;
  publish.packet_id = id;
  publish.qos = static_cast<QoS>(delivery.qos);
  publish.duplicate = true;
  publish.retain = delivery.retain;
  publish.subscription_identifiers = delivery.subscription_identifiers;
  // It does not expire any more [MQTT-4.3.3-7].
  if (publication.expiry_interval_s)
    publish.message_expiry_interval_s = remaining_expiry_s(publication, loop().wall_clock());
  if (fits(publication, publish)) return write(publication, publish);
  state_.outbound.finish(id);
}

bool Session::fits(const Publication& publication, OutboundPublish& publish) const {
  publish.topic = publication.topic.view();
  publish.payload_bytes = publication.payload.size();
  publish.application_properties = publication.properties.view();
  // Too large for the client: as if it had been sent [MQTT-3.1.2-25].
  if (!outbound_aliases_) return publish_bytes(level_, publish) <= client_max_packet_bytes_;
  const auto use = outbound_aliases_->use(publish.topic);
  publish.topic_alias = use.alias;
  if (use.known) publish.topic = {};
  if (publish_bytes(level_, publish) <= client_max_packet_bytes_) return true;
  if (use.alias == 0) return false;
  // The name alone is shorter than with its alias, and one of a letter or two is shorter than the alias.
  publish.topic_alias = 0;
  publish.topic = publication.topic.view();
  return publish_bytes(level_, publish) <= client_max_packet_bytes_;
}

void Session::write(const Publication& publication, const OutboundPublish& publish) {
  if (publish.topic_alias != 0 && !publish.topic.empty())
    outbound_aliases_->sent(publish.topic, {publish.topic_alias, false});
  ++services_.metrics.mqtt_packets_sent;
  encode_publish_header(out(), level_, publish);
  if (publication.payload.size() <= kCopiedPayloadBytes) {
    out().raw(publication.payload);
    return;
  }
  finish_out();
  chunks_.push_back(publication.payload);
}

void Session::pump() {
  if (phase_ != Phase::connected) return;
  while (may_send()) {
    const auto again = state_.outbound.resend();
    if (!again) break;
    write_again(*again);
  }
  if (state_.queue) {
    auto& queue = *state_.queue;
    while (queue.ready() && may_send() && (queue.front().qos == 0 || state_.outbound.window_open()))
      write_publish(queue.pop());
    work_on_queue();
  }
  advance_retained();
}

void Session::handle(const Puback& puback) {
  if (state_.outbound.state(puback.packet_id) == Outbound::State::wants_puback) {
    state_.outbound.finish(puback.packet_id);
    pump();
  }
}

void Session::handle(const Pubrec& pubrec) {
  const auto state = state_.outbound.state(pubrec.packet_id);
  if (!state || *state == Outbound::State::wants_puback)
    return encode_acknowledgement(out(), level_, PacketType::pubrel, pubrec.packet_id,
                                  ReasonCode::packet_identifier_not_found);
  if (is_failure(pubrec.reason)) {
    state_.outbound.finish(pubrec.packet_id);
    return pump();
  }
  state_.outbound.received(pubrec.packet_id);
  encode_acknowledgement(out(), level_, PacketType::pubrel, pubrec.packet_id);
}

void Session::handle(const Pubcomp& pubcomp) {
  if (state_.outbound.state(pubcomp.packet_id) == Outbound::State::wants_pubcomp) {
    state_.outbound.finish(pubcomp.packet_id);
    pump();
  }
}

void Session::advance_retained() {
  // The next lot is asked for only when the last has gone, so that what the client does not take stays in the keeper.
  if (asking_retained_ || state_.retained.empty() || (state_.queue && !state_.queue->empty()) || !may_send()) return;
  asking_retained_ = true;
  const auto& cursor = state_.retained.front();
  ask(
      this, services_.retained, FindRetained{cursor.filter, cursor.position, kRetainedAtOnce, cursor.as_of},
      [this](const RetainedFound& found) {
        asking_retained_ = false;
        if (phase_ != Phase::connected || state_.retained.empty()) return;
        auto& current = state_.retained.front();
        if (current.filter.empty()) {
          state_.retained.pop_front();
          advance_retained();
          return put_back_pressure();
        }
        for (const auto& publication : found.messages) {
          Delivery delivery{publication, std::min(current.qos, publication->qos), true, {}, 0};
          if (current.subscription_identifier != 0)
            delivery.subscription_identifiers.push_back(current.subscription_identifier);
          deliver(delivery);
        }
        if (found.more)
          current.position = found.position;
        else
          state_.retained.pop_front();
        work_on_queue();
        advance_retained();
        flush();
        put_back_pressure();
      },
      [this](caf::error) {
        asking_retained_ = false;
        state_.retained.clear();
        put_back_pressure();
      });
}

}  // namespace braid::mqtt
