// Braid, Apache-2.0.
//
// What the broker says of itself in connection.start, and which of RabbitMQ's extensions a client may use.
#pragma once

#include <string_view>

#include "codecs/amqp/table.hpp"

namespace braid::amqp {

TableWriter server_properties(std::string_view product, std::string_view cluster_name);

}  // namespace braid::amqp
