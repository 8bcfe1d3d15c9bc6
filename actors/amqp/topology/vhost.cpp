// Braid, Apache-2.0.
//
// Exchanges and queues of a virtual host: declared, compared, deleted. See vhost.hpp.
#include "actors/amqp/topology/vhost.hpp"

#include <cassert>
#include <utility>

namespace braid::amqp {

namespace {

constexpr std::string_view alternate_argument = "alternate-exchange";
constexpr std::string_view delayed_argument = "x-delayed-type";

TopologyError refusal(ReplyCode code, std::string text) {
  return {code, std::move(text)};
}
TopologyError precondition_failed(std::string text) {
  return refusal(ReplyCode::precondition_failed, std::move(text));
}
TopologyError not_on_default() {
  return refusal(ReplyCode::access_refused, "operation not permitted on the default exchange");
}

/// Names come without line ends, as in RabbitMQ. `storage` holds one that had some.
std::string_view without_line_ends(std::string_view name, std::string& storage) {
  if (name.find_first_of("\r\n") == std::string_view::npos) return name;
  storage.clear();
  for (const char c : name)
    if (c != '\r' && c != '\n') storage += c;
  return storage;
}

std::string inequivalent(std::string_view argument, const std::string& what, const std::string& received,
                         const std::string& current) {
  return "inequivalent arg '" + std::string(argument) + "' for " + what + ": received " + received +
         " but current is " + current;
}
std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}
std::string quoted(bool value) {
  return value ? "'true'" : "'false'";
}
std::string text_argument(const std::optional<FieldValue>& value) {
  return value ? "the value " + quoted(value->as_text()) + " of type '" + std::string(name_of(value->type())) + "'"
               : "none";
}

}  // namespace

Vhost::Vhost(std::string name, std::uint64_t seed)
    : name_(std::move(name)), seed_(seed), exchange_names_(seed), queue_names_(seed), bindings_(seed), keys_(seed) {
  predeclare("", ExchangeType::direct);
  default_exchange_ = *find_exchange("");
  predeclare("amq.direct", ExchangeType::direct);
  predeclare("amq.fanout", ExchangeType::fanout);
  predeclare("amq.topic", ExchangeType::topic);
  predeclare("amq.headers", ExchangeType::headers);
  predeclare("amq.match", ExchangeType::headers);
  predeclare("amq.rabbitmq.trace", ExchangeType::topic, true);
  predeclared_ = exchange_count_;
}

void Vhost::predeclare(std::string_view name, ExchangeType type, bool internal) {
  Exchange made;
  made.type = made.routes_as = type;
  made.durable = true;
  made.internal = internal;
  create(name, std::move(made));
}

std::string Vhost::resource(std::string_view kind, std::string_view name) const {
  return std::string(kind) + " '" + std::string(name) + "' in vhost '" + name_ + "'";
}

TopologyError Vhost::not_found(std::string_view kind, std::string_view name) const {
  return refusal(ReplyCode::not_found, "no " + resource(kind, name));
}

std::optional<ExchangeNumber> Vhost::find_exchange(std::string_view name) const {
  const auto number = exchange_names_.find(name);
  if (number == routing::NameTable::none) return {};
  return static_cast<ExchangeNumber>(number);
}

std::optional<QueueNumber> Vhost::find_queue(std::string_view name) const {
  const auto number = queue_names_.find(name);
  if (number == routing::NameTable::none) return {};
  return static_cast<QueueNumber>(number);
}

ExchangeNumber Vhost::create(std::string_view name, Exchange&& made) {
  const auto number = exchange_names_.retain(name);
  if (number >= exchanges_.size()) exchanges_.resize(number + 1);
  made.root = keys_.make_root();
  if (made.routes_as == ExchangeType::headers) made.header_index = std::make_unique<HeaderIndex>(seed_);
  if (made.routes_as == ExchangeType::consistent_hash) made.ring = std::make_unique<HashRing>();
  exchanges_[number] = std::make_unique<Exchange>(std::move(made));
  ++exchange_count_;
  return static_cast<ExchangeNumber>(number);
}

/// Checks what only a new exchange is checked for, and fills in what its arguments say.
Refusal Vhost::prepare(const ExchangeDeclaration& declaration, ExchangeType type, Exchange& made) const {
  made.type = made.routes_as = type;
  made.durable = declaration.durable;
  made.auto_delete = declaration.auto_delete;
  made.internal = declaration.internal;
  made.arguments = declaration.arguments.encoded();
  if (const auto alternate = declaration.arguments.find(alternate_argument)) {
    if (!alternate->is_text())
      return precondition_failed("invalid type '" + std::string(name_of(alternate->type())) + "' for arg '" +
                                 std::string(alternate_argument) + "' in " + text_of_exchange(declaration.name));
    made.alternate = alternate->as_text();
  }
  if (type == ExchangeType::delayed) {
    const auto inner = declaration.arguments.find(delayed_argument);
    const auto known = inner && inner->is_text() ? exchange_type(inner->as_text()) : std::nullopt;
    if (!known || *known == ExchangeType::delayed)
      return precondition_failed("Invalid argument, 'x-delayed-type' must be an existing exchange type");
    made.routes_as = *known;
  }
  if (made.routes_as != ExchangeType::consistent_hash) return {};
  const auto header = declaration.arguments.find("hash-header");
  const auto property = declaration.arguments.find("hash-property");
  if (header && property) return precondition_failed("hash-header and hash-property are mutually exclusive");
  if (header) {
    if (!header->is_text()) return precondition_failed("hash-header must be a string");
    made.hash_of = HashOf::header;
    made.hash_header = header->as_text();
  } else if (property) {
    const auto name = property->is_text() ? property->as_text() : std::string_view{};
    if (name == "correlation_id")
      made.hash_of = HashOf::correlation_id;
    else if (name == "message_id")
      made.hash_of = HashOf::message_id;
    else if (name == "timestamp")
      made.hash_of = HashOf::timestamp;
    else
      return precondition_failed("Unsupported property: " + std::string(name));
  }
  return {};
}

