// Braid, Apache-2.0.
//
// How a connection ends: wills (3.1.2.5), keep alive (3.1.2.10), DISCONNECT (3.14), errors (4.13).
#include <chrono>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

TEST_CASE("a will is published when its connection ends without DISCONNECT",
          "[3.1.1 MQTT-3.1.2-8][5.0 MQTT-3.1.2-7][5.0 MQTT-3.1.2-8]") {
  for (const int level : levels)
    for (const unsigned qos : {0u, 1u, 2u}) {
      CAPTURE(level, qos);
      const auto topic = unique("will/");
      auto watcher = connected(5);
      watcher.subscribe(topic, 2);
      auto client = connected(level, {.will = Will{.topic = topic, .payload = std::string("by\0e", 4), .qos = qos}});
      client.drop();
      const auto will = watcher.expect_publish();
      CHECK(will.payload == std::string("by\0e", 4));
      CHECK(will.qos == qos);
      CHECK_FALSE(will.retain);
      CHECK_FALSE(will.dup);
    }
}

TEST_CASE("a will is published when the broker ends the connection for an error", "[5.0 MQTT-4.13.2-1]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto topic = unique("wrong/");
    auto watcher = connected(5);
    watcher.subscribe(topic);
    auto client = connected(level, {.will = Will{.topic = topic, .payload = "broken"}});
    client.send(packet(0, {}));
    CHECK(watcher.expect_publish().payload == "broken");
  }
}

TEST_CASE("a will is published when another connection takes the identifier", "[5.0 MQTT-3.1.4-3]") {
  for (const int level : levels) {
    const auto topic = unique("takeover/"), id = unique("wills");
    auto watcher = connected(5);
    watcher.subscribe(topic);
    auto first = connected(level, {.client_id = id, .will = Will{.topic = topic, .payload = "first"}});
    auto second = connected(level, {.client_id = id, .will = Will{.topic = topic, .payload = "second"}});
    CHECK(watcher.expect_publish().payload == "first");
    second.drop();
    CHECK(watcher.expect_publish().payload == "second");
  }
}

TEST_CASE("DISCONNECT drops the will, and a connection without a will leaves none",
          "[3.1.1 MQTT-3.1.2-10][3.1.1 MQTT-3.1.2-12][3.1.1 MQTT-3.14.4-3][5.0 MQTT-3.1.2-10][5.0 MQTT-3.14.4-3]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto topic = unique("dropped/");
    auto watcher = connected(5);
    watcher.subscribe(topic);
    auto ordered = connected(level, {.will = Will{.topic = topic, .payload = "no"}});
    ordered.send(disconnect());
    CHECK(ordered.ends());
    if (level == 5) {
      auto spelled_out = connected(5, {.will = Will{.topic = topic, .payload = "no"}});
      spelled_out.send(disconnect(0x00, std::string()));
      CHECK(spelled_out.ends());
    }
    connected(level).drop();
    connected(5).publish({.topic = topic, .payload = "nothing before", .qos = 1});
    CHECK(watcher.expect_publish().payload == "nothing before");
  }
}

TEST_CASE("a DISCONNECT with another reason than 0x00 leaves the will to be published", "[5.0 MQTT-3.1.2-8]") {
  for (const unsigned reason :
       {0x04u, 0x80u, 0x81u, 0x82u, 0x83u, 0x90u, 0x93u, 0x94u, 0x95u, 0x96u, 0x97u, 0x98u, 0x99u}) {
    CAPTURE(reason);
    const auto topic = unique("reason/");
    auto watcher = connected(5);
    watcher.subscribe(topic);
    auto client = connected(5, {.will = Will{.topic = topic, .payload = "still"}});
    client.send(disconnect(reason));
    CHECK(client.ends());
    CHECK(watcher.expect_publish().payload == "still");
  }
}

