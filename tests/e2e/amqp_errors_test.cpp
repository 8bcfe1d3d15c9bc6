// Braid, Apache-2.0.
//
// What AMQP clients are refused, with the codes and words of RabbitMQ: through librabbitmq, and over a bare socket for
// what no library would send.
#include <catch2/catch.hpp>

#include "e2e/support/amqp.hpp"
#include "e2e/support/broker.hpp"
#include "e2e/support/raw.hpp"

using namespace braid::e2e;
using namespace std::string_literals;

namespace {

Broker& broker() {
  static Broker shared({"amqp.max_message_bytes=64KiB", "amqp.max_channels=10", "amqp.max_consumers=2"});
  return shared;
}

std::string u16(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string u32(std::uint32_t value) {
  return u16(static_cast<std::uint16_t>(value >> 16)) + u16(static_cast<std::uint16_t>(value));
}
std::string frame(std::uint8_t type, std::uint16_t channel, const std::string& payload) {
  return std::string(1, static_cast<char>(type)) + u16(channel) + u32(static_cast<std::uint32_t>(payload.size())) +
         payload + '\xce';
}
std::string method(std::uint16_t channel, std::uint16_t class_id, std::uint16_t method_id,
                   const std::string& fields = {}) {
  return frame(1, channel, u16(class_id) + u16(method_id) + fields);
}
std::string short_text(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}
std::string long_text(const std::string& text) {
  return u32(static_cast<std::uint32_t>(text.size())) + text;
}

const std::string kHeader = "AMQP\0\0\x09\x01"s;

/// A client that has got as far as connection.open-ok, frame by frame.
struct RawClient {
  RawConnection socket{broker().amqp()};
  explicit RawClient(std::uint32_t frame_max = 131072) {
    socket.send(kHeader);
    REQUIRE(next_method() == std::pair<int, int>{10, 10});
    socket.send(
        method(0, 10, 11, long_text("") + short_text("PLAIN") + long_text("\0guest\0guest"s) + short_text("en_US")));
    REQUIRE(next_method() == std::pair<int, int>{10, 30});
    socket.send(method(0, 10, 31, u16(10) + u32(frame_max) + u16(0)) +
                method(0, 10, 40, short_text("/") + short_text("") + "\0"s));
    REQUIRE(next_method() == std::pair<int, int>{10, 41});
  }
  void open(std::uint16_t channel = 1) {
    socket.send(method(channel, 20, 10, short_text("")));
    REQUIRE(next_method() == std::pair<int, int>{20, 11});
  }
  std::pair<int, int> next_method() {
    const std::string head = take(7);
    if (head.size() < 7) return {0, 0};
    const auto byte = [](char c) { return static_cast<std::size_t>(static_cast<unsigned char>(c)); };
    const std::size_t size = byte(head[3]) << 24 | byte(head[4]) << 16 | byte(head[5]) << 8 | byte(head[6]);
    payload = take(size + 1);
    if (payload.size() < 4) return {0, 0};
    return {static_cast<int>(byte(payload[0]) << 8 | byte(payload[1])),
            static_cast<int>(byte(payload[2]) << 8 | byte(payload[3]))};
  }
  /// The reply code of the connection.close or channel.close that comes next.
  int close_code(int class_id = 10) {
    const auto got = next_method();
    if (got.first != class_id || got.second != (class_id == 10 ? 50 : 40)) return -1;
    return static_cast<unsigned char>(payload[4]) << 8 | static_cast<unsigned char>(payload[5]);
  }
  std::string take(std::size_t size) {
    if (buffered.size() < size) buffered += socket.receive(size - buffered.size());
    const std::string taken = buffered.substr(0, size);
    buffered.erase(0, taken.size());
    return taken;
  }
  std::string payload, buffered;
};

struct Refusal {
  int code;
  std::string text;
  bool operator==(const Refusal&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.code << " " << refusal.text;
}
Refusal refusal_of(const AmqpClient& client) {
  return {client.code(), client.text()};
}

}  // namespace

TEST_CASE("who is not known, and virtual hosts that are not there, are refused") {
  AmqpClient wrong(broker().amqp(), {.password = "wrong"});
  CHECK_FALSE(wrong.connected());
  CHECK(refusal_of(wrong) == Refusal{403,
                                     "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For "
                                     "details see the broker logfile."});
  AmqpClient elsewhere(broker().amqp(), {.vhost = "nowhere"});
  CHECK_FALSE(elsewhere.connected());
  CHECK(elsewhere.code() == 530);
  CHECK(elsewhere.text().starts_with("NOT_ALLOWED - "));
  CHECK(elsewhere.text().find("nowhere") != std::string::npos);
}

TEST_CASE("channel errors close the channel alone") {
  AmqpClient client(broker().amqp());
  REQUIRE(client.connected());
  std::uint16_t channel = 1;
  const auto fresh = [&] { REQUIRE(client.open(channel = channel % 9 + 2)); };
  fresh();
  CHECK_FALSE(client.declare("missing", {.passive = true}));
  CHECK(refusal_of(client) == Refusal{404, "NOT_FOUND - no queue 'missing' in vhost '/'"});
  fresh();
  client.publish("missing", "k", "b");
  CHECK(client.wait_closed() == 404);
  CHECK(client.text() == "NOT_FOUND - no exchange 'missing' in vhost '/'");
  fresh();
  CHECK_FALSE(client.declare_exchange("amq.mine", "direct"));
  CHECK(client.code() == 403);
  fresh();
  REQUIRE(client.declare("here"));
  CHECK_FALSE(client.declare("here", {.durable = true}));
  CHECK(client.code() == 406);
  CHECK(client.text().starts_with("PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'here' in vhost '/'"));
  fresh();
  client.ack(7);
  CHECK(client.wait_closed() == 406);
  CHECK(client.text() == "PRECONDITION_FAILED - unknown delivery tag 7");
  fresh();
  client.publish("", "here", "b", {.expiration = "soon"});
  CHECK(client.wait_closed() == 406);
  fresh();
  client.publish("", "here", "b", {.user_id = "somebody"});
  CHECK(client.wait_closed() == 406);
  CHECK(client.text() == "PRECONDITION_FAILED - user_id property set to 'somebody' but authenticated user was 'guest'");
  fresh();
  client.publish("", "here", std::string(70000, 'x'));
  CHECK(client.wait_closed() == 406);
  CHECK(client.text() == "PRECONDITION_FAILED - message size 70000 is larger than configured max size 65536");
  fresh();
  client.publish("", "here", "b", {.reply_to = "amq.rabbitmq.reply-to"});
  CHECK(client.wait_closed() == 406);
  CHECK(client.text() == "PRECONDITION_FAILED - fast reply consumer does not exist");
  fresh();
  CHECK_FALSE(client.consume("amq.rabbitmq.reply-to"));
  CHECK(refusal_of(client) == Refusal{406, "PRECONDITION_FAILED - reply consumer cannot acknowledge"});
  fresh();
  CHECK_FALSE(client.tx_commit());
  CHECK(refusal_of(client) == Refusal{406, "PRECONDITION_FAILED - channel is not transactional"});
  fresh();
  CHECK_FALSE(client.bind("", "amq.direct", "k"));
  CHECK(client.code() == 404);
  fresh();
  REQUIRE(client.consume("here", {.exclusive = true}));
  {
    AmqpClient other(broker().amqp());
    CHECK_FALSE(other.consume("here"));
    CHECK(refusal_of(other) == Refusal{403, "ACCESS_REFUSED - queue 'here' in vhost '/' in exclusive use"});
  }
  CHECK(client.connected());
  CHECK(client.delete_queue("here"));
}

TEST_CASE("acknowledging twice closes the channel, and gives back what it held") {
  AmqpClient client(broker().amqp());
  REQUIRE(client.declare("twice"));
  client.publish("", "twice", "1");
  client.publish("", "twice", "2");
  REQUIRE(client.get("twice"));
  REQUIRE(client.get("twice"));
  client.ack(1);
  client.ack(1);
  CHECK(client.wait_closed() == 406);
  REQUIRE(client.open(2));
  const auto back = client.get("twice");
  REQUIRE(back);
  CHECK(back->body == "2");
  CHECK(back->redelivered);
  client.ack(back->tag);
  CHECK_FALSE(client.get("twice"));
}

TEST_CASE("connection errors close the connection") {
  const auto code_of = [](const std::function<void(AmqpClient&)>& mistake) {
    AmqpClient client(broker().amqp());
    mistake(client);
    return client.code() == 0 ? client.wait_closed() : client.code();
  };
  CHECK(code_of([](AmqpClient& client) { client.publish("", "q", "b", {}, false, true); }) == 540);
  CHECK(code_of([](AmqpClient& client) {
          client.declare("tags");
          client.consume("tags", {.tag = "same"});
          client.consume("tags", {.tag = "same"});
        }) == 530);
  CHECK(code_of([](AmqpClient& client) {
          client.declare("many");
          for (int i = 0; i < 3; ++i) client.consume("many");
        }) == 530);
}

TEST_CASE("another protocol is answered with ours") {
  for (const auto& hello : {"AMQP\0\1\0\0"s, "AMQP\3\1\0\0"s, "GET / HTTP/1.1\r\n\r\n"s, "\x10\x0c\0\4MQTT\4\2\0\0"s}) {
    RawConnection socket(broker().amqp());
    socket.send(hello);
    CHECK(socket.receive(8) == kHeader);
    CHECK(socket.closed());
  }
}

TEST_CASE("frames that cannot be are answered with the protocol's errors") {
  SECTION("a frame larger than agreed") {
    RawClient client(8192);
    client.socket.send("\1\0\1"s + u32(9000));
    CHECK(client.close_code() == 501);
  }
  SECTION("a frame without its end") {
    RawClient client;
    std::string bad = method(1, 20, 10, short_text(""));
    bad.back() = 'x';
    client.socket.send(bad);
    CHECK(client.close_code() == 501);
  }
  SECTION("an unknown frame type") {
    RawClient client;
    client.socket.send(frame(7, 0, "abc"));
    CHECK(client.close_code() == 501);
  }
  SECTION("a method that does not exist") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 60, 99));
    CHECK(client.close_code() == 540);
  }
  SECTION("fields that end too early") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 50, 10, u16(0) + "\x20short"s));
    CHECK(client.close_code() == 502);
  }
  SECTION("a method on a channel that is not open") {
    RawClient client;
    client.socket.send(method(3, 60, 10, u32(0) + u16(1) + "\0"s));
    CHECK(client.close_code() == 504);
  }
  SECTION("a channel opened twice") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 20, 10, short_text("")));
    CHECK(client.close_code() == 504);
  }
  SECTION("more channels than agreed") {
    RawClient client;
    client.socket.send(method(11, 20, 10, short_text("")));
    CHECK(client.close_code() == 530);
  }
  SECTION("content without a method") {
    RawClient client;
    client.open();
    client.socket.send(frame(3, 1, "body"));
    CHECK(client.close_code() == 505);
  }
  SECTION("a method in the middle of a message") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 60, 40, u16(0) + short_text("") + short_text("q") + "\0"s) +
                       method(1, 60, 10, u32(0) + u16(1) + "\0"s));
    CHECK(client.close_code() == 505);
  }
  SECTION("a body longer than its header said") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 60, 40, u16(0) + short_text("") + short_text("q") + "\0"s) +
                       frame(2, 1, u16(60) + u16(0) + u32(0) + u32(3) + u16(0)) + frame(3, 1, "four"));
    CHECK(client.close_code() == 501);
  }
  SECTION("what only a broker says") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 60, 72, short_text("")));
    CHECK(client.close_code() == 503);
  }
  SECTION("a method of the handshake when it is over") {
    RawClient client;
    client.socket.send(method(0, 10, 31, u16(10) + u32(131072) + u16(0)));
    CHECK(client.close_code() == 503);
  }
  SECTION("channel.flow that would stop deliveries") {
    RawClient client;
    client.open();
    client.socket.send(method(1, 20, 20, "\0"s));
    CHECK(client.close_code() == 540);
  }
}

