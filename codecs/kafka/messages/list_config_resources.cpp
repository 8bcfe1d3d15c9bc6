// Braid, Apache-2.0.
#include "codecs/kafka/messages/list_config_resources.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ListConfigResourcesRequest);
BRAID_KAFKA_INSTANTIATE(ListConfigResourcesResponse);

}  // namespace braid::kafka
