// Braid, Apache-2.0.
#include "codecs/kafka/messages/incremental_alter_configs.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(IncrementalAlterConfigsRequest);
BRAID_KAFKA_INSTANTIATE(IncrementalAlterConfigsResponse);

}  // namespace braid::kafka
