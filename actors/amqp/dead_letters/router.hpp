// Braid, Apache-2.0.
//
// What AMQP does for the queues of a loop: messages that leave a queue for its dead-letter exchange are routed from
// there, and answered for when the queues that get them have them as durably as they promise. Messages that have waited
// their delay (actors/amqp/delays) come the same way and go on where they stopped.
#pragma once

#include "actors/services.hpp"

namespace braid::amqp {

QueueListener spawn_dead_letter_router(Services& services);

}  // namespace braid::amqp
