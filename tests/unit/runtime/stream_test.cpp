// Braid, Apache-2.0.
//
// Streams and listeners of the real loop over loopback, against a plain blocking client.
#include "runtime/stream.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "model/receive_buffer.hpp"
#include "runtime/connection_actor.hpp"
#include "runtime/log.hpp"
#include "unit/runtime/plain_client.hpp"
#include "unit/runtime/support.hpp"

using namespace braid;
using namespace braid::test;

namespace {

/// The server's side of one connection, driven by the test.
struct Side final : StreamHandler {
  std::unique_ptr<Stream> stream;
  std::string received;
  int reads = 0, drained = 0, closed = 0;
  bool echo = false;
  CloseReason reason;
  std::function<void()> then_on_read;
  std::size_t take_at_most = SIZE_MAX;  ///< what else there is stays in the buffer

  void on_read(ReceiveBuffer& buffer) override {
    ++reads;
    const Bytes bytes = buffer.take(std::min(buffer.size(), take_at_most));
    received += bytes.view();
    if (echo) stream->write(bytes);
    if (then_on_read) then_on_read();
  }
  void on_drained() override { ++drained; }
  void on_closed(CloseReason why) override {
    ++closed;
    reason = why;
  }
};

/// A loop that listens, and the first connection it accepts.
struct Server {
  NodeRuntime runtime{options(1)};
  std::unique_ptr<Listener> listener;
  Side side;
  std::uint16_t port = 0;

  explicit Server(bool start_stream = true) {
    runtime.start();
    runtime.run_on(0, [&] {
      auto result = runtime.loop(0).network().listen("127.0.0.1", 0, [this, start_stream](std::unique_ptr<Stream> s) {
        side.stream = std::move(s);
        if (start_stream) side.stream->start(side);
      });
      if (!result) return;
      listener = std::move(*result);
      port = listener->address().port;
    });
  }
  ~Server() {
    on([&] {
      side.stream.reset();
      listener.reset();
    });
  }
  void on(const std::function<void()>& work) { runtime.run_on(0, work); }
  bool eventually(const std::function<bool()>& condition) { return test::eventually(runtime, 0, condition); }
  bool accepted() {
    return eventually([&] { return side.stream != nullptr; });
  }
};

std::string pattern(std::size_t length) {
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

}  // namespace

TEST_CASE("What a client sends in pieces arrives whole and is echoed") {
  Server server;
  REQUIRE(server.port != 0);
  PlainClient client(server.port);
  REQUIRE(client.connected());
  REQUIRE(server.accepted());
  server.on([&] { server.side.echo = true; });
  const std::string text = pattern(300'000);
  std::size_t at = 0;
  for (std::size_t piece = 1; at < text.size(); piece = piece * 3 + 1) {
    const std::string part = text.substr(at, piece);
    REQUIRE(client.send(part));
    REQUIRE(client.receive(part.size()) == part);
    at += part.size();
  }
  server.on([&] { CHECK(server.side.received == text); });
}

TEST_CASE("A stream knows both ends of its connection") {
  Server server;
  PlainClient client(server.port);
  REQUIRE(server.accepted());
  Address peer, local;
  server.on([&] {
    peer = server.side.stream->peer();
    local = server.side.stream->local_address();
  });
  CHECK(peer == Address{"127.0.0.1", client.own_port()});
  CHECK(local == Address{"127.0.0.1", server.port});
  CHECK(local.text() == "127.0.0.1:" + std::to_string(server.port));
  CHECK(Address{"::1", 1883}.text() == "[::1]:1883");
}

TEST_CASE("A client that does not read makes unsent bytes grow, and draining is told once") {
  Server server;
  PlainClient client(server.port, 4096);
  REQUIRE(server.accepted());
  const std::string text = pattern(16 << 20);
  server.on([&] {
    std::vector<Bytes> chunks;
    for (std::size_t i = 0; i < text.size(); i += 100'000) chunks.push_back(Bytes::copy(text.substr(i, 100'000)));
    server.side.stream->write(std::move(chunks));
    CHECK(server.side.stream->unsent_bytes() == text.size());
  });
  // A turn later the system has taken what it has room for, and no more.
  server.on([&] {
    CHECK(server.side.stream->unsent_bytes() > (4u << 20));
    CHECK(server.side.stream->unsent_bytes() < text.size());
    CHECK(server.side.drained == 0);
  });
  CHECK(client.receive(text.size()) == text);
  CHECK(server.eventually([&] { return server.side.stream->unsent_bytes() == 0; }));
  server.on([&] { CHECK(server.side.drained == 1); });
}

