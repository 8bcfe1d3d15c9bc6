// Braid, Apache-2.0.
//
// The AMQP port, as long as AMQP is not served: a client is told so at once instead of waiting for its time-out.
#pragma once

#include <memory>

#include "actors/connection_gate.hpp"
#include "actors/services.hpp"
#include "runtime/stream.hpp"

namespace braid::amqp {

void refuse(Services& services, std::unique_ptr<Stream> stream, Admission admission);

}  // namespace braid::amqp
