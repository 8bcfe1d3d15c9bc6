// Braid, Apache-2.0.
//
// PUBLISH: section 3.3 of MQTT 3.1.1 and 5.0, and retained messages.
#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

std::vector<Received> retained_under(const std::string& filter, unsigned options = 0) {
  auto client = connected(5);
  return retained_for(client, filter, options);
}
std::string users_of(const Properties& properties) {
  std::string users;
  for (const auto& one : properties)
    if (one.id == user_property) users += one.text + "=" + one.value + " ";
  return users;
}

}  // namespace

TEST_CASE("a publish with both bits of its quality of service set is malformed",
          "[3.1.1 MQTT-3.3.1-4][5.0 MQTT-3.3.1-4]") {
  for (const int level : levels) {
    CHECK(end_after(level, encode(Publish{.level = level, .topic = "t", .payload = "x", .qos = 3, .id = 1})) ==
          (level == 5 ? 0x81u : 0u));
    CHECK(end_after(level, packet(0x3f, str("t") + u16(1))) == (level == 5 ? 0x81u : 0u));
  }
}

TEST_CASE("DUP is 0 on quality of service 0, either way",
          "[3.1.1 MQTT-3.3.1-2][3.1.1 MQTT-4.3.1-1][5.0 MQTT-3.3.1-2]"
          "[5.0 MQTT-4.3.1-1]") {
  for (const int level : {4, 5})
    CHECK(end_after(level, encode(Publish{.level = level, .topic = "t", .payload = "x", .dup = true})) ==
          (level == 5 ? 0x82u : 0u));
  const auto topic = unique("dup0/");
  for (const int level : levels) {
    auto client = connected(level);
    client.subscribe(topic, 0);
    connected(5).publish({.topic = topic, .payload = "x", .qos = 1, .dup = true});
    const auto message = client.expect_publish();
    CHECK(message.qos == 0);
    CHECK_FALSE(message.dup);
  }
}

TEST_CASE("DUP of a publish that comes in is not passed on",
          "[3.1.1 MQTT-3.3.1-3][5.0 MQTT-3.3.1-3][5.0 MQTT-4.3.2-2][5.0 MQTT-4.3.3-2]") {
  const auto topic = unique("dup/");
  for (const int level : levels)
    for (const unsigned qos : {1u, 2u}) {
      auto client = connected(level);
      client.subscribe(topic, 2);
      connected(level).publish({.topic = topic, .payload = "x", .qos = qos, .dup = true});
      const auto message = client.expect_publish();
      CHECK(message.qos == qos);
      CHECK_FALSE(message.dup);
    }
}

TEST_CASE("a retained message replaces the one before it, and comes to later subscribers with RETAIN 1",
          "[3.1.1 MQTT-3.3.1-5][3.1.1 MQTT-3.3.1-6][3.1.1 MQTT-3.3.1-7][3.1.1 MQTT-3.3.1-8][5.0 MQTT-3.3.1-5]"
          "[5.0 MQTT-3.3.1-9]") {
  for (const int level : levels)
    for (const unsigned qos : {0u, 1u, 2u}) {
      CAPTURE(level, qos);
      const auto topic = unique("keep/");
      auto publisher = connected(level);
      publisher.publish({.topic = topic, .payload = "old", .qos = 1, .retain = true});
      publisher.publish({.topic = topic, .payload = "new", .qos = qos, .retain = true});
      publisher.ping();
      const auto found = retained_under(topic, 2);
      REQUIRE(found.size() == 1);
      CHECK(found[0].payload == "new");
      CHECK(found[0].retain);
      CHECK(found[0].qos == qos);
      CHECK(found[0].topic == topic);
    }
}