TEST_CASE("Small writes of one turn need no draining and arrive in order") {
  Server server;
  PlainClient client(server.port);
  REQUIRE(server.accepted());
  std::string expected;
  server.on([&] {
    for (int i = 0; i < 1000; ++i) {
      const std::string text = std::to_string(i) + ' ';
      expected += text;
      server.side.stream->write(Bytes::copy(text));
    }
    server.side.stream->write(Bytes{});
  });
  CHECK(client.receive(expected.size()) == expected);
  server.on([&] { CHECK(server.side.drained == 0); });
}

TEST_CASE("Nothing is read while reading is paused") {
  Server server;
  PlainClient client(server.port);
  REQUIRE(server.accepted());
  server.on([&] { server.side.then_on_read = [&] { server.side.stream->pause_reading(); }; });
  const std::string text = pattern(1 << 20);
  REQUIRE(client.send(text.substr(0, 1000)));
  REQUIRE(server.eventually([&] { return server.side.reads == 1; }));
  REQUIRE(client.send(text.substr(1000, 1000)));
  for (int i = 0; i < 20; ++i) server.on([&] { CHECK(server.side.reads == 1); });
  server.on([&] {
    server.side.then_on_read = nullptr;
    server.side.stream->resume_reading();
  });
  REQUIRE(client.send(text.substr(2000)));
  CHECK(server.eventually([&] { return server.side.received == text; }));
}

TEST_CASE("What is left in the buffer while reading is paused is offered again, though nothing new arrives") {
  Server server;
  PlainClient client(server.port);
  REQUIRE(server.accepted());
  const std::string text = pattern(1000);
  server.on([&] {
    server.side.take_at_most = 300;
    server.side.then_on_read = [&] { server.side.stream->pause_reading(); };
  });
  REQUIRE(client.send(text));
  for (std::size_t expected = 300; expected < text.size(); expected += 300) {
    REQUIRE(server.eventually([&] { return server.side.received.size() == expected; }));
    server.on([&] {
      server.side.stream->resume_reading();
      CHECK(server.side.received.size() == expected);  // never inside the call
    });
  }
  CHECK(server.eventually([&] { return server.side.received == text; }));
}

TEST_CASE("Closing sends what is written first, then ends in order") {
  Server server;
  PlainClient client(server.port, 4096);
  REQUIRE(server.accepted());
  const std::string text = pattern(8 << 20);
  // What the client has sent and nobody reads must not turn the end into a reset.
  REQUIRE(client.send("unread"));
  server.on([&] {
    server.side.stream->write(Bytes::copy(text));
    server.side.stream->close();
    server.side.stream->write(Bytes::copy("too late"));
    CHECK(server.side.closed == 0);
  });
  CHECK(client.receive(text.size()) == text);
  CHECK(client.receive_end() == 0);
  CHECK(server.eventually([&] { return server.side.closed == 1; }));
  server.on([&] { CHECK(server.side.reason.kind == CloseReason::Kind::closed); });
  client.close();
  for (int i = 0; i < 5; ++i) server.on([&] { CHECK(server.side.closed == 1); });
}

TEST_CASE("Closing gives up on a client that takes nothing when the deadline passes") {
  Server server;
  PlainClient client(server.port, 4096);
  REQUIRE(server.accepted());
  server.on([&] {
    server.side.stream->write(Bytes::copy(pattern(32 << 20)));
    server.side.stream->close(50);
  });
  CHECK(server.eventually([&] { return server.side.closed == 1; }));
  server.on([&] { CHECK(server.side.reason.kind == CloseReason::Kind::close_timeout); });
}

TEST_CASE("A stream that is closed and forgotten still delivers what was written") {
  Server server;
  PlainClient client(server.port, 4096);
  REQUIRE(server.accepted());
  const std::string text = pattern(8 << 20);
  server.on([&] {
    server.side.stream->write(Bytes::copy(text));
    server.side.stream->close_and_forget();
    server.side.stream.reset();
  });
  CHECK(client.receive(text.size()) == text);
  CHECK(client.receive_end() == 0);
  server.on([&] { CHECK(server.side.closed == 0); });
}

TEST_CASE("Aborting resets the connection, is told later, and once") {
  Server server;
  PlainClient client(server.port);
  REQUIRE(server.accepted());
  server.on([&] {
    server.side.stream->write(Bytes::copy("never sent"));
    server.side.stream->abort();
    server.side.stream->abort();
    CHECK(server.side.closed == 0);
  });
  CHECK(client.receive_end() == -1);
  CHECK(server.eventually([&] { return server.side.closed == 1; }));
  server.on([&] { CHECK(server.side.reason.kind == CloseReason::Kind::aborted); });
}

TEST_CASE("The peer's end and the peer's reset are told apart") {
  Server server;
  {
    PlainClient client(server.port);
    REQUIRE(server.accepted());
    SECTION("end") {
      client.close();
      CHECK(server.eventually([&] { return server.side.closed == 1; }));
      server.on([&] { CHECK(server.side.reason.kind == CloseReason::Kind::peer_closed); });
    }
    SECTION("reset") {
      client.reset();
      CHECK(server.eventually([&] { return server.side.closed == 1; }));
      server.on([&] {
        CHECK(server.side.reason.kind == CloseReason::Kind::failed);
        CHECK(server.side.reason.system_error == ECONNRESET);
      });
    }
  }
}