Refusal Vhost::check_equivalent(const Exchange& current, const ExchangeDeclaration& wanted,
                                std::string_view name) const {
  const auto differs = [&](std::string_view argument, const std::string& received, const std::string& is) {
    return precondition_failed(inequivalent(argument, text_of_exchange(name), received, is));
  };
  if (name_of(current.type) != wanted.type) return differs("type", quoted(wanted.type), quoted(name_of(current.type)));
  if (current.durable != wanted.durable) return differs("durable", quoted(wanted.durable), quoted(current.durable));
  if (current.auto_delete != wanted.auto_delete)
    return differs("auto_delete", quoted(wanted.auto_delete), quoted(current.auto_delete));
  if (current.internal != wanted.internal)
    return differs("internal", quoted(wanted.internal), quoted(current.internal));
  const auto alternate = Table(current.arguments).find(alternate_argument);
  const auto received = wanted.arguments.find(alternate_argument);
  if (alternate.has_value() != received.has_value())
    return differs(alternate_argument, text_argument(received), text_argument(alternate));
  if (alternate && !same_value(*alternate, *received))
    return differs(alternate_argument, quoted(received->as_text()), quoted(alternate->as_text()));
  return {};
}

Refusal Vhost::declare_exchange(const ExchangeDeclaration& declaration) {
  const auto type = exchange_type(declaration.type);
  if (!type) return precondition_failed("unknown exchange type '" + std::string(declaration.type) + "'");
  std::string storage;
  ExchangeDeclaration wanted = declaration;
  wanted.name = without_line_ends(declaration.name, storage);
  if (wanted.name.empty()) return not_on_default();
  if (const auto found = find_exchange(wanted.name)) return check_equivalent(exchange(*found), wanted, wanted.name);
  if (wanted.name.starts_with("amq."))
    return refusal(ReplyCode::access_refused,
                   "exchange name '" + std::string(wanted.name) + "' contains reserved prefix 'amq.*'");
  Exchange made;
  if (auto refused = prepare(wanted, *type, made)) return refused;
  create(wanted.name, std::move(made));
  return {};
}

Refusal Vhost::check_exchange(std::string_view given) const {
  std::string storage;
  const auto name = without_line_ends(given, storage);
  if (name.empty()) return not_on_default();
  if (!find_exchange(name)) return not_found("exchange", name);
  return {};
}

Refusal Vhost::delete_exchange(std::string_view given, bool if_unused) {
  std::string storage;
  const auto name = without_line_ends(given, storage);
  if (name.empty()) return not_on_default();
  if (name.starts_with("amq."))
    return refusal(ReplyCode::access_refused, "deletion of system " + text_of_exchange(name) + " not allowed");
  const auto found = find_exchange(name);
  if (!found) return {};
  if (if_unused && exchange(*found).as_source.count > 0) return precondition_failed(text_of_exchange(name) + " in use");
  erase(*found);
  erase_unused();
  return {};
}

/// Takes an exchange and its bindings away. Those that led to it may leave others without any: erase_unused.
void Vhost::erase(ExchangeNumber number) {
  if (watcher_.exchange_goes) watcher_.exchange_goes(number);
  Exchange& gone = exchange(number);
  gone.header_index.reset();  // these two would be brought up to date with every binding that goes
  gone.ring.reset();
  while (gone.as_source.count > 0) remove_binding(gone.as_source.first);
  while (gone.as_destination.count > 0) remove_binding(gone.as_destination.first);
  keys_.drop_root(gone.root);
  const auto name = static_cast<std::uint32_t>(number);
  exchanges_[name].reset();
  --exchange_count_;
  exchange_names_.release(name);
}

void Vhost::erase_unused() {
  while (!maybe_unused_.empty()) {
    const ExchangeNumber number = maybe_unused_.back();
    maybe_unused_.pop_back();
    const auto& there = exchanges_[static_cast<std::uint32_t>(number)];
    if (there && there->auto_delete && there->as_source.count == 0) erase(number);
  }
}

QueueNumber Vhost::add_queue(std::string_view name, bool durable, ConnectionNumber exclusive_to) {
  assert(!find_queue(name));
  const auto number = queue_names_.retain(name);
  if (number >= queues_.size()) queues_.resize(number + 1);
  queues_[number] = {};
  queues_[number].durable = durable;
  queues_[number].exclusive_to = exclusive_to;
  ++queue_count_;
  return static_cast<QueueNumber>(number);
}

void Vhost::remove_queue(QueueNumber number) {
  Queue& gone = queue(number);
  while (gone.as_destination.count > 0) remove_binding(gone.as_destination.first);
  queue_names_.release(static_cast<std::uint32_t>(number));
  --queue_count_;
  erase_unused();
}

Vhost::ExchangeInfo Vhost::info(ExchangeNumber number) const {
  const Exchange& of = exchange(number);
  return {exchange_name(number), of.type,           of.durable, of.auto_delete, of.internal,
          Table(of.arguments),   of.as_source.count};
}

bool Vhost::is_durable(const Binding& binding) const {
  const Destination to = binding.destination;
  return exchange(binding.source).durable &&
         (to.is_exchange() ? exchange(to.exchange()).durable : queues_[static_cast<std::uint32_t>(to.queue())].durable);
}

}  // namespace braid::amqp
