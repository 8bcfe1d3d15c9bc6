// Braid, Apache-2.0.
//
// ListPartitionReassignments: partitions do not move between brokers while there is one, so none is on its way.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

void list_partition_reassignments(Session& session, const Call& call, ListPartitionReassignmentsRequest) {
  session.respond(call, ListPartitionReassignmentsResponse{});
}

}  // namespace braid::kafka
