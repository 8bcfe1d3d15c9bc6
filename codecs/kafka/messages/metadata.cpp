// Braid, Apache-2.0.
#include "codecs/kafka/messages/metadata.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(MetadataRequest);
BRAID_KAFKA_INSTANTIATE(MetadataResponse);

}  // namespace braid::kafka
