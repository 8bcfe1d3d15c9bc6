// Braid, Apache-2.0.
#include "codecs/kafka/messages/fetch.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(FetchRequest);
BRAID_KAFKA_INSTANTIATE(FetchResponse);

}  // namespace braid::kafka
