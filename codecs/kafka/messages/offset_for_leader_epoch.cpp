// Braid, Apache-2.0.
#include "codecs/kafka/messages/offset_for_leader_epoch.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(OffsetForLeaderEpochRequest);
BRAID_KAFKA_INSTANTIATE(OffsetForLeaderEpochResponse);

}  // namespace braid::kafka
