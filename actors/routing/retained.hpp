// Braid, Apache-2.0.
//
// The keeper of retained messages: the last message of each topic name that was published with the RETAIN flag. In
// memory in an index that finds them by wildcards, on the log in a partition of the broker's own (state_log.hpp), so
// that they survive a restart.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "actors/routing/interface.hpp"
#include "actors/routing/retained_index.hpp"
#include "actors/services.hpp"
#include "actors/state_log.hpp"
#include "runtime/pinned.hpp"

namespace braid {

class RetainedKeeper : public Pinned<RetainedActor::base> {
 public:
  RetainedKeeper(caf::actor_config& config, Loop& loop, Services& services)
      : Pinned(config, loop), services_(services), index_(loop.random()) {}
  const char* name() const override { return "retained"; }

 protected:
  behavior_type make_behavior() override;

 private:
  using Message = std::shared_ptr<const Publication>;
  struct Kept {
    Message message;
    std::uint64_t sequence = 0;  ///< in the order in which messages were retained, see MarkRetained
    explicit operator bool() const { return message != nullptr; }
  };

  void recover();
  void replay(const Bytes& topic, const std::optional<Bytes>& value);
  caf::result<Retained> retain(const Retain& request);
  Retained apply(const Retain& request);
  caf::result<RetainedFound> find(const FindRetained& request);
  RetainedFound look_up(const FindRetained& request);
  void put(Message message);
  void store(std::vector<StateChange> changes, const Retain& request);
  std::vector<StateChange> live();
  void count();

  Services& services_;
  routing::RetainedIndex<Kept> index_;
  std::uint64_t last_sequence_ = 0;
  std::unique_ptr<StateLog> log_;
  bool ready_ = false;
  std::vector<std::function<void()>> waiting_;  ///< requests that came before the log was read
  Timer retry_;
};

RetainedActor spawn_retained(Services& services);

}  // namespace braid
