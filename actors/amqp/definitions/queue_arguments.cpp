// Braid, Apache-2.0.
//
// One table of arguments: which queue types know it, and what is checked of its value.
#include "actors/amqp/definitions/queue_arguments.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "actors/amqp/interval.hpp"
#include "model/byte_io.hpp"

namespace braid::amqp {

namespace {

constexpr std::int64_t max_expiry_ms = 4294967295;
constexpr std::int64_t max_queue_priority = 255;
/// Of quorum queues, as RabbitMQ has it since 4.0. Others have none unless they ask.
constexpr std::uint32_t default_delivery_limit = 20;

constexpr std::uint8_t for_classic = 1, for_quorum = 2, for_stream = 4;
constexpr std::uint8_t bit_of(QueueType type) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(type));
}
/// What RabbitMQ's texts call them.
std::string_view module_of(QueueType type) {
  constexpr std::array<std::string_view, 3> names{"rabbit_classic_queue", "rabbit_quorum_queue", "rabbit_stream_queue"};
  return names[static_cast<std::size_t>(type)];
}

/// By Overflow.
constexpr std::array<std::string_view, 3> overflow_names{"drop-head", "reject-publish", "reject-publish-dlx"};

std::optional<QueueType> queue_type(std::string_view name) {
  if (name == "classic") return QueueType::classic;
  if (name == "quorum") return QueueType::quorum;
  if (name == "stream") return QueueType::stream;
  return std::nullopt;
}

// A check says what is wrong as RabbitMQ would print it, or nothing.
using Problem = std::optional<std::string>;
using CheckValue = Problem (*)(const FieldValue&, const Table& all);

std::string tuple(std::string_view what, const std::string& value) {
  return "{" + std::string(what) + "," + value + "}";
}
Problem unacceptable(const FieldValue& value) {
  return tuple("unacceptable_type", std::string(name_of(value.type())));
}
Problem check_integer(const FieldValue& value, const Table&) {
  if (value.is_integer()) return {};
  return "\"expected integer, got " + std::string(name_of(value.type())) + "\"";
}
Problem check_not_negative(const FieldValue& value, const Table& all) {
  if (auto problem = check_integer(value, all)) return problem;
  if (value.as_integer() < 0) return tuple("value_negative", std::to_string(value.as_integer()));
  return {};
}
Problem check_positive(const FieldValue& value, const Table& all) {
  if (auto problem = check_not_negative(value, all)) return problem;
  if (value.as_integer() == 0) return tuple("value_zero", "0");
  return {};
}
Problem check_duration(const FieldValue& value, const Table& all) {
  if (auto problem = check_not_negative(value, all)) return problem;
  if (value.as_integer() > max_expiry_ms) return tuple("value_too_big", std::to_string(value.as_integer()));
  return {};
}
Problem check_expires(const FieldValue& value, const Table& all) {
  if (value.is_integer() && value.as_integer() == 0) return tuple("value_zero", "0");
  return check_duration(value, all);
}
Problem check_priority(const FieldValue& value, const Table& all) {
  if (auto problem = check_not_negative(value, all)) return problem;
  if (value.as_integer() > max_queue_priority) return tuple("max_value_exceeded", std::to_string(value.as_integer()));
  return {};
}
Problem check_delivery_limit(const FieldValue& value, const Table& all) {
  return check_integer(value, all);  // below 0: no limit
}
Problem check_bool(const FieldValue& value, const Table&) {
  return value.type() == FieldType::boolean ? Problem() : unacceptable(value);
}
Problem check_text(const FieldValue& value, const Table&) {
  return value.is_text() ? Problem() : unacceptable(value);
}
Problem one_of(const FieldValue& value, std::span<const std::string_view> known, std::string otherwise) {
  if (!value.is_text()) return unacceptable(value);
  if (std::find(known.begin(), known.end(), value.as_text()) != known.end()) return {};
  return otherwise;
}
Problem check_dead_letter_key(const FieldValue& value, const Table& all) {
  if (!value.is_text()) return unacceptable(value);
  if (!all.find("x-dead-letter-exchange")) return "routing_key_but_no_dlx_defined";
  return {};
}
Problem check_strategy(const FieldValue& value, const Table&) {
  constexpr std::array<std::string_view, 2> known{"at-most-once", "at-least-once"};
  return one_of(value, known, "invalid_dlx_strategy");
}
Problem check_overflow(const FieldValue& value, const Table&) {
  return one_of(value, overflow_names, "invalid_overflow");
}
Problem check_mode(const FieldValue& value, const Table&) {
  constexpr std::array<std::string_view, 2> known{"default", "lazy"};
  return one_of(value, known,
                value.is_text() ? "\"unsupported queue mode '" + std::string(value.as_text()) + "'\"" : std::string());
}
Problem check_version(const FieldValue& value, const Table& all) {
  if (auto problem = check_not_negative(value, all)) return problem;
  if (value.as_integer() == 1 || value.as_integer() == 2) return {};
  return "\"unsupported queue version '" + std::to_string(value.as_integer()) + "'\"";
}
Problem check_type(const FieldValue& value, const Table&) {
  constexpr std::array<std::string_view, 3> known{"classic", "quorum", "stream"};
  return one_of(value, known,
                value.is_text() ? "\"unsupported queue type '" + std::string(value.as_text()) + "'\"" : std::string());
}
Problem check_locator(const FieldValue& value, const Table&) {
  constexpr std::array<std::string_view, 2> known{"client-local", "balanced"};
  return one_of(value, known, "invalid_queue_locator_arg");
}
Problem check_age(const FieldValue& value, const Table&) {
  if (!value.is_text()) return unacceptable(value);
  return parse_interval_ms(value.as_text()).value_or(0) > 0 ? Problem() : "invalid_max_age";
}

