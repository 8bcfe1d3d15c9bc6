// Braid, Apache-2.0.
//
// Queues as a protocol's session has them: through the host, the loop and the journal on a real disk. A message
// published, delivered and settled; and a node full of queues that nobody uses.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "actors/internal_topics.hpp"
#include "actors/partition/host.hpp"
#include "actors/queues/host.hpp"
#include "model/batch_builder.hpp"
#include "runtime/node_runtime.hpp"

namespace braid::bench {
namespace {

std::uint64_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Bytes batch_of(std::size_t messages, std::size_t bytes, Timestamp now) {
  BatchBuilder builder;
  const std::string value(bytes, 'v');
  for (std::size_t i = 0; i < messages; ++i) builder.add(now, "key", value);
  return builder.finish();
}

/// One loop with a journal in a directory of its own, which a second node may take over.
struct Node {
  explicit Node(std::string directory) : path(std::move(directory)), runtime({.loops = 1, .seed = 1}) {
    runtime.start();
    services = std::make_unique<Services>(runtime.loop(0), 1, settings, routes, budget);
    auto topic = std::make_shared<Topic>();
    topic->id.bytes[0] = 1;
    topic->name = kQueuesTopic;
    topic->internal = true;
    topic->partitions.push_back({PartitionId(1), ShardId(0), LeaderEpoch(0)});
    CatalogChange everything;
    everything.upserts.push_back(topic);
    runtime.run_on(0, [&] {
      services->directory.apply(everything);
      auto opened = Journal::open(runtime.loop(0).disk(), {.directory = path});
      if (!opened) std::abort();
      journal = std::move(*opened);
      services->journals = {journal.get()};
      services->hosts.push_back(spawn_on<PartitionHostActor>(runtime.loop(0), *services));
      services->queues.push_back(spawn_queue_host(*services));
    });
  }
  /// An ordered end.
  ~Node() {
    std::promise<void> closed;
    runtime.run_on(0, [&] {
      drain_queues(*services,
                   [&] { services->drain_partitions([&] { journal->close([&](Errc) { closed.set_value(); }); }); });
    });
    closed.get_future().wait();
    runtime.stop();
  }

