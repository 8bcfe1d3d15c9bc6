// Braid, Apache-2.0.
//
// AMQP 0-9-1 through librabbitmq and the commands of amqp-tools: connections, queues, messages in and out.
#include <catch2/catch.hpp>
#include <set>

#include "e2e/support/amqp.hpp"
#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"

using namespace braid::e2e;

namespace {

std::string url(const Broker& broker) {
  return "-u amqp://guest:guest@127.0.0.1:" + std::to_string(broker.amqp());
}

}  // namespace

TEST_CASE("amqp-publish and amqp-consume meet at a queue") {
  Broker broker;
  REQUIRE(run("amqp-declare-queue " + url(broker) + " -q first -d").out == "first\n");
  REQUIRE(run("amqp-publish " + url(broker) + " -r first -p -b hello").exit_code == 0);
  const auto consumed = run("amqp-consume " + url(broker) + " -q first -c 1 cat");
  CHECK(consumed.exit_code == 0);
  CHECK(consumed.out == "hello");
  CHECK(run("amqp-publish " + url(broker) + " -r first -b again").exit_code == 0);
  CHECK(run("amqp-get " + url(broker) + " -q first").out == "again");
  CHECK(run("amqp-get " + url(broker) + " -q first").exit_code == 2);
  CHECK(run("amqp-delete-queue " + url(broker) + " -q first").exit_code == 0);
}

TEST_CASE("a published message is delivered with all its properties, and is gone once acknowledged") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.connected());
  const auto queue = client.declare("work", {.durable = true});
  REQUIRE(queue);
  CHECK(queue->name == "work");
  AmqpProperties properties;
  properties.persistent = true;
  properties.priority = 3;
  properties.content_type = "text/plain";
  properties.correlation_id = "c-1";
  properties.reply_to = "answers";
  properties.expiration = "600000";
  properties.message_id = "m-1";
  properties.timestamp = 1700000000;
  properties.type = "t";
  properties.user_id = "guest";
  properties.app_id = "test";
  properties.headers = {{"colour", "blue"}, {"size", "large"}};
  REQUIRE(client.publish("", "work", "body", properties));
  REQUIRE(client.consume("work"));
  const auto message = client.next();
  REQUIRE(message);
  CHECK(message->body == "body");
  CHECK(message->exchange.empty());
  CHECK(message->routing_key == "work");
  CHECK(message->tag == 1);
  CHECK_FALSE(message->redelivered);
  CHECK(message->properties.persistent);
  CHECK(message->properties.priority == 3);
  CHECK(message->properties.content_type == "text/plain");
  CHECK(message->properties.correlation_id == "c-1");
  CHECK(message->properties.reply_to == "answers");
  CHECK(message->properties.expiration == "600000");
  CHECK(message->properties.message_id == "m-1");
  CHECK(message->properties.timestamp == 1700000000);
  CHECK(message->properties.type == "t");
  CHECK(message->properties.user_id == "guest");
  CHECK(message->properties.app_id == "test");
  CHECK(message->properties.headers == properties.headers);
  REQUIRE(client.ack(1));
  REQUIRE(client.close());
  AmqpClient other(broker.amqp());
  CHECK_FALSE(other.get("work"));
  CHECK(other.code() == 0);
  CHECK(other.declare("work", {.passive = true})->messages == 0);
}

TEST_CASE("bodies of every size come back whole, also those of many frames") {
  Broker broker;
  AmqpClient client(broker.amqp(), {.frame_max = 8192});
  REQUIRE(client.connected());
  REQUIRE(client.declare("sizes"));
  REQUIRE(client.consume("sizes", {.no_ack = true}));
  for (const std::size_t size : {0u, 1u, 511u, 1023u, 1024u, 8183u, 8184u, 8185u, 100000u, 3000000u}) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 + size);
    REQUIRE(client.publish("", "sizes", body));
    const auto message = client.next();
    REQUIRE(message);
    CHECK(message->body == body);
  }
}

