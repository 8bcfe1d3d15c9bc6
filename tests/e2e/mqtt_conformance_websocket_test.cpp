// Braid, Apache-2.0.
//
// MQTT over WebSocket: section 6 of MQTT 3.1.1 and 5.0, on the HTTP port and on a port of its own, byte by byte and
// through a client library.
#include <fstream>

#include "e2e/support/conformance.hpp"
#include "e2e/support/websocket.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

const bool kSettings = [] {
  settings() = {"listeners.mqtt_websocket.enabled=true", "listeners.mqtt_websocket.port=0",
                "limits.max_send_buffer_bytes=1MiB"};
  return true;
}();

std::uint16_t own_port() {
  static const auto port = broker().port_of("mqtt_websocket");
  return port;
}
std::vector<std::uint16_t> ports() {
  return {broker().http(), own_port()};
}

using Socket = WebSocketClient;

std::string connect(int level, const std::string& id) {
  return encode(Connect{.level = level, .client_id = id});
}
/// Reads binary frames until they hold `size` bytes of MQTT.
std::string receive(Socket& socket, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const auto frame = socket.read();
    if (!frame) return bytes;
    CHECK(frame->first == (Socket::binary | Socket::final));
    bytes += frame->payload;
  }
  return bytes;
}

}  // namespace

