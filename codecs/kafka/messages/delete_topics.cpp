// Braid, Apache-2.0.
#include "codecs/kafka/messages/delete_topics.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DeleteTopicsRequest);
BRAID_KAFKA_INSTANTIATE(DeleteTopicsResponse);

}  // namespace braid::kafka
