// Braid, Apache-2.0.
//
// amq.topic, where AMQP, MQTT and Kafka meet: through librabbitmq, mosquitto's commands and kcat.
#include <catch2/catch.hpp>

#include "e2e/support/amqp.hpp"
#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"

using namespace braid::e2e;

TEST_CASE("a message to amq.topic reaches the topic of its name, and Kafka consumers read it") {
  Broker broker;
  broker.create_topic("sensors");
  AmqpClient client(broker.amqp());
  REQUIRE(client.confirm_select());
  client.publish("amq.topic", "sensors.room1.temp", "21", {.persistent = true, .content_type = "text/plain"});
  REQUIRE(client.wait_confirmed(1));
  const auto read = run("kcat -C -b " + broker.bootstrap() + " -t sensors -o beginning -c 1 -f '%k|%s|%h'", 20000);
  INFO(read.err);
  REQUIRE(read.exit_code == 0);
  CHECK(read.out.starts_with("sensors/room1/temp|21|"));
  CHECK(read.out.find("braid.content-type=text/plain") != std::string::npos);
}

TEST_CASE("what MQTT publishes and what Kafka produces reaches queues bound to amq.topic") {
  Broker broker;
  broker.create_topic("sensors");
  AmqpClient client(broker.amqp());
  REQUIRE(client.declare("q", {.durable = true}));
  REQUIRE(client.bind("q", "amq.topic", "sensors.*.temp"));
  const auto published = run("mosquitto_pub -h 127.0.0.1 -p " + std::to_string(broker.mqtt()) +
                             " -q 1 -t sensors/room1/temp -m from-mqtt");
  REQUIRE(published.exit_code == 0);
  const auto produced =
      run("kcat -P -b " + broker.bootstrap() + " -t sensors -K =", 30000, "sensors/room2/temp=from-kafka\n");
  REQUIRE(produced.exit_code == 0);
  REQUIRE(client.consume("q", {.no_ack = true}));
  const auto first = client.next(), second = client.next();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->body == "from-mqtt");
  CHECK(first->routing_key == "sensors.room1.temp");
  CHECK(first->exchange == "amq.topic");
  CHECK(second->body == "from-kafka");
  CHECK(second->routing_key == "sensors.room2.temp");
  CHECK_FALSE(client.next(300));
}
