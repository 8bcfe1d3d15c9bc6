// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_producers.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeProducersRequest);
BRAID_KAFKA_INSTANTIATE(DescribeProducersResponse);

}  // namespace braid::kafka
