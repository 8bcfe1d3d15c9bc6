// Braid, Apache-2.0.
//
// Messages from the client.
#include "actors/mqtt/session.hpp"
#include "actors/mqtt/sys_values.hpp"
#include "codecs/mqtt/topic.hpp"

namespace braid::mqtt {

bool Session::resolve_topic(const Publish& publish, std::string_view& topic) {
  topic = publish.topic;
  const auto alias = publish.properties.topic_alias;
  if (!publish.properties.has(PropertyId::topic_alias)) return true;
  if (!topic.empty()) {
    if (!topic_aliases_) topic_aliases_ = std::make_unique<TopicAliases>();
    (*topic_aliases_)[alias] = std::string(topic);
    return true;
  }
  const auto at = topic_aliases_ ? topic_aliases_->find(alias) : TopicAliases::iterator();
  if (!topic_aliases_ || at == topic_aliases_->end()) {
    end(ReasonCode::protocol_error, "a topic alias that was never set [MQTT-3.3.2-8]");
    return false;
  }
  topic = at->second;
  return true;
}

void Session::handle(const Publish& publish) {
  std::string_view topic;
  if (!resolve_topic(publish, topic)) return;
  ++services_.metrics.mqtt_published;
  Acknowledger::Receipt receipt = Acknowledger::none;
  if (publish.qos != QoS::at_most_once) {
    // Sent again before PUBREL: acknowledged again, and not passed on a second time [MQTT-4.3.3-10].
    if (publish.qos == QoS::exactly_once && state_.unreleased.contains(publish.packet_id))
      return acknowledger_.repeat(publish.packet_id);
    // A QoS 1 publish counts until it is acknowledged, one of QoS 2 until it is released.
    if (v5() && acknowledger_.waiting_at_least_once() + state_.unreleased.size() >=
                    services_.settings.mqtt_protocol.receive_maximum)
      return end(ReasonCode::receive_maximum_exceeded,
                 "more unacknowledged publishes than Receive Maximum [MQTT-3.3.4-7]");
    if (publish.qos == QoS::exactly_once) state_.unreleased.insert(publish.packet_id);
    receipt = acknowledger_.open(publish.packet_id, publish.qos);
  }
  if (is_broker_topic(topic)) {
    // MQTT 3 has no word for it, and a client that is told nothing would send it again (3.1.1: [MQTT-3.3.5-2]).
    return acknowledger_.finish(receipt, v5() ? ReasonCode::not_authorized : ReasonCode::success);
  }
  if (!publisher_) publisher_ = std::make_unique<Publisher>(services_, client_number(client_id_));
  publisher_->add(topic, publish, acknowledger_, receipt, loop().wall_clock());
  acknowledger_.finish(receipt, ReasonCode::success);
}

void Session::finished(const std::vector<Publisher::Receipt>& receipts, ReasonCode reason) {
  if (phase_ == Phase::ended) return;
  for (const auto receipt : receipts) acknowledger_.finish(receipt, reason);
  if (in_read_) return;
  if (phase_ == Phase::leaving) {
    // Not at once: this may be called from the inside of the publisher.
    loop().at_turn_end(guard([this] { go_on_leaving(); }));
    return;
  }
  acknowledge_ready();
  flush();
  put_back_pressure();
}

void Session::acknowledge_ready() {
  bool failed = false;
  acknowledger_.drain([&](const Acknowledger::Ready& ready) {
    if (failed) return;
    ReasonCode reason = ready.reason;
    if (ready.qos == QoS::exactly_once) {
      // A refused publish is over with its PUBREC (4.3.3); a repetition of it shares its fate.
      if (is_failure(reason)) state_.unreleased.erase(ready.packet_id);
      if (ready.repeated && !state_.unreleased.contains(ready.packet_id)) reason = ReasonCode::unspecified_error;
    }
    if (is_failure(reason) && !v5()) {
      // MQTT 3 has no word for it: without an acknowledgement the client sends the message again, later.
      failed = true;
      return;
    }
    const auto type = ready.qos == QoS::at_least_once ? PacketType::puback : PacketType::pubrec;
    encode_acknowledgement(out(), level_, type, ready.packet_id, reason);
  });
  if (failed) end(ReasonCode::unspecified_error, "a publish could not be stored");
}

void Session::handle(const Pubrel& pubrel) {
  const bool known = state_.unreleased.erase(pubrel.packet_id);
  encode_acknowledgement(out(), level_, PacketType::pubcomp, pubrel.packet_id,
                         known ? ReasonCode::success : ReasonCode::packet_identifier_not_found);
}

}  // namespace braid::mqtt