struct Argument {
  std::string_view name;
  CheckValue check;
  std::uint8_t types;
};
/// In the order in which RabbitMQ looks at them. Unlike there, every queue may have a delivery limit and a consumer
/// timeout.
constexpr std::array arguments{
    Argument{"x-expires", check_expires, for_classic | for_quorum},
    Argument{"x-message-ttl", check_duration, for_classic | for_quorum},
    Argument{"x-dead-letter-exchange", check_text, for_classic | for_quorum},
    Argument{"x-dead-letter-routing-key", check_dead_letter_key, for_classic | for_quorum},
    Argument{"x-dead-letter-strategy", check_strategy, for_quorum},
    Argument{"x-max-length", check_not_negative, for_classic | for_quorum},
    Argument{"x-max-length-bytes", check_not_negative, for_classic | for_quorum | for_stream},
    Argument{"x-max-in-memory-length", check_not_negative, for_quorum},
    Argument{"x-max-in-memory-bytes", check_not_negative, for_quorum},
    Argument{"x-max-priority", check_priority, for_classic},
    Argument{"x-overflow", check_overflow, for_classic | for_quorum},
    Argument{"x-queue-mode", check_mode, for_classic},
    Argument{"x-queue-version", check_version, for_classic},
    Argument{"x-single-active-consumer", check_bool, for_classic | for_quorum},
    Argument{"x-queue-type", check_type, for_classic | for_quorum | for_stream},
    Argument{"x-quorum-initial-group-size", check_positive, for_quorum},
    Argument{"x-delivery-limit", check_delivery_limit, for_classic | for_quorum},
    Argument{"x-consumer-timeout", check_positive, for_classic | for_quorum},
    Argument{"x-max-age", check_age, for_stream},
    Argument{"x-stream-max-segment-size-bytes", check_not_negative, for_stream},
    Argument{"x-stream-filter-size-bytes", check_not_negative, for_stream},
    Argument{"x-initial-cluster-size", check_positive, for_stream},
    Argument{"x-queue-leader-locator", check_locator, for_classic | for_quorum | for_stream},
    Argument{"x-queue-master-locator", check_text, for_classic},
};

