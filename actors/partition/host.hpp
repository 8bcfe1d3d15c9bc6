// Braid, Apache-2.0.
//
// Owns the partitions of one loop: starts an actor on first use, lets it rest when it has been idle, restarts it after
// a failure, ends it when its topic is deleted; and sweeps through all of them, resting ones too, for retention. A
// million partitions thus cost rows in the journal's table, not mailboxes.
//
// Going to rest takes one round: every loop forgets the handle, then the actor is told to end. Messages sent before a
// loop let go are in the actor's mailbox by then, so nothing is lost and nothing overtakes.
#pragma once

#include <unordered_map>
#include <vector>

#include "actors/partition/interface.hpp"
#include "actors/services.hpp"
#include "runtime/pinned.hpp"

namespace braid {

class PartitionHostActor : public Pinned<PartitionHost::base> {
 public:
  PartitionHostActor(caf::actor_config& config, Loop& loop, Services& services);
  const char* name() const override { return "partition-host"; }
  /// Its partitions have a handle of this actor: none of them would ever be destroyed.
  void on_exit() override {
    active_.clear();
    by_actor_.clear();
    Pinned::on_exit();
  }

 protected:
  behavior_type make_behavior() override;

 private:
  struct Entry {
    PartitionActor actor;
    bool resting = false;                           ///< told to rest, or about to be
    std::vector<Promise<PartitionOpened>> waiting;  ///< came while it rests: opened anew when it has ended
  };

  caf::result<PartitionOpened> open(PartitionId partition);
  PartitionOpened start(PartitionId partition);
  void rest(PartitionId partition);
  LogsMeasured measure(const MeasureLogs& request) const;
  void ended(const caf::down_msg& down);
  void topics_changed(const DirectoryChange& change);
  void drain(std::function<void()> drained);
  /// Calls itself again every so often: syncs what `os` topics have written, and writes checkpoints.
  void sync_regularly();
  void checkpoint_regularly();
  void sweep();
  void sweep_some();

  Services& services_;
  std::unordered_map<PartitionId, Entry> active_;
  std::unordered_map<caf::actor_id, PartitionId> by_actor_;
  Timer sweep_timer_, sync_timer_, checkpoint_timer_;
  std::vector<PartitionId> sweeping_;  ///< left of the current retention sweep
  bool expiring_producers_ = false;    ///< the current sweep looks for idle producers too
  std::int64_t producers_expired_at_ms_ = 0;
};

}  // namespace braid
