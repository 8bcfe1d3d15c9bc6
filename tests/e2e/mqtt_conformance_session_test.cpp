// Braid, Apache-2.0.
//
// Sessions that outlive their connection: sections 3.1.2.4, 4.1 and 4.4, and wills that wait for their session's end.
#include <chrono>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

using Clock = std::chrono::steady_clock;

/// A CONNECT for a session that is kept for `expiry_s`; before MQTT 5 for one that is kept at all.
Connect kept(int level, const std::string& id, std::uint32_t expiry_s = 600) {
  return {.level = level,
          .client_id = id,
          .clean = false,
          .properties = level == 5 ? property(session_expiry, expiry_s) : std::string()};
}
Client resumed(int level, const std::string& id, std::uint32_t expiry_s = 600) {
  auto client = connected(level, kept(level, id, expiry_s));
  // MQTT 3.1 has no word for it.
  CHECK(client.connack.session_present() == (level != 3));
  return client;
}

}  // namespace

TEST_CASE("a session that is to be kept is there when its client comes back, subscriptions and all",
          "[3.1.1 MQTT-3.1.2-4][3.1.1 MQTT-3.1.2-5][3.1.1 MQTT-3.2.2-2][3.1.1 MQTT-4.1.0-1][3.1.1 MQTT-4.1.0-2]"
          "[3.1.1 MQTT-4.5.0-1][5.0 MQTT-3.1.2-5][5.0 MQTT-3.1.2-23][5.0 MQTT-3.2.2-3][5.0 MQTT-4.1.0-1]"
          "[5.0 MQTT-4.5.0-1]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto id = unique("kept"), topic = unique("kept/");
    {
      auto client = connected(level, kept(level, id));
      CHECK_FALSE(client.connack.session_present());
      client.subscribe(topic, 1);
      client.send(disconnect());
      CHECK(client.ends());
    }
    auto publisher = connected(5);
    for (int i = 0; i < 5; ++i) publisher.publish({.topic = topic, .payload = std::to_string(i), .qos = 1});
    auto client = resumed(level, id);
    for (int i = 0; i < 5; ++i) {
      const auto message = client.expect_publish();
      CHECK(message.payload == std::to_string(i));
      CHECK_FALSE(message.dup);
      client.send(acknowledge(PUBACK, message.id));
    }
    publisher.publish({.topic = topic, .payload = "live", .qos = 0});
    CHECK(client.expect_publish().payload == "live");
  }
}

TEST_CASE("Clean Start throws the old session away, and its own is kept only if it says so",
          "[3.1.1 MQTT-3.1.2-6][3.1.1 MQTT-3.1.4-3][3.1.1 MQTT-3.2.2-1][5.0 MQTT-3.1.2-4][5.0 MQTT-3.1.4-4]"
          "[5.0 MQTT-3.2.2-2]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto id = unique("clean"), topic = unique("clean/");
    {
      auto client = connected(level, kept(level, id));
      client.subscribe(topic, 1);
      client.send(disconnect());
      CHECK(client.ends());
    }
    auto publisher = connected(5);
    publisher.publish({.topic = topic, .payload = "lost", .qos = 1});
    {
      auto client = connected(level, {.client_id = id, .clean = true});
      CHECK_FALSE(client.connack.session_present());
      publisher.publish({.topic = topic, .payload = "nobody's", .qos = 1});
      CHECK(client.ping().empty());
      client.send(disconnect());
      CHECK(client.ends());
    }
    CHECK_FALSE(connected(level, kept(level, id)).connack.session_present());
  }
}

