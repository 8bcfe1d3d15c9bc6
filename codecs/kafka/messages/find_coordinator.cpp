// Braid, Apache-2.0.
#include "codecs/kafka/messages/find_coordinator.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(FindCoordinatorRequest);
BRAID_KAFKA_INSTANTIATE(FindCoordinatorResponse);

}  // namespace braid::kafka
