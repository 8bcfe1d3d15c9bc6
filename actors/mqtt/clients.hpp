// Braid, Apache-2.0.
//
// Who has which client identifier. A second connection with the same one takes the first one's place: the first is told
// and has ended, will and all, before the second gets its CONNACK [MQTT-3.1.4-3]. Identifiers are spread over the loops
// by hash; the registry of a loop also publishes the wills of that loop's sessions, since a session that has ended
// cannot wait for an answer.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/routing/interface.hpp"
#include "codecs/mqtt/types.hpp"
#include "model/bytes.hpp"
#include "runtime/spelling.hpp"

namespace braid {
struct Services;
}

namespace braid::mqtt {

/// To a session: another connection has its client identifier now. It ends.
struct TakenOver {};
using TakeoverTarget = caf::typed_actor<caf::reacts_to<TakenOver>>;

struct ClaimClient {
  std::string client_id;
  std::uint64_t session = 0;
  TakeoverTarget owner = {};
};
struct ClientClaimed {
  bool granted = false;  ///< false: a still newer connection came meanwhile
};
/// In the session's on_exit, if it had claimed.
struct ReleaseClient {
  std::string client_id;
  std::uint64_t session = 0;
};
/// A will to be published [MQTT-3.1.2-8].
struct PublishWill {
  Bytes topic, payload;
  Bytes properties;  ///< the will's property block, checked
  QoS qos = QoS::at_most_once;
  bool retain = false;
};

using ClientRegistry =
    caf::typed_actor<caf::replies_to<ClaimClient>::with<ClientClaimed>, caf::reacts_to<ReleaseClient>,
                     caf::reacts_to<PublishWill>, caf::reacts_to<RetainStored>>;

ClientRegistry spawn_client_registry(Services& services);

}  // namespace braid::mqtt

BRAID_MESSAGE(braid::mqtt::TakenOver)
BRAID_MESSAGE(braid::mqtt::ClaimClient)
BRAID_MESSAGE(braid::mqtt::ClientClaimed)
BRAID_MESSAGE(braid::mqtt::ReleaseClient)
BRAID_MESSAGE(braid::mqtt::PublishWill)
