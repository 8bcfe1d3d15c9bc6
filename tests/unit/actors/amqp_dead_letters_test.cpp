// Braid, Apache-2.0.
//
// Dead letters: what leaves a queue unconsumed goes to its dead-letter exchange with a history that reads as
// RabbitMQ's.
#include "amqp_world.hpp"

using namespace braid;
using namespace braid::test;

namespace {

std::string printed_deaths(const AmqpMessage& message) {
  const auto deaths = message.properties.headers.find("x-death");
  if (!deaths) return "none";
  std::string text;
  for (const auto& each : deaths->as_array()) {
    const amqp::Table entry = each.value.as_table();
    for (const auto name : {"count", "reason", "queue", "exchange", "routing-keys", "original-expiration"})
      if (const auto value = entry.find(name)) {
        text += std::string(text.empty() ? "" : " ") + name + "=";
        value->print(text);
      }
    CHECK(entry.find("time")->type() == amqp::FieldType::timestamp);
    text += ";";
  }
  return text;
}

}  // namespace

TEST_CASE("a rejected message goes to the dead-letter exchange with its history") {
  AmqpWorld world;
  CHECK(world.exchange("dlx", "direct") == "ok");
  CHECK(world.queue("work", [](amqp::TableWriter& t) { t.put("x-dead-letter-exchange", "dlx"); }) == "ok");
  CHECK(world.queue("dead") == "ok");
  CHECK(world.bind("work", "amq.topic", "a.#") == "ok");
  CHECK(world.bind("dead", "dlx", "a.b") == "ok");
  const auto worker = world.consume("work");
  const auto undertaker = world.consume("dead");
  world.publish("amq.topic", "a.b", {.body = "hello", .headers = [](amqp::TableWriter& t) {
                                       t.put("keep", "me").put("x-death", "of a client");
                                     }});
  REQUIRE(world.wait([&] { return worker->messages.size() == 1; }));
  world.settle("work", *worker->messages[0], Settlement::reject);
  REQUIRE(world.wait([&] { return undertaker->messages.size() == 1; }));
  const AmqpMessage& dead = *undertaker->messages[0];
  CHECK(dead.body == "hello");
  CHECK(dead.exchange == "dlx");
  CHECK(dead.routing_key == "a.b");
  CHECK(dead.text("keep") == "me");
  CHECK(dead.properties.persistent());
  CHECK(printed_deaths(dead) == "count=1 reason='rejected' queue='work' exchange='amq.topic' routing-keys=['a.b'];");
  CHECK(dead.text("x-first-death-reason") == "rejected");
  CHECK(dead.text("x-first-death-queue") == "work");
  CHECK(dead.text("x-first-death-exchange") == "amq.topic");
  CHECK(dead.text("x-last-death-reason") == "rejected");
  CHECK(dead.text("x-last-death-queue") == "work");
  CHECK(dead.text("x-last-death-exchange") == "amq.topic");
  CHECK(world.wait([&] { return world.passive("work").messages == 0; }));
}

TEST_CASE("a message that expires loses its expiration, gets the new routing key, and counts each way that it died") {
  AmqpWorld world;
  CHECK(world.queue("wait", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "work");
  }) == "ok");
  CHECK(world.queue("work", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "again");
  }) == "ok");
  CHECK(world.queue("again", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "work").put("x-message-ttl", 100);
  }) == "ok");
  const auto worker = world.consume("work");
  world.publish("", "wait", {.body = "x", .expiration = "50", .headers = [](amqp::TableWriter& t) {
                               t.open_array("CC").add(amqp::FieldValue::text("nowhere")).close();
                             }});
  REQUIRE(world.wait([&] { return worker->messages.size() == 1; }));
  const AmqpMessage& first = *worker->messages[0];
  CHECK(first.routing_key == "work");
  CHECK_FALSE(first.properties.has(amqp::PropertyFlag::expiration));
  CHECK_FALSE(first.properties.headers.find("CC"));
  CHECK(printed_deaths(first) ==
        "count=1 reason='expired' queue='wait' exchange='' routing-keys=['wait', 'nowhere'] original-expiration='50';");
  // Rejected here, it waits in "again" and comes back, over and over: a client is in the circle, so it is not cut.
  for (std::size_t turn = 0; turn < 3; ++turn) {
    world.settle("work", *worker->messages[turn], Settlement::reject);
    REQUIRE(world.wait([&] { return worker->messages.size() == turn + 2; }));
  }
  CHECK(printed_deaths(*worker->messages[3]) ==
        "count=3 reason='expired' queue='again' exchange='' routing-keys=['again']; "
        "count=3 reason='rejected' queue='work' exchange='' routing-keys=['work']; "
        "count=1 reason='expired' queue='wait' exchange='' routing-keys=['wait', 'nowhere'] original-expiration='50';");
  CHECK(worker->messages[3]->text("x-first-death-queue") == "wait");
  CHECK(worker->messages[3]->text("x-last-death-queue") == "again");
}

TEST_CASE("a circle that turns by itself is cut, and without a dead-letter exchange a dead letter is gone") {
  AmqpWorld world;
  CHECK(world.queue("a", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "b").put("x-message-ttl", 10);
  }) == "ok");
  CHECK(world.queue("b", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "a").put("x-message-ttl", 10);
  }) == "ok");
  CHECK(world.queue("lost", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "absent").put("x-max-length", 1);
  }) == "ok");
  world.publish("", "a", {.body = "round"});
  for (int i = 0; i < 5; ++i) world.publish("", "lost", {.body = std::to_string(i)});
  world.world.run_for(2000);
  CHECK(world.passive("a").messages == 0);
  CHECK(world.passive("b").messages == 0);
  CHECK(world.passive("lost").messages == 1);
}

