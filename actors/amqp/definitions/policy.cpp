// Braid, Apache-2.0.
//
// The one source that includes PCRE2: patterns mean what they mean to RabbitMQ, whose users write look-aheads
// ("^(?!amq\.)"), and a limit on the work of a match keeps a bad pattern from stopping a loop.
#include "actors/amqp/definitions/policy.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

namespace braid::amqp {

namespace {

constexpr std::size_t kMaxPatternBytes = 4096;
constexpr std::uint32_t kMatchLimit = 100'000, kMatchHeapKib = 1024;
constexpr std::int64_t kLongestMs = 4294967295;
constexpr std::array<std::string_view, 5> kTargetNames{"all", "queues", "classic_queues", "quorum_queues", "exchanges"};

/// Takes a value of a definition into the rules; false when it is not one.
using TakeValue = bool (*)(const FieldValue&, PolicyRules&);

bool is_number(const FieldValue& value, std::int64_t least, std::int64_t most) {
  return value.is_integer() && value.as_integer() >= least && value.as_integer() <= most;
}
bool take_text(const FieldValue& value, std::optional<std::string>& into) {
  if (!value.is_text()) return false;
  into = value.as_text();
  return true;
}
template <class T>
bool take_number(const FieldValue& value, std::int64_t least, std::int64_t most, std::optional<T>& into) {
  if (!is_number(value, least, most)) return false;
  into = static_cast<T>(value.as_integer());
  return true;
}

struct PolicyKey {
  std::string_view name;
  std::string_view what;  ///< "V is not a valid ..."
  bool for_operators;     ///< an operator policy may say it
  TakeValue take;
};
constexpr std::array kPolicyKeys{
    PolicyKey{"message-ttl", "message TTL", true,
              [](const FieldValue& value, PolicyRules& rules) {
                return take_number(value, 0, kLongestMs, rules.message_ttl_ms);
              }},
    PolicyKey{"expires", "queue expiry", true,
              [](const FieldValue& value, PolicyRules& rules) {
                return take_number(value, 1, kLongestMs, rules.expires_ms);
              }},
    PolicyKey{
        "max-length", "maximum length", true,
        [](const FieldValue& value, PolicyRules& rules) { return take_number(value, 0, INT64_MAX, rules.max_length); }},
    PolicyKey{"max-length-bytes", "maximum length in bytes", true,
              [](const FieldValue& value, PolicyRules& rules) {
                return take_number(value, 0, INT64_MAX, rules.max_length_bytes);
              }},
    PolicyKey{"overflow", "overflow value", true,
              [](const FieldValue& value, PolicyRules& rules) {
                const auto overflow = value.is_text() ? overflow_of(value.as_text()) : std::nullopt;
                rules.overflow = overflow;
                return overflow.has_value();
              }},
    PolicyKey{"dead-letter-exchange", "dead letter exchange name", false,
              [](const FieldValue& value, PolicyRules& rules) { return take_text(value, rules.dead_letter_exchange); }},
    PolicyKey{
        "dead-letter-routing-key", "dead letter routing key", false,
        [](const FieldValue& value, PolicyRules& rules) { return take_text(value, rules.dead_letter_routing_key); }},
    PolicyKey{"delivery-limit", "delivery limit", true,
              [](const FieldValue& value, PolicyRules& rules) {
                return take_number(value, INT32_MIN, UINT32_MAX, rules.delivery_limit);
              }},
    PolicyKey{"consumer-timeout", "consumer timeout", false,
              [](const FieldValue& value, PolicyRules& rules) {
                return take_number(value, 1, INT64_MAX, rules.consumer_timeout_ms);
              }},
    PolicyKey{"alternate-exchange", "alternate exchange name", false,
              [](const FieldValue& value, PolicyRules& rules) { return take_text(value, rules.alternate_exchange); }},
};

std::string all_keys(bool of_operator) {
  std::string text;
  for (const PolicyKey& key : kPolicyKeys)
    if (!of_operator || key.for_operators) text += (text.empty() ? "" : ", ") + std::string(key.name);
  return text;
}

std::optional<std::string> read_rules(const Table& definition, bool of_operator, PolicyRules& rules) {
  if (definition.empty()) return "no policy provided: the definition is empty";
  for (const Field& field : definition) {
    const auto* key = std::find_if(kPolicyKeys.begin(), kPolicyKeys.end(), [&](const PolicyKey& each) {
      return each.name == field.name && (!of_operator || each.for_operators);
    });
    if (key == kPolicyKeys.end())
      return "'" + std::string(field.name) + "' is not a recognised " + (of_operator ? "operator " : "") +
             "policy setting; there are " + all_keys(of_operator);
    if (key->take(field.value, rules)) continue;
    std::string value;
    field.value.print(value);
    return value + " is not a valid " + std::string(key->what);
  }
  return {};
}

}  // namespace

std::string_view name_of(PolicyTarget target) {
  return kTargetNames[static_cast<std::size_t>(target)];
}

std::optional<PolicyTarget> policy_target(std::string_view name) {
  const auto* found = std::find(kTargetNames.begin(), kTargetNames.end(), name);
  if (found == kTargetNames.end()) return std::nullopt;
  return static_cast<PolicyTarget>(found - kTargetNames.begin());
}

// -- patterns ---------------------------------------------------------------------------------------------------------

struct Policy::Pattern {
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  pcre2_match_context* limits = nullptr;
  ~Pattern() {
    pcre2_match_context_free(limits);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
};

Policy::Policy(const DefinePolicy& definition) : definition_(definition), pattern_(std::make_unique<Pattern>()) {}
Policy::~Policy() = default;

Result<std::shared_ptr<const Policy>, std::string> Policy::make(const DefinePolicy& definition) {
  if (definition.name.empty() || definition.name.size() > 255)
    return Unexpected{std::string("the name of a policy has 1 to 255 bytes")};
  if (definition.pattern.size() > kMaxPatternBytes)
    return Unexpected{"the pattern is longer than " + std::to_string(kMaxPatternBytes) + " bytes"};
  std::shared_ptr<Policy> policy(new Policy(definition));
  if (auto problem = read_rules(Table(definition.definition.view()), definition.of_operator, policy->rules_))
    return Unexpected{std::move(*problem)};
  int error = 0;
  PCRE2_SIZE at = 0;
  Pattern& pattern = *policy->pattern_;
  pattern.code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(definition.pattern.data()), definition.pattern.size(), 0,
                               &error, &at, nullptr);
  if (!pattern.code) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return Unexpected{"the pattern is not a valid regular expression: " +
                      std::string(reinterpret_cast<const char*>(text.data())) + " at position " + std::to_string(at)};
  }
  pattern.match = pcre2_match_data_create(1, nullptr);
  pattern.limits = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(pattern.limits, kMatchLimit);
  pcre2_set_heap_limit(pattern.limits, kMatchHeapKib);
  return std::shared_ptr<const Policy>(std::move(policy));
}

