// Braid, Apache-2.0.
//
// The admin port over a real socket: what it answers, what it refuses, and that nothing holds it for long.
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <mutex>

#include "actors/admin/http_server.hpp"
#include "support/fake_admin.hpp"
#include "support/raw_client.hpp"

using namespace braid;
using namespace std::string_literals;

namespace {

struct AdminPort {
  test::FakeAdmin api;
  std::mutex mutex;
  std::string refused;
  std::unique_ptr<HttpServer> server;

  explicit AdminPort(HttpServerOptions options = {}) {
    options.on_refused = [this](const std::string& peer, const std::string& reason) {
      const std::lock_guard lock(mutex);
      refused += peer.substr(0, peer.rfind(':')) + " " + reason + "\n";
    };
    auto started = HttpServer::start(api, options);
    REQUIRE(started);
    server = std::move(*started);
    REQUIRE(server->port() != 0);
  }

  std::string send(std::string_view bytes) {
    test::RawClient client(server->port());
    REQUIRE(client.connected());
    client.send(bytes);
    auto answer = client.read_all();
    CHECK(client.closed);
    return answer;
  }
  std::string get(const std::string& path, const std::string& headers = "Host: 127.0.0.1\r\n") {
    return send("GET " + path + " HTTP/1.1\r\n" + headers + "\r\n");
  }
  std::string post(const std::string& body, const std::string& type = "application/json") {
    return send("POST /api/v1/topics HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type +
                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::string reasons() {
    const std::lock_guard lock(mutex);
    return refused;
  }
};

bool has_status(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

}  // namespace

TEST_CASE("admin port: a topic is created, read and deleted over HTTP") {
  AdminPort port;
  const auto created = port.post(R"({"name":"sensors","partitions":2})");
  CHECK(has_status(created, 201));
  CHECK(created.find("Content-Type: application/json") != std::string::npos);
  CHECK(created.find(R"("name":"sensors")") != std::string::npos);
  CHECK(has_status(port.get("/api/v1/topics/sensors"), 200));
  CHECK(port.get("/api/v1/topics?limit=1&after=a").find("sensors") != std::string::npos);
  CHECK(has_status(port.get("/healthz"), 200));
  CHECK(has_status(port.send("DELETE /api/v1/topics/sensors HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200));
  CHECK(has_status(port.get("/api/v1/topics/sensors"), 404));
  CHECK(has_status(port.send("PUT /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"), 405));
}

TEST_CASE("admin port: a chunked body is read as well") {
  AdminPort port;
  CHECK(has_status(
      port.send("POST /api/v1/topics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"
                "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"name\": \r\n4\r\n\"t\"}\r\n0\r\n\r\n"),
      201));
  CHECK(port.api.topics.contains("t"));
}

TEST_CASE("admin port: a page of another origin cannot change anything") {
  AdminPort port;
  // What a browser sends without asking leave: form types, and under another name by DNS rebinding.
  CHECK(has_status(port.post(R"({"name":"t"})", "text/plain"), 415));
  CHECK(has_status(port.post(R"({"name":"t"})", "application/x-www-form-urlencoded"), 415));
  CHECK(has_status(port.get("/api/v1/topics", "Host: attacker.example:8080\r\n"), 421));
  CHECK(has_status(port.get("/api/v1/topics", "Host: [::1]:8080\r\n"), 200));
  CHECK(has_status(port.get("/api/v1/topics", "Host: localhost:8080\r\n"), 200));
  CHECK(port.api.topics.empty());
}

TEST_CASE("admin port: bodies without a length, compressed, too large or broken are refused") {
  AdminPort port;
  const auto head = "POST /api/v1/topics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"s;
  CHECK(has_status(port.send(head + "\r\n"), 411));
  CHECK(has_status(port.send(head + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), 415));
  CHECK(has_status(port.post("{"), 400));
  CHECK(has_status(port.post(R"({"name":")" + std::string(300'000, 'x') + "\"}"), 413));
  CHECK(has_status(port.get("/" + std::string(600, 'x')), 414));
  CHECK(has_status(port.get("/" + std::string(10'000, 'x')), 414));
  CHECK(port.api.topics.empty());
}

TEST_CASE("admin port: headers or chunks without end are cut off") {
  AdminPort port;
  std::string headers = "GET / HTTP/1.1\r\n";
  while (headers.size() < 400'000) headers += "X-" + std::to_string(headers.size()) + ": y\r\n";
  CHECK(has_status(port.send(headers), 413));
  std::string chunks =
      "POST /api/v1/topics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  while (chunks.size() < 400'000) chunks += "400\r\n" + std::string(0x400, 'x') + "\r\n";
  CHECK(has_status(port.send(chunks), 413));
  CHECK(port.reasons().find("127.0.0.1 the request is larger than 262144 bytes") != std::string::npos);
  CHECK(has_status(port.get("/healthz"), 200));
}

TEST_CASE("admin port: a client that is too slow is told so, however often it sends a byte") {
  HttpServerOptions options;
  options.read_timeout_ms = 300;
  AdminPort port(options);
  test::RawClient client(port.server->port());
  client.send("GET /");
  const auto answer = client.read_all();
  CHECK(client.closed);
  CHECK(has_status(answer, 408));
  CHECK(port.reasons() == "127.0.0.1 the request took too long\n");
}

TEST_CASE("admin port: a client of another protocol is closed, and the log says which one it speaks") {
  AdminPort port;
  CHECK(port.send("\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01x"s).empty());
  CHECK(port.reasons() == "127.0.0.1 this is the HTTP port; the client speaks MQTT\n");
  CHECK(port.send("AMQP\0\0\x09\x01"s
                  "12345678")
            .empty());
  CHECK(port.reasons().find("the client speaks AMQP") != std::string::npos);
  test::RawClient silent(port.server->port());
  silent.finish_sending();
  CHECK(silent.read_all().empty());
  CHECK(silent.closed);
  CHECK(has_status(port.get("/healthz"), 200));
}

TEST_CASE("admin port: any bytes get an answer or a closed connection") {
  HttpServerOptions options;
  options.read_timeout_ms = 500;
  AdminPort port(options);
  for (
      const auto& bytes :
      {"\r\n\r\n"s, "GET\r\n\r\n"s, "GET / HTTP/9.9\r\n\r\n"s, "get / HTTP/1.1\r\n\r\n"s, "\0\0\0\0"s,
       "GET / HTTP/1.1\r\n: \r\n\r\n"s, "GET /%00%zz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"s,
       "POST /api/v1/topics HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: -5\r\n\r\n"s,
       "POST /api/v1/topics HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n"s,
       "GET / HTTP/1.1\r\nRange: bytes=zz-\r\n\r\n"s, std::string(1000, '\xff')}) {
    CAPTURE(bytes);
    test::RawClient client(port.server->port());
    client.send(bytes);
    client.finish_sending();
    client.read_all();
    CHECK(client.closed);
  }
  CHECK(has_status(port.get("/healthz"), 200));
}

TEST_CASE("admin port: more clients than threads are all answered") {
  AdminPort port;
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 50; ++i)
    answers.push_back(std::async(std::launch::async, [&] {
      test::RawClient client(port.server->port());
      client.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      return client.read_all();
    }));
  for (auto& answer : answers) CHECK(has_status(answer.get(), 200));
}

TEST_CASE("admin port: the end of the server ends connections that wait for a request") {
  HttpServerOptions options;
  options.read_timeout_ms = 600'000;
  AdminPort port(options);
  test::RawClient client(port.server->port());
  client.send("GET / HT");
  auto closed = std::async(std::launch::async, [&] { return client.read_all(); });
  port.server.reset();  // would wait ten minutes if it waited for the client
  closed.get();
  CHECK(client.closed);
}

TEST_CASE("admin port: a port that is taken is said, and not shared") {
  AdminPort port;
  test::FakeAdmin api;
  HttpServerOptions options;
  options.port = port.server->port();
  const auto second = HttpServer::start(api, options);
  REQUIRE_FALSE(second);
  CHECK(second.error() ==
        "cannot listen on 127.0.0.1:" + std::to_string(options.port) + " for the admin API: Address already in use");
}
