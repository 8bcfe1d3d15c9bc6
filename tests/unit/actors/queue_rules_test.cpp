// Braid, Apache-2.0.
//
// The rules of queues as sessions see them through the host: times to live, limits, dead letters, priorities, who
// consumes and how much.
#include <catch2/catch.hpp>

#include "persistence/testing/sim_disk.hpp"
#include "queue_world.hpp"

using namespace braid;
using namespace braid::test;
using Texts = std::vector<std::string>;
using Letters = std::vector<std::pair<std::string, DeadReason>>;

namespace {

/// A world with one queue on loop 0 and somebody who takes its dead letters.
struct OneQueue : QueueWorld {
  explicit OneQueue(const QueueSettings& settings = {}) {
    listen(dead);
    name = neighbours(1)[0];
    queue = declare(name, settings).queue;
  }
  void publish(const Texts& messages, std::optional<std::int64_t> expiration_ms = {}, std::uint8_t priority = 0) {
    REQUIRE(QueueWorld::publish(0, {queue}, messages, priority, expiration_ms).error == QueueErrc::none);
  }
  struct Consumer {
    QueueConsumer session;
    std::shared_ptr<Noted> noted = std::make_shared<Noted>();
  };
  Consumer consumer() {
    Consumer made;
    made.session = session(made.noted);
    return made;
  }
  ConsumeStarted start(const Consumer& consumer, StartConsuming request = {}) {
    request.queue = queue;
    if (request.consumer == 0) request.consumer = 1;
    return consume(consumer.session, 0, std::move(request));
  }
  void end(Consumer& consumer) {
    in(consumer.session, [](QueueSession& actor) { actor.quit(); });
  }

  std::shared_ptr<Dead> dead = std::make_shared<Dead>();
  std::string name;
  QueueId queue;
};

QueueSettings with_dead_letters() {
  QueueSettings settings;
  settings.dead_letter = true;
  return settings;
}

}  // namespace

TEST_CASE("messages expire at the head of a queue that nobody uses, by its time or by their own") {
  auto settings = with_dead_letters();
  settings.message_ttl_ms = 10000;
  OneQueue world(settings);
  world.publish({"queue's time"});
  world.publish({"own time"}, 300);
  world.world.run_for(6000);  // longer than a queue without work is kept awake
  CHECK(world.dead->letters.empty());
  CHECK(world.describe(0, world.queue).ready == 2);
  REQUIRE(world.wait([&] { return world.dead->letters.size() == 2; }));
  CHECK(world.dead->letters == Letters{{"queue's time", DeadReason::expired}, {"own time", DeadReason::expired}});
  world.publish({"gone at once"}, 0);
  REQUIRE(world.wait([&] { return world.dead->letters.size() == 3; }));
  auto consumer = world.consumer();
  world.start(consumer);
  world.publish({"waited for"}, 0);
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 1; }));
  CHECK(world.describe(0, world.queue).ready == 0);
}

TEST_CASE("without a dead-letter output expired messages are gone, over restarts too") {
  OneQueue world;
  world.publish({"short"}, 100);
  world.publish({"long"});
  world.world.run_for(1000);
  CHECK(world.describe(0, world.queue).ready == 1);
  world.sync(0);
  world.restart();
  world.queue = world.find(world.name).queue;
  CHECK(world.describe(0, world.queue).ready == 1);
  auto consumer = world.consumer();
  world.start(consumer);
  REQUIRE(world.wait([&] { return !consumer.noted->messages.empty(); }));
  CHECK(texts(*consumer.noted) == Texts{"long"});
}

TEST_CASE("a full queue drops its oldest messages, but none that a consumer waits for") {
  auto settings = with_dead_letters();
  settings.max_length = 2;
  OneQueue world(settings);
  world.publish({"0", "1", "2", "3", "4"});
  REQUIRE(world.wait([&] { return world.dead->letters.size() == 3; }));
  CHECK(world.dead->letters[0] == std::pair<std::string, DeadReason>{"0", DeadReason::maxlen});
  CHECK(world.describe(0, world.queue).ready == 2);
  auto consumer = world.consumer();
  StartConsuming request;
  request.no_ack = true;
  world.start(consumer, request);
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 2; }));
  Texts many;
  for (int i = 0; i < 500; ++i) many.push_back(std::to_string(i));
  world.publish(many);
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 502; }));
  CHECK(world.dead->letters.size() == 3);
}

