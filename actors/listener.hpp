// Braid, Apache-2.0.
//
// Accepts the connections of one protocol on one loop and starts a session for each. Every loop has its own listener
// on the same port; the system spreads connections over them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/connection_gate.hpp"
#include "runtime/pinned.hpp"
#include "runtime/stream.hpp"

namespace braid {

/// Stop accepting and end. Connections that were accepted stay.
struct StopListening {};
using ListenerActor = caf::typed_actor<caf::reacts_to<StopListening>>;

/// Makes the session behind a connection; runs on the listener's loop.
using SessionFactory = std::function<void(std::unique_ptr<Stream>, Admission)>;

class ProtocolListener : public Pinned<ListenerActor::base> {
 public:
  /// Takes the listener that the node has bound, so that a port in use stops the start with a sentence.
  ProtocolListener(caf::actor_config& config, Loop& loop, std::string protocol, ConnectionGate& gate,
                   SessionFactory factory)
      : Pinned(config, loop), protocol_(std::move(protocol)), gate_(gate), factory_(std::move(factory)) {}

  const char* name() const override { return "listener"; }
  void on_exit() override { listener_.reset(); }

  /// On the loop, before the loop turns again; the error is a sentence that names the address.
  Result<Address, std::string> bind(const std::string& address, std::uint16_t port);

 protected:
  behavior_type make_behavior() override {
    return {[this](const StopListening&) { quit(); }};
  }

 private:
  void accepted(std::unique_ptr<Stream> stream);

  std::string protocol_;
  ConnectionGate& gate_;
  SessionFactory factory_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace braid