TEST_CASE("an empty retained message goes to subscribers like any other, removes the one before it and is not kept",
          "[3.1.1 MQTT-3.3.1-10][3.1.1 MQTT-3.3.1-11][5.0 MQTT-3.3.1-6][5.0 MQTT-3.3.1-7]") {
  for (const int level : levels) {
    const auto topic = unique("clear/");
    auto watcher = connected(level);
    watcher.subscribe(topic, 0);
    auto publisher = connected(level);
    publisher.publish({.topic = topic, .payload = "kept", .qos = 1, .retain = true});
    CHECK(watcher.expect_publish().payload == "kept");
    publisher.publish({.topic = topic, .payload = "", .qos = 1, .retain = true});
    const auto empty = watcher.expect_publish();
    CHECK(empty.payload.empty());
    CHECK_FALSE(empty.retain);
    CHECK(retained_under(topic).empty());
  }
}

TEST_CASE("a publish without RETAIN neither is kept nor removes what is",
          "[3.1.1 MQTT-3.3.1-12][5.0 MQTT-3.3.1-8][3.1.1 MQTT-3.1.2-7]") {
  for (const int level : levels) {
    const auto topic = unique("untouched/");
    {
      // What is retained is no part of its publisher's session.
      auto publisher = connected(level);
      publisher.publish({.topic = topic, .payload = "kept", .qos = 1, .retain = true});
      publisher.publish({.topic = topic, .payload = "live", .qos = 1});
      publisher.publish({.topic = topic, .payload = "", .qos = 1});
      publisher.publish({.topic = topic + "/other", .payload = "live", .qos = 1});
    }
    const auto found = retained_under(topic + "/#");
    REQUIRE(found.size() == 1);
    CHECK(found[0].payload == "kept");
  }
}

TEST_CASE("Retain Handling says whether a subscription brings retained messages: always, when it is new, never",
          "[5.0 MQTT-3.3.1-9][5.0 MQTT-3.3.1-10][5.0 MQTT-3.3.1-11]") {
  const auto topic = unique("handling/");
  auto publisher = connected(5);
  publisher.publish({.topic = topic, .payload = "kept", .qos = 1, .retain = true});
  constexpr unsigned if_new = 0x10, never = 0x20;
  const auto count_after = [&](Client& client, unsigned options) {
    return retained_for(client, topic, options).size();
  };
  auto client = connected(5);
  CHECK(count_after(client, 0) == 1);
  CHECK(count_after(client, 0) == 1);
  CHECK(count_after(client, if_new) == 0);
  CHECK(count_after(client, never) == 0);
  CHECK(client.unsubscribe(topic) == 0);
  CHECK(count_after(client, if_new) == 1);
  CHECK(count_after(client, if_new) == 0);
  client.unsubscribe(topic);
  CHECK(count_after(client, never) == 0);
}

TEST_CASE("RETAIN is 0 on live messages, unless the subscription asks for it as published",
          "[3.1.1 MQTT-3.3.1-9][5.0 MQTT-3.3.1-12][5.0 MQTT-3.3.1-13]") {
  const auto topic = unique("flag/");
  auto old = connected(4), plain = connected(5), as_published = connected(5);
  old.subscribe(topic, 0);
  plain.subscribe(topic, 0);
  as_published.subscribe(topic, 0x08);
  auto publisher = connected(5);
  for (const bool retain : {true, false}) {
    publisher.publish({.topic = topic, .payload = "x", .qos = 1, .retain = retain});
    CHECK_FALSE(old.expect_publish().retain);
    CHECK_FALSE(plain.expect_publish().retain);
    CHECK(as_published.expect_publish().retain == retain);
  }
}

TEST_CASE("a topic name has no wildcards and at least one character",
          "[3.1.1 MQTT-3.3.2-2][3.1.1 MQTT-4.7.1-1][3.1.1 MQTT-4.7.3-1][5.0 MQTT-3.3.2-2][5.0 MQTT-4.7.0-1]"
          "[5.0 MQTT-4.7.3-1]") {
  for (const int level : levels)
    for (const auto* topic : {"a/+", "a/#", "#", "+", "a+b", "a#"}) {
      CAPTURE(level, topic);
      CHECK(end_after(level, encode(Publish{.level = level, .topic = topic, .payload = "x"})) ==
            (level == 5 ? 0x90u : 0u));
    }
  for (const int level : levels)
    CHECK(end_after(level, encode(Publish{.level = level, .topic = "", .payload = "x"})) == (level == 5 ? 0x82u : 0u));
}

