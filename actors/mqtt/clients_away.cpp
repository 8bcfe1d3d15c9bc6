// Braid, Apache-2.0.
//
// Sessions whose client is away: what comes for them, when they end, and how the next connection gets them.
#include "actors/mqtt/client_registry.hpp"
#include "actors/routing/shared_groups.hpp"
#include "runtime/log.hpp"

namespace braid::mqtt {

void Registry::keep(Entry& entry, std::shared_ptr<SessionState> state) {
  auto away = std::make_unique<Away>();
  if (state->expiry_interval_s != never_expires)
    away->expires_us = state->ended_us + std::int64_t{state->expiry_interval_s} * 1'000'000;
  away->state = std::move(state);
  sessions_[away->state->number] = &entry;
  entry.second.away = std::move(away);
  const auto limit = (services_.settings.mqtt_protocol.max_offline_sessions + services_.loops - 1) / services_.loops;
  if (sessions_.size() > limit && !entry.second.waits()) {
    BRAID_LOG_LIMITED(warning, "mqtt", {{"client", entry.first}},
                      "a session ends with its connection: mqtt.max_offline_sessions is reached");
    return end(entry);
  }
  work_on(entry);
  schedule(entry);
}

// -- what comes for them ----------------------------------------------------------------------------------------------

void Registry::deliver(const Deliver& message) {
  if (const auto at = sessions_.find(message.session); at != sessions_.end()) {
    for (const auto& delivery : message.deliveries) take(*at->second->second.away->state, delivery);
    return work_on(*at->second);
  }
  if (const auto at = early_.find(message.session); at != early_.end()) {
    at->second.insert(at->second.end(), message.deliveries.begin(), message.deliveries.end());
    return;
  }
  // The session is over, and this was on its way.
  for (const auto& delivery : message.deliveries) redispatch(message.session, delivery);
}

void Registry::take(SessionState& state, const Delivery& delivery) {
  const auto& settings = services_.settings.mqtt_protocol;
  if (delivery.qos == 0 && !settings.queue_qos0) return;
  if (!state.queue) state.queue = std::make_shared<DeliveryQueue>(queue_limits(settings));
  state.queue->park();
  if (state.queue->push(delivery)) return;
  ++state.dropped;
  ++services_.metrics.mqtt_dropped;
}

void Registry::work_on(Entry& entry) {
  const SessionState& state = *entry.second.away->state;
  if (state.queue) state.queue->work(this, services_, [this, session = state.number] { progressed(session); });
}

void Registry::progressed(std::uint64_t session) {
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) return dispose(session);
  Away& away = *at->second->second.away;
  const auto lost = away.state->queue->take_lost();
  away.state->dropped += lost;
  services_.metrics.mqtt_dropped += lost;
  if (away.moving) moved(*at->second);
}

// -- the next connection ----------------------------------------------------------------------------------------------

void Registry::move_to_next(Entry& entry) {
  Away& away = *entry.second.away;
  away.mover = std::move(*std::exchange(entry.second.next, nullptr));
  away.moving = true;
  unschedule(away);
  LoopSet routers = away.state->routers(services_.loops);
  away.rebinding = 1;
  const auto answered = [this, session = away.state->number] {
    const auto at = sessions_.find(session);
    if (at == sessions_.end()) return;
    --at->second->second.away->rebinding;
    moved(*at->second);
  };
  for (std::size_t i = 0; routers != 0; ++i, routers >>= 1) {
    if (!(routers & 1)) continue;
    ++away.rebinding;
    ask(
        this, services_.routers[i], Rebind{away.state->number, SubscriberActor(away.mover.request.owner), true},
        [answered](const Rebound&) { answered(); }, [answered](caf::error) { answered(); });
  }
  answered();
}

