// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_configs.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeConfigsRequest);
BRAID_KAFKA_INSTANTIATE(DescribeConfigsResponse);

}  // namespace braid::kafka