TEST_CASE("a topic name that comes matches the filter that brought it, byte for byte as it was published",
          "[3.1.1 MQTT-3.3.2-3][3.1.1 MQTT-4.7.3-4][5.0 MQTT-3.3.2-3][5.0 MQTT-4.7.3-4]") {
  const auto root = unique("Exact");
  // Composed and decomposed forms, letter case, spaces, empty levels: all are names of their own.
  const std::string names[] = {"/\xc3\xa9", "/e\xcc\x81", "/A", "/a", "//", "/", "/ a", "/a ", "/a//b", "/a/b", "/./a"};
  for (const int level : levels) {
    for (const auto& name : names) {
      CAPTURE(level, name);
      auto client = connected(level);
      client.subscribe(root + name);
      auto publisher = connected(5);
      for (const auto& other : names) publisher.publish({.topic = root + other, .payload = other, .qos = 1});
      publisher.publish({.topic = root + name, .payload = "end", .qos = 1});
      CHECK(client.expect_publish().payload == name);
      const auto end = client.expect_publish();
      CHECK(end.payload == "end");
      CHECK(end.topic == root + name);
    }
  }
}

TEST_CASE("names of 65,535 bytes go through, with as many levels as the limit allows",
          "[3.1.1 MQTT-4.7.3-3][5.0 MQTT-4.7.3-3]") {
  const std::string name(65535, 'n');
  std::string deep = "d";
  for (int i = 1; i < 128; ++i) deep += "/d";
  for (const int level : levels)
    for (const auto& topic : {name, deep}) {
      auto client = connected(level);
      CHECK(client.subscribe(topic, 0) == 0);
      connected(level).publish({.topic = topic, .payload = "long", .qos = 1});
      CHECK(client.expect_publish().topic == topic);
    }
  for (const int level : levels)
    CHECK(end_after(level, encode(Publish{.level = level, .topic = deep + "/d", .payload = "x"})) ==
          (level == 5 ? 0x90u : 0u));
}

TEST_CASE("what a publisher says of its message reaches subscribers unaltered, live and retained",
          "[5.0 MQTT-3.3.2-4][5.0 MQTT-3.3.2-15][5.0 MQTT-3.3.2-16][5.0 MQTT-3.3.2-17][5.0 MQTT-3.3.2-18]"
          "[5.0 MQTT-3.3.2-20]") {
  const auto topic = unique("dressed/");
  const auto properties = property(user_property, "b", "1") + property(content_type, "image/png") +
                          property(user_property, "a", "") + property(payload_format, 1u) +
                          property(correlation_data, std::string_view("\0\xff", 2)) + property(user_property, "", "x") +
                          property(response_topic, "answer/here") + property(user_property, "b", "1") +
                          property(user_property, "braid.content-type", "mine");
  auto live = connected(5);
  live.subscribe(topic, 0);
  connected(5).publish({.topic = topic, .payload = "x", .qos = 1, .retain = true, .properties = properties});
  auto found = retained_under(topic);
  REQUIRE(found.size() == 1);
  found.push_back(live.expect_publish());
  for (const auto& message : found) {
    CHECK(users_of(message.properties) == "b=1 a= =x b=1 braid.content-type=mine ");
    CHECK(number(message.properties, payload_format) == 1);
    REQUIRE(find(message.properties, content_type));
    CHECK(find(message.properties, content_type)->text == "image/png");
    REQUIRE(find(message.properties, correlation_data));
    CHECK(find(message.properties, correlation_data)->text == std::string("\0\xff", 2));
    REQUIRE(find(message.properties, response_topic));
    CHECK(find(message.properties, response_topic)->text == "answer/here");
    CHECK_FALSE(find(message.properties, message_expiry));
    CHECK_FALSE(find(message.properties, topic_alias));
  }
  // A payload format of 0 is a statement too, but the same as none.
  connected(5).publish({.topic = topic, .payload = "y", .qos = 1, .properties = property(payload_format, 0u)});
  CHECK(number(live.expect_publish().properties, payload_format) == 0);
}

