// Braid, Apache-2.0.
//
// The network of the simulated world keeps what real streams promise, and breaks what they may break.
#include <catch2/catch.hpp>

#include "runtime/simulation/sim_world.hpp"
#include "unit/runtime/sim_seed.hpp"
#include "unit/runtime/stream_side.hpp"

using namespace braid;
using namespace braid::test;

namespace {

/// Two nodes and one connection between them.
struct Pair {
  SimWorld world;
  SimNode& a;
  SimNode& b;
  std::unique_ptr<Listener> listener;
  Side client, server;

  explicit Pair(SimOptions options) : world(options), a(world.add_node("a")), b(world.add_node("b")) {
    world.on(b.loop(), [&] {
      auto listening = b.loop().network().listen(
          "0.0.0.0", 1883, [&](std::unique_ptr<Stream> stream) { server.take(std::move(stream)); });
      REQUIRE(listening);
      listener = std::move(*listening);
    });
  }
  bool connect() {
    dial("b");
    return world.run_until([&] { return client.stream && server.stream; }, 1000);
  }
  void dial(const std::string& host, std::uint16_t port = 1883) {
    world.on(a.loop(), [&] {
      a.loop().network().connect(host, port, 500, [&](Result<std::unique_ptr<Stream>, std::string> result) {
        if (result)
          client.take(std::move(*result));
        else
          client.problem = result.error();
      });
    });
  }
};

}  // namespace

