// Braid, Apache-2.0.
//
// Queues in a node: declared, published to, consumed and deleted by sessions, over power failures and ordered ends.
#include "queue_world.hpp"

using namespace braid;
using namespace braid::test;

TEST_CASE("a queue is declared once, found by its name, and keeps its definition over a power failure") {
  QueueWorld world;
  CHECK(world.find("orders").error == QueueErrc::unknown_queue);
  QueueSettings settings;
  settings.max_priority = 3;
  settings.message_ttl_ms = 5000;
  settings.overflow = Overflow::reject_publish;
  const auto made = world.declare("orders", settings);
  REQUIRE(made.error == QueueErrc::none);
  CHECK(made.created);
  const auto again = world.declare("orders");
  CHECK_FALSE(again.created);
  CHECK(again.queue == made.queue);
  CHECK(again.settings == settings);
  QueueSettings transient;
  transient.durable = false;
  REQUIRE(world.declare("passing", transient).created);
  world.restart();
  const auto found = world.find("orders");
  CHECK(found.error == QueueErrc::none);
  CHECK(found.settings == settings);
  CHECK(found.definition.view() == "definition of orders");
  CHECK(world.find("passing").error == QueueErrc::unknown_queue);
}

TEST_CASE("what was confirmed and not acknowledged comes again after a power failure, nothing else") {
  QueueWorld world;
  const std::size_t loop = world.loop_of("orders");
  auto queue = world.declare("orders").queue;
  REQUIRE(world.publish(loop, {queue}, {"0", "1", "2", "3", "4", "5"}).error == QueueErrc::none);
  auto noted = std::make_shared<Noted>();
  auto session = world.session(noted);
  REQUIRE(world.consume(session, loop, queue, 1, 4) == QueueErrc::none);
  REQUIRE(world.wait([&] { return noted->messages.size() == 4; }));
  world.settle(session, loop, noted->messages[3], Settlement::requeue);
  world.settle(session, loop, noted->messages[0]);
  world.settle(session, loop, noted->messages[2]);
  REQUIRE(world.wait([&] { return noted->messages.size() == 7; }));
  CHECK(noted->messages[4].text == "3");
  world.sync(loop);
  const bool ordered = GENERATE(false, true);
  if (ordered)
    world.stop_and_start();
  else
    world.restart();
  queue = world.find("orders").queue;
  CHECK(world.describe(loop, queue).ready == 4);
  auto later = std::make_shared<Noted>();
  session = world.session(later);
  REQUIRE(world.consume(session, loop, queue, 1) == QueueErrc::none);
  REQUIRE(world.wait([&] { return later->messages.size() == 4; }));
  CHECK(texts(*later) == std::vector<std::string>{"1", "3", "4", "5"});
  CHECK(later->messages[0].redelivered);
  CHECK(later->messages[1].deliveries == 1);
}

TEST_CASE("a batch for many queues is stored once, and each queue has its own way with it") {
  QueueWorld world;
  const auto names = world.neighbours(10);
  std::vector<QueueId> queues;
  for (const auto& name : names) queues.push_back(world.declare(name).queue);
  Journal& journal = world.journal_of(names[0]);
  const std::uint64_t before = journal.statistics().appended_bytes;
  REQUIRE(world.publish(0, queues, {std::string(100000, 'x')}).error == QueueErrc::none);
  CHECK(journal.statistics().appended_bytes - before < 101000);
  auto noted = std::make_shared<Noted>();
  const auto session = world.session(noted);
  for (std::size_t i = 0; i < 5; ++i) world.consume(session, 0, queues[i], i);
  REQUIRE(world.wait([&] { return noted->messages.size() == 5; }));
  for (const auto& message : noted->messages) {
    CHECK(message.text.size() == 100000);
    world.settle(session, 0, message);
  }
  world.sync(0);
  world.restart();
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(world.find(names[i]).ready == (i < 5 ? 0 : 1));
}

TEST_CASE("the end of a session gives back what it holds and takes its exclusive queues along") {
  QueueWorld world;
  auto dead = std::make_shared<Dead>();
  world.listen(dead);
  const auto names = world.neighbours(2);
  const auto queue = world.declare(names[0]).queue;
  auto noted = std::make_shared<Noted>();
  auto session = world.session(noted);
  const auto own = world.declare(names[1], {}, session);
  CHECK(own.exclusive_to == session.id());
  world.consume(session, 0, queue, 1);
  world.publish(0, {queue, own.queue}, {"a", "b"});
  REQUIRE(world.wait([&] { return noted->messages.size() == 2; }));
  CHECK(world.describe(0, queue).unacknowledged == 2);
  world.in(session, [](QueueSession& actor) { actor.quit(); });
  REQUIRE(world.wait([&] { return dead->gone == std::vector<std::string>{names[1]}; }));
  CHECK(world.describe(0, queue).ready == 2);
  CHECK(world.find(names[1]).error == QueueErrc::unknown_queue);
  CHECK(world.publish(0, {own.queue, queue}, {"c"}).unknown == std::vector<QueueId>{own.queue});
}

