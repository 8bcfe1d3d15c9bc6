// Braid, Apache-2.0.
//
// A virtual host takes as many exchanges, queues and bindings as the settings say, however many ask at once.
#include "amqp_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;

TEST_CASE("queues that are declared at once are no more than a virtual host may have") {
  Settings settings;
  settings.amqp_protocol.max_queues = 10;
  AmqpWorld world(test_seed(), settings);
  auto* session = static_cast<AmqpTestSession*>(caf::actor_cast<caf::abstract_actor*>(world.own()));
  const auto made = std::make_shared<std::size_t>(0), refused = std::make_shared<std::size_t>(0);
  world.machine.loop(0).post([&] {
    session->enter([&] {
      for (int i = 0; i < 30; ++i)
        ask(
            session, world.services(0).amqp_definitions, world.queue_request("q" + std::to_string(i), {}),
            [made, refused](const amqp::QueueDefined& defined) { ++*(defined.refusal ? refused : made); },
            [](const caf::error&) {});
    });
  });
  REQUIRE(world.wait([&] { return *made + *refused == 30; }));
  CHECK(*made == 10);
  CHECK(world.queue("more") ==
        "406 PRECONDITION_FAILED - cannot declare queue 'more': queue limit in vhost '/' (10) is reached");
  world.restart();
  CHECK(world.queue("more").starts_with("406"));
  CHECK(world.queue("q0") == "ok");
  CHECK_FALSE(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "q0"}).refusal);
  CHECK(world.queue("more") == "ok");
  // Each virtual host has a limit of its own.
  CHECK(AmqpWorld::said(world.define<amqp::Defined>(amqp::DefineVhost{"other"}).refusal) == "ok");
  auto elsewhere = world.queue_request("more", {});
  elsewhere.vhost = "other";
  CHECK(AmqpWorld::said(world.define<amqp::QueueDefined>(elsewhere).refusal) == "ok");
}

TEST_CASE("a binding that is there already is bound again when there is no room for more") {
  Settings settings;
  settings.amqp_protocol.max_bindings = 2;
  settings.amqp_protocol.max_exchanges = 1;
  AmqpWorld world(test_seed(), settings);
  CHECK(world.exchange("orders", "topic") == "ok");
  CHECK(world.exchange("bills", "topic") ==
        "406 PRECONDITION_FAILED - cannot declare exchange 'bills': exchange limit in vhost '/' (1) is reached");
  CHECK(world.exchange("bills", "no type").starts_with("406"));
  CHECK(world.queue("q") == "ok");
  CHECK(world.bind("q", "orders", "a") == "ok");
  CHECK(world.bind("q", "orders", "b") == "ok");
  CHECK(world.bind("q", "orders", "c") ==
        "406 PRECONDITION_FAILED - cannot bind queue 'q': binding limit in vhost '/' (2) is reached");
  CHECK(world.route("orders", "c").empty());
  CHECK(world.bind("q", "orders", "b") == "ok");
  CHECK(world.bind("nobody", "orders", "c").starts_with("404"));
  CHECK(world.unbind("q", "orders", "a") == "ok");
  CHECK(world.bind("q", "orders", "c") == "ok");
}
