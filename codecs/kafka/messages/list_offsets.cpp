// Braid, Apache-2.0.
#include "codecs/kafka/messages/list_offsets.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ListOffsetsRequest);
BRAID_KAFKA_INSTANTIATE(ListOffsetsResponse);

}  // namespace braid::kafka
