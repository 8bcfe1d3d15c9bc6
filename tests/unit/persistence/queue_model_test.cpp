// Braid, Apache-2.0.
//
// Random work on a queue, with reads that come late and restarts at any moment. Whatever happens: a message is with one
// consumer at a time, leaves once, is not lost, and does not come back once its acknowledgement was written.
#include <random>
#include <set>

#include "queue_harness.hpp"
#include "support/seed.hpp"

using namespace braid;

namespace {

void live_beside_model(std::uint64_t seed) {
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  QueueSettings settings;
  settings.max_priority = below(3) == 0 ? 3 : 0;
  settings.dead_letter = below(2);
  if (below(3) == 0) settings.delivery_limit = static_cast<std::uint32_t>(below(3));
  settings.single_active_consumer = below(5) == 0;
  QueueHarness world(settings);
  world.answer_reads = false;
  using Name = std::pair<std::uint8_t, std::int64_t>;
  std::map<Name, std::string> published;
  std::set<Name> acknowledged, written;
  std::map<std::uint64_t, std::size_t> seen;  // of what a consumer was given
  std::map<Name, std::uint64_t> with;         // who holds a message
  std::set<std::uint64_t> subscribed;
  int next = 0;

  const auto check_deliveries = [&] {
    for (auto& [consumer, messages] : world.delivered) {
      for (std::size_t& i = seen[consumer]; i < messages.size(); ++i) {
        const auto& message = messages[i];
        const Name name{message.priority, message.offset.value};
        REQUIRE(published.at(name) == message.text);
        REQUIRE_FALSE(written.contains(name));
        REQUIRE_FALSE(with.contains(name));
        if (world.no_ack[consumer])
          acknowledged.insert(name);
        else
          with[name] = consumer;
      }
    }
  };
  const auto turn = [&] {
    for (std::size_t i = world.reads.size(); i-- > 0;) {
      if (below(3) == 0) continue;
      world.answer(world.reads[i]);
      world.reads.erase(world.reads.begin() + static_cast<std::ptrdiff_t>(i));
    }
    world.pump();
    check_deliveries();
  };

  for (int step = 0; step < 400; ++step) {
    switch (below(12)) {
      case 0:
      case 1:
      case 2: {
        const auto priority = static_cast<std::uint8_t>(below(settings.max_priority + 1u));
        const std::int64_t base = world.log[priority].empty() ? 0 : world.log[priority].back().end().value;
        std::vector<std::string> texts;
        for (std::uint64_t i = 0; i <= below(below(5) == 0 ? 1500 : 5); ++i) {
          published[{priority, base + static_cast<std::int64_t>(i)}] = std::to_string(next);
          texts.push_back(std::to_string(next++));
        }
        world.publish(texts, priority);
        break;
      }
      case 3: {
        const std::uint64_t consumer = 1 + below(4);
        if (subscribed.contains(consumer) || world.held.contains(consumer)) break;
        if (world.consume(consumer, {.no_ack = below(4) == 0,
                                     .priority = static_cast<std::int32_t>(below(2)),
                                     .prefetch = static_cast<std::uint32_t>(below(3) == 0 ? 0 : 1 + below(50)),
                                     .window_bytes = 1 + below(100000)}) == Queue::Refusal::none)
          subscribed.insert(consumer);
        break;
      }
      case 4: {
        const std::uint64_t consumer = 1 + below(4);
        if (below(3) != 0) break;
        const bool requeue = below(3) != 0;
        world.queue->stop(QueueHarness::key(consumer), requeue, below(2));
        subscribed.erase(consumer);
        if (requeue) {
          for (const auto& message : world.held[consumer]) with.erase({message.priority, message.offset.value});
          world.held.erase(consumer);
        }
        break;
      }
      case 5:
      case 6:
      case 7:
      case 8: {
        const std::uint64_t consumer = 1 + below(4);
        auto held = world.held.find(consumer);
        if (held == world.held.end()) break;
        for (std::uint64_t left = below(40); left > 0 && !held->second.empty(); --left) {
          const auto message = held->second[below(std::min<std::size_t>(held->second.size(), 8))];
          const Name name{message.priority, message.offset.value};
          auto how = below(5) == 0 ? static_cast<Settlement>(1 + below(3)) : Settlement::acknowledge;
          world.settle(consumer, message, how);
          with.erase(name);
          if (how == Settlement::acknowledge || (how == Settlement::reject && !settings.dead_letter))
            acknowledged.insert(name);
        }
        world.queue->grant(QueueHarness::key(consumer), 0, 100000);
        if (held->second.empty() && !subscribed.contains(consumer)) world.held.erase(held);
        break;
      }
      case 9:
        world.flush();
        written = acknowledged;
        break;
      case 10:
        if (below(6) == 0) {
          world.open();
          with.clear();
          subscribed.clear();
          seen.clear();
          world.delivered.clear();
          acknowledged = written;
        }
        break;
      default:
        turn();
        break;
    }
  }
  // Nothing is lost: what was not acknowledged can still be had, once, or went to the dead-letter output.
  for (std::uint64_t consumer = 1; consumer <= 4; ++consumer)
    world.queue->stop(QueueHarness::key(consumer), true, false);
  with.clear();
  world.answer_reads = true;
  world.answer_all();
  world.pump();
  world.consume(50, {.window_bytes = UINT64_MAX});
  world.pump();
  world.answer_all();
  world.pump();
  std::set<std::string> dead;
  for (const auto& [text, reason] : world.dead) dead.insert(text);
  std::set<Name> last;
  for (const auto& message : world.delivered[50]) {
    REQUIRE(last.insert({message.priority, message.offset.value}).second);
    REQUIRE_FALSE(acknowledged.contains({message.priority, message.offset.value}));
  }
  for (const auto& [name, text] : published) {
    INFO("message " << text);
    if (acknowledged.contains(name)) {
      REQUIRE_FALSE(last.contains(name));
    } else if (!dead.contains(text) && (!settings.delivery_limit || settings.dead_letter)) {
      REQUIRE(last.contains(name));
    }
  }
  REQUIRE(world.queue->ready() == 0);
  REQUIRE(world.queue->held() == last.size());
}

}  // namespace

TEST_CASE("over random work and restarts a queue loses nothing and gives nothing twice") {
  const std::uint64_t seed = test_seed();
  for (std::uint64_t i = 0; i < 60; ++i) live_beside_model(seed + i);
}