TEST_CASE("a limit in bytes holds over a restart that finds messages which consumers held") {
  QueueSettings settings;
  settings.max_length_bytes = 1000;
  settings.max_priority = 2;
  OneQueue world(settings);
  world.publish({std::string(400, 'a')});
  world.publish({std::string(400, 'b')}, {}, 1);
  auto consumer = world.consumer();
  StartConsuming request;
  request.prefetch = 1;
  world.start(consumer, request);
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 1; }));
  CHECK(world.describe(0, world.queue).bytes == 400);
  world.sync(0);
  world.restart();
  world.queue = world.find(world.name).queue;
  CHECK(world.describe(0, world.queue).bytes == 800);
  world.publish({std::string(300, 'c')});
  REQUIRE(world.wait([&] { return world.describe(0, world.queue).ready == 2; }));
  CHECK(world.describe(0, world.queue).bytes == 700);
}

TEST_CASE("what a full queue refuses goes to the dead-letter output when it was told so") {
  auto settings = with_dead_letters();
  settings.max_length = 1;
  settings.overflow = Overflow::reject_publish_dead_letter;
  OneQueue world(settings);
  const auto published = world.QueueWorld::publish(0, {world.queue}, {"taken", "refused", "too"});
  REQUIRE(published.refused.size() == 1);
  CHECK(published.refused[0].from == 1);
  REQUIRE(world.wait([&] { return world.dead->letters.size() == 2; }));
  CHECK(world.dead->letters == Letters{{"refused", DeadReason::maxlen}, {"too", DeadReason::maxlen}});
}

TEST_CASE("the end of a session is a return like another: it counts towards the delivery limit") {
  auto settings = with_dead_letters();
  settings.delivery_limit = 1;
  OneQueue world(settings);
  world.publish({"poison"});
  for (int i = 0; i < 2; ++i) {
    auto consumer = world.consumer();
    world.start(consumer);
    REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 1; }));
    CHECK(consumer.noted->messages[0].deliveries == i);
    CHECK(consumer.noted->messages[0].redelivered == (i > 0));
    world.end(consumer);
    world.sync(0);
    if (i > 0) break;
    world.restart();
    world.listen(world.dead);
    world.queue = world.find(world.name).queue;
  }
  REQUIRE(world.wait([&] { return world.dead->letters.size() == 1; }));
  CHECK(world.dead->letters[0].second == DeadReason::delivery_limit);
}

TEST_CASE("a single active consumer hands over when it goes; there is no single get beside it") {
  QueueSettings settings;
  settings.single_active_consumer = true;
  OneQueue world(settings);
  auto first = world.consumer(), second = world.consumer(), preferred = world.consumer();
  CHECK(world.start(first).active);
  CHECK_FALSE(world.start(second).active);
  StartConsuming request;
  request.priority = 5;
  CHECK_FALSE(world.start(preferred, request).active);
  CHECK(world.get(second.session, 0, world.queue).error == QueueErrc::single_active);
  world.publish({"0", "1"});
  REQUIRE(world.wait([&] { return first.noted->messages.size() == 2; }));
  world.settle(first.session, 0, first.noted->messages[0]);
  world.end(first);
  REQUIRE(world.wait([&] { return preferred.noted->messages.size() == 1; }));
  CHECK(texts(*preferred.noted) == Texts{"1"});
  world.end(preferred);
  REQUIRE(world.wait([&] { return second.noted->messages.size() == 1; }));
}

TEST_CASE("an exclusive consumer is alone, and a consumer's number is its own while it is there") {
  OneQueue world;
  auto first = world.consumer(), second = world.consumer();
  StartConsuming alone;
  alone.exclusive = true;
  CHECK(world.start(first, alone).error == QueueErrc::none);
  CHECK(world.start(second).error == QueueErrc::in_use);
  world.stop_consuming(first.session, 0, world.queue, 1);
  CHECK(world.start(second).error == QueueErrc::none);
  CHECK(world.start(second).error == QueueErrc::in_use);
  CHECK(world.start(first, alone).error == QueueErrc::in_use);
  world.end(second);
  REQUIRE(world.wait([&] { return world.describe(0, world.queue).consumers == 0; }));
  CHECK(world.start(first, alone).error == QueueErrc::none);
}

