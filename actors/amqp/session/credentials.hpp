// Braid, Apache-2.0.
//
// Who a client says it is: the responses of the SASL mechanisms PLAIN (RFC 4616) and AMQPLAIN (RabbitMQ's, a table
// without its length).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codecs/amqp/table.hpp"

namespace braid::amqp {

struct Credentials {
  std::string user, password;
};

/// Nothing when the response is not one of the mechanism.
std::optional<Credentials> read_credentials(std::string_view mechanism, std::string_view response, const TableLimits&);

/// There is one user until users can be made: RabbitMQ's guest, with the password that everybody knows.
bool known_user(const Credentials&);

}  // namespace braid::amqp