TEST_CASE("what was not acknowledged is sent again at the next connection only, in order, with its identifiers and DUP",
          "[3.1.1 MQTT-3.3.1-1][3.1.1 MQTT-4.4.0-1][3.1.1 MQTT-4.6.0-1][5.0 MQTT-3.3.1-1][5.0 MQTT-4.4.0-1]"
          "[5.0 MQTT-4.6.0-1][5.0 MQTT-4.3.3-6]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto id = unique("again"), topic = unique("again/");
    std::vector<Received> first;
    {
      auto client = connected(level, kept(level, id));
      client.subscribe(topic, 2);
      auto publisher = connected(5);
      for (unsigned i = 0; i < 6; ++i)
        publisher.publish({.topic = topic, .payload = std::to_string(i), .qos = 1 + i % 2});
      for (int i = 0; i < 6; ++i) first.push_back(client.expect_publish());
      // 0 is done, 1 has got as far as PUBREL, the others have not been answered.
      client.send(acknowledge(PUBACK, first[0].id) + acknowledge(PUBREC, first[1].id));
      CHECK(client.expect_answer(PUBREL).id == first[1].id);
      CHECK(client.ping().empty());
      client.drop();
    }
    auto client = resumed(level, id);
    std::vector<unsigned> publishes;
    bool released = false;
    for (int i = 0; i < 5; ++i) {
      const auto packet = client.read();
      REQUIRE(packet);
      if (packet->type() == PUBREL) {
        CHECK(static_cast<unsigned char>(packet->body[0]) * 256u + static_cast<unsigned char>(packet->body[1]) ==
              first[1].id);
        released = true;
        continue;
      }
      REQUIRE(packet->type() == PUBLISH);
      CHECK((packet->flags() & 8) != 0);
      const auto at = 2 + topic.size();
      publishes.push_back(static_cast<unsigned char>(packet->body[at]) * 256u +
                          static_cast<unsigned char>(packet->body[at + 1]));
    }
    CHECK(released);
    CHECK(publishes == std::vector<unsigned>{first[2].id, first[3].id, first[4].id, first[5].id});
    CHECK(client.ping().empty());
    client.send(acknowledge(PUBCOMP, first[1].id));
    for (const int i : {2, 4}) client.send(acknowledge(PUBACK, first[static_cast<std::size_t>(i)].id));
    for (const int i : {3, 5}) {
      const auto packet_id = first[static_cast<std::size_t>(i)].id;
      client.send(acknowledge(PUBREC, packet_id));
      CHECK(client.expect_answer(PUBREL).id == packet_id);
      client.send(acknowledge(PUBCOMP, packet_id));
    }
    CHECK(client.ping().empty());
    client.drop();
    // All is acknowledged: nothing comes a third time.
    CHECK(resumed(level, id).ping().empty());
  }
}

TEST_CASE("a publish of quality of service 2 that comes again over another connection is not passed on again",
          "[3.1.1 MQTT-4.3.3-2][5.0 MQTT-4.3.3-10]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto id = unique("half"), topic = unique("half/");
    auto watcher = connected(5);
    watcher.subscribe(topic, 0);
    Publish publish{.level = level, .topic = topic, .payload = "once", .qos = 2, .id = 11};
    {
      auto client = connected(level, kept(level, id));
      client.send(publish);
      CHECK(client.expect_answer(PUBREC).id == 11);
      client.drop();
    }
    auto client = resumed(level, id);
    publish.dup = true;
    client.send(publish);
    CHECK(client.expect_answer(PUBREC).reason == 0);
    client.send(acknowledge(PUBREL, 11));
    CHECK(client.expect_answer(PUBCOMP).reason == 0);
    client.publish({.topic = topic, .payload = "end", .qos = 1});
    CHECK(watcher.expect_publish().payload == "once");
    CHECK(watcher.expect_publish().payload == "end");
  }
}

TEST_CASE("a session ends when its expiry interval has passed, not before", "[5.0 MQTT-4.1.0-2][5.0 MQTT-3.1.2-23]") {
  const auto gone_with_connection = unique("zero"), short_lived = unique("short"), lowered = unique("lowered"),
             raised = unique("raised");
  {
    auto client = connected(5, kept(5, gone_with_connection, 0));
    client.send(disconnect());
    CHECK(client.ends());
    auto later = connected(5, kept(5, lowered, 600));
    later.send(disconnect(0, property(session_expiry, 0u)));
    CHECK(later.ends());
    auto longer = connected(5, kept(5, raised, 1));
    longer.send(disconnect(0, property(session_expiry, 600u)));
    CHECK(longer.ends());
  }
  CHECK_FALSE(connected(5, kept(5, gone_with_connection, 0)).connack.session_present());
  CHECK_FALSE(connected(5, kept(5, lowered)).connack.session_present());
  // By the broker's own clock: the will of the session waits for its end, and there is no session behind it.
  const auto topic = unique("over/");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  const auto begin = Clock::now();
  auto client = connected(5, {.client_id = short_lived,
                              .properties = property(session_expiry, 1u),
                              .will = Will{.topic = topic, .properties = property(will_delay, 100u)}});
  client.drop();
  watcher.expect_publish();
  CHECK(Clock::now() - begin >= std::chrono::seconds(1));
  CHECK_FALSE(connected(5, kept(5, short_lived)).connack.session_present());
  CHECK(connected(5, kept(5, raised)).connack.session_present());
}

