// Braid, Apache-2.0.
#include "codecs/kafka/messages/join_group.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(JoinGroupRequest);
BRAID_KAFKA_INSTANTIATE(JoinGroupResponse);

}  // namespace braid::kafka
