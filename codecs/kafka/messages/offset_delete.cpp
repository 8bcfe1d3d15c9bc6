// Braid, Apache-2.0.
#include "codecs/kafka/messages/offset_delete.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(OffsetDeleteRequest);
BRAID_KAFKA_INSTANTIATE(OffsetDeleteResponse);

}  // namespace braid::kafka
