// Braid, Apache-2.0.
#include "actors/amqp/topology/types.hpp"

#include <array>

namespace braid::amqp {

namespace {
constexpr std::array<std::string_view, 6> names{"direct",           "fanout", "topic", "headers", "x-consistent-hash",
                                                "x-delayed-message"};
}

std::string_view name_of(ExchangeType type) {
  return names[static_cast<std::size_t>(type)];
}

std::optional<ExchangeType> exchange_type(std::string_view name) {
  for (std::size_t at = 0; at < names.size(); ++at)
    if (names[at] == name) return static_cast<ExchangeType>(at);
  return {};
}

}  // namespace braid::amqp
