// Braid, Apache-2.0.
#include "codecs/kafka/messages/heartbeat.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(HeartbeatRequest);
BRAID_KAFKA_INSTANTIATE(HeartbeatResponse);

}  // namespace braid::kafka