TEST_CASE("exchanges route as their types say") {
  Broker broker;
  AmqpClient client(broker.amqp());
  for (const char* queue : {"a", "b", "c"}) REQUIRE(client.declare(queue));
  REQUIRE(client.declare_exchange("d", "direct"));
  REQUIRE(client.declare_exchange("f", "fanout"));
  REQUIRE(client.declare_exchange("t", "topic"));
  REQUIRE(client.declare_exchange("h", "headers"));
  REQUIRE(client.bind("a", "d", "x"));
  REQUIRE(client.bind("b", "d", "y"));
  REQUIRE(client.bind("a", "f"));
  REQUIRE(client.bind("b", "f"));
  REQUIRE(client.bind("a", "t", "*.one"));
  REQUIRE(client.bind("b", "t", "#"));
  REQUIRE(client.bind("a", "h", "", {{"x-match", "all"}, {"k", "v"}}));
  REQUIRE(client.bind_exchange("f", "t", "to.fanout"));
  const auto in = [&](const std::string& queue) { return client.declare(queue, {.passive = true})->messages; };
  const auto counts = [&] {
    const std::vector<std::uint32_t> now{in("a"), in("b"), in("c")};
    for (const char* queue : {"a", "b", "c"}) client.purge(queue);
    return now;
  };
  using Counts = std::vector<std::uint32_t>;
  client.publish("d", "x", "1");
  CHECK(counts() == Counts{1, 0, 0});
  client.publish("f", "ignored", "1");
  CHECK(counts() == Counts{1, 1, 0});
  client.publish("t", "any.one", "1");
  CHECK(counts() == Counts{1, 1, 0});
  client.publish("t", "to.fanout", "1");
  CHECK(counts() == Counts{1, 1, 0});
  AmqpProperties matching;
  matching.headers = {{"k", "v"}};
  client.publish("h", "", "1", matching);
  CHECK(counts() == Counts{1, 0, 0});
  client.publish("", "c", "1");
  CHECK(counts() == Counts{0, 0, 1});
  REQUIRE(client.unbind("b", "f"));
  client.publish("f", "", "1");
  CHECK(counts() == Counts{1, 0, 0});
}

TEST_CASE("a server-named queue stands for the empty name from then on") {
  Broker broker;
  AmqpClient client(broker.amqp());
  const auto queue = client.declare("", {.exclusive = true});
  REQUIRE(queue);
  CHECK(queue->name.starts_with("amq.gen-"));
  REQUIRE(client.bind("", "amq.direct"));
  REQUIRE(client.publish("amq.direct", queue->name, "by its name"));
  const auto message = client.get("");
  REQUIRE(message);
  CHECK(message->body == "by its name");
}

TEST_CASE("confirms come for all publishes, many of them with one frame") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.declare("confirmed", {.durable = true}));
  REQUIRE(client.confirm_select());
  for (int i = 0; i < 1000; ++i) REQUIRE(client.publish("", "confirmed", std::to_string(i), {.persistent = true}));
  REQUIRE(client.wait_confirmed(1000));
  CHECK(client.confirm_frames() < 1000);
  CHECK(client.declare("confirmed", {.passive = true})->messages == 1000);
  // Also those that no queue gets.
  REQUIRE(client.publish("", "nowhere", "x"));
  REQUIRE(client.wait_confirmed(1001));
}

TEST_CASE("a mandatory message that no queue gets comes back before it is confirmed") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.confirm_select());
  REQUIRE(client.publish("amq.direct", "nowhere", "lost", {.content_type = "text/plain"}, true));
  const auto returned = client.returned();
  REQUIRE(returned);
  CHECK(returned->first == 312);
  CHECK(returned->second.body == "lost");
  CHECK(returned->second.exchange == "amq.direct");
  CHECK(returned->second.routing_key == "nowhere");
  CHECK(returned->second.properties.content_type == "text/plain");
  CHECK(client.confirmed() == 0);
  CHECK(client.wait_confirmed(1));
}

