// Braid, Apache-2.0.
//
// Definitions of AMQP in a node: refused in RabbitMQ's words, known to every loop when they are answered, and back
// after a power failure if they are durable.
#include "amqp_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;
using Names = std::vector<std::string>;

TEST_CASE("durable exchanges, queues and bindings are back after a power failure, and others are not") {
  AmqpWorld world;
  CHECK(world.exchange("orders", "topic") == "ok");
  CHECK(world.exchange("passing", "fanout", false) == "ok");
  CHECK(world.queue("kept") == "ok");
  auto transient = world.queue_request("lost", {});
  transient.durable = false;
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(transient).refusal) == "ok");
  CHECK(world.bind("kept", "orders", "a.#") == "ok");
  CHECK(world.bind("lost", "orders", "a.b") == "ok");
  CHECK(world.bind("kept", "passing", "") == "ok");
  CHECK(world.bind("kept", "amq.direct", "k") == "ok");
  CHECK(world.said(world.define<amqp::Defined>(amqp::DefineBinding{"/", true, "amq.topic", "orders", "x.*"}).refusal) ==
        "ok");
  CHECK(world.route("orders", "a.b") == Names{"kept", "lost"});
  CHECK(world.route("passing", "") == Names{"kept"});

  world.restart();
  CHECK(world.route("orders", "a.b") == Names{"kept"});
  CHECK(world.route("", "kept") == Names{"kept"});
  CHECK(world.route("amq.direct", "k") == Names{"kept"});
  CHECK(world.vhost(1).topology().find_exchange("orders"));
  CHECK_FALSE(world.vhost(1).topology().find_exchange("passing"));
  CHECK_FALSE(world.vhost(1).find_queue("lost"));
  CHECK(world.route("amq.topic", "x.y").empty());
  CHECK(world.exchange("orders", "topic") == "ok");
  CHECK(world.exchange("orders", "fanout") ==
        "406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'orders' in vhost '/': received 'fanout' but "
        "current is 'topic'");

  // What is taken away stays away.
  CHECK(world.unbind("kept", "amq.direct", "k") == "ok");
  CHECK(world.said(world.define<amqp::Defined>(amqp::DropExchange{"/", "orders", false}).refusal) == "ok");
  world.restart();
  CHECK(world.route("amq.direct", "k").empty());
  CHECK_FALSE(world.vhost().topology().find_exchange("orders"));
  // An exchange of the same name has none of the bindings of the first.
  CHECK(world.exchange("orders", "topic") == "ok");
  CHECK(world.route("orders", "a.b").empty());
}

TEST_CASE("a queue that is deleted takes its bindings along, also from what is stored") {
  AmqpWorld world;
  CHECK(world.queue("q") == "ok");
  CHECK(world.bind("q", "amq.fanout", "") == "ok");
  world.publish("amq.fanout", "", {.body = "one"});
  world.publish("amq.fanout", "", {.body = "two"});
  CHECK(world.passive("q").messages == 2);
  CHECK(world.said(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "q", false, true}).refusal) ==
        "406 PRECONDITION_FAILED - queue 'q' in vhost '/' not empty");
  const auto consumer = world.consume("q", 1);
  CHECK(world.said(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "q", true, false}).refusal) ==
        "406 PRECONDITION_FAILED - queue 'q' in vhost '/' in use");
  const auto dropped = world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "q"});
  CHECK_FALSE(dropped.refusal);
  CHECK(dropped.messages >= 1);
  CHECK(world.wait([&] { return consumer->cancelled.size() == 1; }));
  CHECK(world.said(world.passive("q").refusal) == "404 NOT_FOUND - no queue 'q' in vhost '/'");
  CHECK_FALSE(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "q"}).refusal);
  CHECK(world.queue("q") == "ok");
  CHECK(world.route("amq.fanout", "").empty());
  world.restart();
  CHECK(world.route("amq.fanout", "").empty());
  CHECK(world.route("", "q") == Names{"q"});
}

