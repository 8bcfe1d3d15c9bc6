// Braid, Apache-2.0.
//
// The living sessions of one loop, so that an ordered end can ask each of them to finish: answer what it has taken,
// tell the client if the protocol has a word for it, and close.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include "runtime/spelling.hpp"

namespace braid {

/// To a session: take nothing new, finish what is in flight, close.
struct DrainSession {};
using DrainTarget = caf::typed_actor<caf::reacts_to<DrainSession>>;

class SessionRegistry {
 public:
  void add(caf::actor_id id, DrainTarget session) { sessions_.emplace(id, std::move(session)); }
  /// In the session's on_exit.
  void remove(caf::actor_id id) {
    sessions_.erase(id);
    if (sessions_.empty() && emptied_) std::exchange(emptied_, nullptr)();
  }
  std::size_t size() const { return sessions_.size(); }
  /// Asks all to finish; `done` when the last has gone.
  void drain(std::function<void()> done) {
    if (sessions_.empty()) return done();
    emptied_ = std::move(done);
    for (const auto& [id, session] : sessions_) caf::anon_send(session, DrainSession{});
  }

 private:
  std::unordered_map<caf::actor_id, DrainTarget> sessions_;
  std::function<void()> emptied_;
};

}  // namespace braid

BRAID_MESSAGE(braid::DrainSession)