TEST_CASE("a will is retained exactly when Will Retain says so",
          "[3.1.1 MQTT-3.1.2-16][3.1.1 MQTT-3.1.2-17][5.0 MQTT-3.1.2-14][5.0 MQTT-3.1.2-15]") {
  for (const int level : levels)
    for (const bool retain : {false, true}) {
      CAPTURE(level, retain);
      const auto topic = unique("retained/");
      auto watcher = connected(5);
      watcher.subscribe(topic);
      connected(level, {.will = Will{.topic = topic, .payload = "state", .qos = 1, .retain = retain}}).drop();
      CHECK(watcher.expect_publish().payload == "state");
      auto later = connected(5);
      const auto found = retained_for(later, topic);
      REQUIRE(found.size() == (retain ? 1 : 0));
      if (retain) CHECK(found[0].payload == "state");
    }
}

TEST_CASE("the properties of a will travel with it, user properties in their order",
          "[5.0 MQTT-3.1.3-10][5.0 MQTT-3.3.2-4][5.0 MQTT-3.3.2-15][5.0 MQTT-3.3.2-16][5.0 MQTT-3.3.2-20]") {
  const auto topic = unique("dressed/");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  const auto properties = property(user_property, "b", "1") + property(payload_format, 1u) +
                          property(content_type, "text/plain") + property(user_property, "a", "2") +
                          property(response_topic, "re/ply") +
                          property(correlation_data, std::string_view("\0\x01", 2)) +
                          property(user_property, "b", "1") + property(message_expiry, 1000u);
  connected(5, {.will = Will{.topic = topic, .properties = properties}}).drop();
  const auto will = watcher.expect_publish();
  CHECK(number(will.properties, payload_format) == 1);
  REQUIRE(find(will.properties, content_type));
  CHECK(find(will.properties, content_type)->text == "text/plain");
  REQUIRE(find(will.properties, response_topic));
  CHECK(find(will.properties, response_topic)->text == "re/ply");
  REQUIRE(find(will.properties, correlation_data));
  CHECK(find(will.properties, correlation_data)->text == std::string("\0\x01", 2));
  CHECK(number(will.properties, message_expiry) >= 999);
  std::string users;
  for (const auto& one : will.properties)
    if (one.id == user_property) users += one.text + "=" + one.value + " ";
  CHECK(users == "b=1 a=2 b=1 ");
}

TEST_CASE("a response topic of a will has no wildcards", "[5.0 MQTT-3.3.2-13][5.0 MQTT-3.3.2-14]") {
  for (const auto* topic : {"a/+", "#", "a/\xff"}) {
    const int code =
        refusal_of(encode(Connect{.client_id = "id", .will = Will{.properties = property(response_topic, topic)}}));
    CHECK((code == 0x81 || code == 0x82));
  }
}

TEST_CASE("a client that is silent for one and a half times its keep alive is dropped, not sooner, will and all",
          "[3.1.1 MQTT-3.1.2-24][5.0 MQTT-3.1.2-22][5.0 MQTT-3.2.2-22]") {
  const auto topic = unique("silent/");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  for (const int level : levels) {
    CAPTURE(level);
    auto client = connected(level, {.keep_alive_s = 1, .will = Will{.topic = topic, .payload = "silent"}});
    CHECK_FALSE(find(client.connack.properties, server_keep_alive));
    const auto begin = std::chrono::steady_clock::now();
    client.ping();
    if (level == 5)
      CHECK(client.expect_disconnect() == 0x8d);
    else
      CHECK(client.ends());
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(1500));
    CHECK(watcher.expect_publish().payload == "silent");
  }
}

TEST_CASE("a keep alive of the broker's takes the place of the client's, which is told", "[5.0 MQTT-3.2.2-21]") {
  Broker strict({"mqtt.max_keep_alive_s=1"});
  for (const unsigned wanted : {0u, 2u, 60u}) {
    Client client(strict.mqtt(), Connect{.client_id = unique("k"), .keep_alive_s = wanted});
    CHECK(number(client.connack.properties, server_keep_alive) == 1);
    if (wanted == 60) CHECK(client.expect_disconnect() == 0x8d);
  }
  CHECK_FALSE(find(Client(strict.mqtt(), Connect{.client_id = "one", .keep_alive_s = 1}).connack.properties,
                   server_keep_alive));
}

TEST_CASE("reserved flags of DISCONNECT have to be 0", "[3.1.1 MQTT-3.14.1-1][5.0 MQTT-3.14.1-1]") {
  for (const int level : levels)
    for (unsigned flags = 1; flags < 16; ++flags) {
      CAPTURE(level, flags);
      const auto topic = unique("flags/");
      CHECK(end_after(level, packet(DISCONNECT << 4 | flags, {})) == (level == 5 ? 0x81u : 0u));
    }
}

