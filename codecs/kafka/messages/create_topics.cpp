// Braid, Apache-2.0.
#include "codecs/kafka/messages/create_topics.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(CreateTopicsRequest);
BRAID_KAFKA_INSTANTIATE(CreateTopicsResponse);

}  // namespace braid::kafka