TopologyError failed(std::string text) {
  return {ReplyCode::precondition_failed, std::move(text)};
}
TopologyError invalid(std::string_view argument, const std::string& queue, const std::string& problem) {
  return failed("invalid arg '" + std::string(argument) + "' for " + queue + ": " + problem);
}

template <class T>
void set(const Table& table, std::string_view name, std::optional<T>& into) {
  if (const auto value = table.find(name)) into = static_cast<T>(value->as_integer());
}

QueueSettings settings_of(const QueueDefinition& wanted, QueueType type) {
  const Table table = wanted.table();
  QueueSettings settings;
  settings.durable = wanted.durable;
  if (type == QueueType::stream) return settings;  // its arguments are its topic's
  settings.auto_delete = wanted.auto_delete;
  settings.dead_letter = table.find("x-dead-letter-exchange").has_value();
  if (const auto single = table.find("x-single-active-consumer")) settings.single_active_consumer = single->as_bool();
  if (const auto priority = table.find("x-max-priority"))
    settings.max_priority = static_cast<std::uint8_t>(priority->as_integer());
  if (const auto overflow = table.find("x-overflow"))
    settings.overflow = overflow_of(overflow->as_text()).value_or(Overflow::drop_head);
  set(table, "x-message-ttl", settings.message_ttl_ms);
  set(table, "x-expires", settings.expires_ms);
  set(table, "x-max-length", settings.max_length);
  set(table, "x-max-length-bytes", settings.max_length_bytes);
  if (type == QueueType::quorum) settings.delivery_limit = default_delivery_limit;
  if (const auto limit = table.find("x-delivery-limit")) {
    settings.delivery_limit.reset();
    if (limit->as_integer() >= 0)
      settings.delivery_limit = static_cast<std::uint32_t>(std::min<std::int64_t>(limit->as_integer(), UINT32_MAX));
  }
  return settings;
}

}  // namespace

QueueType type_of(const QueueDefinition& definition) {
  const auto named = definition.table().find("x-queue-type");
  return named && named->is_text() ? queue_type(named->as_text()).value_or(QueueType::classic) : QueueType::classic;
}

std::int64_t consumer_timeout_ms_of(const QueueDefinition& definition) {
  const auto timeout = definition.table().find("x-consumer-timeout");
  return timeout && timeout->is_integer() ? timeout->as_integer() : 0;
}

std::optional<Overflow> overflow_of(std::string_view name) {
  const auto* found = std::find(overflow_names.begin(), overflow_names.end(), name);
  if (found == overflow_names.end()) return std::nullopt;
  return static_cast<Overflow>(found - overflow_names.begin());
}

Result<QueueRules, TopologyError> check_queue(const QueueDefinition& wanted, const std::string& queue,
                                              bool server_named) {
  const Table table = wanted.table();
  QueueRules rules;
  if (const auto named = table.find("x-queue-type")) {
    if (const auto problem = check_type(*named, table)) return Unexpected{invalid("x-queue-type", queue, *problem)};
    rules.type = *queue_type(named->as_text());
  }
  for (const Argument& argument : arguments) {
    const auto value = argument.types & bit_of(rules.type) ? table.find(argument.name) : std::nullopt;
    if (!value) continue;
    if (const auto problem = argument.check(*value, table)) return Unexpected{invalid(argument.name, queue, *problem)};
  }
  for (const Field& field : table)
    for (const Argument& argument : arguments)
      if (argument.name == field.name && !(argument.types & bit_of(rules.type)))
        return Unexpected{failed("invalid arg '" + std::string(field.name) + "' for " + queue + " of queue type " +
                                 std::string(module_of(rules.type)))};
  if (rules.type != QueueType::classic) {
    const auto refuse = [&queue](std::string_view what) {
      return Unexpected{failed("invalid property '" + std::string(what) + "' for " + queue)};
    };
    if (!wanted.durable) return refuse("non-durable");
    if (wanted.auto_delete) return refuse("auto-delete");
    if (wanted.exclusive) return refuse("exclusive-owner");
    if (server_named)
      return Unexpected{failed("Cannot declare a server-named queue for type " + std::string(module_of(rules.type)))};
  }
  rules.settings = settings_of(wanted, rules.type);
  return rules;
}

