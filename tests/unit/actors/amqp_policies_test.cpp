// Braid, Apache-2.0.
//
// Policies in a node: which one a queue or an exchange has, how it meets the arguments, and that it is in force at
// once, for what is there and for what comes, and after a power failure.
#include "actors/amqp/definitions/policy.hpp"
#include "amqp_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;

namespace {

using PolicyTable = std::function<void(amqp::TableWriter&)>;

amqp::DefinePolicy policy_request(const std::string& name, const std::string& pattern, const PolicyTable& definition,
                                  std::int32_t priority = 0, amqp::PolicyTarget target = amqp::PolicyTarget::all) {
  return {"/", name, pattern, target, priority, AmqpWorld::table(definition)};
}

class PolicyWorld : public AmqpWorld {
 public:
  using AmqpWorld::AmqpWorld;
  std::string set(const amqp::DefinePolicy& request) { return said(define<amqp::Defined>(request).refusal); }
  std::string drop(const std::string& name) { return said(define<amqp::Defined>(amqp::DropPolicy{"/", name}).refusal); }
  QueueSettings rules(const std::string& queue) {
    const auto* place = vhost().find_queue(queue);
    REQUIRE(place);
    const auto described =
        call<QueuesDescribed>(own(), services(0).queues[place->loop], DescribeQueues{{place->queue}});
    REQUIRE(described.queues.size() == 1);
    return described.queues.front().settings;
  }
};

std::string refusal_of(const std::string& pattern, const PolicyTable& definition) {
  const auto made = amqp::Policy::make(policy_request("p", pattern, definition));
  return made ? "ok" : made.error();
}

QueueSettings combined(const PolicyTable& arguments, const PolicyTable& definition) {
  const Bytes table = AmqpWorld::table(arguments);
  const amqp::QueueDefinition queue{true, false, false, table};
  const auto rules = amqp::check_queue(queue, "queue 'q' in vhost '/'", false);
  REQUIRE(rules);
  const auto policy = amqp::Policy::make(policy_request("p", "q", definition));
  REQUIRE(policy);
  return amqp::with_policy(queue, rules->settings, (*policy)->rules());
}

}  // namespace

TEST_CASE("of two numbers of a policy and an argument the smaller counts, of anything else the argument") {
  const auto numbers = [](std::int64_t value) {
    return [value](amqp::TableWriter& table) {
      for (const auto* name : {"x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes", "x-delivery-limit"})
        table.put(name, value);
    };
  };
  const auto policy = [](amqp::TableWriter& table) {
    for (const auto* name : {"message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"})
      table.put(name, std::int64_t{50});
  };
  for (const std::int64_t argument : {10, 50, 90}) {
    const auto settings = combined(numbers(argument), policy);
    const auto expected = std::min<std::int64_t>(argument, 50);
    CHECK(settings.message_ttl_ms == expected);
    CHECK(settings.expires_ms == expected);
    CHECK(settings.max_length == static_cast<std::uint64_t>(expected));
    CHECK(settings.max_length_bytes == static_cast<std::uint64_t>(expected));
    CHECK(settings.delivery_limit == static_cast<std::uint32_t>(expected));
  }
  CHECK(combined({}, policy).max_length == 50);
  CHECK(combined(numbers(10), [](auto& table) { table.put("overflow", "drop-head"); }).max_length == 10);

  const auto reject = [](amqp::TableWriter& table) { table.put("overflow", "reject-publish"); };
  CHECK(combined({}, reject).overflow == Overflow::reject_publish);
  CHECK(combined([](auto& table) { table.put("x-overflow", "drop-head"); }, reject).overflow == Overflow::drop_head);
  CHECK(combined({}, [](auto& table) { table.put("dead-letter-exchange", "x"); }).dead_letter);
}

TEST_CASE("a delivery limit of a policy goes before that of the type, and below zero is none") {
  const auto limit = [](std::int64_t value) {
    return [value](amqp::TableWriter& table) { table.put("delivery-limit", value); };
  };
  const auto quorum = [](amqp::TableWriter& table) { table.put("x-queue-type", "quorum"); };
  const auto quorum_of = [](std::int64_t value) {
    return [value](amqp::TableWriter& table) { table.put("x-queue-type", "quorum").put("x-delivery-limit", value); };
  };
  CHECK(combined(quorum, [](auto& table) { table.put("overflow", "drop-head"); }).delivery_limit == 20);
  CHECK(combined(quorum, limit(50)).delivery_limit == 50);
  CHECK_FALSE(combined(quorum, limit(-1)).delivery_limit);
  CHECK(combined(quorum_of(7), limit(-1)).delivery_limit == 7);
  CHECK(combined(quorum_of(-1), limit(7)).delivery_limit == 7);
  CHECK_FALSE(combined(quorum_of(-1), limit(-1)).delivery_limit);
}