TEST_CASE("a second declaration is compared argument by argument") {
  AmqpWorld world;
  const auto arguments = [](amqp::TableWriter& table) {
    table.put("x-message-ttl", 5000).put("x-max-length", std::int64_t{10}).put("x-overflow", "reject-publish");
  };
  CHECK(world.queue("q", arguments) == "ok");
  CHECK(world.queue("q", arguments) == "ok");
  CHECK(world.queue("q", [](amqp::TableWriter& table) {
    table.put("x-overflow", "reject-publish").put("x-message-ttl", std::int64_t{5000}).put("x-max-length", 10);
    table.put("x-unknown", "ignored");
  }) == "ok");
  CHECK(world.queue("q") ==
        "406 PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received none but "
        "current is the value '5000' of type 'signedint'");
  CHECK(world.queue("q",
                    [](amqp::TableWriter& table) {
                      table.put("x-message-ttl", 5000).put("x-max-length", 11).put("x-overflow", "reject-publish");
                    }) ==
        "406 PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received '11' but "
        "current is '10'");
  auto transient = world.queue_request("q", arguments);
  transient.durable = false;
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(transient).refusal) ==
        "406 PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current "
        "is 'true'");
  auto shared = world.queue_request("q", arguments);
  shared.auto_delete = true;
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(shared).refusal) ==
        "406 PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue 'q' in vhost '/': received 'true' but "
        "current is 'false'");
  world.restart();
  CHECK(world.queue("q", arguments) == "ok");
  CHECK(world.queue("q").starts_with("406"));
}

TEST_CASE("arguments of a queue are refused in RabbitMQ's words") {
  AmqpWorld world;
  const auto refused = [&](const std::function<void(amqp::TableWriter&)>& arguments) {
    const auto said = world.queue("q", arguments);
    const std::string front = "406 PRECONDITION_FAILED - ";
    CHECK_FALSE(world.vhost().find_queue("q"));
    return said.starts_with(front) ? said.substr(front.size()) : said;
  };
  using Writer = amqp::TableWriter;
  const std::string q = " for queue 'q' in vhost '/'";
  CHECK(refused([](Writer& t) { t.put("x-message-ttl", "5"); }) ==
        "invalid arg 'x-message-ttl'" + q + ": \"expected integer, got longstr\"");
  CHECK(refused([](Writer& t) { t.put("x-message-ttl", -1); }) ==
        "invalid arg 'x-message-ttl'" + q + ": {value_negative,-1}");
  CHECK(refused([](Writer& t) { t.put("x-expires", 0); }) == "invalid arg 'x-expires'" + q + ": {value_zero,0}");
  CHECK(refused([](Writer& t) { t.put("x-max-length", -5); }) ==
        "invalid arg 'x-max-length'" + q + ": {value_negative,-5}");
  CHECK(refused([](Writer& t) { t.put("x-max-priority", 256); }) ==
        "invalid arg 'x-max-priority'" + q + ": {max_value_exceeded,256}");
  CHECK(refused([](Writer& t) { t.put("x-overflow", "drop-tail"); }) ==
        "invalid arg 'x-overflow'" + q + ": invalid_overflow");
  CHECK(refused([](Writer& t) { t.put("x-consumer-timeout", 0); }) ==
        "invalid arg 'x-consumer-timeout'" + q + ": {value_zero,0}");
  CHECK(refused([](Writer& t) { t.put("x-consumer-timeout", -1); }) ==
        "invalid arg 'x-consumer-timeout'" + q + ": {value_negative,-1}");
  CHECK(refused([](Writer& t) { t.put("x-consumer-timeout", "1h"); }) ==
        "invalid arg 'x-consumer-timeout'" + q + ": \"expected integer, got longstr\"");
  CHECK(refused([](Writer& t) { t.put("x-queue-type", "stream").put("x-consumer-timeout", 5000); }) ==
        "invalid arg 'x-consumer-timeout'" + q + " of queue type rabbit_stream_queue");
  CHECK(refused([](Writer& t) { t.put("x-dead-letter-exchange", 1); }) ==
        "invalid arg 'x-dead-letter-exchange'" + q + ": {unacceptable_type,signedint}");
  CHECK(refused([](Writer& t) { t.put("x-dead-letter-routing-key", "k"); }) ==
        "invalid arg 'x-dead-letter-routing-key'" + q + ": routing_key_but_no_dlx_defined");
  CHECK(refused([](Writer& t) { t.put("x-single-active-consumer", "yes"); }) ==
        "invalid arg 'x-single-active-consumer'" + q + ": {unacceptable_type,longstr}");
  CHECK(refused([](Writer& t) { t.put("x-queue-type", "fast"); }) ==
        "invalid arg 'x-queue-type'" + q + ": \"unsupported queue type 'fast'\"");
  CHECK(refused([](Writer& t) { t.put("x-queue-type", "quorum").put("x-max-priority", 5); }) ==
        "invalid arg 'x-max-priority'" + q + " of queue type rabbit_quorum_queue");
  CHECK(refused([](Writer& t) { t.put("x-queue-mode", "eager"); }) ==
        "invalid arg 'x-queue-mode'" + q + ": \"unsupported queue mode 'eager'\"");
  auto quorum = world.queue_request("q", [](Writer& t) { t.put("x-queue-type", "quorum"); });
  quorum.durable = false;
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(quorum).refusal) ==
        "406 PRECONDITION_FAILED - invalid property 'non-durable'" + q);
  CHECK(world.queue("q", [](Writer& t) {
    t.put("x-queue-type", "quorum").put("x-delivery-limit", 3).put("x-queue-leader-locator", "balanced");
  }) == "ok");
  CHECK(world.vhost(1).find_queue("q")->type == amqp::QueueType::quorum);
  CHECK(AmqpWorld::said(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "q", true}).refusal) ==
        "540 NOT_IMPLEMENTED - cannot delete queue 'q' in vhost '/'. queue.delete operations with if-unused flag set "
        "are not supported by quorum queues");
}