namespace {

std::string printed(const std::optional<FieldValue>& value) {
  if (!value) return "none";
  std::string text;
  if (value->is_bytes())
    text = "'" + std::string(value->as_text()) + "'";
  else
    value->print(text);
  if (text.empty() || text.front() != '\'') text = "'" + text + "'";
  return "the value " + text + " of type '" + std::string(name_of(value->type())) + "'";
}
std::string argument_text(const FieldValue& value) {
  std::string text;
  if (value.is_bytes())
    text = value.as_text();
  else
    value.print(text);
  return "'" + text + "'";
}

/// Values that RabbitMQ calls the same: integers by value, everything else by type too.
bool same(const FieldValue& a, const FieldValue& b) {
  if (a.is_integer() && b.is_integer()) return a.as_integer() == b.as_integer();
  return a == b;
}

/// A queue that says nothing of its type is a classic one.
std::optional<FieldValue> argument_of(const Table& table, std::string_view name) {
  auto value = table.find(name);
  if (!value && name == "x-queue-type") value = FieldValue::text("classic");
  return value;
}

}  // namespace

Refusal check_equivalent(const QueueDefinition& current, const QueueDefinition& wanted, const std::string& queue) {
  const auto differs = [&](std::string_view what, const std::string& received, const std::string& is) {
    return failed("inequivalent arg '" + std::string(what) + "' for " + queue + ": received " + received +
                  " but current is " + is);
  };
  const auto flag = [](bool value) { return std::string(value ? "'true'" : "'false'"); };
  if (current.durable != wanted.durable) return differs("durable", flag(wanted.durable), flag(current.durable));
  if (current.auto_delete != wanted.auto_delete)
    return differs("auto_delete", flag(wanted.auto_delete), flag(current.auto_delete));
  const Table now = current.table(), asked = wanted.table();
  for (const Argument& argument : arguments) {
    const auto is = argument_of(now, argument.name), received = argument_of(asked, argument.name);
    if (is && received) {
      if (!same(*is, *received)) return differs(argument.name, argument_text(*received), argument_text(*is));
    } else if (is || received) {
      return differs(argument.name, printed(received), printed(is));
    }
  }
  return {};
}

// -- as bytes ---------------------------------------------------------------------------------------------------------

namespace {

constexpr std::uint8_t layout_version = 1;
constexpr std::uint8_t queue_durable_bit = 1, queue_exclusive_bit = 2, queue_auto_delete_bit = 4,
                       queue_owns_topic_bit = 8;

}  // namespace

Bytes QueueDefinition::encode() const {
  ByteWriter out(2 + arguments.size());
  out.u8(layout_version);
  out.u8(static_cast<std::uint8_t>((durable ? queue_durable_bit : 0) | (exclusive ? queue_exclusive_bit : 0) |
                                   (auto_delete ? queue_auto_delete_bit : 0) |
                                   (owns_topic ? queue_owns_topic_bit : 0)));
  out.raw(arguments);
  return out.finish();
}

std::optional<QueueDefinition> QueueDefinition::decode(const Bytes& encoded) {
  ByteReader in(encoded);
  const bool known = in.u8() == layout_version;
  const std::uint8_t bits = in.u8();
  QueueDefinition definition{(bits & queue_durable_bit) != 0, (bits & queue_exclusive_bit) != 0,
                             (bits & queue_auto_delete_bit) != 0, in.take(in.remaining()),
                             (bits & queue_owns_topic_bit) != 0};
  const TableLimits limits{.max_bytes = 64u << 20, .max_depth = 64};
  if (!known || in.failed() || check_table(definition.arguments.view(), limits)) return std::nullopt;
  return definition;
}

}  // namespace braid::amqp