TEST_CASE("a single get takes the head, holds it until it is settled, and says how many are left") {
  OneQueue world;
  auto consumer = world.consumer();
  CHECK(world.get(consumer.session, 0, world.queue).runs.empty());
  world.publish({"0", "1", "2"});
  auto got = world.get(consumer.session, 0, world.queue);
  REQUIRE(got.runs.size() == 1);
  auto message = messages_of(got.runs, world.queue, 77).at(0);
  CHECK(message.text == "0");
  CHECK(got.ready == 2);
  CHECK(messages_of(world.get(consumer.session, 0, world.queue, true).runs).at(0).text == "1");
  CHECK(world.describe(0, world.queue).unacknowledged == 1);
  world.settle(consumer.session, 0, message, Settlement::requeue);
  got = world.get(consumer.session, 0, world.queue);
  CHECK(messages_of(got.runs).at(0).redelivered);
  world.stop_consuming(consumer.session, 0, world.queue, 77, true);
  CHECK(world.describe(0, world.queue).ready == 2);
  CHECK(messages_of(world.get(consumer.session, 0, world.queue).runs).at(0).text == "0");
  world.end(consumer);
  REQUIRE(world.wait([&] { return world.describe(0, world.queue).ready == 2; }));
  CHECK(world.get(world.own(), 0, QueueId(12345)).error == QueueErrc::unknown_queue);
}

TEST_CASE("credit that is granted is all that a consumer gets, higher consumers before lower ones") {
  OneQueue world;
  auto low = world.consumer(), high = world.consumer();
  StartConsuming request;
  world.start(low, request);
  request.priority = 1;
  request.granted = true;
  request.prefetch = 2;
  world.start(high, request);
  world.publish({"0", "1", "2", "3"});
  REQUIRE(world.wait([&] { return low.noted->messages.size() == 2; }));
  CHECK(texts(*high.noted) == Texts{"0", "1"});
  world.settle(high.session, 0, high.noted->messages[0]);
  world.publish({"4"});
  REQUIRE(world.wait([&] { return low.noted->messages.size() == 3; }));
  world.in(high.session, [&](QueueSession& actor) {
    actor.tell_host(0, GrantCredit{world.queue, high.session.id(), 1, 1, 0});
  });
  world.publish({"5", "6"});
  REQUIRE(world.wait([&] { return low.noted->messages.size() == 4; }));
  CHECK(texts(*high.noted) == Texts{"0", "1", "5"});
}

TEST_CASE("a returned message comes before those that were never delivered, at its old place") {
  OneQueue world;
  auto consumer = world.consumer(), other = world.consumer();
  StartConsuming request;
  request.prefetch = 3;
  world.start(consumer, request);
  world.publish({"0", "1", "2", "3", "4"});
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 3; }));
  world.stop_consuming(consumer.session, 0, world.queue, 1);
  world.settle(consumer.session, 0, consumer.noted->messages[2], Settlement::requeue);
  world.settle(consumer.session, 0, consumer.noted->messages[0], Settlement::requeue);
  REQUIRE(world.wait([&] { return world.describe(0, world.queue).ready == 4; }));
  world.start(other, request);
  REQUIRE(world.wait([&] { return other.noted->messages.size() == 3; }));
  CHECK(texts(*other.noted) == Texts{"0", "2", "3"});
  CHECK(other.noted->messages[0].redelivered);
  CHECK_FALSE(other.noted->messages[2].redelivered);
}

TEST_CASE("new rules are in force at once and after a restart; what a queue is stays as it was") {
  OneQueue world;
  world.publish({"0", "1", "2", "3"});
  auto settings = with_dead_letters();
  settings.max_length = 3;
  settings.message_ttl_ms = 5000;
  settings.max_priority = 7;
  settings.durable = false;
  CHECK(world.call<QueueChanged>(world.own(), 0, ChangeQueue{world.queue, settings}).error == QueueErrc::none);
  REQUIRE(world.wait([&] { return world.dead->letters.size() == 1; }));
  world.restart();
  world.dead = std::make_shared<Dead>();
  world.listen(world.dead);
  const auto found = world.find(world.name);
  CHECK(found.settings.max_priority == 0);
  CHECK(found.settings.durable);
  CHECK(found.settings.max_length == 3);
  REQUIRE(world.wait([&] { return world.dead->letters.size() >= 3; }));
  CHECK(world.dead->letters.back() == std::pair<std::string, DeadReason>{"3", DeadReason::expired});
  CHECK(world.call<QueueChanged>(world.own(), 0, ChangeQueue{QueueId(12345), settings}).error ==
        QueueErrc::unknown_queue);
}