TEST_CASE("a DISCONNECT has a reason code that a client may give, and its properties", "[5.0 MQTT-3.14.2-1]") {
  for (const unsigned reason :
       {0x01u, 0x02u, 0x03u, 0x05u, 0x18u, 0x87u, 0x89u, 0x8bu, 0x8du, 0x8eu, 0x9cu, 0xa2u, 0xffu}) {
    CAPTURE(reason);
    CHECK(end_after(5, disconnect(reason)) == 0x82);
  }
  CHECK(end_after(5, disconnect(0x00, property(server_reference, "x"))) >= 0x81);
  CHECK(end_after(5, disconnect(0x00, property(receive_maximum, 1u))) == 0x81);
  CHECK(end_after(5, packet(DISCONNECT << 4, std::string_view("\0\5\x1f", 3))) == 0x81);
  for (const int level : {3, 4}) end_after(level, packet(DISCONNECT << 4, std::string_view("\0", 1)));
  auto polite = connected(5);
  polite.send(disconnect(0x00, property(reason_string, "bye") + property(user_property, "a", "b")));
  CHECK(polite.ends());
}

TEST_CASE("a session expiry of 0 cannot be raised by DISCONNECT", "[5.0 MQTT-4.13.1-1]") {
  CHECK(end_after(5, disconnect(0x00, property(session_expiry, 60u))) == 0x82);
  auto stays = connected(5);
  stays.send(disconnect(0x00, property(session_expiry, 0u)));
  CHECK(stays.ends());
}

TEST_CASE("what comes behind a DISCONNECT is not looked at",
          "[3.1.1 MQTT-3.14.4-1][3.1.1 MQTT-3.14.4-2][5.0 MQTT-3.14.4-1][5.0 MQTT-3.14.4-2]") {
  const auto topic = unique("late/");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  for (const int level : levels) {
    auto client = connected(level);
    client.send(disconnect() + encode(Publish{.level = level, .topic = topic, .payload = "late"}) + pingreq());
    CHECK(client.ends());
  }
  connected(5).publish({.topic = topic, .payload = "in time", .qos = 1});
  CHECK(watcher.expect_publish().payload == "in time");
}

TEST_CASE("a DISCONNECT from the broker has no session expiry, says why, and fits the client's limit",
          "[5.0 MQTT-3.14.2-2][5.0 MQTT-3.14.2-3][5.0 MQTT-3.14.2-4]") {
  const auto farewell = [](const std::string& properties) {
    auto client = connected(5, {.properties = properties});
    client.send(packet(CONNECT << 4, {}));
    return client.expect(DISCONNECT);
  };
  const auto whole = farewell({});
  CHECK(whole.bytes > 4);
  auto client = connected(5);
  client.send(packet(CONNECT << 4, {}));
  const auto answer = client.expect_answer(DISCONNECT);
  CHECK(find(answer.properties, reason_string));
  CHECK_FALSE(find(answer.properties, session_expiry));
  CHECK(client.ends());
  const auto size = static_cast<std::uint32_t>(whole.bytes);
  CHECK(farewell(property(maximum_packet_size, size)).bytes == size);
  CHECK(farewell(property(maximum_packet_size, size - 1)).bytes <= 4);
}

TEST_CASE("a violation of the protocol ends its connection and no other",
          "[3.1.1 MQTT-4.8.0-1][3.1.1 MQTT-4.8.0-2][5.0 MQTT-4.13.1-1][5.0 MQTT-4.13.2-1]") {
  const auto topic = unique("calm/");
  auto bystander = connected(5);
  bystander.subscribe(topic);
  for (const int level : levels) {
    end_after(level, packet(0xf0, "\xff"));
    end_after(level, packet(0, {}));
    end_after(level, encode(Publish{.level = level, .topic = "a/#", .payload = "x"}));
    end_after(level, wire::subscribe(level, 0, {{"a", 0}}));
  }
  bystander.publish({.topic = topic, .payload = "fine", .qos = 0});
  CHECK(bystander.expect_publish().payload == "fine");
}
