// Braid, Apache-2.0.
#include "codecs/kafka/messages/create_partitions.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(CreatePartitionsRequest);
BRAID_KAFKA_INSTANTIATE(CreatePartitionsResponse);

}  // namespace braid::kafka
