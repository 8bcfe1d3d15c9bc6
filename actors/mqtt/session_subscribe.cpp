// Braid, Apache-2.0.
//
// Subscriptions. Each line of a SUBSCRIBE stands for itself: a filter that is refused does not spoil the others
// [MQTT-3.8.4-6]. Most lines go to one router, those of shared subscriptions to the router that has the group. The
// SUBACK goes out when every loop of the node knows of the subscriptions; retained messages follow: those of before,
// since what is retained from then on comes live. A PUBLISH that the client sends behind a SUBSCRIBE waits until it is
// in force.
#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "actors/mqtt/session.hpp"
#include "actors/routing/shared_groups.hpp"
#include "codecs/mqtt/topic.hpp"

namespace braid::mqtt {

namespace {

/// The lines of one SUBSCRIBE or UNSUBSCRIBE while routers work on them.
struct Lines {
  struct Line {
    ReasonCode reason = ReasonCode::success;
    bool asked = false;    ///< a router is to say what became of it
    bool existed = false;  ///< the session had such a subscription before
    RetainHandling retain_handling = RetainHandling::do_not_send;
    Bytes filter;
    SubscribeOptions options;
  };
  std::vector<Line> lines;
  std::size_t routers = 0;  ///< that have not answered
};

}  // namespace

std::size_t Session::router_of(std::string_view filter) const {
  return is_shared(filter) ? routing::share_loop(filter, services_.loops) : state_.router;
}

void Session::handle(const Subscribe& subscribe) {
  const auto& settings = services_.settings.mqtt_protocol;
  auto work = std::make_shared<Lines>();
  for (const auto& request : subscribe.requests) {
    auto& line = work->lines.emplace_back();
    line.reason = static_cast<ReasonCode>(request.options.maximum_qos);
    if (request.fault != TopicFault::none) {
      line.reason = ReasonCode::topic_filter_invalid;
      continue;
    }
    const bool shared = is_shared(request.filter);
    if (shared && request.options.no_local)
      return end(ReasonCode::protocol_error, "No Local on a shared subscription [MQTT-3.8.3-4]");
    if (!state_.filters.contains(request.filter)) {
      if (state_.filters.size() >= settings.max_subscriptions || !state_.filters.has_room_for(request.filter)) {
        line.reason = ReasonCode::quota_exceeded;
        continue;
      }
      state_.filters.insert(request.filter, state_.filters.empty() ? loop().random() : 0);
    }
    line.asked = true;
    line.filter = Bytes::copy(request.filter);
    // Retained messages are not for shared subscriptions (4.8.2).
    line.retain_handling = shared ? RetainHandling::do_not_send : request.options.retain_handling;
    line.options.qos = static_cast<std::uint8_t>(request.options.maximum_qos);
    line.options.no_local = request.options.no_local;
    line.options.retain_as_published = request.options.retain_as_published;
    line.options.subscription_identifier = subscribe.properties.subscription_identifier;
  }
  std::vector<braid::Subscribe> requests(services_.loops);
  for (const auto& line : work->lines)
    if (line.asked) requests[router_of(line.filter.view())].filters.emplace_back(line.filter, line.options);

  ++subscribing_;
  const auto in_force = [this, packet_id = subscribe.packet_id, work](std::uint64_t as_of) {
    if (phase_ != Phase::connected) return;
    --subscribing_;
    std::string reasons;
    std::vector<Bytes> anew;
    for (const auto& line : work->lines) {
      reasons.push_back(static_cast<char>(line.reason));
      if (line.existed && line.retain_handling != RetainHandling::do_not_send) anew.push_back(line.filter);
    }
    forget_retained(anew);
    for (const auto& line : work->lines) {
      // An UNSUBSCRIBE may have come meanwhile.
      if (line.retain_handling == RetainHandling::do_not_send || !state_.filters.contains(line.filter.view())) continue;
      state_.retained.push_back({line.filter, {}, line.options.qos, line.options.subscription_identifier, as_of});
    }
    if (packet_bytes(3 + reasons.size()) > client_max_packet_bytes_)
      return end(ReasonCode::packet_too_large, "the Maximum Packet Size has no room for the SUBACK [MQTT-3.1.2-24]");
    Suback suback;
    suback.packet_id = packet_id;
    suback.reasons.encoded = reasons;
    encode(out(), level_, suback);
    advance_retained();
    if (in_read_) return;
    flush();
    put_back_pressure();
  };
  const auto answered = [this, work, in_force] {
    if (--work->routers != 0 || phase_ != Phase::connected) return;
    const bool wants_retained = std::any_of(work->lines.begin(), work->lines.end(), [](const Lines::Line& line) {
      return line.retain_handling != RetainHandling::do_not_send;
    });
    if (!wants_retained) return in_force(0);
    ask(
        this, services_.retained, MarkRetained{}, [in_force](const RetainedMarked& mark) { in_force(mark.as_of); },
        [this](caf::error) { end(ReasonCode::unspecified_error, "the keeper of retained messages is gone"); });
  };
  work->routers = 1;
  for (std::size_t router = 0; router < requests.size(); ++router) {
    auto& request = requests[router];
    if (request.filters.empty()) continue;
    ++work->routers;
    request.session = state_.number;
    request.client = client_number(client_id_);
    request.subscriber = SubscriberActor(SessionActor(this));
    ask(
        this, services_.routers[router], std::move(request),
        [this, work, router, answered](const Subscribed& reply) {
          std::size_t next = 0;
          for (auto& line : work->lines) {
            if (!line.asked || router_of(line.filter.view()) != router) continue;
            line.existed = reply.existed[next++];
            if (line.existed && line.retain_handling == RetainHandling::send_if_new)
              line.retain_handling = RetainHandling::do_not_send;
          }
          answered();
        },
        [this](caf::error) { end(ReasonCode::unspecified_error, "the router is gone"); });
  }
  answered();
}

void Session::forget_retained(const std::vector<Bytes>& filters) {
  if (filters.empty() || state_.retained.empty()) return;
  std::unordered_set<std::string_view> unwanted;
  for (const auto& filter : filters) unwanted.insert(filter.view());
  // The cursor in front may be waiting for its next lot: it is taken out when that comes.
  if (auto& front = state_.retained.front(); asking_retained_ && unwanted.contains(front.filter.view()))
    front.filter = Bytes();
  // One pass for all of them: there may be a hundred thousand cursors.
  state_.retained.erase_if([&](const RetainedCursor& cursor) { return unwanted.contains(cursor.filter.view()); });
}

void Session::handle(const Unsubscribe& unsubscribe) {
  auto work = std::make_shared<Lines>();
  for (const auto& request : unsubscribe.requests) {
    auto& line = work->lines.emplace_back();
    if (request.fault != TopicFault::none) {
      line.reason = ReasonCode::topic_filter_invalid;
      continue;
    }
    line.asked = true;
    line.filter = Bytes::copy(request.filter);
  }
  std::vector<braid::Unsubscribe> requests(services_.loops);
  std::vector<Bytes> forgotten;
  for (const auto& line : work->lines) {
    if (!line.asked) continue;
    requests[router_of(line.filter.view())].filters.push_back(line.filter);
    if (!state_.filters.erase(line.filter.view())) continue;
    forgotten.push_back(line.filter);
  }
  forget_retained(forgotten);
  const auto answered = [this, packet_id = unsubscribe.packet_id, work] {
    if (--work->routers != 0 || phase_ != Phase::connected) return;
    std::string reasons;
    for (const auto& line : work->lines) reasons.push_back(static_cast<char>(line.reason));
    if (packet_bytes(3 + reasons.size()) > client_max_packet_bytes_)
      return end(ReasonCode::packet_too_large, "the Maximum Packet Size has no room for the UNSUBACK");
    Unsuback unsuback;
    unsuback.packet_id = packet_id;
    unsuback.reasons.encoded = reasons;
    encode(out(), level_, unsuback);
    if (!in_read_) flush();
  };
  work->routers = 1;
  for (std::size_t router = 0; router < requests.size(); ++router) {
    auto& request = requests[router];
    if (request.filters.empty()) continue;
    ++work->routers;
    request.session = state_.number;
    ask(
        this, services_.routers[router], std::move(request),
        [this, work, router, answered](const Unsubscribed& reply) {
          std::size_t next = 0;
          for (auto& line : work->lines)
            if (line.asked && router_of(line.filter.view()) == router && !reply.existed[next++])
              line.reason = ReasonCode::no_subscription_existed;
          answered();
        },
        [this](caf::error) { end(ReasonCode::unspecified_error, "the router is gone"); });
  }
  answered();
}

}  // namespace braid::mqtt
