// Braid, Apache-2.0.
//
// Random lives of a node with queues: sessions come and go, publish, settle this way and that, purge; then the power
// fails, the process is killed or it ends in order, some times over. What rules the queues have, how many sessions
// there are and how often they sync is chosen anew for each seed. Whatever happens: what was confirmed and not settled
// is there in the end, once; what was acknowledged and synced never comes back; what was rejected is in the queue or
// was given to the dead-letter output; and nobody gets what somebody else holds.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "queue_world.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::test;

namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed) : world(seed) {
    settings.dead_letter = below(2) == 0;
    if (below(3) == 0) settings.max_priority = 4;
    if (below(4) == 0) settings.single_active_consumer = true;
    // What is returned too often without a dead-letter output is gone, and no loss.
    if (settings.dead_letter && below(2) == 0) settings.delivery_limit = static_cast<std::uint32_t>(below(3));
    sync_every = 1 + below(10);
    dead_taken = below(3) != 0;
    for (std::size_t i = 0; i < 3; ++i)
      names.push_back("queue " + std::to_string(below(1000)) + "/" + std::to_string(i));
  }

  void run() {
    for (std::uint64_t round = 0, rounds = 1 + below(4); round < rounds; ++round) {
      begin();
      for (std::uint64_t step = 0, steps = 10 + below(40); step < steps; ++step) {
        act(step);
        world.world.run_for(static_cast<std::int64_t>(below(8)));
        look();
      }
      finish();
    }
    check();
  }

  QueueWorld world;
  std::size_t confirmed = 0, certain = 0;  ///< what the life was worth
  std::uint64_t trace = 0;

 private:
  struct Message {
    bool confirmed = false, settled = false, acknowledged = false, rejected = false;
    bool written = false;  ///< its acknowledgement
    std::uint64_t with = 0;
  };
  struct Session {
    QueueConsumer handle;
    std::shared_ptr<Noted> noted = std::make_shared<Noted>();
    std::size_t looked = 0;
    std::vector<QueueMessage> held;
  };
  using Key = std::pair<std::size_t, std::string>;  ///< which queue, what it says

  std::uint64_t below(std::uint64_t limit) { return world.world.random() % limit; }
  std::size_t loop_of(std::size_t queue) { return world.loop_of(names[queue]); }

  void begin() {
    dead = std::make_shared<Dead>();
    if (dead_taken) world.listen(dead);
    queues.clear();
    for (const auto& name : names) {
      const auto declared = world.declare(name, settings);
      REQUIRE(declared.error == QueueErrc::none);
      REQUIRE(declared.settings == settings);
      queues.push_back(declared.queue);
    }
    sessions.clear();
    for (std::uint64_t i = 0, count = 1 + below(3); i < count; ++i) join();
  }
  void join() {
    Session session;
    session.handle = world.session(session.noted);
    for (std::size_t queue = 0; queue < queues.size(); ++queue) {
      StartConsuming request;
      request.queue = queues[queue];
      request.consumer = 1 + queue;
      request.prefetch = static_cast<std::uint32_t>(1 + below(20));
      request.priority = static_cast<std::int32_t>(below(2));
      REQUIRE(world.consume(session.handle, loop_of(queue), request).error == QueueErrc::none);
    }
    sessions.push_back(std::move(session));
  }
  void leave(std::size_t which) {
    world.in(sessions[which].handle, [](QueueSession& actor) { actor.quit(); });
    look();
    for (auto& [key, message] : messages)
      if (message.with == sessions[which].handle.id()) message.with = 0;
    sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(which));
  }

  /// One thing that one of the sessions does.
  void act(std::uint64_t step) {
    if (step % sync_every == 0) return sync();
    const std::uint64_t what = below(12);
    if (what < 5) return publish();
    if (what == 5 && below(3) == 0) return sessions.size() > 1 ? leave(below(sessions.size())) : join();
    if (what == 6 && below(8) == 0) return purge();
    settle(sessions[below(sessions.size())]);
  }
  void publish() {
    std::vector<std::string> texts;
    for (std::uint64_t i = 0, count = 1 + below(4); i < count; ++i) texts.push_back(std::to_string(next++));
    for (std::size_t loop = 0; loop < QueueWorld::kLoops; ++loop) {
      std::vector<QueueId> targets;
      auto sent = std::make_shared<std::vector<Key>>();
      for (std::size_t queue = 0; queue < queues.size(); ++queue) {
        if (loop_of(queue) != loop || below(3) == 0) continue;
        targets.push_back(queues[queue]);
        for (const auto& text : texts) sent->push_back({queue, text});
      }
      if (targets.empty()) continue;
      for (const auto& key : *sent) messages[key];
      world.in(sessions.front().handle, [&](QueueSession& actor) {
        actor.call<Published>(loop,
                              QueueWorld::publication(targets, texts, world.machine.loop(0).wall_clock(),
                                                      static_cast<std::uint8_t>(below(6))),
                              [this, sent](const Published& published) {
                                if (published.error != QueueErrc::none) return;
                                for (const auto& key : *sent) messages[key].confirmed = true;
                              });
      });
    }
  }
  void settle(Session& session) {
    for (std::uint64_t left = below(30); left > 0 && !session.held.empty(); --left) {
      const std::size_t which = below(session.held.size());
      const QueueMessage message = session.held[which];
      session.held.erase(session.held.begin() + static_cast<std::ptrdiff_t>(which));
      const Key key{queue_of(message.queue), message.text};
      const auto how = below(4) == 0 ? static_cast<Settlement>(1 + below(3)) : Settlement::acknowledge;
      Message& known = messages.at(key);
      known.with = 0;
      if (how == Settlement::acknowledge || (how == Settlement::reject && !settings.dead_letter)) {
        known.settled = known.acknowledged = true;
        unsynced.insert(key);
      } else if (how == Settlement::reject) {
        known.rejected = true;
      }
      world.settle(session.handle, loop_of(key.first), message, how);
    }
  }
  void purge() {
    const std::size_t queue = below(queues.size());
    look();
    REQUIRE(world.call<QueueEmptied>(world.own(), loop_of(queue), PurgeQueue{queues[queue]}).error == QueueErrc::none);
    // Whatever was ready then, and nobody knows for sure what that was.
    for (auto& [key, message] : messages)
      if (key.first == queue) message.settled = true;
  }
  void sync() {
    for (std::size_t loop = 0; loop < QueueWorld::kLoops; ++loop) {
      auto asked = std::make_shared<std::set<Key>>();
      for (const auto& key : unsynced)
        if (loop_of(key.first) == loop) asked->insert(key);
      // Behind what was settled, which the first session did not send: the host's mailbox has it in any case.
      world.in(sessions.front().handle, [&](QueueSession& actor) {
        actor.call<SettlementsSynced>(loop, SyncSettlements{}, [this, asked](const SettlementsSynced& synced) {
          if (synced.error != QueueErrc::none) return;
          for (const auto& key : *asked) {
            messages[key].written = true;
            unsynced.erase(key);
          }
        });
      });
    }
  }

  std::size_t queue_of(QueueId id) const {
    return static_cast<std::size_t>(std::find(queues.begin(), queues.end(), id) - queues.begin());
  }
  void look() {
    for (Session& session : sessions) {
      for (; session.looked < session.noted->messages.size(); ++session.looked) {
        const QueueMessage& message = session.noted->messages[session.looked];
        const Key key{queue_of(message.queue), message.text};
        INFO("queue " << key.first << " message " << key.second);
        Message& known = messages.at(key);
        REQUIRE_FALSE(known.written);
        REQUIRE(known.with == 0);
        known.with = session.handle.id();
        session.held.push_back(message);
      }
    }
  }
  void finish() {
    switch (below(4)) {
      case 0:
        look();
        world.stop_and_start();
        break;
      case 1:
        world.restart(false);
        break;
      default:
        world.restart(true);
        break;
    }
    for (auto& [key, message] : messages) message.with = 0;
    unsynced.clear();
    for (const auto& [text, reason] : dead->letters) dead_texts.insert(text);
  }

  void check() {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto queue = world.find(names[i]);
      REQUIRE(queue.error == QueueErrc::none);
      auto noted = std::make_shared<Noted>();
      world.consume(world.session(noted), loop_of(i), queue.queue, 1);
      REQUIRE(world.wait([&] { return noted->messages.size() >= queue.ready; }));
      std::set<std::string> there;
      for (const auto& message : noted->messages) {
        INFO("queue " << i << " message " << message.text);
        REQUIRE(there.insert(message.text).second);
        REQUIRE_FALSE(messages.at({i, message.text}).written);
      }
      for (const auto& [key, message] : messages) {
        if (key.first != i || !message.confirmed) continue;
        ++confirmed;
        if (message.settled) continue;
        INFO("queue " << i << " message " << key.second);
        ++certain;
        if (message.rejected || settings.delivery_limit)  // the ends of sessions are counted, too
          REQUIRE((there.contains(key.second) || dead_texts.contains(key.second)));
        else
          REQUIRE(there.contains(key.second));
      }
    }
    trace = world.world.trace_hash();
  }

  QueueSettings settings;
  std::uint64_t sync_every = 1;
  bool dead_taken = true;
  std::vector<std::string> names;
  std::vector<QueueId> queues;
  std::vector<Session> sessions;
  std::map<Key, Message> messages;
  std::set<Key> unsynced;
  std::shared_ptr<Dead> dead;
  std::set<std::string> dead_texts;
  int next = 0;
};

}  // namespace

TEST_CASE("queues keep what was confirmed and forget what was synced, over many ends of the node") {
  const auto first = test_seed();
  std::size_t certain = 0;
  for (std::uint64_t seed = first; seed < first + 25; ++seed) {
    CAPTURE(seed);
    Life life(seed);
    life.run();
    certain += life.certain;
  }
  CHECK(certain > 0);
}

TEST_CASE("the same seed replays a node with queues to the same trace") {
  const auto seed = test_seed();
  CAPTURE(seed);
  Life one(seed), again(seed);
  one.run();
  again.run();
  CHECK(one.trace == again.trace);
  CHECK(one.confirmed == again.confirmed);
}
