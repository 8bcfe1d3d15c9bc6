// Braid, Apache-2.0.
#include "codecs/kafka/messages/list_groups.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ListGroupsRequest);
BRAID_KAFKA_INSTANTIATE(ListGroupsResponse);

}  // namespace braid::kafka
