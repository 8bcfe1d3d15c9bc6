// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_groups.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeGroupsRequest);
BRAID_KAFKA_INSTANTIATE(DescribeGroupsResponse);

}  // namespace braid::kafka
