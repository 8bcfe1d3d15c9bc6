// Braid, Apache-2.0.
//
// Definitions as the catalog keeps them (persistence/catalog/definitions.hpp): keys and values as bytes. A queue is not
// among them, since its host keeps it. Texts have their length in front, so no name can be taken for another.
#pragma once

#include <optional>
#include <string_view>

#include "actors/amqp/definitions/interface.hpp"
#include "persistence/catalog/definitions.hpp"

namespace braid::amqp {

/// The names are clean and the arguments in order (in_order) where they are part of a key.
DefinitionEdit store(const DefineVhost& vhost);
DefinitionEdit store(const DefineExchange& exchange);
DefinitionEdit store(const DefineBinding& binding);
DefinitionEdit store(const DefinePolicy& policy);
/// The same key without a value.
DefinitionEdit forget(DefinitionEdit stored);

/// Nothing for what none of the above has written.
std::optional<DefinitionChange> load(const Definition& stored);

/// The name under which a queue's host knows it, and back.
std::string host_name(std::string_view vhost, std::string_view queue);
struct QueueName {
  std::string_view vhost, queue;
};
std::optional<QueueName> parse_host_name(std::string_view name);

}  // namespace braid::amqp
