// Braid, Apache-2.0.
#include "codecs/kafka/messages/delete_groups.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DeleteGroupsRequest);
BRAID_KAFKA_INSTANTIATE(DeleteGroupsResponse);

}  // namespace braid::kafka