TEST_CASE("prefetch bounds what a consumer holds, per consumer and per channel") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.declare("p"));
  for (int i = 0; i < 10; ++i) client.publish("", "p", std::to_string(i));
  SECTION("per consumer") {
    REQUIRE(client.qos(2));
    REQUIRE(client.consume("p"));
    REQUIRE(client.next()->body == "0");
    const auto second = client.next();
    REQUIRE(second->body == "1");
    CHECK_FALSE(client.next(200));
    client.ack(second->tag, true);
    CHECK(client.next()->body == "2");
    CHECK(client.next()->body == "3");
    CHECK_FALSE(client.next(200));
  }
  SECTION("per channel") {
    REQUIRE(client.qos(3, true));
    REQUIRE(client.consume("p"));
    REQUIRE(client.consume("p"));
    std::set<std::string> bodies;
    std::uint64_t last = 0;
    for (int i = 0; i < 3; ++i) {
      const auto message = client.next();
      REQUIRE(message);
      bodies.insert(message->body);
      last = message->tag;
    }
    CHECK_FALSE(client.next(200));
    client.ack(last, true);
    for (int i = 0; i < 3; ++i) bodies.insert(client.next()->body);
    CHECK(bodies.size() == 6);
    CHECK_FALSE(client.next(200));
  }
}

TEST_CASE("what was not acknowledged is delivered again, marked so, at its place") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.declare("again"));
  for (const char* body : {"1", "2", "3"}) client.publish("", "again", body);
  REQUIRE(client.consume("again"));
  for (int i = 0; i < 3; ++i) REQUIRE(client.next());
  client.ack(2);
  REQUIRE(client.nack(3, false, true));
  auto message = client.next();
  REQUIRE(message);
  CHECK(message->body == "3");
  CHECK(message->redelivered);
  CHECK(message->tag == 4);
  REQUIRE(client.recover());
  CHECK(client.next()->body == "1");
  CHECK(client.next()->body == "3");
  client.drop();
  AmqpClient other(broker.amqp());
  REQUIRE(eventually([&] { return other.declare("again", {.passive = true})->messages == 2; }));
  const auto first = other.get("again");
  REQUIRE(first);
  CHECK(first->body == "1");
  CHECK(first->redelivered);
  CHECK(first->left == 1);
  REQUIRE(other.reject(first->tag, false));
  CHECK(other.get("again", true)->body == "3");
  CHECK_FALSE(other.get("again"));
}

TEST_CASE("consumers of a queue take turns, a cancelled one gets nothing") {
  Broker broker;
  AmqpClient one(broker.amqp()), two(broker.amqp()), publisher(broker.amqp());
  REQUIRE(publisher.declare("shared"));
  const auto tag = one.consume("shared", {.tag = "mine"});
  REQUIRE(tag == "mine");
  REQUIRE(two.consume("shared"));
  for (int i = 0; i < 10; ++i) publisher.publish("", "shared", "m");
  for (int i = 0; i < 5; ++i) {
    REQUIRE(one.next());
    REQUIRE(two.next());
  }
  REQUIRE(one.cancel("mine"));
  REQUIRE(one.cancel("never was"));
  publisher.publish("", "shared", "last");
  CHECK(two.next()->body == "last");
  REQUIRE(publisher.delete_queue("shared"));
  CHECK_FALSE(publisher.declare("shared", {.passive = true}));
}

TEST_CASE("exclusive queues belong to a connection and go with it") {
  Broker broker;
  AmqpClient other(broker.amqp());
  {
    AmqpClient owner(broker.amqp());
    REQUIRE(owner.declare("mine", {.exclusive = true}));
    CHECK_FALSE(other.declare("mine", {.passive = true}));
    CHECK(other.code() == 405);
    CHECK(other.text().find("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'") ==
          0);
    REQUIRE(other.open(2));
    REQUIRE(owner.close());
  }
  CHECK_FALSE(other.declare("mine", {.passive = true}));
  CHECK(other.code() == 404);
}

TEST_CASE("an auto-delete queue goes with its last consumer") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.declare("temporary", {.auto_delete = true}));
  const auto tag = client.consume("temporary");
  REQUIRE(tag);
  REQUIRE(client.cancel(*tag));
  CHECK_FALSE(client.declare("temporary", {.passive = true}));
  CHECK(client.code() == 404);
}

