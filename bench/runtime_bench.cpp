// Braid, Apache-2.0.
//
// What the runtime costs: an actor hop within a loop and across loops, waking a loop, timers, and a round trip through
// a session over loopback.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "model/receive_buffer.hpp"
#include "runtime/connection_actor.hpp"
#include "runtime/node_runtime.hpp"
#include "runtime/pinned.hpp"
#include "runtime/random.hpp"
#include "runtime/timer_wheel.hpp"

namespace braid::bench {

struct Ping {
  int number = 0;
};
struct Pong {
  int number = 0;
};
struct Play {
  std::int64_t rounds = 0;
  std::promise<void>* done = nullptr;
};
using EchoActor = Interface<Answers<Ping, Pong>>;

}  // namespace braid::bench

BRAID_MESSAGE(braid::bench::Ping)
BRAID_MESSAGE(braid::bench::Pong)
BRAID_MESSAGE(braid::bench::Play)

namespace braid::bench {
namespace {

class Echo final : public Pinned<EchoActor::base> {
 public:
  using Pinned::Pinned;
  behavior_type make_behavior() override {
    return {[](const Ping& ping) { return Pong{ping.number}; }};
  }
};

class Player final : public Pinned<caf::event_based_actor> {
 public:
  Player(caf::actor_config& config, Loop& at, EchoActor echo) : Pinned(config, at), echo_(std::move(echo)) {}
  caf::behavior make_behavior() override {
    return {[this](const Play& play) {
      left_ = play.rounds;
      done_ = play.done;
      next();
    }};
  }

 private:
  void next() {
    if (left_-- == 0) return done_->set_value();
    ask(
        this, echo_, Ping{1}, [this](const Pong&) { next(); }, [](const caf::error&) {});
  }
  EchoActor echo_;
  std::int64_t left_ = 0;
  std::promise<void>* done_ = nullptr;
};

/// A request and its reply, one after the other, between two actors.
void hops(benchmark::State& state, std::size_t echo_loop) {
  constexpr std::int64_t kRounds = 10'000;
  NodeRuntime runtime({.loops = 2, .seed = 1});
  runtime.start();
  EchoActor echo = spawn_on<Echo>(runtime.loop(echo_loop));
  const caf::actor player = spawn_on<Player>(runtime.loop(0), echo);
  for (auto _ : state) {
    std::promise<void> done;
    tell_from_outside(player, Play{kRounds, &done});
    done.get_future().wait();
  }
  state.SetItemsProcessed(state.iterations() * kRounds);
}
void actor_pair_within_a_loop(benchmark::State& state) {
  hops(state, 0);
}
void actor_pair_across_loops(benchmark::State& state) {
  hops(state, 1);
}
BENCHMARK(actor_pair_within_a_loop)->UseRealTime();
BENCHMARK(actor_pair_across_loops)->UseRealTime();

/// Waking a loop that sleeps, and its answer.
void post_round_trip(benchmark::State& state) {
  NodeRuntime runtime({.loops = 1, .seed = 1});
  runtime.start();
  for (auto _ : state) runtime.run_on(0, [] {});
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(post_round_trip)->UseRealTime();

/// Posting as fast as a thread can.
void post_stream(benchmark::State& state) {
  constexpr int kEach = 10'000;
  NodeRuntime runtime({.loops = 1, .seed = 1});
  runtime.start();
  std::int64_t ran = 0;
  for (auto _ : state) {
    for (int i = 0; i < kEach; ++i) runtime.loop(0).post([&ran] { ++ran; });
    runtime.run_on(0, [] {});
  }
  state.SetItemsProcessed(state.iterations() * kEach);
}
BENCHMARK(post_stream)->UseRealTime();

/// Setting a timer and cancelling it, while `state.range(0)` others run.
void timer_set_and_cancel(benchmark::State& state) {
  TimerWheel wheel;
  Random random(1);
  for (std::int64_t i = 0; i < state.range(0); ++i) wheel.insert(random.between(1, 600'000), [] {});
  for (auto _ : state) wheel.cancel(wheel.insert(random.between(1, 600'000), [] {}));
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes_per_timer"] =
      static_cast<double>(wheel.memory_bytes()) / static_cast<double>(std::max<std::size_t>(wheel.size(), 1));
}
BENCHMARK(timer_set_and_cancel)->Arg(0)->Arg(1'000'000);

/// A million timers of up to ten minutes, set and fired.
void timer_set_and_fire(benchmark::State& state) {
  constexpr int kTimers = 1'000'000;
  std::int64_t fired = 0;
  for (auto _ : state) {
    TimerWheel wheel;
    Random random(1);
    for (int i = 0; i < kTimers; ++i) wheel.insert(random.between(1, 600'000), [&fired] { ++fired; });
    for (std::int64_t now = 0; now <= 600'000; now += 10) wheel.advance(now);
  }
  benchmark::DoNotOptimize(fired);
  state.SetItemsProcessed(state.iterations() * kTimers);
}
BENCHMARK(timer_set_and_fire)->Unit(benchmark::kMillisecond);

class EchoSession final : public ConnectionActor<caf::event_based_actor> {
 public:
  EchoSession(caf::actor_config& config, Loop& at, std::unique_ptr<Stream> stream, EchoActor worker)
      : ConnectionActor(config, at, std::move(stream)), worker_(std::move(worker)) {}
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }

 protected:
  void received(ReceiveBuffer& buffer) override {
    Bytes bytes = buffer.take(buffer.size());
    ask(
        this, worker_, Ping{1}, [this, bytes](const Pong&) { stream().write(bytes); }, [](const caf::error&) {});
  }

 private:
  EchoActor worker_;
};

/// Bytes -> session -> another actor of the loop -> bytes: what a produce with acks=1 does, without the journal.
/// `state.range(0)` messages of 64 bytes are under way at a time.
void tcp_round_trip_through_a_session(benchmark::State& state) {
  constexpr std::size_t kBytes = 64;
  NodeRuntime runtime({.loops = 1, .seed = 1});
  runtime.start();
  std::unique_ptr<Listener> listener;
  runtime.run_on(0, [&] {
    Loop& loop = runtime.loop(0);
    EchoActor worker = spawn_on<Echo>(loop);
    auto result = loop.network().listen("127.0.0.1", 0, [&loop, worker](std::unique_ptr<Stream> stream) {
      spawn_on<EchoSession>(loop, std::move(stream), worker);
    });
    if (result) listener = std::move(*result);
  });
  if (!listener) return state.SkipWithError("cannot listen");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener->address().port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return state.SkipWithError("cannot connect");
  std::string message(kBytes * static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    if (::send(socket, message.data(), message.size(), 0) != static_cast<ssize_t>(message.size()) ||
        ::recv(socket, message.data(), message.size(), MSG_WAITALL) != static_cast<ssize_t>(message.size()))
      return state.SkipWithError("connection lost");
  }
  ::close(socket);
  runtime.run_on(0, [&] { listener.reset(); });
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(tcp_round_trip_through_a_session)->Arg(1)->Arg(1000)->UseRealTime();

}  // namespace
}  // namespace braid::bench