TEST_CASE("dead letters that cannot be routed now wait in the log until somebody takes them") {
  QueueWorld world;
  const auto name = world.neighbours(1)[0];
  const auto queue = world.declare(name, with_dead_letters()).queue;
  world.publish(0, {queue}, {"0", "1"});
  auto noted = std::make_shared<Noted>();
  const auto session = world.session(noted);
  world.consume(session, 0, queue, 1);
  REQUIRE(world.wait([&] { return noted->messages.size() == 2; }));
  world.settle(session, 0, noted->messages[0], Settlement::reject);
  world.settle(session, 0, noted->messages[1]);
  world.world.run_for(5000);
  CHECK(world.describe(0, queue).unacknowledged == 1);
  auto dead = std::make_shared<Dead>();
  world.listen(dead);
  REQUIRE(world.wait([&] { return dead->letters.size() == 1; }));
  REQUIRE(world.wait([&] { return world.describe(0, queue).unacknowledged == 0; }));
}

TEST_CASE(
    "a publish that the disk refuses is refused, whoever has it already, and the queue goes on when the disk does") {
  OneQueue world;
  auto consumer = world.consumer();
  world.start(consumer);
  world.publish({"before"});
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 1; }));
  world.machine.disk().fail(SimDisk::Operation::write, 1, 1000000);
  CHECK(world.QueueWorld::publish(0, {world.queue}, {"lost"}).error != QueueErrc::none);
  // Deliveries do not wait for the disk.
  REQUIRE(world.wait([&] { return consumer.noted->messages.size() == 2; }));
  CHECK(consumer.noted->messages[1].text == "lost");
  world.settle(consumer.session, 0, consumer.noted->messages[0]);
  world.world.run_for(500);
  world.machine.disk().heal();
  REQUIRE(world.wait([&] { return world.QueueWorld::publish(0, {world.queue}, {"after"}).error == QueueErrc::none; }));
  REQUIRE(world.wait([&] { return consumer.noted->messages.back().text == "after"; }));
  // An acknowledgement of what the disk did not take is not one of what came instead.
  for (std::size_t i = 1; i + 1 < consumer.noted->messages.size(); ++i)
    world.settle(consumer.session, 0, consumer.noted->messages[i]);
  world.world.run_for(100);
  CHECK(world.describe(0, world.queue).unacknowledged == 1);
  world.settle(consumer.session, 0, consumer.noted->messages.back());
  // The acknowledgement that could not be written then is written now.
  REQUIRE(world.wait(
      [&] { return world.call<SettlementsSynced>(world.own(), 0, SyncSettlements{}).error == QueueErrc::none; }));
  world.restart();
  CHECK(world.find(world.name).ready == 0);
}

TEST_CASE("the state log of many queues is cut to what lives, and a restart finds it all") {
  QueueWorld world;
  const auto names = world.neighbours(60);
  std::vector<QueueId> queues;
  for (const auto& name : names) {
    DeclareQueue request;
    request.name = name;
    request.definition = Bytes::copy(std::string(100000, 'd'));
    queues.push_back(world.call<QueueDeclared>(world.own(), 0, std::move(request)).queue);
  }
  world.publish(0, queues, {"message"});
  auto noted = std::make_shared<Noted>();
  const auto session = world.session(noted);
  for (std::size_t i = 0; i < 30; ++i) world.consume(session, 0, queues[i], i);
  REQUIRE(world.wait([&] { return noted->messages.size() == 30; }));
  for (std::size_t i = 0; i < 30; ++i) world.settle(session, 0, noted->messages[i]);
  Journal& journal = world.journal_of(names[0]);
  const PartitionId state_log(1);
  REQUIRE(world.wait([&] { return journal.state(state_log).log_start.value > 0; }));
  world.sync(0);
  world.restart();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = world.find(names[i]);
    CHECK(found.definition.size() == 100000);
    CHECK(found.ready == (i < 30 ? 0 : 1));
  }
}

TEST_CASE("an exclusive queue and one that is not durable are gone after a restart, with their logs") {
  QueueWorld world;
  const auto names = world.neighbours(3);
  const auto session = world.session(std::make_shared<Noted>());
  QueueSettings passing;
  passing.durable = false;
  const auto exclusive = world.declare(names[0], {}, session).queue, transient = world.declare(names[1], passing).queue,
             durable = world.declare(names[2]).queue;
  REQUIRE(world.publish(0, {exclusive, transient, durable}, {"message"}).error == QueueErrc::none);
  world.stop_and_start();
  CHECK(world.find(names[0]).error == QueueErrc::unknown_queue);
  CHECK(world.find(names[1]).error == QueueErrc::unknown_queue);
  CHECK(world.find(names[2]).ready == 1);
  CHECK(world.call<QueuesDescribed>(world.own(), 0, DescribeQueues{}).queues.size() == 1);
  Journal& journal = world.journal_of(names[0]);
  CHECK_FALSE(journal.knows(queue_partition(exclusive, 0)));
  CHECK_FALSE(journal.knows(queue_partition(transient, 0)));
}