TEST_CASE("limits that are not the broker's are refused in connection.tune-ok") {
  for (const auto& wrong : {u16(0) + u32(131072) + u16(0), u16(11) + u32(131072) + u16(0), u16(10) + u32(4096) + u16(0),
                            u16(10) + u32(0) + u16(0), u16(10) + u32(131073) + u16(0)}) {
    RawConnection socket(broker().amqp());
    socket.send(
        kHeader +
        method(0, 10, 11, long_text("") + short_text("PLAIN") + long_text("\0guest\0guest"s) + short_text("en_US")) +
        method(0, 10, 31, wrong));
    const std::string all = socket.receive(100000, 1000);
    const auto at = all.rfind("\0\x0a\0\x32"s);
    REQUIRE(at != std::string::npos);
    CHECK((static_cast<unsigned char>(all[at + 4]) << 8 | static_cast<unsigned char>(all[at + 5])) == 530);
  }
}

TEST_CASE("after channel.close nothing of the channel counts until close-ok, and its number can be used again") {
  RawClient client;
  client.open();
  client.socket.send(method(1, 60, 80, u32(0) + u32(9) + "\0"s) + method(1, 60, 80, u32(0) + u32(10) + "\0"s) +
                     method(1, 50, 10, u16(0) + short_text("q") + "\0"s + u32(0)));
  REQUIRE(client.close_code(20) == 406);
  client.socket.send(method(1, 20, 41));
  client.open();
}

TEST_CASE("a client that says nothing more is given up after two heartbeats") {
  RawConnection socket(broker().amqp());
  socket.send(kHeader);
  REQUIRE(socket.receive(7).size() >= 7);
  socket.send(
      method(0, 10, 11, long_text("") + short_text("PLAIN") + long_text("\0guest\0guest"s) + short_text("en_US")) +
      method(0, 10, 31, u16(10) + u32(131072) + u16(1)) + method(0, 10, 40, short_text("/") + short_text("") + "\0"s));
  const std::string all = socket.receive(100000, 4000);
  CHECK(all.find(frame(8, 0, "")) != std::string::npos);
  CHECK(socket.closed());
}