TEST_CASE("A client that ends its side still gets the answer of that turn") {
  Server server;
  server.on([&] { server.side.echo = true; });
  PlainClient client(server.port);
  REQUIRE(client.send("last words"));
  client.shut_down_sending();
  CHECK(client.receive(10) == "last words");
  CHECK(client.receive_end() == 0);
}

TEST_CASE("A stream may be destroyed in its callbacks") {
  Server server;
  PlainClient client(server.port);
  REQUIRE(server.accepted());
  SECTION("in on_read, with something written and not sent") {
    server.on([&] {
      server.side.echo = true;
      server.side.then_on_read = [&] { server.side.stream.reset(); };
    });
    REQUIRE(client.send("go"));
    client.receive(3);
  }
  SECTION("aborted in on_read, after a write of the same callback") {
    server.on([&] {
      server.side.echo = true;
      server.side.then_on_read = [&] { server.side.stream->abort(); };
    });
    REQUIRE(client.send("go"));
    CHECK(client.receive_end() == -1);
  }
  CHECK(server.eventually([&] { return server.side.reads == 1; }));
}

TEST_CASE("An address that somebody listens at is refused with a sentence") {
  Server server;
  NodeRuntime other(options(1));
  other.start();
  std::string problem;
  const auto listen_at = [&](const std::string& bind, std::uint16_t port) {
    other.run_on(0, [&] {
      auto result = other.loop(0).network().listen(bind, port, [](std::unique_ptr<Stream>) {});
      problem = result ? "" : result.error();
    });
  };
  listen_at("127.0.0.1", server.port);
  CHECK(problem == "address 127.0.0.1:" + std::to_string(server.port) + " is in use");
  listen_at("no address", 0);
  CHECK(problem == "'no address' is not an IP address to listen at");
  listen_at("192.0.2.1", 0);
  CHECK(problem == "address 192.0.2.1:0 does not belong to this machine");
  // The port is free as soon as the listener is gone.
  server.on([&] { server.listener.reset(); });
  listen_at("127.0.0.1", server.port);
  CHECK(problem.empty());
}

TEST_CASE("All loops listen at one port, and connections are spread over them") {
  constexpr std::size_t kLoops = 3;
  NodeRuntime runtime(options(kLoops));
  runtime.start();
  std::vector<std::unique_ptr<Listener>> listeners(kLoops);
  std::vector<std::vector<std::unique_ptr<Stream>>> streams(kLoops);
  std::uint16_t port = 0;
  for (std::size_t i = 0; i < kLoops; ++i)
    runtime.run_on(i, [&] {
      auto result = runtime.loop(i).network().listen("127.0.0.1", port, [&streams, i](std::unique_ptr<Stream> stream) {
        streams[i].push_back(std::move(stream));
      });
      if (!result) return;
      listeners[i] = std::move(*result);
      port = listeners[i]->address().port;
    });
  for (const auto& listener : listeners) REQUIRE((listener && listener->address().port == port));
  std::vector<std::unique_ptr<PlainClient>> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(std::make_unique<PlainClient>(port));
  std::size_t total = 0, loops_with_some = 0;
  for (int round = 0; round < 1000 && total < clients.size(); ++round) {
    total = loops_with_some = 0;
    for (std::size_t i = 0; i < kLoops; ++i)
      runtime.run_on(i, [&] {
        total += streams[i].size();
        loops_with_some += streams[i].empty() ? 0 : 1;
      });
  }
  CHECK(total == clients.size());
  CHECK(loops_with_some > 1);
  for (std::size_t i = 0; i < kLoops; ++i)
    runtime.run_on(i, [&] {
      streams[i].clear();
      listeners[i].reset();
    });
}

TEST_CASE("A paused listener leaves connections in the queue") {
  Server server;
  server.on([&] { server.listener->pause(); });
  PlainClient client(server.port);
  REQUIRE(client.connected());
  for (int i = 0; i < 20; ++i) server.on([&] { CHECK(server.side.stream == nullptr); });
  server.on([&] { server.listener->resume(); });
  CHECK(server.accepted());
}

