// Braid, Apache-2.0.
#include "codecs/kafka/messages/leave_group.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(LeaveGroupRequest);
BRAID_KAFKA_INSTANTIATE(LeaveGroupResponse);

}  // namespace braid::kafka