TEST_CASE("every loop knows the consumer timeout of a queue, after a restart too") {
  AmqpWorld world;
  const auto patient = [](amqp::TableWriter& table) { table.put("x-consumer-timeout", 3'600'000); };
  CHECK(world.queue("q", patient) == "ok");
  CHECK(world.queue("other") == "ok");
  const auto timeout_of = [&world](const char* queue) { return world.vhost(1).find_queue(queue)->consumer_timeout_ms; };
  CHECK(timeout_of("q") == 3'600'000);
  CHECK(timeout_of("other") == 0);
  world.restart();
  CHECK(timeout_of("q") == 3'600'000);
  CHECK(world.queue("q", patient) == "ok");
  CHECK(world.queue("q") ==
        "406 PRECONDITION_FAILED - inequivalent arg 'x-consumer-timeout' for queue 'q' in vhost '/': received none but "
        "current is the value '3600000' of type 'signedint'");
}

TEST_CASE("an exclusive queue is its connection's alone and goes with it") {
  AmqpWorld world;
  const auto owner = world.session();
  auto request = world.queue_request("mine", {});
  request.exclusive = true;
  request.session = owner;
  const auto made = world.define<amqp::QueueDefined>(request);
  CHECK(AmqpWorld::said(made.refusal) == "ok");
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(request).refusal) == "ok");
  const std::string locked =
      "405 RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'. It could be "
      "originally declared on another connection or the exclusive property value does not match that of the original "
      "declaration.";
  CHECK(world.queue("mine") == locked);
  CHECK(AmqpWorld::said(world.passive("mine").refusal) == locked);
  CHECK(world.bind("mine", "amq.fanout", "") == locked);
  CHECK(AmqpWorld::said(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "mine"}).refusal) == locked);
  CHECK(AmqpWorld::said(world.define<amqp::QueueDropped>(amqp::EmptyQueue{"/", "mine"}).refusal) == locked);
  const auto who = amqp::connection_number(owner.id());
  CHECK(AmqpWorld::said(
            world.define<amqp::Defined>(amqp::DefineBinding{"/", false, "amq.fanout", "mine", "", {}, who}).refusal) ==
        "ok");
  CHECK(world.route("amq.fanout", "") == Names{"mine"});
  request.exclusive = false;
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(request).refusal) == locked);

  world.end_session(owner);
  CHECK(world.wait([&] { return !world.vhost(0).find_queue("mine") && !world.vhost(1).find_queue("mine"); }));
  CHECK(world.route("amq.fanout", "").empty());
  CHECK(world.queue("mine") == "ok");
}