/// A match that takes too much work is none.
bool Policy::matches(std::string_view name) const {
  return pcre2_match(pattern_->code, reinterpret_cast<PCRE2_SPTR>(name.data()), name.size(), 0, 0, pattern_->match,
                     pattern_->limits) >= 0;
}

bool Policy::is_for_queue(std::string_view name, QueueType type) const {
  if (type == QueueType::stream) return false;  // what it holds is on its way to a topic
  switch (definition_.apply_to) {
    case PolicyTarget::exchanges:
      return false;
    case PolicyTarget::classic_queues:
      return type == QueueType::classic && matches(name);
    case PolicyTarget::quorum_queues:
      return type == QueueType::quorum && matches(name);
    case PolicyTarget::all:
    case PolicyTarget::queues:
      return matches(name);
  }
  return false;
}

bool Policy::is_for_exchange(std::string_view name) const {
  return (definition_.apply_to == PolicyTarget::all || definition_.apply_to == PolicyTarget::exchanges) &&
         !name.empty() && matches(name);
}

// -- with arguments ---------------------------------------------------------------------------------------------------

namespace {

template <class T, class From>
void lower(std::optional<T>& limit, const std::optional<From>& by) {
  if (by) limit = limit ? std::min<T>(*limit, static_cast<T>(*by)) : static_cast<T>(*by);
}

}  // namespace

PolicyRules merged(const PolicyRules& policy, const PolicyRules& of_operator) {
  PolicyRules rules = policy;
  lower(rules.message_ttl_ms, of_operator.message_ttl_ms);
  lower(rules.expires_ms, of_operator.expires_ms);
  lower(rules.max_length, of_operator.max_length);
  lower(rules.max_length_bytes, of_operator.max_length_bytes);
  const auto limit = of_operator.delivery_limit;
  // One below 0 is none, so the other one is the smaller.
  if (limit && rules.delivery_limit && std::min(*limit, *rules.delivery_limit) < 0)
    rules.delivery_limit = std::max(*limit, *rules.delivery_limit);
  else
    lower(rules.delivery_limit, limit);
  if (of_operator.overflow) rules.overflow = of_operator.overflow;
  return rules;
}

QueueSettings with_policy(const QueueDefinition& queue, const QueueSettings& of_arguments, const PolicyRules& rules) {
  QueueSettings settings = of_arguments;
  const Table arguments = queue.table();
  lower(settings.message_ttl_ms, rules.message_ttl_ms);
  lower(settings.expires_ms, rules.expires_ms);
  lower(settings.max_length, rules.max_length);
  lower(settings.max_length_bytes, rules.max_length_bytes);
  if (rules.delivery_limit) {
    // What a queue of its type has unless told otherwise is no limit of its own.
    if (!arguments.find("x-delivery-limit")) settings.delivery_limit.reset();
    if (*rules.delivery_limit >= 0) lower(settings.delivery_limit, rules.delivery_limit);
  }
  if (rules.overflow && !arguments.find("x-overflow")) settings.overflow = *rules.overflow;
  if (rules.dead_letter_exchange) settings.dead_letter = true;
  return settings;
}

std::optional<DeadLetterTarget> dead_letter_target(const QueueDefinition& queue, const PolicyRules& rules) {
  const Table arguments = queue.table();
  const auto text = [&arguments](std::string_view name,
                                 const std::optional<std::string>& otherwise) -> std::optional<std::string_view> {
    if (const auto value = arguments.find(name); value && value->is_text()) return value->as_text();
    if (otherwise) return *otherwise;
    return std::nullopt;
  };
  const auto exchange = text("x-dead-letter-exchange", rules.dead_letter_exchange);
  if (!exchange) return std::nullopt;
  return DeadLetterTarget{*exchange, text("x-dead-letter-routing-key", rules.dead_letter_routing_key)};
}

}  // namespace braid::amqp