TEST_CASE("a response topic has no wildcards", "[5.0 MQTT-3.3.2-14]") {
  for (const auto* topic : {"a/+", "#", "a/#/b", ""})
    CHECK(end_after(5, encode(Publish{.topic = "t", .payload = "x", .properties = property(response_topic, topic)})) ==
          0x82);
}

TEST_CASE("the expiry of a message is lowered by the time that it waited, and an expired one is not delivered",
          "[5.0 MQTT-3.3.2-5][5.0 MQTT-3.3.2-6]") {
  const auto topic = unique("expiry/");
  auto live = connected(5);
  live.subscribe(topic + "/#", 0);
  auto publisher = connected(5);
  publisher.publish({.topic = topic + "/long",
                     .payload = "long",
                     .qos = 1,
                     .retain = true,
                     .properties = property(message_expiry, 100u)});
  publisher.publish({.topic = topic + "/short",
                     .payload = "short",
                     .qos = 1,
                     .retain = true,
                     .properties = property(message_expiry, 1u)});
  CHECK(number(live.expect_publish().properties, message_expiry) == 100);
  CHECK(number(live.expect_publish().properties, message_expiry) == 1);
  // Until the short one is gone, by what the broker itself says.
  std::vector<Received> left;
  REQUIRE(eventually([&] {
    left = retained_under(topic + "/#");
    return left.size() == 1;
  }));
  CHECK(left[0].payload == "long");
  CHECK(number(left[0].properties, message_expiry) <= 99);
  CHECK(number(left[0].properties, message_expiry) >= 60);
}

TEST_CASE("topic aliases up to the maximum stand for their names, each connection for itself",
          "[5.0 MQTT-3.3.2-7][5.0 MQTT-3.3.2-12]") {
  const auto topic = unique("alias/");
  auto watcher = connected(5);
  watcher.subscribe(topic + "/#", 0);
  auto publisher = connected(5);
  const auto maximum = number(publisher.connack.properties, topic_alias_maximum);
  REQUIRE(maximum > 1);
  for (std::uint32_t alias = 1; alias <= maximum; ++alias)
    publisher.publish({.topic = topic + "/" + std::to_string(alias),
                       .payload = "set",
                       .qos = 1,
                       .properties = property(topic_alias, alias)});
  for (std::uint32_t alias = 1; alias <= maximum; ++alias)
    publisher.publish({.topic = "", .payload = "used", .qos = 1, .properties = property(topic_alias, alias)});
  publisher.publish({.topic = topic + "/moved", .payload = "set", .qos = 1, .properties = property(topic_alias, 1u)});
  publisher.publish({.topic = "", .payload = "used", .qos = 1, .properties = property(topic_alias, 1u)});
  for (const auto* payload : {"set", "used"})
    for (std::uint32_t alias = 1; alias <= maximum; ++alias) {
      const auto message = watcher.expect_publish();
      CHECK(message.payload == payload);
      CHECK(message.topic == topic + "/" + std::to_string(alias));
    }
  CHECK(watcher.expect_publish().topic == topic + "/moved");
  CHECK(watcher.expect_publish().topic == topic + "/moved");
  // Another connection knows none of them.
  CHECK(end_after(5, encode(Publish{.topic = "", .payload = "x", .properties = property(topic_alias, 1u)})) == 0x82);
}