TEST_CASE("a policy that makes no sense is refused in a sentence") {
  const PolicyTable good = [](auto& table) { table.put("max-length", 1); };
  CHECK(refusal_of("^(?!amq\\.)", good) == "ok");
  CHECK(refusal_of("", good) == "ok");
  CHECK(
      refusal_of("(", good).starts_with("the pattern is not a valid regular expression: missing closing parenthesis"));
  CHECK(refusal_of(std::string(5000, 'x'), good) == "the pattern is longer than 4096 bytes");
  CHECK(refusal_of("x", {}) == "no policy provided: the definition is empty");
  CHECK(refusal_of("x", [](auto& table) { table.put("ha-mode", "all"); }) ==
        "'ha-mode' is not a recognised policy setting; there are message-ttl, expires, max-length, max-length-bytes, "
        "overflow, dead-letter-exchange, dead-letter-routing-key, delivery-limit, consumer-timeout, "
        "alternate-exchange");
  CHECK(refusal_of("x", [](auto& table) { table.put("max-length", -1); }) == "-1 is not a valid maximum length");
  CHECK(refusal_of("x", [](auto& table) { table.put("max-length", "5"); }) == "'5' is not a valid maximum length");
  CHECK(refusal_of("x", [](auto& table) { table.put("expires", 0); }) == "0 is not a valid queue expiry");
  CHECK(refusal_of("x", [](auto& table) { table.put("consumer-timeout", 0); }) == "0 is not a valid consumer timeout");
  CHECK(refusal_of("x", [](auto& table) { table.put("overflow", "burst"); }) ==
        "'burst' is not a valid overflow value");
  CHECK(refusal_of("x", [](auto& table) { table.put("alternate-exchange", 5); }) ==
        "5 is not a valid alternate exchange name");
}

TEST_CASE("an operator policy says limits, and of two numbers the smaller counts") {
  const auto rules_of = [](const PolicyTable& definition, bool of_operator) {
    auto request = policy_request("p", "q", definition);
    request.of_operator = of_operator;
    const auto policy = amqp::Policy::make(request);
    REQUIRE(policy);
    return (*policy)->rules();
  };
  const auto numbers = [](std::int64_t value) {
    return [value](amqp::TableWriter& table) {
      for (const auto* name : {"message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"})
        table.put(name, value);
    };
  };
  for (const std::int64_t limit : {10, 50, 90}) {
    const auto both = amqp::merged(rules_of(numbers(50), false), rules_of(numbers(limit), true));
    const auto expected = std::min<std::int64_t>(limit, 50);
    CHECK(both.message_ttl_ms == expected);
    CHECK(both.expires_ms == expected);
    CHECK(both.max_length == static_cast<std::uint64_t>(expected));
    CHECK(both.max_length_bytes == static_cast<std::uint64_t>(expected));
    CHECK(both.delivery_limit == expected);
  }
  const auto with = [&](const char* name, auto value, auto of_operator) {
    return amqp::merged(rules_of([&](auto& table) { table.put(name, value); }, false),
                        rules_of([&](auto& table) { table.put(name, of_operator); }, true));
  };
  CHECK(with("delivery-limit", -1, 7).delivery_limit == 7);
  CHECK(with("delivery-limit", 7, -1).delivery_limit == 7);
  CHECK(with("delivery-limit", -1, -5).delivery_limit == -1);
  CHECK(with("overflow", "drop-head", "reject-publish").overflow == Overflow::reject_publish);
  const auto apart = amqp::merged(rules_of([](auto& table) { table.put("dead-letter-exchange", "x"); }, false),
                                  rules_of([](auto& table) { table.put("max-length", 5); }, true));
  CHECK(apart.dead_letter_exchange == "x");
  CHECK(apart.max_length == 5);

  auto request = policy_request("p", "q", [](auto& table) { table.put("dead-letter-exchange", "x"); });
  request.of_operator = true;
  CHECK(amqp::Policy::make(request).error() ==
        "'dead-letter-exchange' is not a recognised operator policy setting; there are message-ttl, expires, "
        "max-length, max-length-bytes, overflow, delivery-limit");
}

