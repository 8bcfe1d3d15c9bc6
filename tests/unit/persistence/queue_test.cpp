// Braid, Apache-2.0.
//
// One queue by its rules: order, credit, redelivery, priorities, expiry, limits, dead letters, consumers.
#include "queue_harness.hpp"

using namespace braid;
using Texts = std::vector<std::string>;

namespace {

template <class Set>
QueueSettings rules(Set set) {
  QueueSettings settings;
  set(settings);
  return settings;
}

}  // namespace

TEST_CASE("messages come in order, as far as the prefetch goes, and an acknowledgement makes room") {
  QueueHarness world;
  world.publish_numbers(0, 5);
  world.consume(1, {.prefetch = 2});
  world.pump();
  CHECK(world.texts(1) == Texts{"0", "1"});
  CHECK(world.queue->ready() == 3);
  CHECK(world.queue->held() == 2);
  world.settle(1, world.held[1].back());
  world.pump();
  CHECK(world.texts(1) == Texts{"0", "1", "2"});
  world.settle(1, world.held[1].front());
  world.publish_numbers(5, 7);
  world.pump();
  CHECK(world.texts(1) == Texts{"0", "1", "2", "3"});
  CHECK_FALSE(world.delivered[1].back().redelivered);
  while (!world.held[1].empty()) {
    world.settle(1, world.held[1].front());
    world.pump();
  }
  CHECK(world.texts(1).size() == 7);
  CHECK(world.queue->first(0) == Offset(7));
  CHECK(world.queue->bytes() == 0);
}

TEST_CASE("a returned message goes back to its place, is marked, and counts its returns") {
  QueueHarness world;
  world.publish_numbers(0, 6);
  world.consume(1, {.prefetch = 4});
  world.pump();
  const auto held = world.held[1];
  world.settle(1, held[2], Settlement::requeue);
  world.settle(1, held[1], Settlement::requeue_uncounted);
  world.pump();
  REQUIRE(world.texts(1) == Texts{"0", "1", "2", "3", "1", "2"});
  const auto& all = world.delivered[1];
  CHECK(all[4].redelivered);
  CHECK(all[4].deliveries == 0);
  CHECK(all[5].redelivered);
  CHECK(all[5].deliveries == 1);
  // A consumer that goes gives back what it has; the next gets it first.
  world.queue->stop(QueueHarness::key(1), true, true);
  world.consume(2, {});
  world.pump();
  CHECK(world.texts(2) == Texts{"0", "1", "2", "3", "4", "5"});
  CHECK(world.delivered[2][2].deliveries == 2);
  CHECK_FALSE(world.delivered[2][4].redelivered);
}

TEST_CASE("settling what one does not hold changes nothing") {
  QueueHarness world;
  world.publish_numbers(0, 4);
  world.consume(1, {.prefetch = 2});
  world.consume(2, {.prefetch = 2});
  world.pump();
  const auto mine = world.held[1].front(), other = world.held[2].front();
  world.queue->settle(QueueHarness::key(1), 0, other.offset, 1, Settlement::acknowledge);
  world.queue->settle(QueueHarness::key(3), 0, mine.offset, 1, Settlement::reject);
  world.queue->settle(QueueHarness::key(1), 7, mine.offset, 1, Settlement::requeue);
  world.queue->settle(QueueHarness::key(1), 0, Offset(1000), UINT32_MAX, Settlement::requeue);
  CHECK(world.queue->held() == 4);
  world.queue->settle(QueueHarness::key(1), 0, Offset(0), UINT32_MAX, Settlement::acknowledge);
  CHECK(world.queue->held() == 2);
  world.settle(1, mine);
  CHECK(world.queue->held() == 2);
}

TEST_CASE("higher priorities come first, returned ones included") {
  QueueHarness world(rules([&](QueueSettings& rule) { rule.max_priority = 5; }));
  world.publish({"low 1", "low 2"}, 1);
  world.publish({"high 1", "high 2"}, 5);
  world.consume(1, {.prefetch = 1});
  world.pump();
  REQUIRE(world.texts(1) == Texts{"high 1"});
  world.settle(1, world.held[1].front(), Settlement::requeue);
  world.pump();
  world.settle(1, world.held[1].front());
  world.pump();
  world.settle(1, world.held[1].front());
  world.pump();
  world.publish({"high 3"}, 5);
  world.settle(1, world.held[1].front());
  world.pump();
  world.settle(1, world.held[1].front());
  world.pump();
  CHECK(world.texts(1) == Texts{"high 1", "high 1", "high 2", "low 1", "high 3", "low 2"});
}

