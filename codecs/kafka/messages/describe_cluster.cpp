// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_cluster.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeClusterRequest);
BRAID_KAFKA_INSTANTIATE(DescribeClusterResponse);

}  // namespace braid::kafka
