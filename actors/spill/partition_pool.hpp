// Braid, Apache-2.0.
//
// Partitions for queues that come and go. A queue that has to put its messages on the log (an absent MQTT client, a
// subscriber that does not keep up) wants a partition at once and for itself; making a topic for each would cost a
// transaction of the catalog per queue. So internal topics are made with many partitions at once, each as large as all
// before, and their partitions are lent out: what a queue gives back is emptied and lent again.
//
// Queues end with the process, so all partitions are empty when the node starts (Node::empty_spill).
#pragma once

#include "model/errors.hpp"
#include "model/ids.hpp"
#include "persistence/catalog/topic.hpp"
#include "runtime/spelling.hpp"

namespace braid {

struct Services;

struct TakePartition {};
struct PartitionTaken {
  Errc error = Errc::none;
  PartitionId partition{0};
  Offset start{0};  ///< of the first record that the taker appends
};
/// Nothing that the giver sent to the partition may be unanswered.
struct GivePartition {
  PartitionId partition;
};

using PartitionPool = Interface<Answers<TakePartition, PartitionTaken>, Takes<GivePartition>>;

/// The topics whose partitions are lent: kSpillTopic, and those that were made when it did not do.
bool is_spill_topic(const Topic& topic);
/// Nothing in them outlives the process, so nothing is synced.
TopicConfig spill_config();

/// One per node, on the loop of `services`.
PartitionPool spawn_partition_pool(Services& services);

}  // namespace braid

BRAID_MESSAGE(braid::TakePartition)
BRAID_MESSAGE(braid::PartitionTaken)
BRAID_MESSAGE(braid::GivePartition)
