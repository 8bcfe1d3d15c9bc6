// Braid, Apache-2.0.
//
// What a session does because time passes: it gives up on a handshake, sends and expects heartbeats (4.2.7), ends
// channels that sit on their deliveries, and looks whether memory and disk have room again.
#include <fmt/format.h>

#include <algorithm>

#include "actors/amqp/definitions/policy.hpp"
#include "actors/amqp/session/session.hpp"
#include "runtime/log.hpp"

namespace braid::amqp {

namespace {
constexpr std::int64_t kShortageCheckMs = 100;
}  // namespace

void Session::watch_handshake() {
  timer_ = after(services_.settings.limits.handshake_timeout_ms, [this] {
    BRAID_LOG_LIMITED(info, "amqp", {{"peer", peer_}}, "closed: no connection.open within limits.handshake_timeout");
    phase_ = Phase::ended;
    quit();
  });
}

void Session::watch() {
  // Half of the heartbeat's interval: a frame comes in each, and two of them missing are the end.
  std::int64_t period_ms = heartbeat_s_ * std::int64_t{1000} / 2;
  if (shortest_timeout_ms_ > 0) {
    const std::int64_t check_ms = std::clamp<std::int64_t>(shortest_timeout_ms_ / 4, 100, 60'000);
    period_ms = period_ms == 0 ? check_ms : std::min(period_ms, check_ms);
  }
  if (period_ms == 0) {
    timer_.cancel();
    return;
  }
  timer_ = after(period_ms, [this] { turn([this] { tick(); }); });
}

void Session::tick() {
  if (!is_open()) return;
  const std::int64_t now_ms = loop().now_ms(), interval_ms = heartbeat_s_ * std::int64_t{1000};
  if (interval_ms > 0) {
    // A socket that is not read because it brought too much is alive.
    if (!paused_ && now_ms - last_received_ms_ > 2 * interval_ms) {
      BRAID_LOG_LIMITED(info, "amqp", {{"peer", peer_}, {"client", client_name_}},
                        "closed: missed heartbeats from client, timeout: {}s", heartbeat_s_);
      phase_ = Phase::ended;
      stream().abort();
      return quit();
    }
    if (now_ms - last_sent_ms_ >= interval_ms / 2) encode_heartbeat(out().bytes());
  }
  if (vhost_->deleted())
    return fail_connection(ReplyCode::connection_forced, fmt::format("vhost '{}' is deleted", vhost_->name()));
  check_consumer_timeouts();
  watch();
}

/// The smaller of what the queue and its policy say goes before the broker's setting.
std::int64_t Session::timeout_ms_of(const std::string& queue, const QueuePlace& place) const {
  std::int64_t timeout_ms = place.consumer_timeout_ms;
  if (const auto by_policy = vhost_->rules_for_queue(queue, place.type).consumer_timeout_ms)
    timeout_ms = timeout_ms == 0 ? *by_policy : std::min(timeout_ms, *by_policy);
  return timeout_ms == 0 ? settings().consumer_timeout_ms : timeout_ms;
}

/// The timer may have to look more often from now on.
void Session::note_timeout(std::int64_t timeout_ms) {
  if (timeout_ms == 0 || (shortest_timeout_ms_ > 0 && shortest_timeout_ms_ <= timeout_ms)) return;
  shortest_timeout_ms_ = timeout_ms;
  watch();
}

void Session::check_consumer_timeouts() {
  if (shortest_timeout_ms_ == 0) return;
  const std::int64_t now_ms = loop().now_ms();
  for (auto& [number, channel] : channels_) {
    // One that is busy may just be getting more; it is looked at the next time.
    if (channel->closing || channel->busy) continue;
    std::int64_t exceeded_ms = 0;
    channel->unacknowledged.each_from_oldest([&](const Held& held) {
      const std::int64_t age_ms = now_ms - held.delivered_ms - Unacknowledged::join_within_ms;
      if (held.timeout_ms > 0 && age_ms > held.timeout_ms) exceeded_ms = held.timeout_ms;
      return exceeded_ms == 0 && age_ms > shortest_timeout_ms_;
    });
    if (exceeded_ms == 0) continue;
    fail(*channel, ReplyCode::precondition_failed,
         fmt::format("delivery acknowledgement on channel {} timed out. Timeout value used: {} ms. This timeout value "
                     "can be configured, see amqp.consumer_timeout",
                     number, exceeded_ms),
         {});
  }
}

// -- alarms -----------------------------------------------------------------------------------------------------------

/// What is short, as RabbitMQ calls it; empty when nothing is.
std::string_view Session::shortage() const {
  const bool memory = services_.budget.exceeded(), disk = services_.disk_space->low();
  if (memory && disk) return "low on memory & disk";
  return memory ? "low on memory" : disk ? "low on disk" : std::string_view{};
}

void Session::watch_shortage() {
  if (!has_published_ || blocked_) return;
  const std::string_view what = shortage();
  if (what.empty()) return;
  blocked_ = true;
  if (wants_blocked_notice_) {
    write(0, ConnectionBlocked{what});
    flush();
  }
  shortage_timer_ = after(kShortageCheckMs, [this] { turn([this] { unblock(); }); });
}

void Session::unblock() {
  if (!is_open()) return;
  if (!shortage().empty()) {
    shortage_timer_ = after(kShortageCheckMs, [this] { turn([this] { unblock(); }); });
    return;
  }
  blocked_ = false;
  if (wants_blocked_notice_) write(0, ConnectionUnblocked{});
  std::vector<ChannelNumber> stalled;
  for (const auto& [number, channel] : channels_)
    if (channel->stalled) stalled.push_back(number);
  for (const ChannelNumber number : stalled) {
    Channel* channel = find(number);
    if (!channel) continue;
    channel->stalled = false;
    go_on(*channel);
  }
}

}  // namespace braid::amqp