  std::string path;
  Settings settings;
  RouteTable routes{settings.routes};
  MemoryBudget budget{8ull << 30};
  NodeRuntime runtime;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Services> services;
};

struct Directory {
  Directory() {
    const char* base = std::getenv("TMPDIR");
    std::string pattern = std::string(base ? base : "/tmp") + "/braid-queue-bench-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

class User final : public Pinned<QueueConsumer::base> {
 public:
  User(caf::actor_config& config, Loop& at, Services& services) : Pinned(config, at), host_(services.queues.at(0)) {}

  template <class Reply, class Request>
  void call(Request request, std::function<void(const Reply&)> answered) {
    ask(this, host_, std::move(request), std::move(answered), [](caf::error) { std::abort(); });
  }
  /// Publishes `left` batches, `window` of them at a time, and reports when all their messages are settled.
  void run(QueueId queue, Bytes batch, std::int64_t each, std::int64_t left, bool persistent,
           std::promise<void>& finished) {
    request_.queues = {queue};
    request_.batch = std::move(batch);
    request_.persistent = persistent;
    batches_left_ = left;
    messages_left_ = left * each;
    done_ = &finished;
    for (int i = 0; i < 16; ++i) publish();
  }
  void settles(bool settles) { settles_ = settles; }

 protected:
  behavior_type make_behavior() override {
    return {[this](const DeliverMessages& delivery) {
              Settle settle;
              settle.session = id();
              for (const MessageRun& run : delivery.runs)
                settle.ranges.push_back({delivery.queue, delivery.consumer, run.first, run.count, run.priority});
              if (settles_) send(host_, std::move(settle));
              send(host_, GrantCredit{delivery.queue, id(), delivery.consumer, 0, delivery.bytes});
              if ((messages_left_ -= delivery.messages) == 0) done_->set_value();
            },
            [](const ConsumerCancelled&) { std::abort(); }};
  }

 private:
  void publish() {
    if (batches_left_ == 0) return;
    --batches_left_;
    call<Published>(request_, [this](const Published& published) {
      if (published.error != QueueErrc::none) std::abort();
      publish();
    });
  }

  QueueHost host_;
  PublishToQueues request_;
  std::int64_t batches_left_ = 0, messages_left_ = 0;
  std::promise<void>* done_ = nullptr;
  bool settles_ = true;
};

template <class Reply, class Request>
Reply ask_host(Node& node, User& user, Request request) {
  std::promise<Reply> promise;
  node.runtime.run_on(0, [&] {
    user.enter([&] { user.call<Reply>(std::move(request), [&](const Reply& reply) { promise.set_value(reply); }); });
  });
  return promise.get_future().get();
}

/// `range(0)`: messages of 16 bytes a batch; `range(1)`: persistent, and acknowledged one delivery at a time.
void queue_host_message(benchmark::State& state) {
  const auto each = static_cast<std::size_t>(state.range(0));
  const bool durable = state.range(1) != 0;
  const Directory directory;
  Node node(directory.path);
  const QueueConsumer handle = spawn_on<User>(node.runtime.loop(0), *node.services);
  auto& user = *static_cast<User*>(caf::actor_cast<caf::abstract_actor*>(handle));
  user.settles(durable);
  DeclareQueue declare;
  declare.name = "orders";
  declare.settings.durable = durable;
  const QueueId queue = ask_host<QueueDeclared>(node, user, declare).queue;
  StartConsuming consume;
  consume.queue = queue;
  consume.session = handle;
  consume.no_ack = !durable;
  consume.prefetch = 1000;
  ask_host<ConsumeStarted>(node, user, consume);
  const Bytes batch = batch_of(each, 16, node.runtime.loop(0).wall_clock());
  const std::int64_t batches = static_cast<std::int64_t>(100'000 / each);
  for (auto _ : state) {
    std::promise<void> done;
    node.runtime.run_on(0, [&] {
      user.enter([&] { user.run(queue, batch, static_cast<std::int64_t>(each), batches, durable, done); });
    });
    done.get_future().wait();
  }
  state.SetItemsProcessed(state.iterations() * batches * static_cast<std::int64_t>(each));
}
BENCHMARK(queue_host_message)
    ->ArgNames({"batch", "durable"})
    ->ArgsProduct({{1, 10, 100}, {0, 1}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Durable queues that nobody uses: what each costs, and the node's start with them. `range(1)`: each has a message.
void queue_host_idle_queues(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const Directory directory;
    auto node = std::make_unique<Node>(directory.path);
    QueueConsumer handle = spawn_on<User>(node->runtime.loop(0), *node->services);
    auto* user = static_cast<User*>(caf::actor_cast<caf::abstract_actor*>(handle));
    // A few at a time, as sessions would: an actor's requests that wait for an answer are a list to CAF.
    constexpr std::size_t kAtOnce = 200;
    std::vector<QueueId> queues(count);
    std::promise<void> declared;
    std::size_t next = 0, left = count;
    std::function<void()> declare_next = [&] {
      if (next == count) return;
      const std::size_t i = next++;
      DeclareQueue declare;
      declare.name = "vhost/queue " + std::to_string(i);
      declare.definition = Bytes::copy(std::string(64, 'd'));
      user->call<QueueDeclared>(std::move(declare), [&, i](const QueueDeclared& made) {
        queues[i] = made.queue;
        if (--left == 0) declared.set_value();
        declare_next();
      });
    };
    node->runtime.run_on(0, [&] {
      user->enter([&] {
        for (std::size_t i = 0; i < kAtOnce; ++i) declare_next();
      });
    });
    declared.get_future().wait();
    if (state.range(1) != 0) {
      PublishToQueues publish;
      publish.batch = batch_of(1, 100, node->runtime.loop(0).wall_clock());
      for (std::size_t from = 0; from < count; from += 256) {
        publish.queues.assign(queues.begin() + static_cast<std::ptrdiff_t>(from),
                              queues.begin() + static_cast<std::ptrdiff_t>(std::min(from + 256, count)));
        if (ask_host<Published>(*node, *user, publish).error != QueueErrc::none) std::abort();
      }
    }
    handle = QueueConsumer();
    node.reset();
    const std::uint64_t before = resident_bytes();
    const auto begin = std::chrono::steady_clock::now();
    node = std::make_unique<Node>(directory.path);
    handle = spawn_on<User>(node->runtime.loop(0), *node->services);
    user = static_cast<User*>(caf::actor_cast<caf::abstract_actor*>(handle));
    if (ask_host<QueueDeclared>(*node, *user, DeclareQueue{.name = "vhost/queue 0", .passive = true}).queue !=
        queues[0])
      std::abort();
    state.counters["restart_ms"] =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    ::sleep(5);  // those with a message have looked at it and go to rest
    state.counters["bytes_each"] =
        static_cast<double>(static_cast<std::int64_t>(resident_bytes() - before)) / static_cast<double>(count);
    handle = QueueConsumer();
  }
}
BENCHMARK(queue_host_idle_queues)
    ->ArgNames({"queues", "with_message"})
    ->Args({100'000, 0})
    ->Args({100'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

}  // namespace
}  // namespace braid::bench
