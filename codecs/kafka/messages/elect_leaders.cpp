// Braid, Apache-2.0.
#include "codecs/kafka/messages/elect_leaders.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ElectLeadersRequest);
BRAID_KAFKA_INSTANTIATE(ElectLeadersResponse);

}  // namespace braid::kafka