TEST_CASE("queues and exchanges that delete themselves take along what hangs on them, on every loop") {
  AmqpWorld world;
  CHECK(world.exchange("once", "fanout", true, true) == "ok");
  auto request = world.queue_request("temporary", {});
  request.auto_delete = true;
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(request).refusal) == "ok");
  CHECK(world.bind("temporary", "once", "") == "ok");
  const auto consumer = world.consume("temporary");
  CHECK(world.passive("temporary").consumers == 1);
  CHECK(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "temporary"}).messages == 0);
  CHECK(world.wait([&] { return consumer->cancelled.size() == 1; }));
  for (std::size_t loop = 0; loop < AmqpWorld::loops; ++loop) {
    CHECK_FALSE(world.vhost(loop).find_queue("temporary"));
    CHECK_FALSE(world.vhost(loop).topology().find_exchange("once"));
  }
  CHECK(world.queue("brief", [](amqp::TableWriter& table) { table.put("x-expires", 1000); }) == "ok");
  CHECK(world.bind("brief", "amq.fanout", "") == "ok");
  CHECK(world.wait([&] { return !world.vhost(1).find_queue("brief"); }, 10000));
  CHECK(world.route("amq.fanout", "").empty());
  world.world.run_for(500);  // nobody was told that the queue has gone, so nobody knows when that is on the disk
  world.restart();
  CHECK_FALSE(world.vhost().topology().find_exchange("once"));
  CHECK(world.route("amq.fanout", "").empty());
}

TEST_CASE("names that the broker keeps for itself are refused, and names that it chooses are new") {
  AmqpWorld world;
  CHECK(world.queue("amq.mine") == "403 ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'");
  CHECK(world.exchange("amq.mine", "direct") ==
        "403 ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'");
  CHECK(world.bind("q", "absent", "") == "404 NOT_FOUND - no exchange 'absent' in vhost '/'");
  CHECK(world.bind("q", "amq.direct", "") == "404 NOT_FOUND - no queue 'q' in vhost '/'");
  CHECK(world.queue("with\r\nline ends") == "ok");
  CHECK(world.vhost(1).find_queue("withline ends"));
  const auto first = world.define<amqp::QueueDefined>(world.queue_request("", {}));
  const auto second = world.define<amqp::QueueDefined>(world.queue_request("", {}));
  CHECK(first.name.starts_with("amq.gen-"));
  CHECK(first.name.size() == 30);
  CHECK(first.name != second.name);
  CHECK(world.vhost(1).find_queue(second.name));
}

