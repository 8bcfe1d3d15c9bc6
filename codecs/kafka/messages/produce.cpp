// Braid, Apache-2.0.
#include "codecs/kafka/messages/produce.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ProduceRequest);
BRAID_KAFKA_INSTANTIATE(ProduceResponse);

}  // namespace braid::kafka
