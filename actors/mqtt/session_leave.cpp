// Braid, Apache-2.0.
//
// How a connection ends, and what becomes of its session. The actor ends last: first what it has published is finished,
// so that the state that it leaves behind is settled; then, when the session outlives the connection or others have to
// take over what it did not deliver, routers are told to send to the registry of clients, what a member of a shared
// subscription did not acknowledge is offered to the others, what waits in memory goes to the log, and the state is
// handed to the registry. The session that ends with nothing in flight, which most do, takes none of these steps.
#include <unordered_map>
#include <unordered_set>

#include "actors/mqtt/session.hpp"
#include "actors/routing/shared_groups.hpp"
#include "codecs/protocol_guess.hpp"
#include "runtime/log.hpp"

namespace braid::mqtt {

namespace {
/// What stands before the properties.
constexpr std::size_t kDisconnectBytes = 1;
}  // namespace

void Session::end_after_decode_error(ReceiveBuffer& buffer) {
  ++services_.metrics.protocol_errors;
  const auto& error = decoder_.error();
  if (phase_ == Phase::handshake) {
    const auto guess = guess_protocol(buffer.readable());
    if (guess != WireProtocol::unknown && guess != WireProtocol::mqtt) {
      BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer()}}, "closed: this is the MQTT port; the client speaks {}",
                        to_string(guess));
      phase_ = Phase::ended;
      return quit();
    }
    if (decoder_.announced_level() && !decoder_.level()) {
      encode_unsupported_level(out(), *decoder_.announced_level());
      flush();
    } else if (decoder_.level()) {
      level_ = *decoder_.level();
      return refuse(error.reason, error.sentence);
    }
    BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", peer()}}, "closed: {}", describe(error));
    phase_ = Phase::ended;
    return quit();
  }
  end(error.reason, error.sentence);
}

const ClientRegistry& Session::registry() const {
  return services_.clients[client_loop(client_id_, services_.clients.size())];
}

void Session::handle(const Disconnect& disconnect) {
  if (disconnect.properties.has(PropertyId::session_expiry_interval)) {
    const std::uint32_t wanted_s = disconnect.properties.session_expiry_interval_s;
    if (wanted_s != 0 && asked_expiry_s_ == 0)
      return end(ReasonCode::protocol_error, "DISCONNECT raises a Session Expiry Interval of 0 (3.14.2.2.2)");
    state_.expiry_interval_s = std::min(wanted_s, services_.settings.mqtt_protocol.max_session_expiry_s);
  }
  // Only 0x00 drops the will [MQTT-3.14.4-3].
  if (disconnect.reason == ReasonCode::normal_disconnection) will_.reset();
  leave();
}

void Session::end(ReasonCode reason, std::string_view sentence) {
  if (phase_ == Phase::leaving || phase_ == Phase::ended) return;
  BRAID_LOG_LIMITED(info, "mqtt", {{"peer", peer()}, {"client", client_id_}}, "closed: {}",
                    describe(DecodeError{reason, sentence}));
  // A server says DISCONNECT only after a good CONNACK, and only in MQTT 5 [MQTT-3.14.0-1].
  if (v5() && phase_ == Phase::connected) {
    Disconnect disconnect;
    disconnect.reason = reason;
    PropertyWriter properties;
    explain(properties, sentence, kDisconnectBytes);
    disconnect.properties.block = properties.view();
    encode(out(), level_, disconnect);
  }
  flush();
  if (phase_ == Phase::connected) return leave();
  if (phase_ == Phase::claiming) {
    // The registry's answer may bring a session, so it is waited for.
    closed_early_ = true;
    return stream().close();
  }
  phase_ = Phase::ended;
  quit();
}

void Session::taken_over(const TakenOver& by) {
  taken_over_ = true;
  discarded_ = discarded_ || by.clean_start;
  end(ReasonCode::session_taken_over, "another connection has the client identifier");
}

void Session::drain() {
  // What was read is answered first: publishes that wait for the disk hold the end back, until the node loses patience.
  if (phase_ == Phase::connected && acknowledger_.waiting() != 0) {
    if (!paused_) stream().pause_reading();
    paused_ = true;
    timer_ = after(20, [this] { drain(); });
    return;
  }
  // Sessions end with the broker.
  discarded_ = true;
  end(ReasonCode::server_shutting_down, "the broker stops");
}

void Session::closed(CloseReason reason) {
  if (phase_ == Phase::leaving || phase_ == Phase::ended) return;
  BRAID_LOG_LIMITED(debug, "mqtt", {{"peer", peer()}, {"client", client_id_}}, "connection ended: {}", reason.text());
  if (phase_ == Phase::connected) return leave();
  if (phase_ == Phase::claiming) {
    closed_early_ = true;
    return;
  }
  phase_ = Phase::ended;
  quit();
}

void Session::leave() {
  flush();
  phase_ = Phase::leaving;
  timer_.cancel();
  stream().close();
  state_.ended_us = loop().now_us();
  if (state_.dropped != 0)
    log::warning("mqtt", {{"peer", peer()}, {"client", client_id_}},
                 "{} messages were not delivered: the client did not keep up", std::exchange(state_.dropped, 0));
  // Inside a read the publishes in front of this have not been sent yet.
  if (!in_read_) go_on_leaving();
}

