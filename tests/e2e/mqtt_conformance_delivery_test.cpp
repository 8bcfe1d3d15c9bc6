// Braid, Apache-2.0.
//
// Delivery to clients: section 4.3 to 4.9 of MQTT 5.0 and 4.3 to 4.6 of 3.1.1: acknowledgement, order, flow control,
// limits.
#include <deque>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

TEST_CASE("a delivery of quality of service 1 or 2 goes through its steps, each once",
          "[3.1.1 MQTT-4.3.2-1][3.1.1 MQTT-4.3.3-1][5.0 MQTT-4.3.2-3][5.0 MQTT-4.3.3-3][5.0 MQTT-4.3.3-4]"
          "[5.0 MQTT-4.3.3-5][5.0 MQTT-4.3.3-6][5.0 MQTT-3.6.2-1]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto topic = unique("steps/");
    auto client = connected(level), publisher = connected(5);
    client.subscribe(topic, 2);
    publisher.publish({.topic = topic, .payload = "1", .qos = 1});
    const auto first = client.expect_publish();
    CHECK(first.qos == 1);
    CHECK(client.ping().empty());  // nothing is sent again on a connection that lives
    client.send(acknowledge(PUBACK, first.id));
    CHECK(client.ping().empty());
    publisher.publish({.topic = topic, .payload = "2", .qos = 2});
    const auto second = client.expect_publish();
    CHECK(second.qos == 2);
    CHECK(client.ping().empty());
    client.send(acknowledge(PUBREC, second.id));
    const auto release = client.expect_answer(PUBREL);
    CHECK(release.id == second.id);
    CHECK(release.reason == 0);
    CHECK(client.ping().empty());
    // A PUBREC that comes again is answered again, and the message does not come back.
    client.send(acknowledge(PUBREC, second.id));
    CHECK(client.expect_answer(PUBREL).reason == 0);
    client.send(acknowledge(PUBCOMP, second.id));
    CHECK(client.ping().empty());
  }
}

TEST_CASE("acknowledgements of what was never sent are answered as unknown, or ignored", "[5.0 MQTT-3.6.2-1]") {
  for (const int level : levels) {
    auto client = connected(level);
    client.send(acknowledge(PUBACK, 77) + acknowledge(PUBCOMP, 78));
    CHECK(client.ping().empty());
    client.send(acknowledge(PUBREC, 79));
    const auto release = client.expect_answer(PUBREL);
    CHECK(release.id == 79);
    CHECK(release.reason == (level == 5 ? 0x92u : 0u));
    client.send(acknowledge(PUBREL, 80));
    const auto complete = client.expect_answer(PUBCOMP);
    CHECK(complete.id == 80);
    CHECK(complete.reason == (level == 5 ? 0x92u : 0u));
  }
}

TEST_CASE("a message that its receiver refuses is done with and gives its place back", "[5.0 MQTT-4.4.0-2]") {
  const auto topic = unique("refused/");
  auto client = connected(5, {.properties = property(receive_maximum, 1u)});
  client.subscribe(topic, 2);
  auto publisher = connected(5);
  for (const unsigned qos : {1u, 2u, 1u, 2u}) {
    publisher.publish({.topic = topic, .payload = "x", .qos = qos});
    const auto message = client.expect_publish();
    client.send(acknowledge(qos == 1 ? PUBACK : PUBREC, message.id, 0x87));
  }
  CHECK(client.ping().empty());
}

TEST_CASE("no more messages are on their way than the client's Receive Maximum; everything else goes on",
          "[5.0 MQTT-3.3.4-9][5.0 MQTT-3.3.4-10][5.0 MQTT-4.9.0-1][5.0 MQTT-4.9.0-2][5.0 MQTT-4.9.0-3]") {
  const auto topic = unique("window/");
  for (const unsigned window : {1u, 3u}) {
    auto client = connected(5, {.properties = property(receive_maximum, window)});
    client.subscribe(topic, 2);
    auto publisher = connected(5);
    constexpr int messages = 12;
    for (int i = 0; i < messages; ++i)
      publisher.publish({.topic = topic, .payload = std::to_string(i), .qos = 1 + static_cast<unsigned>(i) % 2});
    std::deque<Received> open;
    int next = 0;
    while (next < messages || !open.empty()) {
      while (open.size() < window && next < messages) {
        open.push_back(client.expect_publish());
        CHECK(open.back().payload == std::to_string(next++));
      }
      // The window is full, or all is sent: pings and subscriptions are answered, messages of quality of service 0
      // come.
      CHECK(client.ping().empty());
      CHECK(client.subscribe(unique("other/")) == 0);
      publisher.publish({.topic = topic, .payload = "free", .qos = 0});
      CHECK(client.expect_publish().payload == "free");
      const auto oldest = open.front();
      open.pop_front();
      if (oldest.qos == 1) {
        client.send(acknowledge(PUBACK, oldest.id));
        continue;
      }
      // A PUBREC does not give the place back; PUBCOMP does.
      client.send(acknowledge(PUBREC, oldest.id));
      CHECK(client.expect_answer(PUBREL).id == oldest.id);
      CHECK(client.ping().empty());
      client.send(acknowledge(PUBCOMP, oldest.id));
    }
  }
}

