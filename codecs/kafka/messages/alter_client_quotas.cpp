// Braid, Apache-2.0.
#include "codecs/kafka/messages/alter_client_quotas.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(AlterClientQuotasRequest);
BRAID_KAFKA_INSTANTIATE(AlterClientQuotasResponse);

}  // namespace braid::kafka
