// Braid, Apache-2.0.
#include "codecs/kafka/messages/init_producer_id.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(InitProducerIdRequest);
BRAID_KAFKA_INSTANTIATE(InitProducerIdResponse);

}  // namespace braid::kafka
