// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_log_dirs.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeLogDirsRequest);
BRAID_KAFKA_INSTANTIATE(DescribeLogDirsResponse);

}  // namespace braid::kafka