TEST_CASE("A listener that has no file left rests, and accepts when there is one again") {
  log::configure(log::Level::off, log::Format::text);
  Server server;
  REQUIRE(server.port != 0);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The next file would get this number; a limit there means that there is none to get.
  const int next = ::dup(socket);
  ::close(next);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  // UBSan opens a pipe when it meets a class for the first time: what is called below is called once before.
  Inbox<int> waited;
  server.on([&] { server.runtime.loop(0).after(0, [&] { waited.put(0); }); });
  REQUIRE(waited.take().has_value());
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto cpu_us = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
  };
  const bool connected = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  const auto cpu_before = cpu_us();
  server.on([&] { server.runtime.loop(0).after(300, [&] { waited.put(1); }); });
  const bool done = waited.take().has_value();
  const auto cpu_spent = cpu_us() - cpu_before;
  bool accepted = true;
  server.on([&] { accepted = server.side.stream != nullptr; });
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(connected);
  CHECK(done);
  CHECK_FALSE(accepted);
  CHECK(cpu_spent < 150'000);
  CHECK(server.accepted());
  ::close(socket);
  log::configure(log::Level::info, log::Format::text);
}

TEST_CASE("Connecting yields a stream, or a sentence that names the target") {
  Server server;
  NodeRuntime runtime(options(1));
  runtime.start();
  Inbox<std::string> answers;
  std::unique_ptr<Stream> stream;
  Side side;
  const auto connect = [&](const std::string& host, std::uint16_t port) {
    runtime.run_on(0, [&] {
      runtime.loop(0).network().connect(host, port, 10'000, [&](Result<std::unique_ptr<Stream>, std::string> result) {
        if (!result) return answers.put(result.error());
        stream = std::move(*result);
        stream->start(side);
        answers.put("connected to " + stream->peer().text());
      });
    });
    return answers.take().value_or("no answer");
  };
  CHECK(connect("127.0.0.1", server.port) == "connected to 127.0.0.1:" + std::to_string(server.port));
  REQUIRE(server.accepted());
  server.on([&] { server.side.stream->write(Bytes::copy("hello")); });
  CHECK(eventually(runtime, 0, [&] { return side.received == "hello"; }));
  runtime.run_on(0, [&] { stream.reset(); });
  CHECK(connect("localhost", server.port) == "connected to 127.0.0.1:" + std::to_string(server.port));
  runtime.run_on(0, [&] { stream.reset(); });

  std::uint16_t closed_port = server.port;
  server.on([&] { server.listener.reset(); });
  CHECK(connect("127.0.0.1", closed_port) ==
        "cannot connect to 127.0.0.1:" + std::to_string(closed_port) + ": connection refused");
}

namespace {

/// A session as the broker's are: echoes, fails on "fail", says goodbye on "bye", leaves on "leave".
class EchoSession final : public ConnectionActor<caf::event_based_actor> {
 public:
  EchoSession(caf::actor_config& config, Loop& at, std::unique_ptr<Stream> stream, Inbox<std::string>& events)
      : ConnectionActor(config, at, std::move(stream)), events_(events) {}
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
  void on_exit() override {
    ConnectionActor::on_exit();
    events_.put("exit");
  }

 protected:
  void received(ReceiveBuffer& buffer) override {
    const Bytes bytes = buffer.take(buffer.size());
    if (bytes.view() == "fail") throw std::runtime_error("asked to fail");
    stream().write(bytes);
    if (bytes.view() == "leave") quit();
  }
  void closed(CloseReason reason) override {
    events_.put(reason.text());
    quit();
  }

 private:
  Inbox<std::string>& events_;
};

}  // namespace

TEST_CASE("A session actor ends with its connection and its connection with it") {
  log::configure(log::Level::off, log::Format::text);
  Inbox<std::string> events;
  NodeRuntime runtime(options(1));
  runtime.start();
  std::unique_ptr<Listener> listener;
  runtime.run_on(0, [&] {
    auto result = runtime.loop(0).network().listen("127.0.0.1", 0, [&](std::unique_ptr<Stream> stream) {
      spawn_on<EchoSession>(runtime.loop(0), std::move(stream), events);
    });
    if (result) listener = std::move(*result);
  });
  REQUIRE(listener);
  PlainClient client(listener->address().port);
  REQUIRE(client.send("hello"));
  REQUIRE(client.receive(5) == "hello");
  SECTION("the peer closes") {
    client.close();
    CHECK(events.take() == "the peer closed the connection");
    CHECK(events.take() == "exit");
  }
  SECTION("the session quits after a last answer") {
    REQUIRE(client.send("leave"));
    CHECK(client.receive(5) == "leave");
    CHECK(client.receive_end() == 0);
    CHECK(events.take() == "exit");
  }
  SECTION("the session fails") {
    REQUIRE(client.send("fail"));
    CHECK(client.receive_end() <= 0);
    CHECK(events.take() == "exit");
  }
  SECTION("the runtime stops") {
    runtime.stop();
    CHECK(client.receive_end() <= 0);
    CHECK(events.take() == "exit");
    listener.reset();
  }
  if (listener) runtime.run_on(0, [&] { listener.reset(); });
  log::configure(log::Level::info, log::Format::text);
}