TEST_CASE("consumers take turns, those of higher priority first, and the slow ones do not hold up the others") {
  QueueHarness world;
  world.consume(1, {.prefetch = 3});
  world.consume(2, {});
  world.consume(3, {.priority = 10, .prefetch = 2});
  world.publish_numbers(0, 10);
  world.pump();
  CHECK(world.texts(3) == Texts{"0", "1"});
  CHECK(world.texts(1) == Texts{"2", "4", "6"});
  CHECK(world.texts(2) == Texts{"3", "5", "7", "8", "9"});
}

TEST_CASE("credit that is granted, and bytes that have left the session, are the limits") {
  QueueHarness world;
  world.publish_numbers(0, 10);
  world.consume(1, {.granted = true, .prefetch = 2});
  world.pump();
  CHECK(world.texts(1).size() == 2);
  world.settle(1, world.held[1].front());
  world.pump();
  CHECK(world.texts(1).size() == 2);
  world.queue->grant(QueueHarness::key(1), 3, 0);
  world.pump();
  CHECK(world.texts(1).size() == 5);
  world.consume(2, {.no_ack = true, .window_bytes = 1});
  world.pump();
  CHECK(world.texts(2) == Texts{"5"});
  world.queue->grant(QueueHarness::key(2), 0, 100);
  world.pump();
  CHECK(world.texts(2) == Texts{"5", "6"});
  CHECK(world.queue->held() == 4);
}

TEST_CASE("a consumer on demand is told when there is something, and gives back credit that finds nothing") {
  QueueHarness world;
  world.consume(1, {.on_demand = true, .prefetch = 3});
  world.pump();
  CHECK(world.wants[1] == 0);
  world.publish_numbers(0, 4);
  world.pump();
  CHECK(world.wants[1] == 1);
  world.publish_numbers(4, 6);
  world.pump();
  CHECK(world.wants[1] == 1);  // told already
  CHECK(world.texts(1).empty());
  world.queue->grant(QueueHarness::key(1), 2, 0);
  world.pump();
  CHECK(world.texts(1) == Texts{"0", "1"});
  CHECK(world.wants[1] == 2);
  CHECK(world.unused[1] == 0);
  // Its own prefetch is a limit as well: what goes past it comes back, and it is told when it has room.
  world.queue->grant(QueueHarness::key(1), 5, 0);
  world.pump();
  CHECK(world.texts(1) == Texts{"0", "1", "2"});
  CHECK(world.unused[1] == 4);
  CHECK(world.wants[1] == 2);
  world.settle(1, world.held[1].front());
  world.pump();
  CHECK(world.wants[1] == 3);
  // Somebody else was quicker.
  world.consume(2, {});
  world.pump();
  CHECK(world.queue->ready() == 0);
  world.queue->grant(QueueHarness::key(1), 1, 0);
  world.pump();
  CHECK(world.unused[1] == 5);
  CHECK(world.wants[1] == 3);
  world.queue->stop(QueueHarness::key(2), true, true);
  world.pump();
  CHECK(world.wants[1] == 4);
  world.queue->stop(QueueHarness::key(1), true, true);
  world.publish_numbers(6, 8);
  world.pump();
  CHECK(world.wants[1] == 4);
}

TEST_CASE("an exclusive consumer is alone, and a single active one hands over when it goes") {
  QueueHarness world;
  REQUIRE(world.consume(1, {.exclusive = true}) == Queue::Refusal::none);
  CHECK(world.consume(2, {}) == Queue::Refusal::in_use);
  world.queue->stop(QueueHarness::key(1), true, true);
  REQUIRE(world.consume(2, {}) == Queue::Refusal::none);
  CHECK(world.consume(3, {.exclusive = true}) == Queue::Refusal::in_use);

  QueueHarness single(rules([&](QueueSettings& rule) { rule.single_active_consumer = true; }));
  single.consume(1, {.prefetch = 2});
  single.consume(2, {.prefetch = 2});
  single.publish_numbers(0, 4);
  single.pump();
  CHECK(single.texts(1) == Texts{"0", "1"});
  CHECK(single.texts(2).empty());
  CHECK(single.queue->is_active(QueueHarness::key(1)));
  CHECK_FALSE(single.queue->is_active(QueueHarness::key(2)));
  CHECK(single.queue->get(QueueHarness::key(9), true, 1) == Queue::Refusal::single_active);
  single.queue->stop(QueueHarness::key(1), false, true);
  single.pump();
  CHECK(single.texts(2) == Texts{"2", "3"});
  single.settle(1, single.held[1].front());
  single.queue->stop(QueueHarness::key(1), true, true);
  single.settle(2, single.held[2].front());
  single.pump();
  CHECK(single.texts(2) == Texts{"2", "3", "1"});
}

