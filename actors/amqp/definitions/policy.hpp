// Braid, Apache-2.0.
//
// A policy: rules for all queues and exchanges whose names match a pattern, so that an operator can bound queues that
// clients declare without a word about limits. The policy of the highest priority is the one; what a client's arguments
// say as well is combined with it as RabbitMQ does: of two numbers the smaller, of anything else the argument. Beside
// it an operator policy may apply, which sets limits to those who set policies: of two numbers the smaller counts here
// too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "actors/amqp/definitions/interface.hpp"
#include "actors/amqp/definitions/queue_arguments.hpp"
#include "persistence/queue/types.hpp"

namespace braid::amqp {

std::string_view name_of(PolicyTarget);
std::optional<PolicyTarget> policy_target(std::string_view name);

/// What the definition of a policy says.
struct PolicyRules {
  std::optional<std::int64_t> message_ttl_ms, expires_ms;
  std::optional<std::uint64_t> max_length, max_length_bytes;
  std::optional<std::int64_t> delivery_limit;  ///< below 0: none
  std::optional<std::int64_t> consumer_timeout_ms;
  std::optional<Overflow> overflow;
  std::optional<std::string> dead_letter_exchange, dead_letter_routing_key, alternate_exchange;
};

/// Of a queue to which a policy and an operator policy apply.
PolicyRules merged(const PolicyRules& policy, const PolicyRules& of_operator);

class Policy {
 public:
  /// The error is a sentence for the operator. The definition's table has been checked for its form.
  static Result<std::shared_ptr<const Policy>, std::string> make(const DefinePolicy& definition);
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  const DefinePolicy& definition() const { return definition_; }
  const PolicyRules& rules() const { return rules_; }
  bool is_for_queue(std::string_view name, QueueType type) const;
  bool is_for_exchange(std::string_view name) const;

 private:
  struct Pattern;
  explicit Policy(const DefinePolicy& definition);
  bool matches(std::string_view name) const;

  DefinePolicy definition_;
  PolicyRules rules_;
  std::unique_ptr<Pattern> pattern_;
};

/// The rules of a queue, from those that its arguments give (`check_queue`) and those of its policies.
QueueSettings with_policy(const QueueDefinition& queue, const QueueSettings& of_arguments, const PolicyRules& rules);

/// Where dead letters of a queue go. Shows the definition and the rules of its policies.
struct DeadLetterTarget {
  std::string_view exchange;
  std::optional<std::string_view> routing_key;  ///< nothing: the message's own
};
std::optional<DeadLetterTarget> dead_letter_target(const QueueDefinition& queue, const PolicyRules& rules);

}  // namespace braid::amqp