TEST_CASE("a will waits for its delay, and is not sent when the session goes on in time",
          "[5.0 MQTT-3.1.3-9][5.0 MQTT-3.1.2-8]") {
  const auto topic = unique("delay/"), id = unique("delayed");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  const auto with_will = [&](const std::string& payload, std::uint32_t delay_s) {
    auto connect = kept(5, id);
    connect.will = Will{.topic = topic, .payload = payload, .properties = property(will_delay, delay_s)};
    return connected(5, connect);
  };
  with_will("cancelled", 1).drop();
  auto again = with_will("late", 1);
  CHECK(again.connack.session_present());
  // Longer than the first will's delay, by the broker's clock: a will of another client that waits as long.
  const auto other = unique("delay/");
  watcher.subscribe(other);
  auto marker = kept(5, unique("marker"));
  marker.will = Will{.topic = other, .properties = property(will_delay, 1u)};
  const auto begin = Clock::now();
  connected(5, marker).drop();
  CHECK(watcher.expect_publish().topic == other);
  CHECK(Clock::now() - begin >= std::chrono::seconds(1));
  again.drop();
  CHECK(watcher.expect_publish().payload == "late");
}

TEST_CASE("a delayed will is sent at once when a new session takes the place of its own", "[5.0 MQTT-3.1.2-8]") {
  const auto topic = unique("ended/"), id = unique("ended");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  auto connect = kept(5, id);
  connect.will = Will{.topic = topic, .payload = "ended", .properties = property(will_delay, 1000u)};
  connected(5, connect).drop();
  auto fresh = connected(5, {.client_id = id, .clean = true});
  CHECK(watcher.expect_publish().payload == "ended");
}

TEST_CASE("a delayed will is not sent at a take-over that resumes the session", "[5.0 MQTT-3.1.3-9]") {
  const auto topic = unique("resume/"), id = unique("resume");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  auto connect = kept(5, id);
  connect.will = Will{.topic = topic, .payload = "no", .properties = property(will_delay, 1000u)};
  auto first = connected(5, connect);
  auto second = resumed(5, id);
  CHECK(first.expect_disconnect() == 0x8e);
  connected(5).publish({.topic = topic, .payload = "nothing before", .qos = 1});
  CHECK(watcher.expect_publish().payload == "nothing before");
}

TEST_CASE("messages that wait for an absent client expire, and their expiry counts down",
          "[5.0 MQTT-3.3.2-5][5.0 MQTT-3.3.2-6]") {
  const auto id = unique("absent"), topic = unique("absent/");
  {
    auto client = connected(5, kept(5, id));
    client.subscribe(topic, 1);
    client.send(disconnect());
    CHECK(client.ends());
  }
  auto publisher = connected(5);
  publisher.publish({.topic = topic, .payload = "short", .qos = 1, .properties = property(message_expiry, 1u)});
  publisher.publish({.topic = topic, .payload = "long", .qos = 1, .properties = property(message_expiry, 100u)});
  // A second by the broker's clock.
  const auto passed = unique("passed/");
  auto watcher = connected(5);
  watcher.subscribe(passed);
  auto marker = kept(5, unique("marker"));
  marker.will = Will{.topic = passed, .properties = property(will_delay, 2u)};
  connected(5, marker).drop();
  watcher.expect_publish();
  auto client = resumed(5, id);
  const auto message = client.expect_publish();
  CHECK(message.payload == "long");
  CHECK(number(message.properties, message_expiry) <= 99);
  CHECK(number(message.properties, message_expiry) >= 60);
  client.send(acknowledge(PUBACK, message.id));
  CHECK(client.ping().empty());
}

TEST_CASE("No Local holds over connections of the same client", "[5.0 MQTT-3.8.3-3]") {
  const auto id = unique("local"), topic = unique("local/");
  {
    auto client = connected(5, kept(5, id));
    client.subscribe(topic, 0x05);
    client.send(disconnect());
    CHECK(client.ends());
  }
  auto client = resumed(5, id);
  client.publish({.topic = topic, .payload = "mine", .qos = 1});
  connected(5).publish({.topic = topic, .payload = "theirs", .qos = 1});
  CHECK(client.expect_publish().payload == "theirs");
}

TEST_CASE("topic aliases and the receive maximum are a connection's, not the session's", "[5.0 MQTT-3.3.2-7]") {
  const auto id = unique("alias"), topic = unique("alias/");
  {
    auto client = connected(5, kept(5, id));
    client.publish({.topic = topic, .payload = "x", .qos = 1, .properties = property(topic_alias, 1u)});
    client.drop();
  }
  auto client = resumed(5, id);
  client.send(encode(Publish{.topic = "", .payload = "x", .properties = property(topic_alias, 1u)}));
  CHECK(client.expect_disconnect() == 0x82);
}
