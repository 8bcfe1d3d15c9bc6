// Braid, Apache-2.0.
#include "codecs/kafka/messages/list_partition_reassignments.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ListPartitionReassignmentsRequest);
BRAID_KAFKA_INSTANTIATE(ListPartitionReassignmentsResponse);

}  // namespace braid::kafka