TEST_CASE("a client that offers the subprotocol mqtt gets it, and MQTT in binary frames",
          "[3.1.1 MQTT-6.0.0-1][3.1.1 MQTT-6.0.0-4][5.0 MQTT-6.0.0-1][5.0 MQTT-6.0.0-4]") {
  for (const auto at : ports())
    for (const int level : {4, 5}) {
      Socket socket(at);
      const auto answer = socket.shake_hands("/mqtt", level == 4 ? "chat, mqtt" : "mqtt");
      CHECK(answer.find("HTTP/1.1 101 ") == 0);
      CHECK(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
      CHECK(answer.find("Sec-WebSocket-Protocol: mqtt\r\n") != std::string::npos);
      socket.send_frame(Socket::final | Socket::binary, connect(level, unique("ws")));
      const auto connack = receive(socket, 4);
      CHECK(connack[0] == 0x20);
      CHECK(connack[3] == 0);
    }
  Socket old(own_port());
  CHECK(old.shake_hands("/", "mqttv3.1").find("Sec-WebSocket-Protocol: mqttv3.1\r\n") != std::string::npos);
  old.send_frame(Socket::final | Socket::binary, connect(3, unique("ws")));
  CHECK(receive(old, 4)[3] == 0);
}

TEST_CASE("a client that does not offer mqtt is refused in the words of HTTP",
          "[3.1.1 MQTT-6.0.0-3][5.0 MQTT-6.0.0-3]") {
  for (const auto at : ports()) {
    Socket socket(at);
    CHECK(socket.shake_hands("/mqtt", "chat").find("HTTP/1.1 400 ") == 0);
    CHECK(socket.ends());
  }
}

TEST_CASE("requests that are wrong get an HTTP error, and the other paths of the HTTP port are what they were") {
  const auto status = [](std::uint16_t at, const std::string& bytes) {
    Socket socket(at);
    const auto answer = socket.request(bytes);
    CHECK(socket.ends());
    return answer.substr(0, 12);
  };
  for (const auto at : ports()) {
    CHECK(status(at, "GET /mqtt HTTP/1.1\r\nHost: localhost\r\n\r\n") == "HTTP/1.1 426");
    CHECK(status(at, "GET /mqtt HTTP/1.0\r\n\r\n") == "HTTP/1.1 505");
    CHECK(status(at, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n") == "HTTP/1.1 404");
    CHECK(status(at, "GET /mqtt HTTP/1.1\r\nX: " + std::string(9000, 'x')) == "HTTP/1.1 431");
    Socket page(at);
    CHECK(page.shake_hands("/mqtt", "mqtt", "Origin: https://evil.example\r\n").find("HTTP/1.1 403 ") == 0);
    Socket local(at);
    CHECK(local.shake_hands("/mqtt", "mqtt", "Origin: http://localhost:3000\r\n").find("HTTP/1.1 101 ") == 0);
  }
  CHECK(status(broker().http(), "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") == "HTTP/1.1 200");
}

TEST_CASE("a client of bare MQTT on the WebSocket port is closed, and the log says what it speaks") {
  Broker fresh({"listeners.mqtt_websocket.enabled=true", "listeners.mqtt_websocket.port=0"});
  RawConnection bare(fresh.port_of("mqtt_websocket"));
  bare.send(connect(5, "bare"));
  CHECK(bare.closed());
  CHECK(fresh.logs("this port takes MQTT over WebSocket; the client speaks MQTT"));
}

TEST_CASE("packets and frames need not have anything to do with each other", "[3.1.1 MQTT-6.0.0-2][5.0 MQTT-6.0.0-2]") {
  for (const auto at : ports())
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{17}, std::size_t{100000}}) {
      CAPTURE(step);
      const auto topic = unique("ws/");
      const std::string payload(70000, 'p');
      auto watcher = connected(5);
      watcher.subscribe(topic);
      Socket socket(at);
      socket.shake_hands();
      auto bytes = connect(5, unique("ws")) + encode(Publish{.topic = topic, .payload = "small", .qos = 1, .id = 1});
      if (step > 1) bytes += encode(Publish{.topic = topic, .payload = payload, .qos = 1, .id = 2});
      bytes += pingreq();
      // One message in fragments, with a ping between them.
      std::string all;
      for (std::size_t begin = 0; begin < bytes.size(); begin += step) {
        const bool last = begin + step >= bytes.size();
        all += Socket::frame((begin == 0 ? Socket::binary : 0) | (last ? Socket::final : 0), bytes.substr(begin, step));
        if (begin == step) all += Socket::frame(Socket::final | Socket::ping, "between");
      }
      socket.send(all);
      bool pinged = false;
      std::string received;
      while (received.find(std::string("\xd0\0", 2)) == std::string::npos) {
        const auto frame = socket.read();
        REQUIRE(frame);
        if (frame->first == (Socket::pong | Socket::final)) {
          CHECK(frame->payload == "between");
          pinged = true;
        } else {
          CHECK(frame->first == (Socket::binary | Socket::final));
          received += frame->payload;
        }
      }
      CHECK(pinged == (bytes.size() > step));
      CHECK(watcher.expect_publish().payload == "small");
      if (step > 1) CHECK(watcher.expect_publish().payload == payload);
    }
}

TEST_CASE("what was sent together with the handshake is not lost") {
  for (const auto at : ports()) {
    Socket socket(at);
    const auto answer = socket.request(
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n" +
        Socket::frame(Socket::final | Socket::binary, connect(4, unique("early")) + pingreq()));
    CHECK(answer.find("HTTP/1.1 101 ") == 0);
    CHECK(receive(socket, 6) == std::string("\x20\x02\0\0\xd0\0", 6));
  }
}

TEST_CASE("a text frame, an unmasked frame or any other wrong one ends the connection, will and all",
          "[3.1.1 MQTT-6.0.0-1][5.0 MQTT-6.0.0-1]") {
  const std::string wrong[] = {
      Socket::frame(Socket::final | Socket::text, pingreq()),
      std::string("\x82\x02\xc0\0", 4),
      Socket::frame(Socket::final | 3, "x"),
      Socket::frame(Socket::final | 0x40 | Socket::binary, "x"),
      Socket::frame(Socket::ping, "x"),
      Socket::frame(Socket::final, "x"),
  };
  for (const auto at : ports())
    for (const auto& bytes : wrong) {
      CAPTURE(bytes);
      const auto topic = unique("wswill/");
      auto watcher = connected(5);
      watcher.subscribe(topic);
      Socket socket(at);
      socket.shake_hands();
      socket.send_frame(Socket::final | Socket::binary,
                        encode(Connect{.client_id = unique("ws"), .will = Will{.topic = topic}}));
      receive(socket, 4);
      socket.send(bytes);
      const auto farewell = socket.read();
      REQUIRE(farewell);
      CHECK(farewell->first == (Socket::close | Socket::final));
      if (bytes == wrong[0]) CHECK(farewell->payload == "\x03\xeb");  // 1003: a kind of data that is not accepted
      CHECK(socket.ends());
      CHECK(watcher.expect_publish().payload == "gone");
    }
}

TEST_CASE("a closing frame is answered; what came before it counts") {
  for (const auto at : ports()) {
    const auto topic = unique("wsclose/");
    auto watcher = connected(5);
    watcher.subscribe(topic);
    Socket socket(at);
    socket.shake_hands();
    // All at once: the broker sees the end before it has accepted the CONNECT.
    socket.send(Socket::frame(Socket::final | Socket::binary,
                              encode(Connect{.client_id = unique("ws"), .will = Will{.topic = topic}}) +
                                  encode(Publish{.topic = topic, .payload = "said"}) + disconnect()) +
                Socket::frame(Socket::final | Socket::close, std::string_view("\x03\xe8", 2)));
    bool answered = false;
    while (const auto frame = socket.read())
      answered = answered || (frame->first == (Socket::close | Socket::final) && frame->payload == "\x03\xe8");
    CHECK(answered);
    CHECK(socket.ends());
    CHECK(watcher.expect_publish().payload == "said");
    // No will behind it: it was an ordered end.
    connected(5).publish({.topic = topic, .payload = "end", .qos = 1});
    CHECK(watcher.expect_publish().payload == "end");
  }
}

TEST_CASE("an MQTT error and an ordered end of the broker's come with a closing frame") {
  for (const auto at : ports()) {
    Socket socket(at);
    socket.shake_hands();
    socket.send_frame(Socket::final | Socket::binary, connect(5, unique("ws")));
    receive(socket, 4);
    socket.send_frame(Socket::final | Socket::binary, packet(0, {}));
    const auto answer = socket.read();
    REQUIRE(answer);
    CHECK(answer->payload.substr(0, 1) == "\xe0");  // DISCONNECT
    const auto farewell = socket.read();
    REQUIRE(farewell);
    CHECK(farewell->first == (Socket::close | Socket::final));
    CHECK(socket.ends());
  }
}

TEST_CASE("a client that sends pings and does not read the pongs is not read for ever") {
  auto bystander = connected(5);
  const auto topic = unique("calm/");
  bystander.subscribe(topic);
  Socket socket(own_port());
  socket.shake_hands();
  socket.send_frame(Socket::final | Socket::binary, connect(5, unique("ws")));
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += Socket::frame(Socket::final | Socket::ping, std::string(125, 'p'));
  // More than the buffers of both sockets and the broker's mark take: at some point sending stalls.
  std::size_t sent = 0;
  while (sent < (64u << 20) && socket.send_for(pings, 300)) sent += pings.size();
  CHECK(sent < (64u << 20));
  bystander.publish({.topic = topic, .payload = "fine", .qos = 0});
  CHECK(bystander.expect_publish().payload == "fine");
}

TEST_CASE("Paho for Python publishes and subscribes over WebSocket on both ports") {
  for (const auto at : ports()) {
    const auto directory = temporary_directory();
    std::ofstream(directory + "/client.py") << R"(
import sys, threading
import paho.mqtt.client as mqtt
port, version = int(sys.argv[1]), int(sys.argv[2])
done = threading.Event()
got = []
def on_connect(client, *rest):
    client.subscribe("paho/#", 1)
def on_subscribe(client, *rest):
    for qos in (0, 1, 2):
        client.publish("paho/%d" % qos, b"x" * (10 ** (qos + 3)), qos)
def on_message(client, user, message):
    got.append((message.topic, len(message.payload)))
    if len(got) == 3:
        done.set()
client = mqtt.Client(client_id="paho%d" % version, transport="websockets", protocol=version)
client.ws_set_options(path="/mqtt")
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port)
client.loop_start()
ok = done.wait(20)
client.disconnect()
client.loop_stop()
print(sorted(got))
sys.exit(0 if ok and sorted(got) == [("paho/0", 1000), ("paho/1", 10000), ("paho/2", 100000)] else 1)
)";
    for (const int version : {3, 4, 5}) {
      const auto result =
          run("/usr/bin/python3 " + directory + "/client.py " + std::to_string(at) + " " + std::to_string(version));
      INFO(result.out << result.err);
      CHECK(result.exit_code == 0);
    }
  }
}
