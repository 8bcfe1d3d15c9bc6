// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_topic_partitions.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeTopicPartitionsRequest);
BRAID_KAFKA_INSTANTIATE(DescribeTopicPartitionsResponse);

}  // namespace braid::kafka