TEST_CASE("virtual hosts are apart from each other and stay until they are dropped, with all that is in them") {
  AmqpWorld world;
  const auto open = [&](const std::string& name) {
    return AmqpWorld::said(world.define<amqp::Defined>(amqp::OpenVhost{name}).refusal);
  };
  CHECK(open("other") == "530 NOT_ALLOWED - vhost other not found");
  CHECK_FALSE(world.define<amqp::Defined>(amqp::DefineVhost{"other"}).refusal);
  CHECK(open("other") == "ok");
  auto request = world.queue_request("q", {});
  request.vhost = "other";
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(request).refusal) == "ok");
  CHECK(AmqpWorld::said(
            world.define<amqp::Defined>(amqp::DefineBinding{"other", false, "amq.fanout", "q", ""}).refusal) == "ok");
  CHECK(AmqpWorld::said(world.define<amqp::Defined>(amqp::DefineExchange{"other", "x", "direct", true}).refusal) ==
        "ok");
  CHECK_FALSE(world.vhost().find_queue("q"));
  world.restart();
  CHECK(open("other") == "ok");
  CHECK(world.vhost(1, "other").find_queue("q"));
  CHECK(world.vhost(1, "other").topology().bindings() == 1);
  const auto view = world.services(1).amqp.find("other");
  CHECK_FALSE(world.define<amqp::Defined>(amqp::DropVhost{"other"}).refusal);
  CHECK(view->deleted());
  CHECK(open("other").starts_with("530"));
  world.restart();
  CHECK(open("other").starts_with("530"));
  CHECK_FALSE(world.define<amqp::Defined>(amqp::DefineVhost{"other"}).refusal);
  CHECK_FALSE(world.vhost(0, "other").find_queue("q"));
  CHECK_FALSE(world.vhost(0, "other").topology().find_exchange("x"));
  CHECK(world.vhost(0, "other").topology().bindings() == 0);
}

TEST_CASE("random definitions leave all loops alike, before and after power failures") {
  const auto seed = test_seed();
  CAPTURE(seed);
  AmqpWorld world(seed);
  std::uint64_t state = seed | 1;
  const auto below = [&](std::uint64_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
  };
  const auto name = [&](const char* front) { return front + std::to_string(below(4)); };
  const auto everything = [&](std::size_t loop, bool durable_only) {
    std::vector<std::string> all;
    const auto& topology = world.vhost(loop).topology();
    topology.each_exchange([&](const amqp::Vhost::ExchangeInfo& exchange) {
      if (exchange.durable || !durable_only) all.push_back("exchange " + std::string(exchange.name));
      topology.each_binding(*topology.find_exchange(exchange.name), [&](const amqp::Binding& binding) {
        const auto to = binding.destination;
        if (durable_only && !topology.is_durable(binding)) return;
        if (!to.is_exchange() && topology.queue_name(to.queue()) == amqp::bridge_queue) return;
        all.push_back(
            std::string(exchange.name) + " to " +
            std::string(to.is_exchange() ? topology.exchange_name(to.exchange()) : topology.queue_name(to.queue())) +
            " by " + binding.key);
      });
    });
    world.vhost(loop).for_each_queue([&](std::string_view queue, const amqp::QueuePlace& place) {
      if (place.exclusive_to == amqp::bridge_owner) return;
      if (place.durable || !durable_only) all.push_back("queue " + std::string(queue));
    });
    std::sort(all.begin(), all.end());
    return all;
  };
  for (int round = 0; round < 6; ++round) {
    for (int step = 0; step < 30; ++step) {
      switch (below(7)) {
        case 0:
          world.exchange(name("x"), "topic", below(2) == 0, below(3) == 0);
          break;
        case 1: {
          auto request = world.queue_request(name("q"), {});
          request.durable = below(3) != 0;
          world.define<amqp::QueueDefined>(request);
          break;
        }
        case 2:
        case 3:
          world.bind(name("q"), name("x"), name("k."));
          break;
        case 4:
          world.unbind(name("q"), name("x"), name("k."));
          break;
        case 5:
          world.define<amqp::Defined>(amqp::DefineBinding{"/", true, name("x"), name("x"), "#"});
          break;
        default:
          if (below(2))
            world.define<amqp::QueueDropped>(amqp::DropQueue{"/", name("q")});
          else
            world.define<amqp::Defined>(amqp::DropExchange{"/", name("x")});
      }
      REQUIRE(everything(0, false) == everything(1, false));
    }
    const auto before = everything(0, true);
    world.restart();
    REQUIRE(everything(0, false) == before);
    REQUIRE(everything(1, false) == before);
  }
}
