// Braid, Apache-2.0.
#include "actors/amqp/definitions/stored.hpp"

#include "model/byte_io.hpp"

namespace braid::amqp {

namespace {

constexpr std::string_view host_prefix = "amqp:";

constexpr std::uint8_t exchange_durable_bit = 1, exchange_auto_delete_bit = 2, exchange_internal_bit = 4;

std::optional<Bytes> take_table(ByteReader& in) {
  Bytes table = in.take(in.remaining());
  if (check_table(table.view(), stored_limits)) return std::nullopt;
  return table;
}

}  // namespace

DefinitionEdit store(const DefineVhost& vhost) {
  return {DefinitionKind::amqp_vhost, Bytes::copy(vhost.name), Bytes()};
}

DefinitionEdit store(const DefineExchange& exchange) {
  ByteWriter key, value;
  key.sized(exchange.vhost);
  key.sized(exchange.name);
  value.sized(exchange.type);
  value.u8(static_cast<std::uint8_t>((exchange.durable ? exchange_durable_bit : 0) |
                                     (exchange.auto_delete ? exchange_auto_delete_bit : 0) |
                                     (exchange.internal ? exchange_internal_bit : 0)));
  value.raw(exchange.arguments);
  return {DefinitionKind::amqp_exchange, key.finish(), value.finish()};
}

DefinitionEdit store(const DefineBinding& binding) {
  ByteWriter key;
  key.sized(binding.vhost);
  key.u8(binding.to_exchange ? 1 : 0);
  key.sized(binding.source);
  key.sized(binding.destination);
  key.sized(binding.key);
  key.raw(binding.arguments);
  return {DefinitionKind::amqp_binding, key.finish(), Bytes()};
}

DefinitionEdit store(const DefinePolicy& policy) {
  ByteWriter key, value;
  key.sized(policy.vhost);
  key.sized(policy.name);
  value.sized(policy.pattern);
  value.u8(static_cast<std::uint8_t>(policy.apply_to));
  value.i32(policy.priority);
  value.raw(policy.definition);
  return {policy.of_operator ? DefinitionKind::amqp_operator_policy : DefinitionKind::amqp_policy, key.finish(),
          value.finish()};
}

DefinitionEdit forget(DefinitionEdit stored) {
  stored.value.reset();
  return stored;
}

std::optional<DefinitionChange> load(const Definition& stored) {
  ByteReader key(stored.key), value(stored.value);
  switch (stored.kind) {
    case DefinitionKind::amqp_vhost:
      return DefinitionChange{DefineVhost{stored.key.str()}};
    case DefinitionKind::amqp_exchange: {
      DefineExchange exchange;
      exchange.vhost = key.take_sized();
      exchange.name = key.take_sized();
      exchange.type = value.take_sized();
      const std::uint8_t bits = value.u8();
      exchange.durable = bits & exchange_durable_bit;
      exchange.auto_delete = bits & exchange_auto_delete_bit;
      exchange.internal = bits & exchange_internal_bit;
      const auto table = take_table(value);
      if (!table || key.failed() || value.failed()) return std::nullopt;
      exchange.arguments = *table;
      return DefinitionChange{std::move(exchange)};
    }
    case DefinitionKind::amqp_binding: {
      DefineBinding binding;
      binding.vhost = key.take_sized();
      binding.to_exchange = key.u8() != 0;
      binding.source = key.take_sized();
      binding.destination = key.take_sized();
      binding.key = key.take_sized();
      const auto table = take_table(key);
      if (!table || key.failed()) return std::nullopt;
      binding.arguments = *table;
      return DefinitionChange{std::move(binding)};
    }
    case DefinitionKind::amqp_policy:
    case DefinitionKind::amqp_operator_policy: {
      DefinePolicy policy;
      policy.of_operator = stored.kind == DefinitionKind::amqp_operator_policy;
      policy.vhost = key.take_sized();
      policy.name = key.take_sized();
      policy.pattern = value.take_sized();
      const std::uint8_t target = value.u8();
      policy.priority = value.i32();
      const auto definition = take_table(value);
      if (!definition || key.failed() || value.failed() || target > static_cast<std::uint8_t>(PolicyTarget::exchanges))
        return std::nullopt;
      policy.apply_to = static_cast<PolicyTarget>(target);
      policy.definition = *definition;
      return DefinitionChange{std::move(policy)};
    }
  }
  return std::nullopt;
}

std::string host_name(std::string_view vhost, std::string_view queue) {
  std::string name(host_prefix);
  name += vhost;
  name += '\0';
  name += queue;
  return name;
}

std::optional<QueueName> parse_host_name(std::string_view name) {
  const auto end = name.find('\0');
  if (!name.starts_with(host_prefix) || end == std::string_view::npos) return std::nullopt;
  return QueueName{name.substr(host_prefix.size(), end - host_prefix.size()), name.substr(end + 1)};
}

}  // namespace braid::amqp