TEST_CASE("transactions publish and acknowledge when they commit, and not when they are rolled back") {
  Broker broker;
  AmqpClient client(broker.amqp()), other(broker.amqp());
  REQUIRE(other.declare("tx", {.durable = true}));
  REQUIRE(client.tx_select());
  REQUIRE(client.publish("", "tx", "rolled back"));
  REQUIRE(client.tx_rollback());
  REQUIRE(client.publish("", "tx", "first", {.persistent = true}));
  REQUIRE(client.publish("", "tx", "second", {.persistent = true}));
  CHECK(other.declare("tx", {.passive = true})->messages == 0);
  REQUIRE(client.tx_commit());
  CHECK(other.declare("tx", {.passive = true})->messages == 2);
  const auto message = client.get("tx");
  REQUIRE(message);
  CHECK(message->body == "first");
  REQUIRE(client.ack(message->tag));
  REQUIRE(client.tx_rollback());
  REQUIRE(client.ack(message->tag));
  REQUIRE(client.tx_commit());
  REQUIRE(client.close());
  REQUIRE(other.get("tx")->body == "second");
  CHECK_FALSE(other.get("tx"));
}

TEST_CASE("an answer goes straight to who asked") {
  Broker broker;
  AmqpClient asker(broker.amqp()), answerer(broker.amqp());
  REQUIRE(answerer.declare("questions"));
  REQUIRE(answerer.consume("questions", {.no_ack = true}));
  REQUIRE(asker.consume("amq.rabbitmq.reply-to", {.no_ack = true}));
  REQUIRE(asker.publish("", "questions", "6 x 7", {.correlation_id = "q1", .reply_to = "amq.rabbitmq.reply-to"}));
  const auto question = answerer.next();
  REQUIRE(question);
  REQUIRE(question->properties.reply_to);
  CHECK(question->properties.reply_to->starts_with("amq.rabbitmq.reply-to."));
  REQUIRE(answerer.publish("", *question->properties.reply_to, "42", {.correlation_id = "q1"}));
  const auto answer = asker.next();
  REQUIRE(answer);
  CHECK(answer->body == "42");
  CHECK(answer->properties.correlation_id == "q1");
  CHECK(answer->routing_key == *question->properties.reply_to);
  asker.drop();
  // Until the broker sees that the asker is gone, answers still go there.
  CHECK(eventually([&] {
    REQUIRE(answerer.publish("", *question->properties.reply_to, "late", {}, true));
    const auto returned = answerer.returned(100);
    return returned && returned->first == 312;
  }));
}

TEST_CASE("what was confirmed survives the broker's sudden end, and what was acknowledged stays away") {
  Broker broker;
  {
    AmqpClient client(broker.amqp());
    REQUIRE(client.declare("kept", {.durable = true}));
    REQUIRE(client.declare_exchange("ex", "topic", {.durable = true}));
    REQUIRE(client.bind("kept", "ex", "k.#"));
    REQUIRE(client.confirm_select());
    for (int i = 0; i < 10; ++i) REQUIRE(client.publish("ex", "k.1", std::to_string(i), {.persistent = true}));
    REQUIRE(client.wait_confirmed(10));
    REQUIRE(client.tx_select() == false);  // not on a channel that confirms
    REQUIRE(client.open(2));
    REQUIRE(client.tx_select());
    for (int i = 0; i < 4; ++i) REQUIRE(client.ack(client.get("kept")->tag));
    REQUIRE(client.tx_commit());
    broker.kill();
  }
  broker.start();
  AmqpClient client(broker.amqp());
  REQUIRE(client.connected());
  REQUIRE(client.consume("kept", {.no_ack = true}));
  for (int i = 4; i < 10; ++i) {
    const auto message = client.next();
    REQUIRE(message);
    CHECK(message->body == std::to_string(i));
    CHECK(message->exchange == "ex");
  }
  CHECK_FALSE(client.next(200));
  REQUIRE(client.publish("ex", "k.2", "still bound"));
  CHECK(client.next()->body == "still bound");
}

TEST_CASE("a broker that stops tells its AMQP clients") {
  Broker broker;
  AmqpClient client(broker.amqp());
  REQUIRE(client.connected());
  CHECK(broker.stop() == 0);
  CHECK(client.wait_closed() == 320);
}
