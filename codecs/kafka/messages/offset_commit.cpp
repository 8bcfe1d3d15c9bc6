// Braid, Apache-2.0.
#include "codecs/kafka/messages/offset_commit.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(OffsetCommitRequest);
BRAID_KAFKA_INSTANTIATE(OffsetCommitResponse);

}  // namespace braid::kafka
