// Braid, Apache-2.0.
#include "codecs/kafka/messages/api_versions.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ApiVersionsRequest);
BRAID_KAFKA_INSTANTIATE(ApiVersionsResponse);

}  // namespace braid::kafka
