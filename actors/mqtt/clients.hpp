// Braid, Apache-2.0.
//
// Who has which client identifier, and the sessions of those who are away. Client identifiers are spread over the loops
// by hash, one registry each, so that whatever happens to a client identifier happens in one place and in one order:
//
// - A second connection with the same one takes the first one's place: the first is told and has ended, will and all,
//   before the second gets its CONNACK [MQTT-3.1.4-3].
// - When the connection of a session with an expiry ends, its actor tells the routers to send to the registry, hands
//   the session's state over and ends. The registry takes what comes, publishes a delayed will and ends the session on
//   time, or hands the state to the next connection. Routers answer a change of the subscriber behind all that they
//   sent to the one of before, so nothing is lost or overtaken on the way.
//
// The registry of a loop also publishes the wills of that loop's sessions, since a session that has ended cannot wait
// for an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/routing/interface.hpp"
#include "runtime/spelling.hpp"

namespace braid {
struct Services;
}

namespace braid::mqtt {

struct SessionState;
struct WillMessage;

/// To a session: another connection has its client identifier now. It ends.
struct TakenOver {
  bool clean_start = false;  ///< of the other one: the session ends too
};
using TakeoverTarget = caf::typed_actor<caf::reacts_to<TakenOver>, caf::reacts_to<Deliver>>;

struct ClaimClient {
  std::string client_id;
  std::uint64_t connection = 0;  ///< of the claimer, unique on the node
  bool clean_start = true;
  TakeoverTarget owner = {};
};
/// The claimer must not end before it has this answer: a session may be on its way to it.
struct ClientClaimed {
  bool granted = false;                 ///< false: a still newer connection came meanwhile
  std::shared_ptr<SessionState> state;  ///< of the session that goes on; null for a new one. The claimer's alone.
};
/// What comes for this session is its own from now on, though its state is still to come with a ReleaseClient.
struct AwaitSession {
  std::uint64_t session = 0;
};
/// The connection ended, if it had claimed.
struct ReleaseClient {
  std::string client_id;
  std::uint64_t connection = 0;
  std::uint64_t session = 0;
  std::shared_ptr<SessionState> state;  ///< of the session, when there is something left of it
  bool ended = true;                    ///< the session ended too
};
/// A will to be published [MQTT-3.1.2-8].
struct PublishWill {
  std::shared_ptr<const WillMessage> will;
};

using ClientRegistry = caf::typed_actor<caf::replies_to<ClaimClient>::with<ClientClaimed>, caf::reacts_to<AwaitSession>,
                                        caf::reacts_to<ReleaseClient>, caf::reacts_to<PublishWill>,
                                        caf::reacts_to<RetainStored>, caf::reacts_to<Deliver>>;

ClientRegistry spawn_client_registry(Services& services);

/// The loop whose registry has a client identifier.
inline std::size_t client_loop(const std::string& client_id, std::size_t loops) {
  return std::hash<std::string>{}(client_id) % loops;
}

}  // namespace braid::mqtt

BRAID_MESSAGE(braid::mqtt::TakenOver)
BRAID_MESSAGE(braid::mqtt::ClaimClient)
BRAID_MESSAGE(braid::mqtt::ClientClaimed)
BRAID_MESSAGE(braid::mqtt::AwaitSession)
BRAID_MESSAGE(braid::mqtt::ReleaseClient)
BRAID_MESSAGE(braid::mqtt::PublishWill)