TEST_CASE("an operator policy is a limit to policies and arguments, at once and after a restart") {
  PolicyWorld world(test_seed());
  const auto length = [](std::int64_t value) {
    return [value](amqp::TableWriter& table) { table.put("max-length", value); };
  };
  CHECK(world.queue("jobs") == "ok");
  CHECK(world.queue("own", [](auto& table) { table.put("x-max-length", 500); }) == "ok");
  CHECK(world.set(policy_request("p", "^jobs", length(100))) == "ok");
  auto limit = policy_request("p", ".", length(70));  // names are of each kind's own
  limit.of_operator = true;
  CHECK(world.set(limit) == "ok");
  CHECK(world.rules("jobs").max_length == 70);
  CHECK(world.rules("own").max_length == 70);
  CHECK(world.set(policy_request("p", "^jobs", length(50))) == "ok");
  CHECK(world.rules("jobs").max_length == 50);
  world.restart();
  CHECK(world.vhost(1).policies(false).size() == 1);
  CHECK(world.vhost(1).policies(true).size() == 1);
  CHECK(world.drop("p") == "ok");
  CHECK(world.rules("jobs").max_length == 70);
  CHECK(world.drop("p") == "404 NOT_FOUND - no policy 'p' in vhost '/'");
  const auto drop_limit = [&] {
    return AmqpWorld::said(world.define<amqp::Defined>(amqp::DropPolicy{"/", "p", true}).refusal);
  };
  CHECK(drop_limit() == "ok");
  CHECK_FALSE(world.rules("jobs").max_length);
  CHECK(world.rules("own").max_length == 500);
  CHECK(drop_limit() == "404 NOT_FOUND - no operator policy 'p' in vhost '/'");
  world.restart();
  CHECK(world.vhost(1).policies(true).empty());
}

TEST_CASE("a pattern whose match would never end matches nothing, and soon") {
  const auto policy =
      amqp::Policy::make(policy_request("p", "^(a|aa|a?a)*(a|aa)*$", [](auto& table) { table.put("max-length", 1); }));
  REQUIRE(policy);
  CHECK((*policy)->is_for_queue("aaaa", amqp::QueueType::classic));
  CHECK_FALSE((*policy)->is_for_queue(std::string(200, 'a') + "!", amqp::QueueType::classic));
}

TEST_CASE("the policy of the highest priority is in force for queues that are there and that come") {
  PolicyWorld world(test_seed());
  CHECK(world.queue("jobs.old", [](auto& table) { table.put("x-max-length", 70); }) == "ok");
  const auto length = [](std::int64_t value) {
    return [value](amqp::TableWriter& table) { table.put("max-length", value); };
  };
  CHECK(world.set(policy_request("low", "^jobs", length(100))) == "ok");
  CHECK(world.rules("jobs.old").max_length == 70);
  CHECK(world.set(policy_request("high", "old", length(50), 5)) == "ok");
  CHECK(world.rules("jobs.old").max_length == 50);
  CHECK(world.queue("jobs.new") == "ok");
  CHECK(world.rules("jobs.new").max_length == 100);
  // Only one policy counts: another's rules are not added.
  CHECK(world.set(policy_request(
            "high", "new", [](auto& table) { table.put("message-ttl", 9); }, 5)) == "ok");
  CHECK(world.rules("jobs.old").max_length == 70);
  CHECK_FALSE(world.rules("jobs.new").max_length);
  CHECK(world.rules("jobs.new").message_ttl_ms == 9);

  world.restart();
  CHECK(world.rules("jobs.new").message_ttl_ms == 9);
  CHECK(world.vhost(1).policies().size() == 2);
  CHECK(world.drop("high") == "ok");
  CHECK(world.rules("jobs.new").max_length == 100);
  CHECK_FALSE(world.rules("jobs.new").message_ttl_ms);
  CHECK(world.drop("high") == "404 NOT_FOUND - no policy 'high' in vhost '/'");
  world.restart();
  CHECK(world.rules("jobs.new").max_length == 100);
  CHECK(world.vhost(1).policies().size() == 1);
  // Declaring it again compares arguments, not what policies add.
  CHECK(world.queue("jobs.new") == "ok");
  CHECK(world.queue("jobs.old", [](auto& table) { table.put("x-max-length", 70); }) == "ok");
}

TEST_CASE("a policy is for the kinds of things that it names") {
  PolicyWorld world(test_seed());
  const auto quorum = [](amqp::TableWriter& table) { table.put("x-queue-type", "quorum"); };
  CHECK(world.queue("c") == "ok");
  CHECK(world.queue("q", quorum) == "ok");
  const auto lengths = [&](amqp::PolicyTarget target) {
    CHECK(world.set(policy_request(
              "p", ".", [](auto& table) { table.put("max-length", 5); }, 0, target)) == "ok");
    return std::pair{world.rules("c").max_length.has_value(), world.rules("q").max_length.has_value()};
  };
  using amqp::PolicyTarget;
  CHECK(lengths(PolicyTarget::all) == std::pair{true, true});
  CHECK(lengths(PolicyTarget::queues) == std::pair{true, true});
  CHECK(lengths(PolicyTarget::classic_queues) == std::pair{true, false});
  CHECK(lengths(PolicyTarget::quorum_queues) == std::pair{false, true});
  CHECK(lengths(PolicyTarget::exchanges) == std::pair{false, false});
}