void Session::go_on_leaving() {
  if (phase_ != Phase::leaving) return;
  switch (leaving_) {
    case Leaving::publishing:
      if (publisher_ && !publisher_->idle()) return;
      acknowledger_.drain([this](const Acknowledger::Ready& ready) {
        if (ready.qos == QoS::exactly_once && is_failure(ready.reason)) state_.unreleased.erase(ready.packet_id);
      });
      settle_will();
      if (session_ends() && !state_.queue && !has_shared_filters(state_) && state_.outbound.publishes().empty()) {
        forget_subscriptions();
        phase_ = Phase::ended;
        return quit();
      }
      leaving_ = Leaving::rebinding;
      rebind_to_registry();
      [[fallthrough]];
    case Leaving::rebinding:
      if (awaited_ != 0) return;
      leaving_ = Leaving::redispatching;
      redispatch_shared();
      [[fallthrough]];
    case Leaving::redispatching:
      if (awaited_ != 0) return;
      leaving_ = Leaving::settling;
      if (state_.queue) {
        state_.queue->park();
        state_.queue->work(this, services_, [this] { go_on_leaving(); });
      }
      [[fallthrough]];
    case Leaving::settling:
      if (state_.queue && !state_.queue->quiet()) return;
      leaving_ = Leaving::done;
      return hand_over();
    case Leaving::done:
      return;
  }
}

void Session::settle_will() {
  // Of a connection that was never accepted there is none, and that of the one before it still counts.
  if (!will_) return;
  if (session_ends() || will_->delay_s == 0) {
    send(services_.clients[loop().index().value], PublishWill{std::move(will_)});
  } else if (!taken_over_) {
    state_.will_due_us = state_.ended_us + std::int64_t{will_->delay_s} * 1'000'000;
    state_.will = std::move(will_);
  }
  will_.reset();
}

void Session::rebind_to_registry() {
  send(registry(), AwaitSession{state_.number});
  LoopSet routers = state_.routers(services_.loops);
  const auto answered = [this] {
    --awaited_;
    go_on_leaving();
  };
  for (std::size_t i = 0; routers != 0; ++i, routers >>= 1) {
    if (!(routers & 1)) continue;
    ++awaited_;
    ask(
        this, services_.routers[i], Rebind{state_.number, SubscriberActor(registry()), false},
        [answered](const Rebound&) { answered(); }, [answered](caf::error) { answered(); });
  }
}

void Session::redispatch_shared() {
  // When the session ends too the registry does it.
  if (session_ends()) return;
  struct Offer {
    std::vector<PacketId> in_flight;
    std::vector<Delivery> deliveries;
  };
  std::unordered_map<std::uint64_t, Offer> offers;
  for (const auto id : state_.outbound.publishes()) {
    const auto& delivery = state_.outbound.kept(id);
    if (delivery.share == 0 || delivery.qos != 1) continue;  // [MQTT-4.8.2-4]
    auto& offer = offers[delivery.share];
    offer.in_flight.push_back(id);
    offer.deliveries.push_back(delivery);
  }
  if (state_.queue)
    state_.queue->each_in_memory([&](const Delivery& delivery) {
      if (delivery.share != 0 && delivery.qos < 2) offers[delivery.share].deliveries.push_back(delivery);
    });
  for (auto& [share, offered] : offers) {
    ++awaited_;
    Redispatch request{share, state_.number, true, offered.deliveries};
    auto answered = [this, offer = std::move(offered)](bool taken) {
      --awaited_;
      if (taken) {
        for (const auto id : offer.in_flight) state_.outbound.finish(id);
        std::unordered_set<const Publication*> gone;
        for (const auto& delivery : offer.deliveries) gone.insert(delivery.publication.get());
        if (state_.queue)
          state_.queue->take_out([&](const Delivery& delivery) {
            return delivery.share == offer.deliveries.front().share && gone.contains(delivery.publication.get());
          });
      }
      go_on_leaving();
    };
    ask(
        this, services_.routers[routing::SharedGroups::loop_of(share)], std::move(request),
        [answered](const Redispatched& reply) mutable { answered(reply.taken); },
        [answered](caf::error) mutable { answered(false); });
  }
}

void Session::hand_over() {
  state_.outbound.compact();
  state_.retained.erase_if([](const RetainedCursor& cursor) { return cursor.filter.empty(); });
  if (state_.queue && state_.queue->empty()) {
    state_.queue->give_back(this, services_);
    state_.queue.reset();
  }
  const std::uint64_t number = state_.number;
  send(registry(),
       ReleaseClient{client_id_, id(), number, std::make_shared<SessionState>(std::move(state_)), session_ends()});
  state_ = SessionState{};
  claimed_ = false;
  phase_ = Phase::ended;
  quit();
}

void Session::forget_subscriptions() {
  const auto lists = state_.filters_by_router(services_.loops);
  for (std::size_t i = 0; i < lists.size(); ++i)
    if (!lists[i].empty()) send(services_.routers[i], ForgetSession{state_.number, lists[i]});
  state_.filters.clear();
}

void Session::on_exit() {
  // An actor that failed takes the session with it.
  if (phase_ != Phase::ended) {
    if (will_) send(services_.clients[loop().index().value], PublishWill{std::move(will_)});
    forget_subscriptions();
  }
  phase_ = Phase::ended;
  if (claimed_) send(registry(), ReleaseClient{client_id_, id(), state_.number, nullptr, true});
  --services_.metrics.connections;
  if (accepted_) --services_.metrics.mqtt_connections;
  services_.sessions.remove(id());
  ConnectionActor::on_exit();
}

}  // namespace braid::mqtt
