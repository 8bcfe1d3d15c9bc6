// Braid, Apache-2.0.
#include "codecs/kafka/messages/alter_configs.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(AlterConfigsRequest);
BRAID_KAFKA_INSTANTIATE(AlterConfigsResponse);

}  // namespace braid::kafka
