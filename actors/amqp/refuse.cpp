// Braid, Apache-2.0.
#include "actors/amqp/refuse.hpp"

#include "runtime/log.hpp"

namespace braid::amqp {

void refuse(Services&, std::unique_ptr<Stream> stream, Admission) {
  BRAID_LOG_LIMITED(warning, "amqp", {{"peer", stream->peer().text()}}, "refused: AMQP is not served by this version");
}

}  // namespace braid::amqp