TEST_CASE("a single get takes one message or says that there is none") {
  QueueHarness world;
  CHECK_FALSE(world.get());
  world.publish_numbers(0, 3);
  CHECK(world.get()->text == "0");
  CHECK(world.get(true)->text == "1");
  CHECK(world.queue->held() == 1);
  CHECK(world.queue->ready() == 1);
  world.settle(99, world.held[99].front(), Settlement::requeue);
  CHECK(world.get()->redelivered);
  world.queue->stop(QueueHarness::key(99), true, true);
  CHECK(world.queue->ready() == 2);
}

TEST_CASE("messages expire at the head, by the queue's time and by their own") {
  QueueHarness world(rules([&](QueueSettings& rule) {
    rule.dead_letter = true;
    rule.message_ttl_ms = 1000;
  }));
  world.publish({"slow"});
  world.publish({"quick"}, 0, 100);
  world.pump();
  REQUIRE(world.wake_at == Timestamp(world.now.value + 1000));
  world.now = Timestamp(world.now.value + 500);
  world.pump();
  CHECK(world.dead.empty());  // it is behind one that lives longer
  CHECK(world.queue->ready() == 2);
  world.now = *world.wake_at;
  world.pump();
  CHECK(world.dead ==
        std::vector<std::pair<std::string, DeadReason>>{{"slow", DeadReason::expired}, {"quick", DeadReason::expired}});
  CHECK(world.queue->ready() == 0);
  CHECK(world.queue->first(0) == Offset(2));
  CHECK_FALSE(world.wake_at);
  // Held by a consumer it does not expire; when it comes back it does.
  world.consume(1, {});
  world.publish({"held"});
  world.pump();
  world.now = Timestamp(world.now.value + 5000);
  world.pump();
  CHECK(world.dead.size() == 2);
  world.settle(1, world.held[1].front(), Settlement::requeue);
  world.pump();
  CHECK(world.dead.size() == 3);
  CHECK(world.queue->idle() == false);
  world.queue->stop(QueueHarness::key(1), true, true);
  world.pump();
  CHECK(world.queue->idle());
}

TEST_CASE("with no time to live a message reaches who is waiting for it, or nobody") {
  QueueHarness world(rules([&](QueueSettings& rule) { rule.message_ttl_ms = 0; }));
  world.publish({"nobody there"});
  world.pump();
  CHECK(world.queue->ready() == 0);
  world.consume(1, {.prefetch = 1});
  world.publish({"somebody there", "one too many"});
  world.pump();
  CHECK(world.texts(1) == Texts{"somebody there"});
  CHECK(world.queue->ready() == 0);
}

TEST_CASE("a full queue drops its oldest messages, to the dead-letter output if there is one") {
  const bool dead_letter = GENERATE(false, true);
  QueueHarness world(rules([&](QueueSettings& rule) {
    rule.dead_letter = dead_letter;
    rule.max_length = 3;
  }));
  world.publish_numbers(0, 5);
  world.pump();
  CHECK(world.queue->ready() == 3);
  CHECK(world.dead.size() == (dead_letter ? 2u : 0u));
  world.consume(1, {.prefetch = 2});
  world.pump();
  CHECK(world.texts(1) == Texts{"2", "3"});
  world.publish_numbers(5, 8);  // what is held does not count
  world.pump();
  CHECK(world.queue->ready() == 3);
  world.queue->stop(QueueHarness::key(1), true, false);
  world.pump();
  CHECK(world.queue->ready() == 3);
  CHECK(world.get()->text == "5");
}

TEST_CASE("a limit in bytes counts bodies, and drops as many as it takes") {
  QueueHarness world(rules([&](QueueSettings& rule) { rule.max_length_bytes = 10; }));
  world.publish({"12345", "12345"});
  world.pump();
  CHECK(world.queue->ready() == 2);
  world.publish({"1"});
  world.pump();
  CHECK(world.queue->ready() == 2);
  CHECK(world.queue->bytes() == 6);
  world.publish({std::string(50, 'x')});
  world.pump();
  CHECK(world.queue->ready() == 0);
}

TEST_CASE("a queue that refuses what is too much says how much it took") {
  QueueHarness world(rules([&](QueueSettings& rule) {
    rule.overflow = Overflow::reject_publish;
    rule.max_length = 3;
  }));
  CHECK(world.publish({"1", "2"}) == 2);
  CHECK(world.publish({"3", "4"}) == 1);
  CHECK(world.publish({"5"}) == 0);
  CHECK(world.get(true)->text == "1");
  CHECK(world.publish({"6"}) == 1);
  QueueHarness bytes(rules([&](QueueSettings& rule) {
    rule.overflow = Overflow::reject_publish;
    rule.max_length_bytes = 4;
  }));
  CHECK(bytes.publish({"123", "456", "789"}) == 2);
}