TEST_CASE("a client that has more publishes unacknowledged than the broker's Receive Maximum is disconnected",
          "[5.0 MQTT-3.3.4-7]") {
  auto client = connected(5);
  const auto most = number(client.connack.properties, receive_maximum, 65535);
  std::string all;
  for (unsigned id = 1; id <= most; ++id)
    all += encode(Publish{.topic = "unreleased", .payload = "x", .qos = 2, .id = id});
  client.send(all);
  for (unsigned id = 1; id <= most; ++id) CHECK(client.expect_answer(PUBREC).id == id);
  // All of them wait for their PUBREL: one of quality of service 0 is fine, one more of 1 or 2 is not.
  client.send(encode(Publish{.topic = "unreleased", .payload = "x"}));
  CHECK(client.ping().empty());
  client.send(encode(Publish{.topic = "unreleased", .payload = "x", .qos = 1, .id = most + 1}));
  CHECK(client.expect_disconnect() == 0x93);
}

TEST_CASE("a PUBCOMP gives a publisher its place back", "[5.0 MQTT-3.3.4-7]") {
  auto client = connected(5);
  const auto most = number(client.connack.properties, receive_maximum, 65535);
  for (unsigned i = 0; i < most + 10; ++i)
    client.publish({.topic = "released", .payload = "x", .qos = 2, .id = i % 1000 + 1});
  CHECK(client.ping().empty());
}

TEST_CASE("messages of one publisher on one topic come in the order in which they were sent",
          "[3.1.1 MQTT-4.6.0-5][3.1.1 MQTT-4.6.0-6][5.0 MQTT-4.6.0-5][5.0 MQTT-4.6.0-6][3.1.1 MQTT-4.5.0-1]"
          "[5.0 MQTT-4.5.0-1]") {
  for (const int level : levels)
    for (const unsigned qos : {0u, 1u, 2u}) {
      CAPTURE(level, qos);
      const auto topic = unique("order/");
      auto client = connected(level), publisher = connected(level);
      client.subscribe(topic, qos);
      constexpr unsigned messages = 200;
      std::string all;
      for (unsigned i = 1; i <= messages; ++i)
        all += encode(Publish{.level = level, .topic = topic, .payload = std::to_string(i), .qos = qos, .id = i});
      publisher.send(all);
      for (unsigned i = 1; i <= messages; ++i) {
        const auto message = client.expect_publish();
        CHECK(message.payload == std::to_string(i));
        if (qos == 1) client.send(acknowledge(PUBACK, message.id));
      }
      // Its own acknowledgements keep the order of the publishes, too.
      for (unsigned i = 1; i <= messages && qos != 0; ++i)
        CHECK(publisher.expect_answer(qos == 1 ? PUBACK : PUBREC).id == i);
    }
}

