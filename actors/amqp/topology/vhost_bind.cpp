// Braid, Apache-2.0.
//
// Bindings of a virtual host: checked, kept, and put into the index of their exchange. See vhost.hpp.
#include "actors/amqp/topology/vhost.hpp"

namespace braid::amqp {

namespace {

std::string cleaned(std::string_view name) {
  std::string text;
  text.reserve(name.size());
  for (const char c : name)
    if (c != '\r' && c != '\n') text += c;
  return text;
}

}  // namespace

/// RabbitMQ's order: the default exchange is refused before anything is looked up, a missing source before a missing
/// destination.
Result<Vhost::Ends, TopologyError> Vhost::find_ends(bool to_exchange, std::string_view destination,
                                                    std::string_view source) const {
  const std::string from = cleaned(source);
  const std::string to = cleaned(destination);
  if (from.empty() || (to_exchange && to.empty()))
    return Unexpected{TopologyError{ReplyCode::access_refused, "operation not permitted on the default exchange"}};
  const auto found = find_exchange(from);
  if (!found) return Unexpected{not_found("exchange", from)};
  if (to_exchange) {
    const auto target = find_exchange(to);
    if (!target) return Unexpected{not_found("exchange", to)};
    return Ends{*found, *target};
  }
  const auto target = find_queue(to);
  if (!target) return Unexpected{not_found("queue", to)};
  return Ends{*found, *target};
}

Refusal Vhost::check_exclusive(const Ends& ends, ConnectionNumber who) const {
  if (ends.destination.is_exchange()) return {};
  const QueueNumber number = ends.destination.queue();
  const ConnectionNumber owner = queues_[static_cast<std::uint32_t>(number)].exclusive_to;
  if (owner == ConnectionNumber::none || owner == who) return {};
  return TopologyError{ReplyCode::resource_locked,
                       "cannot obtain exclusive access to locked " + resource("queue", queue_name(number)) +
                           ". It could be originally declared on another connection or the exclusive property value "
                           "does not match that of the original declaration."};
}

Refusal Vhost::bind(const Ends& ends, std::string_view key, const Table& arguments, ConnectionNumber who) {
  Exchange& source = exchange(ends.source);
  if (source.routes_as == ExchangeType::headers) {
    if (auto refused = check_header_arguments(arguments)) return refused;
  } else if (source.routes_as == ExchangeType::consistent_hash) {
    if (auto refused = HashRing::check_weight(key)) return refused;
  }
  if (auto refused = check_exclusive(ends, who)) return refused;
  std::string ordered = in_order(arguments);
  if (bindings_.find(ends.source, ends.destination, key, ordered) != Binding::none) return {};
  index(bindings_.add(ends.source, ends.destination, key, std::move(ordered), source.as_source,
                      bindings_to(ends.destination)));
  return {};
}

Refusal Vhost::unbind(const Ends& ends, std::string_view key, const Table& arguments, ConnectionNumber who) {
  if (auto refused = check_exclusive(ends, who)) return refused;
  const std::uint32_t found = bindings_.find(ends.source, ends.destination, key, in_order(arguments));
  if (found == Binding::none) return {};
  remove_binding(found);
  erase_unused();
  return {};
}

bool Vhost::is_missing(bool to_exchange, std::string_view destination, std::string_view source, std::string_view key,
                       const Table& arguments) const {
  const auto ends = find_ends(to_exchange, destination, source);
  return ends && bindings_.find(ends->source, ends->destination, key, in_order(arguments)) == Binding::none;
}

Refusal Vhost::bind_queue(std::string_view queue, std::string_view exchange, std::string_view key,
                          const Table& arguments, ConnectionNumber who) {
  const auto ends = find_ends(false, queue, exchange);
  return ends ? bind(*ends, key, arguments, who) : Refusal(ends.error());
}

Refusal Vhost::unbind_queue(std::string_view queue, std::string_view exchange, std::string_view key,
                            const Table& arguments, ConnectionNumber who) {
  const auto ends = find_ends(false, queue, exchange);
  return ends ? unbind(*ends, key, arguments, who) : Refusal(ends.error());
}

Refusal Vhost::bind_exchange(std::string_view destination, std::string_view source, std::string_view key,
                             const Table& arguments) {
  const auto ends = find_ends(true, destination, source);
  return ends ? bind(*ends, key, arguments, ConnectionNumber::none) : Refusal(ends.error());
}

Refusal Vhost::unbind_exchange(std::string_view destination, std::string_view source, std::string_view key,
                               const Table& arguments) {
  const auto ends = find_ends(true, destination, source);
  return ends ? unbind(*ends, key, arguments, ConnectionNumber::none) : Refusal(ends.error());
}

BindingList& Vhost::bindings_to(Destination to) {
  return to.is_exchange() ? exchange(to.exchange()).as_destination : queue(to.queue()).as_destination;
}

void Vhost::index(std::uint32_t at) {
  const Binding& binding = bindings_[at];
  Exchange& source = exchange(binding.source);
  switch (source.routes_as) {
    case ExchangeType::direct:
      return keys_.bind_key(source.root, binding.key, binding.destination);
    case ExchangeType::topic:
      return keys_.bind_pattern(source.root, binding.key, binding.destination);
    case ExchangeType::headers:
      return source.header_index->add(at, Table(binding.arguments));
    case ExchangeType::consistent_hash:
      return source.ring->add(binding.destination, binding.key);
    case ExchangeType::fanout:
    case ExchangeType::delayed:
      return keys_.bind_all(source.root, binding.destination);
  }
}

void Vhost::unindex(std::uint32_t at) {
  const Binding& binding = bindings_[at];
  Exchange& source = exchange(binding.source);
  switch (source.routes_as) {
    case ExchangeType::direct:
      return keys_.unbind_key(source.root, binding.key, binding.destination);
    case ExchangeType::topic:
      return keys_.unbind_pattern(source.root, binding.key, binding.destination);
    case ExchangeType::headers:
      if (source.header_index) source.header_index->remove(at, Table(binding.arguments));
      return;
    case ExchangeType::consistent_hash:
      if (!source.ring) return;
      // Buckets behind those that go are counted anew.
      source.ring->clear();
      each_binding(binding.source, [&](const Binding& other) {
        if (&other != &binding) source.ring->add(other.destination, other.key);
      });
      return;
    case ExchangeType::fanout:
    case ExchangeType::delayed:
      return keys_.unbind_all(source.root, binding.destination);
  }
}

void Vhost::remove_binding(std::uint32_t at) {
  if (watcher_.binding_goes) watcher_.binding_goes(bindings_[at]);
  const ExchangeNumber from = bindings_[at].source;
  const Destination to = bindings_[at].destination;
  unindex(at);
  bindings_.remove(at, exchange(from).as_source, bindings_to(to));
  if (exchange(from).auto_delete) maybe_unused_.push_back(from);
}

}  // namespace braid::amqp
