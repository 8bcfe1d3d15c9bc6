// Braid, Apache-2.0.
#include "codecs/kafka/messages/describe_client_quotas.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DescribeClientQuotasRequest);
BRAID_KAFKA_INSTANTIATE(DescribeClientQuotasResponse);

}  // namespace braid::kafka
