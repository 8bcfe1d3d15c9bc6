// Braid, Apache-2.0.
//
// Streams of the real loop over loopback, against a plain blocking client.
#include "runtime/stream.hpp"

#include <catch2/catch.hpp>

#include "unit/runtime/plain_client.hpp"
#include "unit/runtime/stream_server.hpp"

using namespace braid;
using namespace braid::test;

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