TEST_CASE("Simulated streams deliver everything in order, however it is cut and delayed") {
  for (std::uint64_t seed = base_seed(); seed < base_seed() + seeds(); ++seed) {
    INFO("BRAID_SEED=" << seed);
    Pair pair({.seed = seed, .window_bytes = 64 << 10});
    REQUIRE(pair.connect());
    const std::string up = pattern(500'000), down = pattern(1000);
    pair.world.on(pair.a.loop(), [&] {
      pair.client.stream->write(Bytes::copy(up));
      CHECK(pair.client.stream->unsent_bytes() == up.size());
    });
    pair.world.on(pair.b.loop(), [&] { pair.server.stream->write({Bytes::copy(down), Bytes::copy(down)}); });
    CHECK(pair.client.stream->unsent_bytes() >= up.size() - (64 << 10));
    CHECK(pair.world.run_until(
        [&] { return pair.server.received.size() == up.size() && pair.client.received.size() == 2 * down.size(); },
        60'000));
    CHECK(pair.server.received == up);
    CHECK(pair.client.received == down + down);
    CHECK(pair.client.drained == 1);
    CHECK(pair.server.reads > 2);
    CHECK(pair.server.stream->peer().ip == "a");
    CHECK(pair.server.stream->local_address() == Address{"b", 1883});
  }
}

TEST_CASE("A simulated reader that pauses holds up the sender, and goes on") {
  Pair pair({.seed = base_seed(), .window_bytes = 10'000});
  REQUIRE(pair.connect());
  const std::string text = pattern(100'000);
  pair.world.on(pair.b.loop(), [&] { pair.server.stream->pause_reading(); });
  pair.world.on(pair.a.loop(), [&] { pair.client.stream->write(Bytes::copy(text)); });
  pair.world.run_for(10'000);
  CHECK(pair.server.reads == 0);
  CHECK(pair.client.stream->unsent_bytes() == 90'000);
  pair.world.on(pair.b.loop(), [&] { pair.server.stream->resume_reading(); });
  CHECK(pair.world.run_until([&] { return pair.server.received == text; }, 60'000));
}

TEST_CASE("A simulated reader is offered again what it left in the buffer when it paused") {
  Pair pair({.seed = base_seed()});
  REQUIRE(pair.connect());
  const std::string text = pattern(1000);
  pair.server.take_at_most = 300;
  pair.server.then_on_read = [&] { pair.server.stream->pause_reading(); };
  pair.world.on(pair.a.loop(), [&] { pair.client.stream->write(Bytes::copy(text)); });
  for (std::size_t expected = 300; expected < text.size(); expected += 300) {
    REQUIRE(pair.world.run_until([&] { return pair.server.received.size() >= expected; }, 10'000));
    pair.world.run_for(1000);
    CHECK(pair.server.received.size() == expected);
    pair.world.on(pair.b.loop(), [&] { pair.server.stream->resume_reading(); });
  }
  CHECK(pair.world.run_until([&] { return pair.server.received == text; }, 10'000));
}

TEST_CASE("Simulated connections end as real ones do") {
  Pair pair({.seed = base_seed()});
  REQUIRE(pair.connect());
  using Kind = CloseReason::Kind;
  SECTION("closing delivers what was written, then both ends hear of it") {
    pair.world.on(pair.a.loop(), [&] {
      pair.client.stream->write(Bytes::copy(pattern(50'000)));
      pair.client.stream->close();
      CHECK(pair.client.closed == 0);
    });
    CHECK(pair.world.run_until([&] { return pair.server.closed == 1 && pair.client.closed == 1; }, 10'000));
    CHECK(pair.server.received == pattern(50'000));
    CHECK(pair.server.reason.kind == Kind::peer_closed);
    CHECK(pair.client.reason.kind == Kind::closed);
  }
  SECTION("closing gives up on a peer that takes nothing") {
    pair.world.on(pair.b.loop(), [&] { pair.server.stream->pause_reading(); });
    pair.world.on(pair.a.loop(), [&] {
      pair.client.stream->write(Bytes::copy(pattern(1 << 20)));
      pair.client.stream->close(100);
    });
    CHECK(pair.world.run_until([&] { return pair.client.closed == 1; }, 10'000));
    CHECK(pair.client.reason.kind == Kind::close_timeout);
    CHECK(pair.world.run_until([&] { return pair.server.closed == 1; }, 10'000));
    CHECK(pair.server.reason.kind == Kind::failed);
  }
  SECTION("a session that has gone still delivers what it wrote") {
    pair.world.on(pair.a.loop(), [&] {
      pair.client.stream->write(Bytes::copy(pattern(50'000)));
      pair.client.stream->close_and_forget();
      pair.client.stream.reset();
    });
    CHECK(pair.world.run_until([&] { return pair.server.closed == 1; }, 10'000));
    CHECK(pair.server.received == pattern(50'000));
    CHECK(pair.client.closed == 0);
  }
  SECTION("aborting resets") {
    pair.world.on(pair.a.loop(), [&] {
      pair.client.stream->abort();
      CHECK(pair.client.closed == 0);
    });
    CHECK(pair.world.run_until([&] { return pair.server.closed == 1 && pair.client.closed == 1; }, 10'000));
    CHECK(pair.server.reason.kind == Kind::failed);
    CHECK(pair.client.reason.kind == Kind::aborted);
  }
  SECTION("destroying a stream ends it in silence") {
    pair.world.on(pair.a.loop(), [&] { pair.client.stream.reset(); });
    CHECK(pair.world.run_until([&] { return pair.server.closed == 1; }, 10'000));
    CHECK(pair.client.closed == 0);
  }
  SECTION("a crashed machine is noticed") {
    pair.b.crash();
    CHECK_FALSE(pair.b.running());
    CHECK(pair.world.run_until([&] { return pair.client.closed == 1; }, 10'000));
    CHECK(pair.client.reason.kind == Kind::failed);
    CHECK(pair.server.closed == 0);
  }
  pair.world.run_for(20'000);
  CHECK(pair.client.closed + pair.server.closed <= 2);
}

TEST_CASE("Connecting in the simulated world fails as it does outside") {
  Pair pair({.seed = base_seed()});
  const auto problem_of = [&](const std::string& host, std::uint16_t port) {
    pair.client.problem.clear();
    pair.dial(host, port);
    pair.world.run_until([&] { return !pair.client.problem.empty(); }, 1000);
    return pair.client.problem;
  };
  CHECK(problem_of("b", 1) == "cannot connect to b:1: connection refused");
  CHECK(problem_of("nobody", 1) == "cannot connect to nobody:1: no such node");
  pair.world.cut(pair.a, pair.b);
  CHECK(problem_of("b", 1883) == "cannot connect to b:1883: no answer in time");
  pair.world.heal(pair.a, pair.b);
  pair.b.crash();
  CHECK(problem_of("b", 1883) == "cannot connect to b:1883: no answer in time");
  pair.b.restart();
  CHECK(problem_of("b", 1883) == "cannot connect to b:1883: connection refused");
  Result<std::unique_ptr<Listener>, std::string> again = Unexpected{std::string()};
  pair.world.on(pair.b.loop(), [&] {
    auto first = pair.b.loop().network().listen("0.0.0.0", 1883, [](auto) {});
    REQUIRE(first);
    again = pair.b.loop().network().listen("0.0.0.0", 1883, [](auto) {});
    REQUIRE_FALSE(again);
    CHECK(again.error() == "address 0.0.0.0:1883 is in use");
  });
}

TEST_CASE("A cut breaks connections; a hold delays them") {
  Pair pair({.seed = base_seed()});
  REQUIRE(pair.connect());
  SECTION("cut") {
    pair.world.cut(pair.a, pair.b);
    CHECK(pair.world.run_until([&] { return pair.client.closed == 1 && pair.server.closed == 1; }, 10'000));
  }
  SECTION("hold") {
    pair.world.hold(pair.a, pair.b);
    pair.world.on(pair.a.loop(), [&] { pair.client.stream->write(Bytes::copy(pattern(5000))); });
    pair.world.run_for(10'000);
    CHECK(pair.server.received.empty());
    pair.world.heal(pair.a, pair.b);
    CHECK(pair.world.run_until([&] { return pair.server.received == pattern(5000); }, 1000));
    CHECK(pair.client.closed == 0);
  }
}
