// Braid, Apache-2.0.
#include "codecs/websocket/handshake.hpp"

#include <catch2/catch.hpp>

using namespace braid::websocket;

namespace {

using Outcome = Handshake::Outcome;

std::string request(std::string_view extra = {}, std::string_view first = "GET /mqtt HTTP/1.1",
                    std::string_view host = "Host: localhost:8080\r\n") {
  return std::string(first) + "\r\n" + std::string(host) + "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         "Sec-WebSocket-Protocol: mqtt\r\n" + std::string(extra) + "\r\n";
}
std::string without(std::string text, std::string_view line) {
  const auto at = text.find(line);
  REQUIRE(at != std::string::npos);
  return text.erase(at, text.find("\r\n", at) + 2 - at);
}
std::string status(const std::string& text, const Policy& policy = {}) {
  const auto answer = shake_hands(text, policy);
  return answer.response.substr(0, 12);
}

}  // namespace

TEST_CASE("the key of the RFC's example is answered with its answer") {
  CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("a right request is accepted with the subprotocol that it offers, and what follows is not touched") {
  const auto text = request();
  const auto answer = shake_hands(text + "\x82", {});
  CHECK(answer.outcome == Outcome::accepted);
  CHECK(answer.bytes == text.size());
  CHECK(answer.response ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
  auto old = without(text, "Sec-WebSocket-Protocol");
  old.insert(old.size() - 2, "Sec-WebSocket-Protocol: chat\r\nsec-websocket-protocol: other , mqttv3.1\r\n");
  CHECK(shake_hands(old, {}).response.find("Protocol: mqttv3.1\r\n") != std::string::npos);
}

TEST_CASE("a request may come in pieces") {
  const auto text = request();
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK(shake_hands(std::string_view(text).substr(0, size), {}).outcome == Outcome::need_more);
}

TEST_CASE("each part that is missing or wrong gets its own error") {
  const auto good = request();
  CHECK(status(good) == "HTTP/1.1 101");
  CHECK(status(without(good, "Host")) == "HTTP/1.1 400");
  CHECK(status(without(good, "Upgrade: ")) == "HTTP/1.1 426");
  CHECK(status(without(good, "Connection")) == "HTTP/1.1 426");
  CHECK(status(without(good, "Sec-WebSocket-Version")) == "HTTP/1.1 426");
  CHECK(status(without(good, "Sec-WebSocket-Key")) == "HTTP/1.1 400");
  CHECK(status(without(good, "Sec-WebSocket-Protocol")) == "HTTP/1.1 400");
  CHECK(status(request({}, "POST /mqtt HTTP/1.1")) == "HTTP/1.1 405");
  CHECK(status(request({}, "GET /other HTTP/1.1")) == "HTTP/1.1 404");
  CHECK(status(request({}, "GET /mqttx HTTP/1.1")) == "HTTP/1.1 404");
  CHECK(status(request({}, "GET /mqtt HTTP/1.0")) == "HTTP/1.1 505");
  CHECK(status(request({}, "GET /mqtt?token=x HTTP/1.1")) == "HTTP/1.1 101");
  CHECK(status(request({}, "GET / HTTP/1.1")) == "HTTP/1.1 404");
  CHECK(status(request({}, "GET / HTTP/1.1"), {.root_path = true}) == "HTTP/1.1 101");
  CHECK(status(request("Content-Length: 5\r\n")) == "HTTP/1.1 400");
  CHECK(status(request("Transfer-Encoding: chunked\r\n")) == "HTTP/1.1 400");
  CHECK(status(request("Content-Length: 0\r\n")) == "HTTP/1.1 101");
  CHECK(status(request("Host: twice\r\n")) == "HTTP/1.1 400");
  CHECK(status(request("no colon\r\n")) == "HTTP/1.1 400");
  CHECK(status(request(": no name\r\n")) == "HTTP/1.1 400");
  CHECK(status(request("a b: c\r\n")) == "HTTP/1.1 400");
  CHECK(status(request(std::string("X: a\0b\r\n", 8))) == "HTTP/1.1 400");
  CHECK(status("GET\r\n\r\n") == "HTTP/1.1 400");
  std::string many;
  for (int i = 0; i < 70; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  CHECK(status(request(many)) == "HTTP/1.1 400");
  CHECK(status(request("X: " + std::string(9000, 'x') + "\r\n")) == "HTTP/1.1 431");
  CHECK(status(std::string(9000, 'G')) == "HTTP/1.1 431");
}

TEST_CASE("keys that are not 16 bytes in base64 are refused") {
  for (const auto* key : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25j*Q==",
                          "dGhlIHNhbXBsZSBub25jZQAA"}) {
    auto text = without(request(), "Sec-WebSocket-Key");
    text.insert(text.size() - 2, "Sec-WebSocket-Key: " + std::string(key) + "\r\n");
    CHECK(status(text) == "HTTP/1.1 400");
  }
}

TEST_CASE("pages of other sites are refused unless the operator names them") {
  const auto from = [](std::string origin, std::string host = "localhost:8080") {
    return request("Origin: " + origin + "\r\n", "GET /mqtt HTTP/1.1", "Host: " + host + "\r\n");
  };
  const Policy local{.local_hosts = true};
  CHECK(status(from("http://localhost:3000"), local) == "HTTP/1.1 101");
  CHECK(status(from("http://127.0.0.1", "127.0.0.1:8080"), local) == "HTTP/1.1 101");
  CHECK(status(from("http://[::1]:1", "[::1]:8080"), local) == "HTTP/1.1 101");
  CHECK(status(from("https://evil.example"), local) == "HTTP/1.1 403");
  CHECK(status(from("null"), local) == "HTTP/1.1 403");
  // A site that has its own name point here.
  CHECK(status(from("http://evil.example", "evil.example"), local) == "HTTP/1.1 403");
  CHECK(status(from("http://panel.example", "panel.example"), {}) == "HTTP/1.1 101");
  const Policy named{.local_hosts = true, .origins = "https://a.example, https://b.example"};
  CHECK(status(from("https://B.example"), named) == "HTTP/1.1 101");
  CHECK(status(from("https://b.example:444"), named) == "HTTP/1.1 403");
  CHECK(status(from("https://evil.example"), {.origins = "*"}) == "HTTP/1.1 101");
  // Who is no page need not say so.
  CHECK(status(request({}, "GET /mqtt HTTP/1.1", "Host: any.example\r\n"), local) == "HTTP/1.1 101");
}

TEST_CASE("a client of another protocol is named, and gets no HTTP") {
  const auto answer = shake_hands(std::string_view("\x10\x0f\x00\x04MQTT\x05\x02", 10), {});
  CHECK(answer.outcome == Outcome::refused);
  CHECK(answer.response.empty());
  CHECK(answer.reason.find("the client speaks MQTT") != std::string::npos);
}

TEST_CASE("requests for MQTT's path are told from others by their first bytes") {
  CHECK(is_for_mqtt("GET /mqtt HTTP/1.1"));
  CHECK(is_for_mqtt("GET /mqtt?a"));
  CHECK_FALSE(is_for_mqtt("GET /mqtt"));
  CHECK_FALSE(is_for_mqtt("GET /mqttx "));
  CHECK_FALSE(is_for_mqtt("POST /mqtt "));
  CHECK_FALSE(is_for_mqtt("GET /healthz "));
}
