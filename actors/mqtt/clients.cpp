// Braid, Apache-2.0.
#include "actors/mqtt/clients.hpp"

#include "actors/mqtt/publisher.hpp"
#include "actors/services.hpp"
#include "runtime/pinned.hpp"

namespace braid::mqtt {

namespace {

class Registry : public Pinned<ClientRegistry::base> {
 public:
  Registry(caf::actor_config& config, Loop& loop, Services& services)
      : Pinned(config, loop), services_(services), publisher_(services, 0) {}
  const char* name() const override { return "mqtt-clients"; }

 protected:
  behavior_type make_behavior() override {
    return {
        [this](const ClaimClient& claim) { return take(claim); },
        [this](const ReleaseClient& release) { give(release); },
        [this](const PublishWill& will) { publish(will); },
        [this](const RetainStored& message) { publisher_.stored(message, [](const auto&, ReasonCode) {}); },
    };
  }

 private:
  struct Entry {
    std::uint64_t session = 0;
    TakeoverTarget owner;
    /// Waits for the owner to end.
    ClaimClient next;
    Promise<ClientClaimed> next_granted;
  };

  caf::result<ClientClaimed> take(const ClaimClient& claim) {
    auto [at, fresh] = clients_.try_emplace(claim.client_id);
    Entry& entry = at->second;
    if (fresh) {
      entry.session = claim.session;
      entry.owner = claim.owner;
      return ClientClaimed{true};
    }
    // Of several that wait only the newest matters.
    if (entry.next_granted.pending()) entry.next_granted.deliver(ClientClaimed{false});
    entry.next = claim;
    entry.next_granted = Promise<ClientClaimed>(this);
    auto later = entry.next_granted.later();
    send(entry.owner, TakenOver{});
    return later;
  }

  void give(const ReleaseClient& release) {
    const auto at = clients_.find(release.client_id);
    if (at == clients_.end()) return;
    Entry& entry = at->second;
    if (entry.next_granted.pending() && entry.next.session == release.session) {
      // It gave up before it was its turn.
      entry.next_granted.deliver(ClientClaimed{false});
      entry.next = ClaimClient{};
      return;
    }
    if (entry.session != release.session) return;
    if (!entry.next_granted.pending()) {
      clients_.erase(at);
      return;
    }
    entry.session = entry.next.session;
    entry.owner = entry.next.owner;
    entry.next = ClaimClient{};
    entry.next_granted.deliver(ClientClaimed{true});
  }

  void publish(const PublishWill& will) {
    Publish publish;
    publish.payload = will.payload.view();
    publish.qos = will.qos;
    publish.retain = will.retain;
    if (parse_properties(will.properties.view(), PropertyPlace::will, Sender::client, UINT16_MAX, publish.properties))
      return;
    Acknowledger nobody;
    publisher_.add(will.topic.view(), publish, nobody, Acknowledger::none, loop().wall_clock());
    publisher_.flush(this, [](const auto&, ReasonCode) {});
  }

  Services& services_;
  Publisher publisher_;
  std::unordered_map<std::string, Entry> clients_;
};

}  // namespace

ClientRegistry spawn_client_registry(Services& services) {
  return spawn_on<Registry>(services.loop, services);
}

}  // namespace braid::mqtt