TEST_CASE("an alternate exchange by policy takes what an exchange does not route, unless its arguments name one") {
  PolicyWorld world(test_seed());
  for (const auto* name : {"rest", "other"}) {
    CHECK(world.exchange(name, "fanout") == "ok");
    CHECK(world.queue(std::string("from ") + name) == "ok");
    CHECK(world.bind(std::string("from ") + name, name, "") == "ok");
  }
  CHECK(world.exchange("orders", "direct") == "ok");
  CHECK(world.route("orders", "nobody").empty());
  const auto to = [](const std::string& exchange) {
    return [exchange](amqp::TableWriter& table) { table.put("alternate-exchange", exchange); };
  };
  CHECK(world.set(policy_request("p", "^orders|^bills", to("rest"))) == "ok");
  CHECK(world.route("orders", "nobody") == std::vector<std::string>{"from rest"});
  CHECK(world.exchange("bills", "direct") == "ok");
  CHECK(world.route("bills", "nobody") == std::vector<std::string>{"from rest"});
  amqp::DefineExchange own{"/", "orders.own", "direct", true};
  own.arguments = AmqpWorld::table(to("other"));
  CHECK(AmqpWorld::said(world.define<amqp::Defined>(own).refusal) == "ok");
  CHECK(world.route("orders.own", "nobody") == std::vector<std::string>{"from other"});
  CHECK(world.set(policy_request("p", "^orders", to("other"))) == "ok");
  CHECK(world.route("orders", "nobody") == std::vector<std::string>{"from other"});
  CHECK(world.route("bills", "nobody").empty());
  world.restart();
  CHECK(world.route("orders", "nobody") == std::vector<std::string>{"from other"});
  CHECK(world.drop("p") == "ok");
  CHECK(world.route("orders", "nobody").empty());
}

TEST_CASE("dead letters go where a policy says, from the moment it says so") {
  PolicyWorld world(test_seed());
  CHECK(world.queue("work") == "ok");
  CHECK(world.queue("dead") == "ok");
  world.publish("", "work", {.body = "before"});
  CHECK(world.set(policy_request("p", "^work$", [](auto& table) {
    table.put("dead-letter-exchange", "").put("dead-letter-routing-key", "dead").put("max-length", 1);
  })) == "ok");
  const auto dead = world.consume("dead");
  world.publish("", "work", {.body = "behind"});
  REQUIRE(world.wait([&] { return dead->messages.size() == 1; }));
  CHECK(dead->messages[0]->body == "before");
  CHECK(dead->messages[0]->text("x-first-death-reason") == "maxlen");
  // What an argument says goes before it.
  CHECK(world.queue("elsewhere") == "ok");
  CHECK(world.queue("work 2", [](auto& table) {
    table.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "elsewhere").put("x-max-length", 0);
  }) == "ok");
  CHECK(world.set(policy_request("p", "^work", [](auto& table) {
    table.put("dead-letter-exchange", "amq.fanout").put("dead-letter-routing-key", "dead");
  })) == "ok");
  const auto elsewhere = world.consume("elsewhere");
  world.publish("", "work 2", {.body = "by argument"});
  REQUIRE(world.wait([&] { return elsewhere->messages.size() == 1; }));
  CHECK(dead->messages.size() == 1);
}

TEST_CASE("a virtual host takes its policies along when it goes") {
  PolicyWorld world(test_seed());
  CHECK(AmqpWorld::said(world.define<amqp::Defined>(amqp::DefineVhost{"other"}).refusal) == "ok");
  auto policy = policy_request("p", ".", [](auto& table) { table.put("max-length", 5); });
  CHECK(world.set(policy) == "ok");
  policy.vhost = "other";
  CHECK(world.set(policy) == "ok");
  policy.of_operator = true;
  CHECK(world.set(policy) == "ok");
  policy.vhost = "nowhere";
  CHECK(world.set(policy) == "530 NOT_ALLOWED - vhost nowhere not found");
  CHECK(AmqpWorld::said(world.define<amqp::Defined>(amqp::DropVhost{"other"}).refusal) == "ok");
  CHECK(AmqpWorld::said(world.define<amqp::Defined>(amqp::DefineVhost{"other"}).refusal) == "ok");
  world.restart();
  CHECK(world.vhost(0, "other").policies(false).empty());
  CHECK(world.vhost(0, "other").policies(true).empty());
  CHECK(world.vhost(0).policies().size() == 1);
}
