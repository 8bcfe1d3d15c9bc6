// Braid, Apache-2.0.
//
// How connections begin: listeners of the real loop, connecting, and the session actors that live on them.
#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "runtime/connection_actor.hpp"
#include "runtime/log.hpp"
#include "unit/runtime/plain_client.hpp"
#include "unit/runtime/stream_server.hpp"

using namespace braid;
using namespace braid::test;

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