TEST_CASE("deleting tells the consumers, honours its conditions, and leaves nothing behind") {
  QueueWorld world;
  const auto name = world.neighbours(1)[0];
  const auto queue = world.declare(name).queue;
  auto noted = std::make_shared<Noted>();
  const auto session = world.session(noted);
  world.publish(0, {queue}, {"a", "b"});
  CHECK(world.call<QueueEmptied>(session, 0, DeleteQueue{queue, false, true}).error == QueueErrc::not_empty);
  world.consume(session, 0, queue, 1, 1);
  CHECK(world.call<QueueEmptied>(session, 0, DeleteQueue{queue, true, false}).error == QueueErrc::in_use);
  REQUIRE(world.wait([&] { return noted->messages.size() == 1; }));
  CHECK(world.call<QueueEmptied>(session, 0, PurgeQueue{queue}).messages == 1);
  CHECK(world.call<QueueEmptied>(session, 0, DeleteQueue{queue}).error == QueueErrc::none);
  REQUIRE(world.wait([&] { return noted->cancelled.size() == 1; }));
  CHECK(world.call<QueueEmptied>(session, 0, DeleteQueue{queue}).error == QueueErrc::unknown_queue);
  CHECK_FALSE(world.journal_of(name).knows(queue_partition(queue, 0)));
  world.restart();
  CHECK(world.find(name).error == QueueErrc::unknown_queue);
  CHECK_FALSE(world.journal_of(name).knows(queue_partition(queue, 0)));
  const auto anew = world.declare(name);
  CHECK(anew.created);
  CHECK(anew.ready == 0);
}

TEST_CASE("a queue goes with its last consumer, or when it was not used for its time") {
  QueueWorld world;
  const auto names = world.neighbours(2);
  QueueSettings with_consumers, with_time;
  with_consumers.auto_delete = true;
  with_time.expires_ms = 3000;
  const auto first = world.declare(names[0], with_consumers).queue, second = world.declare(names[1], with_time).queue;
  auto noted = std::make_shared<Noted>();
  const auto session = world.session(noted);
  world.consume(session, 0, first, 1);
  world.consume(session, 0, second, 1);
  world.world.run_for(10000);
  CHECK(world.find(names[1]).error == QueueErrc::none);
  world.stop_consuming(session, 0, first, 1);
  CHECK(world.find(names[0]).error == QueueErrc::unknown_queue);
  world.stop_consuming(session, 0, second, 1);
  world.world.run_for(2000);
  CHECK(world.find(names[1]).error == QueueErrc::none);  // and that was a use
  world.world.run_for(2000);
  CHECK(world.find(names[1]).error == QueueErrc::none);
  world.world.run_for(3500);
  CHECK(world.find(names[1]).error == QueueErrc::unknown_queue);
}

TEST_CASE("dead letters and expired messages reach the listener, before and after a restart") {
  QueueWorld world;
  auto dead = std::make_shared<Dead>();
  world.listen(dead);
  const auto name = world.neighbours(1)[0];
  QueueSettings settings;
  settings.dead_letter = true;
  settings.message_ttl_ms = 20000;
  auto queue = world.declare(name, settings).queue;
  auto noted = std::make_shared<Noted>();
  const auto session = world.session(noted);
  world.consume(session, 0, queue, 1, 1);
  world.publish(0, {queue}, {"bad", "old"});
  REQUIRE(world.wait([&] { return noted->messages.size() == 1; }));
  world.settle(session, 0, noted->messages[0], Settlement::reject);
  REQUIRE(world.wait([&] { return dead->letters.size() == 1; }));
  CHECK(dead->letters[0] == std::pair<std::string, DeadReason>{"bad", DeadReason::rejected});
  world.sync(0);
  world.restart();
  dead = std::make_shared<Dead>();
  world.listen(dead);
  REQUIRE(world.wait([&] { return !dead->letters.empty(); }, 60000));
  CHECK(dead->letters == std::vector<std::pair<std::string, DeadReason>>{{"old", DeadReason::expired}});
}

TEST_CASE("a queue that rests keeps its counts, and goes on where it was") {
  QueueWorld world;
  const auto name = world.neighbours(1)[0];
  QueueSettings settings;
  settings.max_priority = 2;
  const auto queue = world.declare(name, settings).queue;
  world.publish(0, {queue}, {"low"}, 0);
  world.publish(0, {queue}, {"high 1", "high 2", "high 3"}, 9);
  auto noted = std::make_shared<Noted>();
  auto session = world.session(noted);
  world.consume(session, 0, queue, 1, 3);
  REQUIRE(world.wait([&] { return noted->messages.size() == 3; }));
  world.settle(session, 0, noted->messages[1]);
  REQUIRE(world.wait([&] { return noted->messages.size() == 4; }));
  world.in(session, [](QueueSession& actor) { actor.quit(); });
  world.world.run_for(10000);
  CHECK(world.describe(0, queue).ready == 3);
  auto later = std::make_shared<Noted>();
  session = world.session(later);
  world.consume(session, 0, queue, 1);
  REQUIRE(world.wait([&] { return later->messages.size() == 3; }));
  CHECK(texts(*later) == std::vector<std::string>{"high 1", "high 3", "low"});
  CHECK(later->messages[0].redelivered);
}

TEST_CASE("a queue at its limit refuses what is too much and says so") {
  QueueWorld world;
  const auto names = world.neighbours(2);
  QueueSettings limited;
  limited.overflow = Overflow::reject_publish;
  limited.max_length = 3;
  const auto small = world.declare(names[0], limited).queue, large = world.declare(names[1]).queue;
  const auto published = world.publish(0, {small, large}, {"0", "1", "2", "3", "4"});
  CHECK(published.error == QueueErrc::none);
  REQUIRE(published.refused.size() == 1);
  CHECK(published.refused[0].queue == small);
  CHECK(published.refused[0].from == 3);
  CHECK(world.describe(0, small).ready == 3);
  CHECK(world.describe(0, large).ready == 5);
  PublishToQueues bad;
  bad.batch = Bytes::copy("no batch");
  bad.queues = {large};
  CHECK(world.call<Published>(world.own(), 0, bad).error == QueueErrc::invalid_batch);
}
