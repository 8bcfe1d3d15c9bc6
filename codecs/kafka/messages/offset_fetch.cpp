// Braid, Apache-2.0.
#include "codecs/kafka/messages/offset_fetch.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(OffsetFetchRequest);
BRAID_KAFKA_INSTANTIATE(OffsetFetchResponse);

}  // namespace braid::kafka
