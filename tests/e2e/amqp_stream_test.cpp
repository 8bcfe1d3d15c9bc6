// Braid, Apache-2.0.
//
// A topic as a stream queue: what Kafka clients produce, AMQP consumers read from where they say, and nothing is taken
// away by it.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "e2e/support/amqp.hpp"
#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"

using namespace braid::e2e;

namespace {

void produce(const Broker& broker, const std::string& lines, const std::string& options = {}) {
  const auto done = run("kcat -P -b " + broker.bootstrap() + " -t events -K = " + options, 30000, lines);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
}

}  // namespace

TEST_CASE("an AMQP consumer reads a topic from the beginning, and as often as it likes") {
  Broker broker;
  broker.create_topic("events");
  produce(broker, "k1=one\nk2=two\nk3=three\n");
  produce(broker, "k4=four\nk5=five\n", "-z zstd");
  const std::vector<std::string> bodies{"one", "two", "three", "four", "five", "late"};
  for (const std::size_t there : {5u, 6u}) {
    AmqpClient client(broker.amqp());
    REQUIRE(client.declare("events", {.durable = true, .arguments = {{"x-queue-type", "stream"}}}));
    REQUIRE(client.qos(2));
    REQUIRE(client.consume("events", {.arguments = {{"x-stream-offset", "first"}}}));
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      if (i == there) {
        CHECK_FALSE(client.next(200));
        produce(broker, "k6=late\n");
      }
      const auto message = client.next();
      REQUIRE(message);
      CHECK(message->body == bodies[i]);
      CHECK(message->routing_key == "k" + std::to_string(i + 1));
      CHECK(message->properties.headers.at("x-stream-offset") == std::to_string(i));
      if (i == 0) continue;
      if (i == 1) CHECK_FALSE(client.next(200));  // the prefetch is the credit
      client.ack(message->tag, true);
    }
  }
}

TEST_CASE("a stream is read from an offset, from its end, or from what comes next") {
  Broker broker;
  broker.create_topic("events");
  produce(broker, "a=0\na=1\na=2\n");
  const auto first_of = [&](const AmqpValue& offset) {
    AmqpClient client(broker.amqp());
    client.qos(1);
    client.consume("events", {.arguments = {{"x-stream-offset", offset}}});
    const auto message = client.next(3000);
    return message ? message->body : std::string("nothing");
  };
  CHECK(first_of(1) == "1");
  CHECK(first_of("last") == "2");
  CHECK(first_of("1h") == "0");
  AmqpClient next(broker.amqp());
  REQUIRE(next.qos(10));
  const auto tag = next.consume("events", {.arguments = {{"x-stream-offset", "next"}}});
  REQUIRE(tag);
  CHECK_FALSE(next.next(300));
  produce(broker, "a=3\n");
  CHECK(next.next()->body == "3");
  REQUIRE(next.cancel(*tag));
  produce(broker, "a=4\n");
  CHECK_FALSE(next.next(300));
}

TEST_CASE("what is published to a stream reaches Kafka, and survives a crash once it is confirmed") {
  Broker broker;
  const QueueOptions stream{.durable = true, .arguments = {{"x-queue-type", "stream"}}};
  {
    AmqpClient client(broker.amqp());
    REQUIRE(client.declare("meters", stream));
    REQUIRE(client.confirm_select());
    for (int i = 0; i < 100; ++i) client.publish("", "meters", std::to_string(i), {.persistent = true});
    REQUIRE(client.wait_confirmed(100));
  }
  broker.kill();
  broker.start();
  const auto read = run("kcat -C -b " + broker.bootstrap() + " -t meters -o beginning -c 100 -f '%k=%s\n'", 20000);
  INFO(read.err);
  REQUIRE(read.exit_code == 0);
  // What was on its way when it was killed may be there twice; kcat stops at 100.
  CHECK(read.out.starts_with("meters=0\nmeters=1\nmeters=2\n"));
  AmqpClient client(broker.amqp());
  REQUIRE(client.declare("meters", stream));
  REQUIRE(client.qos(100));
  REQUIRE(client.consume("meters", {.arguments = {{"x-stream-offset", "first"}}}));
  std::set<std::string> seen;
  while (seen.size() < 100) {
    const auto message = client.next();
    REQUIRE(message);
    seen.insert(message->body);
    client.ack(message->tag);
  }
}

TEST_CASE("what a stream cannot do is refused") {
  Broker broker;
  broker.create_topic("events");
  AmqpClient client(broker.amqp());
  CHECK_FALSE(client.consume("events", {.arguments = {{"x-stream-offset", "first"}}}));
  CHECK(client.code() == 406);
  CHECK(
      client.text().starts_with("PRECONDITION_FAILED - consumer prefetch count is not set for stream queue 'events'"));
  REQUIRE(client.open(2));
  REQUIRE(client.qos(1));
  CHECK_FALSE(client.consume("events", {.arguments = {{"x-stream-offset", "soon"}}}));
  CHECK(client.code() == 406);
  REQUIRE(client.open(3));
  CHECK_FALSE(client.declare("no/topic", {.durable = true, .arguments = {{"x-queue-type", "stream"}}}));
  CHECK(client.code() == 406);
  REQUIRE(client.open(4));
  CHECK_FALSE(client.get("events"));
  CHECK(client.code() == 540);
}
