// Braid, Apache-2.0.
#include "codecs/kafka/messages/sync_group.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(SyncGroupRequest);
BRAID_KAFKA_INSTANTIATE(SyncGroupResponse);

}  // namespace braid::kafka
