// Braid, Apache-2.0.
//
// Subscriptions. Each line of a SUBSCRIBE stands for itself: a filter that is refused does not spoil the others
// [MQTT-3.8.4-6]. The SUBACK goes out when every loop of the node knows of the subscription; retained messages follow.
#include "actors/mqtt/session.hpp"
#include "codecs/mqtt/topic.hpp"

namespace braid::mqtt {

void Session::handle(const Subscribe& subscribe) {
  struct Line {
    ReasonCode reason;
    RetainHandling retain_handling;
  };
  auto lines = std::make_shared<std::vector<Line>>();
  auto request = braid::Subscribe{};
  request.session = number();
  request.subscriber = SubscriberActor(SessionActor(this));
  const std::uint32_t identifier = subscribe.properties.subscription_identifier;
  for (const auto& line : subscribe.requests) {
    ReasonCode reason = static_cast<ReasonCode>(line.options.maximum_qos);
    if (line.fault != TopicFault::none) {
      reason = ReasonCode::topic_filter_invalid;
    } else if (is_shared(line.filter)) {
      if (line.options.no_local)
        return end(ReasonCode::protocol_error, "No Local on a shared subscription [MQTT-3.8.3-4]");
      reason = ReasonCode::shared_subscriptions_not_supported;
    } else if (!filters_.contains(std::string(line.filter)) &&
               filters_.size() >= services_.settings.mqtt_protocol.max_subscriptions) {
      reason = ReasonCode::quota_exceeded;
    } else {
      filters_.emplace(line.filter);
      SubscribeOptions options;
      options.qos = static_cast<std::uint8_t>(line.options.maximum_qos);
      options.no_local = line.options.no_local;
      options.retain_as_published = line.options.retain_as_published;
      options.subscription_identifier = identifier;
      request.filters.emplace_back(Bytes::copy(line.filter), options);
    }
    lines->push_back({reason, line.options.retain_handling});
  }
  auto answer = [this, packet_id = subscribe.packet_id, lines, filters = request.filters](const Subscribed& reply) {
    if (phase_ != Phase::connected) return;
    std::string reasons;
    std::size_t subscribed = 0;
    for (const auto& line : *lines) {
      reasons.push_back(static_cast<char>(line.reason));
      if (is_failure(line.reason)) continue;
      const auto& [filter, options] = filters[subscribed];
      const bool existed = reply.existed[subscribed++];
      if (line.retain_handling == RetainHandling::do_not_send ||
          (line.retain_handling == RetainHandling::send_if_new && existed))
        continue;
      retained_.push_back({filter, {}, options.qos, options.subscription_identifier});
    }
    if (packet_bytes(3 + reasons.size()) > client_max_packet_bytes_)
      return end(ReasonCode::packet_too_large, "the Maximum Packet Size has no room for the SUBACK [MQTT-3.1.2-24]");
    Suback suback;
    suback.packet_id = packet_id;
    suback.reasons.encoded = reasons;
    encode(out_, level_, suback);
    advance_retained();
    if (!in_read_) flush();
  };
  if (request.filters.empty()) return answer(Subscribed{});
  ask(this, services_.routers[loop().index().value], std::move(request), answer,
      [this](caf::error) { end(ReasonCode::unspecified_error, "the router is gone"); });
}

void Session::handle(const Unsubscribe& unsubscribe) {
  auto request = braid::Unsubscribe{};
  request.session = number();
  auto faults = std::make_shared<std::vector<bool>>();
  for (const auto& line : unsubscribe.requests) {
    faults->push_back(line.fault != TopicFault::none);
    if (line.fault != TopicFault::none) continue;
    filters_.erase(std::string(line.filter));
    request.filters.push_back(Bytes::copy(line.filter));
  }
  ask(
      this, services_.routers[loop().index().value], std::move(request),
      [this, packet_id = unsubscribe.packet_id, faults](const Unsubscribed& reply) {
        if (phase_ != Phase::connected) return;
        std::string reasons;
        std::size_t next = 0;
        for (const bool fault : *faults) {
          const auto reason = fault                   ? ReasonCode::topic_filter_invalid
                              : reply.existed[next++] ? ReasonCode::success
                                                      : ReasonCode::no_subscription_existed;
          reasons.push_back(static_cast<char>(reason));
        }
        if (packet_bytes(3 + reasons.size()) > client_max_packet_bytes_)
          return end(ReasonCode::packet_too_large, "the Maximum Packet Size has no room for the UNSUBACK");
        Unsuback unsuback;
        unsuback.packet_id = packet_id;
        unsuback.reasons.encoded = reasons;
        encode(out_, level_, unsuback);
        flush();
      },
      [this](caf::error) { end(ReasonCode::unspecified_error, "the router is gone"); });
}

}  // namespace braid::mqtt
