// Braid, Apache-2.0.
#include "actors/amqp/definitions/stored.hpp"

#include "model/byte_io.hpp"

namespace braid::amqp {

namespace {

constexpr std::string_view host_prefix = "amqp:";
/// What is in the catalog was checked when it came; this only bounds what damage could do.
constexpr TableLimits stored_limits{.max_bytes = 64u << 20, .max_depth = 64};

void put(ByteWriter& out, std::string_view text) {
  out.varint(text.size());
  out.raw(text);
}
std::string take(ByteReader& in) {
  return std::string(in.take_view(static_cast<std::size_t>(in.varint32())));
}

constexpr std::uint8_t durable_bit = 1, auto_delete_bit = 2, internal_bit = 4;

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
  put(key, exchange.vhost);
  put(key, exchange.name);
  put(value, exchange.type);
  value.u8(static_cast<std::uint8_t>((exchange.durable ? durable_bit : 0) |
                                     (exchange.auto_delete ? auto_delete_bit : 0) |
                                     (exchange.internal ? internal_bit : 0)));
  value.raw(exchange.arguments);
  return {DefinitionKind::amqp_exchange, key.finish(), value.finish()};
}

DefinitionEdit store(const DefineBinding& binding) {
  ByteWriter key;
  put(key, binding.vhost);
  key.u8(binding.to_exchange ? 1 : 0);
  put(key, binding.source);
  put(key, binding.destination);
  put(key, binding.key);
  key.raw(binding.arguments);
  return {DefinitionKind::amqp_binding, key.finish(), Bytes()};
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
      exchange.vhost = take(key);
      exchange.name = take(key);
      exchange.type = take(value);
      const std::uint8_t bits = value.u8();
      exchange.durable = bits & durable_bit;
      exchange.auto_delete = bits & auto_delete_bit;
      exchange.internal = bits & internal_bit;
      const auto arguments = take_table(value);
      if (!arguments || key.failed() || value.failed()) return std::nullopt;
      exchange.arguments = *arguments;
      return DefinitionChange{std::move(exchange)};
    }
    case DefinitionKind::amqp_binding: {
      DefineBinding binding;
      binding.vhost = take(key);
      binding.to_exchange = key.u8() != 0;
      binding.source = take(key);
      binding.destination = take(key);
      binding.key = take(key);
      const auto arguments = take_table(key);
      if (!arguments || key.failed()) return std::nullopt;
      binding.arguments = *arguments;
      return DefinitionChange{std::move(binding)};
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