void Registry::moved(Entry& entry) {
  Client& client = entry.second;
  if (client.away->rebinding != 0 || (client.away->state->queue && !client.away->state->queue->quiet())) return;
  if (!client.away->mover.pending()) {
    // It failed meanwhile, with all that routers have sent to it.
    end(entry);
    return go_on(entry);
  }
  const std::unique_ptr<Away> away = std::move(client.away);
  sessions_.erase(away->state->number);
  grant(entry, std::move(away->mover), away->state);
  if (client.waits()) send(client.owner, TakenOver{client.next->request.clean_start});
}

// -- their end --------------------------------------------------------------------------------------------------------

void Registry::end(Entry& entry) {
  const std::unique_ptr<Away> away = std::move(entry.second.away);
  unschedule(*away);
  sessions_.erase(away->state->number);
  bury(away->state);
}

void Registry::bury(std::shared_ptr<SessionState> state) {
  if (state->will) publish(*state->will);
  const auto lists = state->filters_by_router(services_.loops);
  for (std::size_t i = 0; i < lists.size(); ++i)
    if (!lists[i].empty()) send(services_.routers[i], ForgetSession{state->number, lists[i]});
  // Messages that a member of a shared subscription did not acknowledge go to another one; of those of QoS 2 nobody
  // can say whether it has them [MQTT-4.8.2-5].
  for (const auto id : state->outbound.publishes()) redispatch(state->number, state->outbound.kept(id));
  if (state->dropped != 0)
    BRAID_LOG_LIMITED(warning, "mqtt", {},
                      "a session ended; {} messages were not delivered: there was no room for them", state->dropped);
  if (!state->queue) return;
  buried_.emplace(state->number, state->queue);
  dispose(state->number);
}

void Registry::redispatch(std::uint64_t session, const Delivery& delivery) {
  if (delivery.share == 0 || delivery.qos != 1) return;
  ask(
      this, services_.routers[routing::SharedGroups::loop_of(delivery.share)],
      Redispatch{delivery.share, session, false, {delivery}}, [](const Redispatched&) {}, [](caf::error) {});
}

void Registry::dispose(std::uint64_t session) {
  const auto at = buried_.find(session);
  if (at == buried_.end()) return;
  const auto queue = at->second;
  for (const auto& delivery : queue->take_memory()) redispatch(session, delivery);
  if (!queue->quiet()) return;
  if (queue->shared_on_log() != 0) {
    queue->resume();
    queue->work(this, services_, [this, session] { progressed(session); });
    if (!queue->quiet()) return;
  }
  buried_.erase(session);
  queue->give_back(this, services_);
}

// -- time -------------------------------------------------------------------------------------------------------------

void Registry::schedule(Entry& entry) {
  Away& away = *entry.second.away;
  unschedule(away);
  away.due_us = away.state->will ? std::min(away.expires_us, away.state->will_due_us) : away.expires_us;
  if (away.due_us == INT64_MAX) return;
  due_.emplace(away.due_us, away.state->number);
  arm();
}

void Registry::unschedule(Away& away) {
  if (away.due_us != INT64_MAX) due_.erase({away.due_us, away.state->number});
  away.due_us = INT64_MAX;
}

void Registry::arm() {
  const std::int64_t next_us = due_.empty() ? INT64_MAX : due_.begin()->first;
  if (next_us == armed_us_) return;
  armed_us_ = next_us;
  if (next_us == INT64_MAX) {
    timer_.cancel();
    return;
  }
  const std::int64_t wait_ms = (next_us - loop().now_us() + 999) / 1000;
  timer_ = after(std::max<std::int64_t>(wait_ms, 0), [this] { fire(); });
}

void Registry::fire() {
  const std::int64_t now_us = loop().now_us();
  while (!due_.empty() && due_.begin()->first <= now_us) {
    Entry& entry = *sessions_.at(due_.begin()->second);
    Away& away = *entry.second.away;
    if (away.expires_us <= now_us) {
      end(entry);
      go_on(entry);
      continue;
    }
    publish(*away.state->will);
    away.state->will.reset();
    schedule(entry);
  }
  armed_us_ = INT64_MAX;
  arm();
}

}  // namespace braid::mqtt
