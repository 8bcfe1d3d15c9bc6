// Braid, Apache-2.0.
#include "codecs/kafka/messages/delete_records.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(DeleteRecordsRequest);
BRAID_KAFKA_INSTANTIATE(DeleteRecordsResponse);

}  // namespace braid::kafka