TEST_CASE("a topic alias of 0 or above the maximum is refused",
          "[5.0 MQTT-3.3.2-8][5.0 MQTT-3.3.2-9][5.0 MQTT-3.2.2-17][5.0 MQTT-3.2.2-18]") {
  const auto with = [](std::uint32_t alias) {
    return encode(Publish{.topic = "t", .payload = "x", .properties = property(topic_alias, alias)});
  };
  const auto maximum = number(connected(5).connack.properties, topic_alias_maximum);
  CHECK(end_after(5, with(0)) == 0x94);
  CHECK(end_after(5, with(maximum + 1)) == 0x94);
  CHECK(end_after(5, with(65535)) == 0x94);
  Broker none({"mqtt.topic_alias_maximum=0"});
  Client client(none.mqtt(), Connect{.client_id = "none"});
  CHECK(number(client.connack.properties, topic_alias_maximum) == 0);
  client.send(with(1));
  CHECK(client.expect_disconnect() == 0x94);
}

TEST_CASE("a subscription identifier in a publish from a client is refused", "[5.0 MQTT-3.3.4-6]") {
  for (const std::uint32_t identifier : {1u, 268435455u, 0u})
    CHECK(end_after(5, encode(Publish{.topic = "t",
                                      .payload = "x",
                                      .properties = property(subscription_identifier, identifier)})) == 0x82);
}

TEST_CASE("the answer to a publish is the one of its quality of service",
          "[3.1.1 MQTT-3.3.4-1][3.1.1 MQTT-4.3.2-2][3.1.1 MQTT-4.3.3-2][5.0 MQTT-3.3.4-1][5.0 MQTT-4.3.2-4]"
          "[5.0 MQTT-4.3.3-8][5.0 MQTT-4.3.3-11][5.0 MQTT-3.4.2-1][5.0 MQTT-3.5.2-1][5.0 MQTT-3.7.2-1]") {
  for (const int level : levels) {
    const auto topic = unique("answer/");
    auto watcher = connected(level), client = connected(level);
    watcher.subscribe(topic, 0);
    client.publish({.topic = topic, .payload = "0"});
    CHECK(client.ping().empty());
    CHECK(client.publish({.topic = topic, .payload = "1", .qos = 1}) == 0);
    CHECK(client.publish({.topic = topic, .payload = "2", .qos = 2}) == 0);
    for (const auto* payload : {"0", "1", "2"}) CHECK(watcher.expect_publish().payload == payload);
    // Nobody there: MQTT 5 may be told.
    const auto lonely = client.publish({.topic = unique("lonely/"), .payload = "x", .qos = 1});
    CHECK(lonely == (level == 5 ? 0x10u : 0u));
  }
}

TEST_CASE("an identifier that was acknowledged stands for a new message, whatever DUP says",
          "[5.0 MQTT-4.3.2-5][5.0 MQTT-4.3.3-12][3.1.1 MQTT-4.3.2-2][3.1.1 MQTT-4.3.3-2]") {
  for (const int level : levels)
    for (const unsigned qos : {1u, 2u}) {
      const auto topic = unique("again/");
      auto watcher = connected(level), client = connected(level);
      watcher.subscribe(topic, 0);
      for (const auto* payload : {"first", "second", "third"})
        client.publish({.topic = topic, .payload = payload, .qos = qos, .id = 7, .dup = payload[0] != 'f'});
      for (const auto* payload : {"first", "second", "third"}) CHECK(watcher.expect_publish().payload == payload);
    }
}

TEST_CASE("a publish of quality of service 2 that comes again before PUBREL is acknowledged again and passed on once",
          "[3.1.1 MQTT-4.3.3-2][5.0 MQTT-4.3.3-10]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto topic = unique("twice/");
    auto watcher = connected(level), client = connected(level);
    watcher.subscribe(topic, 2);
    Publish publish{.level = level, .topic = topic, .payload = "once", .qos = 2, .id = 5};
    for (int i = 0; i < 5; ++i) {
      client.send(publish);
      const auto answer = client.expect_answer(PUBREC);
      CHECK(answer.id == 5);
      CHECK(answer.reason == 0);
      publish.dup = true;
    }
    for (int i = 0; i < 2; ++i) {
      client.send(acknowledge(PUBREL, 5));
      const auto complete = client.expect_answer(PUBCOMP);
      CHECK(complete.id == 5);
      CHECK(complete.reason == (level == 5 && i == 1 ? 0x92u : 0u));
    }
    client.publish({.topic = topic, .payload = "end", .qos = 1});
    CHECK(watcher.expect_publish().payload == "once");
    CHECK(watcher.expect_publish().payload == "end");
  }
}

