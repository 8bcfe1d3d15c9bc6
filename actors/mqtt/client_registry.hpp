// Braid, Apache-2.0.
//
// The actor behind clients.hpp. clients.cpp has the claims, clients_away.cpp the sessions whose client is away.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/mqtt/clients.hpp"
#include "actors/mqtt/publisher.hpp"
#include "actors/mqtt/session_state.hpp"
#include "actors/services.hpp"
#include "runtime/pinned.hpp"

namespace braid::mqtt {

class Registry : public Pinned<ClientRegistry::base> {
 public:
  Registry(caf::actor_config& config, Loop& loop, Services& services);
  const char* name() const override { return "mqtt-clients"; }

 protected:
  behavior_type make_behavior() override;

 private:
  struct Claim {
    ClaimClient request;
    Promise<ClientClaimed> granted;
    bool pending() const { return granted.pending(); }
  };
  /// A session whose client is away, or that is on its way to the next connection.
  struct Away {
    std::shared_ptr<SessionState> state;
    std::int64_t expires_us = INT64_MAX;
    std::int64_t due_us = INT64_MAX;  ///< its entry in due_; INT64_MAX when it has none
    std::size_t rebinding = 0;        ///< routers that have not answered
    Claim mover;                      ///< who gets it
    bool moving = false;
  };
  struct Client {
    std::uint64_t connection = 0;  ///< 0: nobody is connected
    TakeoverTarget owner;
    std::unique_ptr<Away> away;
    std::unique_ptr<Claim> next;  ///< waits for the connection, or for the move, to end
    bool waits() const { return next && next->pending(); }
  };
  using Entry = std::pair<const std::string, Client>;

  // clients.cpp
  caf::result<ClientClaimed> claim(const ClaimClient& request);
  void release(const ReleaseClient& release);
  void grant(Entry& entry, Claim claim, std::shared_ptr<SessionState> state);
  /// Nobody is connected: serves who waits, or forgets the client identifier.
  void go_on(Entry& entry);
  void publish(const WillMessage& will);

  // clients_away.cpp
  void keep(Entry& entry, std::shared_ptr<SessionState> state);
  void deliver(const Deliver& message);
  void take(SessionState& state, const Delivery& delivery);
  void work_on(Entry& entry);
  /// Something came of a queue's reads and writes.
  void progressed(std::uint64_t session);
  void move_to_next(Entry& entry);
  void moved(Entry& entry);
  /// The session of `entry` is over.
  void end(Entry& entry);
  void bury(std::shared_ptr<SessionState> state);
  void redispatch(std::uint64_t session, const Delivery& delivery);
  void dispose(std::uint64_t session);
  void schedule(Entry& entry);
  void unschedule(Away& away);
  void arm();
  void fire();

  Services& services_;
  Publisher publisher_;
  std::unordered_map<std::string, Client> clients_;
  std::unordered_map<std::uint64_t, Entry*> sessions_;              ///< those in Client::away
  std::unordered_map<std::uint64_t, std::vector<Delivery>> early_;  ///< of sessions that are being handed over
  std::unordered_map<std::uint64_t, std::shared_ptr<DeliveryQueue>> buried_;  ///< queues of sessions that are over
  std::set<std::pair<std::int64_t, std::uint64_t>> due_;                      ///< time, session
  std::int64_t armed_us_ = INT64_MAX;
  Timer timer_;
};

}  // namespace braid::mqtt
