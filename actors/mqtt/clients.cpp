// Braid, Apache-2.0.
//
// Claims of client identifiers, and wills.
#include "actors/mqtt/clients.hpp"

#include "actors/mqtt/client_registry.hpp"

namespace braid::mqtt {

Registry::Registry(caf::actor_config& config, Loop& loop, Services& services)
    : Pinned(config, loop), services_(services), publisher_(services, 0) {}

Registry::behavior_type Registry::make_behavior() {
  return {
      [this](const ClaimClient& request) { return claim(request); },
      [this](const AwaitSession& told) { early_.try_emplace(told.session); },
      [this](const ReleaseClient& told) { release(told); },
      [this](const PublishWill& request) { publish(*request.will); },
      [this](const RetainStored& message) { publisher_.stored(message, [](const auto&, ReasonCode) {}); },
      [this](const Deliver& message) { deliver(message); },
  };
}

caf::result<ClientClaimed> Registry::claim(const ClaimClient& request) {
  auto [at, fresh] = clients_.try_emplace(request.client_id);
  Client& client = at->second;
  // Of several that wait only the newest matters.
  if (client.waits()) client.next->granted.deliver(ClientClaimed{});
  client.next = std::make_unique<Claim>(Claim{request, Promise<ClientClaimed>(this)});
  auto later = client.next->granted.later();
  if (client.connection != 0)
    send(client.owner, TakenOver{request.clean_start});
  else
    go_on(*at);
  return later;
}

void Registry::grant(Entry& entry, Claim claim, std::shared_ptr<SessionState> state) {
  entry.second.connection = claim.request.connection;
  entry.second.owner = claim.request.owner;
  claim.granted.deliver(ClientClaimed{true, std::move(state)});
}

void Registry::go_on(Entry& entry) {
  Client& client = entry.second;
  if (client.away && client.away->moving) return;
  if (client.away && client.waits()) {
    if (!client.next->request.clean_start) return move_to_next(entry);
    end(entry);
  }
  if (client.waits()) return grant(entry, std::move(*std::exchange(client.next, nullptr)), nullptr);
  if (!client.away) clients_.erase(clients_.find(entry.first));
}

void Registry::release(const ReleaseClient& told) {
  auto early = early_.extract(told.session);
  if (told.state && !early.empty())
    for (const auto& delivery : early.mapped()) take(*told.state, delivery);
  const auto at = clients_.find(told.client_id);
  if (at == clients_.end() || at->second.connection != told.connection) {
    // It failed before it had the identifier.
    if (told.state) bury(told.state);
    if (at == clients_.end()) return;
    Client& client = at->second;
    if (client.away && client.away->moving && client.away->mover.request.connection == told.connection)
      client.away->mover = Claim{};
    if (!client.waits() || client.next->request.connection != told.connection) return;
    client.next.reset();
    if (client.connection == 0) go_on(*at);
    return;
  }
  at->second.connection = 0;
  at->second.owner = nullptr;
  if (told.state && !told.ended)
    keep(*at, told.state);
  else if (told.state)
    bury(told.state);
  go_on(*at);
}

void Registry::publish(const WillMessage& will) {
  Publish publish;
  publish.payload = will.payload.view();
  publish.qos = will.qos;
  publish.retain = will.retain;
  if (parse_properties(will.properties.view(), PropertyPlace::will, Sender::client, UINT16_MAX, publish.properties))
    return;
  Acknowledger nobody;
  publisher_.speak_for(will.publisher);
  publisher_.add(will.topic.view(), publish, nobody, Acknowledger::none, loop().wall_clock());
  publisher_.flush(this, [](const auto&, ReasonCode) {});
}

ClientRegistry spawn_client_registry(Services& services) {
  return spawn_on<Registry>(services.loop, services);
}

}  // namespace braid::mqtt