TEST_CASE("dead letters survive a power failure between two queues") {
  AmqpWorld world(3);
  CHECK(world.queue("short", [](amqp::TableWriter& t) {
    t.put("x-dead-letter-exchange", "").put("x-dead-letter-routing-key", "dead").put("x-max-length", 2);
  }) == "ok");
  CHECK(world.queue("dead") == "ok");
  for (int i = 0; i < 20; ++i) world.publish("", "short", {.body = std::to_string(i)});
  world.restart();
  REQUIRE(world.wait([&] { return world.passive("dead").messages >= 18; }));
  // Those of which it was not written down that they had gone are routed once more.
  REQUIRE(world.wait([&] { return world.passive("short").messages == 2; }));
  const auto undertaker = world.consume("dead");
  REQUIRE(world.wait([&] { return undertaker->messages.size() >= 18; }));
  std::vector<std::string> bodies;
  for (const auto& message : undertaker->messages) bodies.push_back(message->body);
  for (int i = 0; i < 18; ++i) CHECK(std::count(bodies.begin(), bodies.end(), std::to_string(i)) >= 1);
}

TEST_CASE("a delayed message comes when its time has come, over a power failure too, and then expires as it says") {
  AmqpWorld world;
  const auto declare = [&] {
    return world.said(world
                          .define<amqp::Defined>(amqp::DefineExchange{
                              "/", "later", "x-delayed-message", true, false, false,
                              AmqpWorld::table([](amqp::TableWriter& t) { t.put("x-delayed-type", "direct"); })})
                          .refusal);
  };
  CHECK(declare() == "ok");
  CHECK(world.queue("q") == "ok");
  CHECK(world.bind("q", "later", "k") == "ok");
  const auto delay = [&](const std::string& body, std::int64_t ms, const std::string& expiration = {}) {
    amqp::BasicProperties properties;
    amqp::TableWriter headers;
    headers.put("x-delay", static_cast<std::int32_t>(ms));
    properties.headers = headers.table();
    properties.set(amqp::PropertyFlag::headers);
    properties.delivery_mode = amqp::persistent_delivery;
    properties.set(amqp::PropertyFlag::delivery_mode);
    properties.expiration = expiration;
    if (!expiration.empty()) properties.set(amqp::PropertyFlag::expiration);
    auto& topology = world.vhost().topology();
    const auto routed = topology.route(*topology.find_exchange("later"), {"k", properties});
    REQUIRE(routed.queues.empty());
    REQUIRE(routed.delayed.size() == 1);
    REQUIRE(amqp::delay_ms(properties) == ms);
    ByteWriter encoded;
    amqp::encode_properties(encoded, properties);
    const std::string_view part = body;
    BatchBuilder batch;
    amqp::MessageRecordEncoder encoder;
    REQUIRE(encoder.add(batch, world.machine.loop(0).wall_clock(),
                        {.exchange = "later", .routing_key = "k", .properties = encoded.view(), .body = {&part, 1}}));
    const auto done = world.call<Published>(world.own(), world.services(0).amqp_delays,
                                            amqp::DelayMessages{"/", "later", ms, batch.finish(), true});
    REQUIRE(done.error == QueueErrc::none);
  };
  delay("second", 2000);
  delay("first", 500);
  delay("late", 60000);
  delay("short", 700, "60000");
  auto noted = world.consume("q");
  world.world.run_for(300);
  CHECK(noted->messages.empty());
  REQUIRE(world.wait([&] { return noted->messages.size() >= 3; }, 3000));
  CHECK(noted->messages[0]->body == "first");
  CHECK(noted->messages[1]->body == "short");
  CHECK(noted->messages[1]->properties.expiration == "60000");
  CHECK(noted->messages[2]->body == "second");
  CHECK(noted->messages[0]->properties.headers.find("x-delay")->as_integer() == -500);
  CHECK(noted->messages[0]->exchange == "later");
  CHECK(noted->messages[0]->properties.headers.find("x-death") == std::nullopt);
  world.restart();
  noted = world.consume("q");
  REQUIRE(world.wait(
      [&] {
        return std::any_of(noted->messages.begin(), noted->messages.end(),
                           [](const auto& m) { return m->body == "late"; });
      },
      90000));
}

TEST_CASE("delays are kept to four digits, never shorter") {
  CHECK(amqp::rounded_delay_ms(0) == 0);
  CHECK(amqp::rounded_delay_ms(9999) == 9999);
  CHECK(amqp::rounded_delay_ms(12345) == 12350);
  CHECK(amqp::rounded_delay_ms(12350) == 12350);
  CHECK(amqp::rounded_delay_ms(99999) == 100000);
  CHECK(amqp::rounded_delay_ms(INT64_MAX) == amqp::max_delay_ms);
  const auto name = amqp::delay_queue_name("/", std::string_view("a\0b", 3), 5);
  const auto parsed = amqp::parse_delay_queue_name(name);
  REQUIRE(parsed);
  CHECK(parsed->vhost == "/");
  CHECK(parsed->exchange == std::string_view("a\0b", 3));
  CHECK_FALSE(amqp::parse_delay_queue_name("amqp:/"));
}