TEST_CASE("a message as large as the client allows comes, and one byte more is left out without stopping the rest",
          "[5.0 MQTT-3.1.2-24][5.0 MQTT-3.1.2-25]") {
  const auto topic = unique("size/");
  constexpr unsigned most = 200;
  for (const unsigned qos : {0u, 1u, 2u}) {
    auto client = connected(5, {.properties = property(maximum_packet_size, most) + property(receive_maximum, 1u)});
    client.subscribe(topic, qos);
    auto publisher = connected(5);
    // Two bytes of header and one of length, two of the name's length, the identifier, one of property length.
    const auto fits = most - 3 - 2 - topic.size() - (qos != 0 ? 2 : 0) - 1;
    for (int i = 0; i < 3; ++i) {
      publisher.publish({.topic = topic, .payload = std::string(fits + 1, 'l'), .qos = qos});
      publisher.publish({.topic = topic, .payload = std::string(fits, 'f'), .qos = qos});
      const auto message = client.expect_publish();
      CHECK(message.bytes == most);
      CHECK(message.payload == std::string(fits, 'f'));
      if (qos == 1) client.send(acknowledge(PUBACK, message.id));
      if (qos == 2) {
        client.send(acknowledge(PUBREC, message.id));
        client.expect_answer(PUBREL);
        client.send(acknowledge(PUBCOMP, message.id));
      }
    }
    CHECK(client.ping().empty());
  }
}

TEST_CASE("a retained message that is too large for the client is left out, and those behind it come",
          "[5.0 MQTT-3.1.2-25]") {
  const auto root = unique("sizes");
  auto publisher = connected(5);
  for (const auto* name : {"/a", "/b", "/c", "/d"})
    publisher.publish(
        {.topic = root + name, .payload = std::string(name[1] == 'b' ? 500 : 5, 'x'), .qos = 1, .retain = true});
  auto client = connected(5, {.properties = property(maximum_packet_size, 100u) + property(receive_maximum, 1u)});
  client.subscribe(root + "/#", 1);
  for (int i = 0; i < 3; ++i) {
    const auto message = client.expect_publish();
    CHECK(message.payload.size() == 5);
    client.send(acknowledge(PUBACK, message.id));
  }
  CHECK(client.ping().empty());
}

TEST_CASE("a client that gave no Topic Alias Maximum, or 0, gets no aliases",
          "[5.0 MQTT-3.1.2-26][5.0 MQTT-3.1.2-27][5.0 MQTT-3.3.2-11]") {
  const auto root = unique("names");
  for (const std::uint32_t maximum : {0u, 2u}) {
    auto client = connected(5, {.properties = maximum == 0 ? std::string() : property(topic_alias_maximum, maximum)});
    client.subscribe(root + "/#", 1);
    auto publisher = connected(5);
    std::vector<std::string> names(maximum + 1);
    for (int i = 0; i < 12; ++i) {
      const auto name = root + "/" + std::to_string(i % 4);
      publisher.publish({.topic = name, .payload = "x", .qos = 1});
      const auto message = client.expect_publish();
      const auto alias = number(message.properties, topic_alias);
      CHECK(alias <= maximum);
      if (!message.topic.empty()) {
        CHECK(message.topic == name);
        if (alias != 0 && alias <= maximum) names[alias] = name;
      } else {
        REQUIRE(alias != 0);
        CHECK(names[alias] == name);
      }
      client.send(acknowledge(PUBACK, message.id));
    }
  }
}

TEST_CASE("an acknowledgement that is under way when a message expires is still taken",
          "[5.0 MQTT-4.3.3-7][5.0 MQTT-4.3.3-13]") {
  const auto topic = unique("late/");
  auto client = connected(5), publisher = connected(5);
  client.subscribe(topic, 2);
  client.subscribe(topic + "/retained", 0);
  publisher.publish({.topic = topic, .payload = "x", .qos = 2, .properties = property(message_expiry, 1u)});
  const auto message = client.expect_publish();
  // A second later by the broker's clock: a retained message with the same expiry is gone.
  publisher.publish({.topic = topic + "/retained",
                     .payload = "x",
                     .qos = 1,
                     .retain = true,
                     .properties = property(message_expiry, 1u)});
  client.expect_publish();
  REQUIRE(eventually([&] {
    auto looker = connected(5);
    return retained_for(looker, topic + "/retained").empty();
  }));
  client.send(acknowledge(PUBREC, message.id));
  CHECK(client.expect_answer(PUBREL).reason == 0);
  client.send(acknowledge(PUBCOMP, message.id));
  CHECK(client.ping().empty());
  // And from the other side: a publisher's PUBREL is answered although its message has expired.
  publisher.send(
      encode(Publish{.topic = topic, .payload = "y", .qos = 2, .id = 40, .properties = property(message_expiry, 0u)}));
  CHECK(publisher.expect_answer(PUBREC).reason < 0x80);
  publisher.send(acknowledge(PUBREL, 40));
  CHECK(publisher.expect_answer(PUBCOMP).reason == 0);
}