TEST_CASE("a message that came back too often leaves the queue when it is returned once more") {
  QueueHarness world(rules([&](QueueSettings& rule) {
    rule.dead_letter = true;
    rule.delivery_limit = 2;
  }));
  world.publish({"poison"});
  world.consume(1, {});
  for (int i = 0; i < 3; ++i) {
    world.pump();
    REQUIRE(world.held[1].size() == 1);
    CHECK(world.held[1].front().deliveries == i);
    world.settle(1, world.held[1].front(), Settlement::requeue);
  }
  world.pump();
  CHECK(world.held[1].empty());
  CHECK(world.dead == std::vector<std::pair<std::string, DeadReason>>{{"poison", DeadReason::delivery_limit}});
  CHECK(world.queue->first(0) == Offset(1));
}

TEST_CASE("a rejected message stays until the dead-letter output has stored it") {
  QueueHarness world(rules([&](QueueSettings& rule) { rule.dead_letter = true; }));
  world.publish_numbers(0, 3);
  world.consume(1, {.prefetch = 2});
  world.pump();
  world.dead_succeeds = false;
  world.settle(1, world.held[1].front(), Settlement::reject);
  world.pump();
  CHECK(world.dead.size() == 1);
  CHECK(world.queue->first(0) == Offset(0));
  CHECK(world.wake_at);
  world.dead_succeeds = true;
  world.now = Timestamp(world.now.value + 2000);
  world.pump();
  CHECK(world.dead.size() == 2);
  CHECK(world.dead.back() == std::pair<std::string, DeadReason>{"0", DeadReason::rejected});
  CHECK(world.queue->first(0) == Offset(1));
  CHECK(world.texts(1) == Texts{"0", "1", "2"});
}

TEST_CASE("a purge takes what is ready and leaves what is held") {
  QueueHarness world;
  world.publish_numbers(0, 10);
  world.consume(1, {.prefetch = 3});
  world.pump();
  world.settle(1, world.held[1][1], Settlement::requeue);
  CHECK(world.queue->purge() == 8);
  CHECK(world.queue->ready() == 0);
  CHECK(world.queue->held() == 2);
  world.publish_numbers(10, 11);
  world.settle(1, world.held[1].front());
  world.pump();
  CHECK(world.texts(1).back() == "10");
}

TEST_CASE("a purge of a long queue costs little, also when a message of it is held") {
  QueueHarness world;
  for (int i = 0; i < 20; ++i) world.publish_numbers(i * 1000, i * 1000 + 1000);
  world.consume(1, {.prefetch = 1});
  world.pump();
  world.queue->unload();
  const auto before = world.queue->memory_bytes();
  CHECK(world.queue->purge() == 19999);
  CHECK(world.queue->memory_bytes() < before + 1500);
  world.flush();
  world.open();
  CHECK(world.queue->ready() == 1);
  CHECK(world.get()->text == "0");
  world.publish_numbers(20000, 20001);
  CHECK(world.get()->text == "20000");
}

TEST_CASE("a message that cannot be read any more is passed over") {
  QueueHarness world;
  for (int i = 0; i < 4; ++i) world.publish_numbers(i * 2, i * 2 + 2);
  world.flush();
  // The log lost its second batch, and the third is no batch.
  world.log[0].erase(world.log[0].begin() + 1);
  world.log[0][1].bytes = Bytes::copy(std::string(100, 'x'));
  world.open();
  world.consume(1, {});
  world.pump();
  CHECK(world.texts(1) == Texts{"0", "1", "6", "7"});
  CHECK(world.queue->ready() == 0);
}

TEST_CASE("after a restart what was not acknowledged comes again, with its marks and counts") {
  QueueHarness world;
  world.publish_numbers(0, 8);
  world.consume(1, {.prefetch = 6});
  world.pump();
  const auto held = world.held[1];
  world.settle(1, held[0]);
  world.settle(1, held[3]);
  world.settle(1, held[4], Settlement::requeue);
  world.flush();
  world.settle(1, held[1]);  // not written: it may come again
  world.open();
  CHECK(world.queue->ready() == 6);
  world.delivered.clear();
  world.consume(2, {});
  world.pump();
  CHECK(world.texts(2) == Texts{"1", "2", "4", "5", "6", "7"});
  CHECK(world.delivered[2][0].redelivered);
  CHECK(world.delivered[2][2].deliveries == 1);
  CHECK_FALSE(world.delivered[2][5].redelivered);
}