TEST_CASE("acknowledgements from a client have reason codes of their kind",
          "[5.0 MQTT-3.4.2-1][5.0 MQTT-3.5.2-1][5.0 MQTT-3.6.2-1][5.0 MQTT-3.7.2-1]") {
  for (const unsigned type : {PUBACK, PUBREC})
    for (const unsigned reason : {0x01u, 0x04u, 0x11u, 0x81u, 0x82u, 0x92u, 0xffu})
      CHECK(end_after(5, acknowledge(type, 1, reason)) == 0x82);
  for (const unsigned type : {PUBREL, PUBCOMP})
    for (const unsigned reason : {0x01u, 0x10u, 0x80u, 0x91u, 0xffu})
      CHECK(end_after(5, acknowledge(type, 1, reason)) == 0x82);
  for (const unsigned type : {PUBACK, PUBREC, PUBREL, PUBCOMP})
    for (const int level : {3, 4}) end_after(level, packet(type << 4 | (type == PUBREL ? 2u : 0u), u16(1) + '\0'));
}

TEST_CASE(
    "acknowledgements carry no reason string or user property that the client did not ask for or that does not fit",
    "[5.0 MQTT-3.1.2-29][5.0 MQTT-3.4.2-2][5.0 MQTT-3.4.2-3][5.0 MQTT-3.5.2-2][5.0 MQTT-3.5.2-3]"
    "[5.0 MQTT-3.6.2-2][5.0 MQTT-3.6.2-3][5.0 MQTT-3.7.2-2][5.0 MQTT-3.7.2-3][5.0 MQTT-3.9.2-1]"
    "[5.0 MQTT-3.9.2-2][5.0 MQTT-3.11.2-1][5.0 MQTT-3.11.2-2]") {
  constexpr std::uint32_t most = 64;
  for (const auto& asks : {property(request_problem_information, 0u), property(maximum_packet_size, most)}) {
    auto client = connected(5, {.properties = asks});
    const auto plain = [](const Properties& properties) {
      return !find(properties, reason_string) && !find(properties, user_property);
    };
    const auto answers = [&](const std::string& bytes, unsigned type) {
      client.send(bytes);
      const auto packet = client.expect(type);
      CHECK(packet.bytes <= most);
      return packet;
    };
    const auto topic = unique("quiet/");
    CHECK(answers(encode(Publish{.topic = topic, .payload = "x", .qos = 1, .id = 1}), PUBACK).bytes <= 6);
    CHECK(answers(encode(Publish{.topic = topic, .payload = "x", .qos = 2, .id = 2}), PUBREC).bytes <= 6);
    CHECK(answers(acknowledge(PUBREL, 2), PUBCOMP).bytes <= 6);
    CHECK(answers(acknowledge(PUBREL, 99), PUBCOMP).bytes <= 6);
    CHECK(answers(acknowledge(PUBREC, 99), PUBREL).bytes <= 6);
    client.send(wire::subscribe(5, 3, {{"a/#/b", 0}, {"good", 1}}));
    const auto suback = client.expect_answers(SUBACK);
    CHECK(plain(suback.properties));
    CHECK(suback.reasons == std::vector<unsigned>{0x8f, 1});
    client.send(wire::unsubscribe(5, 4, {"absent"}));
    CHECK(plain(client.expect_answers(UNSUBACK).properties));
  }
}

TEST_CASE("an answer that a client's maximum packet size does not allow ends the connection instead",
          "[5.0 MQTT-3.1.2-24]") {
  auto client = connected(5, {.properties = property(maximum_packet_size, 64u)});
  std::vector<Filter> filters;
  for (int i = 0; i < 100; ++i) filters.push_back({"many/" + std::to_string(i), 0});
  client.send(wire::subscribe(5, 1, filters));
  CHECK(client.expect_disconnect() == 0x95);
}
