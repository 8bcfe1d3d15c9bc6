// Braid, Apache-2.0.
//
// CONNECT and CONNACK: sections 3.1 and 3.2 of MQTT 3.1.1 and 5.0.
#include <set>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

std::string connect(int level, std::string client_id = unique("id")) {
  return encode(Connect{.level = level, .client_id = std::move(client_id)});
}
/// A CONNECT from its parts, for those that no encoder makes.
std::string raw_connect(std::string_view name, int level, unsigned flags, std::string_view payload,
                        std::string_view properties = {}) {
  std::string body = str(name) + static_cast<char>(level) + static_cast<char>(flags) + u16(60);
  if (level == 5) body += varint(static_cast<unsigned>(properties.size())).append(properties);
  return packet(CONNECT << 4, body.append(payload));
}
/// Whether a refusal says malformed or protocol error (MQTT 5), or nothing at all, as 3.1.1 wants it.
bool refused_as_wrong(int level, std::string_view bytes) {
  const int code = refusal_of(bytes);
  return level == 5 ? code == 0x81 || code == 0x82 : code == -1;
}

}  // namespace

TEST_CASE("whatever comes before a CONNECT closes the connection, without a word",
          "[3.1.1 MQTT-3.1.0-1][5.0 MQTT-3.1.0-1][5.0 MQTT-3.14.0-1]") {
  const std::string firsts[] = {
      packet(CONNACK << 4, std::string(3, '\0')),
      encode(Publish{.topic = "t", .payload = "x"}),
      encode(Publish{.topic = "t", .payload = "x", .qos = 1, .id = 1}),
      acknowledge(PUBACK, 1),
      acknowledge(PUBREC, 1),
      acknowledge(PUBREL, 1),
      acknowledge(PUBCOMP, 1),
      wire::subscribe(5, 1, {{"t", 0}}),
      packet(SUBACK << 4, std::string("\x00\x01\x00\x00", 4)),
      unsubscribe(5, 1, {"t"}),
      packet(UNSUBACK << 4, std::string("\x00\x01\x00\x00", 4)),
      pingreq(),
      packet(PINGRESP << 4, {}),
      disconnect(),
      packet(AUTH << 4, {}),
      packet(0, {}),
  };
  for (const auto& first : firsts) {
    CAPTURE(static_cast<int>(first[0] >> 4 & 15));
    Client client(port());
    client.send(first);
    CHECK(client.ends());
  }
}

TEST_CASE("a second CONNECT on a connection ends it", "[3.1.1 MQTT-3.1.0-2][5.0 MQTT-3.1.0-2]") {
  for (const int level : levels) {
    CAPTURE(level);
    CHECK(end_after(level, connect(level)) == (level == 5 ? 0x82u : 0u));
    // Even one that is not well-formed.
    CHECK(end_after(level, packet(CONNECT << 4, "x")) == (level == 5 ? 0x82u : 0u));
  }
}

TEST_CASE("a protocol name that is not MQTT's is not taken for MQTT", "[3.1.1 MQTT-3.1.2-1][5.0 MQTT-3.1.2-1]") {
  for (const int level : {3, 4, 5})
    for (const auto* name : {"mqtt", "MQTTX", "MQT", "HTTP", ""}) {
      CAPTURE(level, name);
      const int code = refusal_of(raw_connect(name, level, 2, str("id")));
      CHECK((code == -1 || code == 0x84));
    }
  // Each name has its levels.
  CHECK(refusal_of(raw_connect("MQIsdp", 4, 2, str("id"))) == 1);
  CHECK(refusal_of(raw_connect("MQTT", 3, 2, str("id"))) == 1);
}

TEST_CASE("a level that is not spoken is refused in words that its client may know",
          "[3.1.1 MQTT-3.1.2-2][5.0 MQTT-3.1.2-2]") {
  for (const int level : {6, 7, 99, 255}) CHECK(refusal_of(raw_connect("MQTT", level, 2, str("id"))) == 0x84);
  for (const int level : {0, 1, 2}) CHECK(refusal_of(raw_connect("MQTT", level, 2, str("id"))) == 1);
  // The bridges of old add a bit to the level.
  CHECK(refusal_of(raw_connect("MQTT", 0x84, 2, str("id"))) == 0x84);
}

TEST_CASE("the reserved flag of CONNECT has to be 0", "[3.1.1 MQTT-3.1.2-3][5.0 MQTT-3.1.2-3]") {
  for (const int level : levels) {
    CAPTURE(level);
    CHECK(refused_as_wrong(level, encode(Connect{.level = level, .client_id = "id", .wrong_flags = 1})));
  }
}

TEST_CASE("without a will there is no will quality of service and no will retain",
          "[3.1.1 MQTT-3.1.2-11][3.1.1 MQTT-3.1.2-13][3.1.1 MQTT-3.1.2-15][5.0 MQTT-3.1.2-11][5.0 MQTT-3.1.2-13]") {
  for (const int level : levels)
    for (const unsigned wrong : {0x08u, 0x10u, 0x18u, 0x20u, 0x28u}) {
      CAPTURE(level, wrong);
      CHECK(refused_as_wrong(level, encode(Connect{.level = level, .client_id = "id", .wrong_flags = wrong})));
    }
  // Nor a topic and a payload: they would be bytes behind the last field.
  for (const int level : levels) {
    Connect with{.level = level, .client_id = "id", .will = Will{}};
    with.wrong_flags = 0x04;
    CHECK(refused_as_wrong(level, encode(with)));
  }
}

TEST_CASE("a will of quality of service 3 is malformed", "[3.1.1 MQTT-3.1.2-14][5.0 MQTT-3.1.2-12]") {
  for (const int level : levels) {
    CAPTURE(level);
    const int code = refusal_of(encode(Connect{.level = level, .client_id = "id", .will = Will{.qos = 3}}));
    CHECK(code == (level == 5 ? 0x81 : -1));
    for (const unsigned qos : {0u, 1u, 2u}) connected(level, {.will = Will{.qos = qos}});
  }
}

TEST_CASE("a will that its flag promises has its fields", "[3.1.1 MQTT-3.1.2-9][5.0 MQTT-3.1.2-9]") {
  for (const int level : {4, 5}) {
    const std::string properties = level == 5 ? varint(0) : std::string();
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x06, str("id"))));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x06, str("id") + properties + str("topic"))));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x06, str("id") + properties + str("topic") + u16(9))));
  }
}

TEST_CASE("a user name or password is there exactly when its flag says so",
          "[3.1.1 MQTT-3.1.2-18][3.1.1 MQTT-3.1.2-19][3.1.1 MQTT-3.1.2-20][3.1.1 MQTT-3.1.2-21]"
          "[5.0 MQTT-3.1.2-16][5.0 MQTT-3.1.2-17][5.0 MQTT-3.1.2-18][5.0 MQTT-3.1.2-19]") {
  for (const int level : {4, 5}) {
    CAPTURE(level);
    connected(level, {.user = "u"});
    connected(level, {.user = "", .password = ""});
    connected(level, {.user = "u", .password = std::string("p\0\xff", 3)});
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x02, str("id") + str("user"))));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x82, str("id"))));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x82, str("id") + str("user") + str("password"))));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0xc2, str("id") + str("user"))));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0xc2, str("id") + str("u") + str("p") + "x")));
  }
}

TEST_CASE("a password without a user name is refused before MQTT 5, which allows it", "[3.1.1 MQTT-3.1.2-22]") {
  CHECK(refusal_of(encode(Connect{.level = 4, .client_id = "id", .password = "secret"})) == -1);
  connected(5, {.password = "secret"});
}

TEST_CASE("the fields of CONNECT come in one order, and all of them may be there",
          "[3.1.1 MQTT-3.1.3-1][5.0 MQTT-3.1.3-1]") {
  for (const int level : {4, 5}) {
    const auto topic = unique("order/");
    auto watcher = connected(5);
    watcher.subscribe(topic);
    {
      auto whole = connected(level, {.will = Will{.topic = topic, .payload = "p"}, .user = "u", .password = "w"});
      whole.drop();
    }
    CHECK(watcher.expect_publish().payload == "p");
  }
}

TEST_CASE("a client identifier is the first field, and UTF-8",
          "[3.1.1 MQTT-3.1.3-3][3.1.1 MQTT-3.1.3-4][5.0 MQTT-3.1.3-3][5.0 MQTT-3.1.3-4]") {
  for (const int level : {4, 5}) {
    CAPTURE(level);
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x02, {})));
    CHECK(refused_as_wrong(level, raw_connect("MQTT", level, 0x02, u16(5) + "id")));
    for (const auto* bad : {"\xff", "a\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"})
      CHECK(refused_as_wrong(level, connect(level, bad)));
    CHECK(refused_as_wrong(level, connect(level, std::string("a\0b", 3))));
  }
}

TEST_CASE("every identifier of 1 to 23 letters and digits is taken, and longer ones too",
          "[3.1.1 MQTT-3.1.3-5][5.0 MQTT-3.1.3-5]") {
  const std::string letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const int level : levels) {
    for (std::size_t size = 1; size <= 23; ++size) connected(level, {.client_id = letters.substr(size, size)});
    connected(level, {.client_id = letters.substr(40, 22)});
    connected(level, {.client_id = letters});
    connected(level, {.client_id = "räksmörgås/#+ $"});
    connected(level, {.client_id = std::string(65535, 'x')});
  }
}

TEST_CASE("a client without an identifier gets one of its own, and is told",
          "[3.1.1 MQTT-3.1.3-6][5.0 MQTT-3.1.3-6][5.0 MQTT-3.1.3-7][5.0 MQTT-3.2.2-16]") {
  // Two of them do not take each other over.
  Client one(port(), Connect{.level = 4}), other(port(), Connect{.level = 4});
  CHECK(one.ping().empty());
  CHECK(other.ping().empty());
  Client first(port(), Connect{}), second(port(), Connect{}), kept(port(), Connect{.clean = false});
  const auto* a = find(first.connack.properties, assigned_client_identifier);
  const auto* b = find(second.connack.properties, assigned_client_identifier);
  REQUIRE(a);
  REQUIRE(b);
  REQUIRE(find(kept.connack.properties, assigned_client_identifier));
  CHECK_FALSE(a->text.empty());
  CHECK(a->text != b->text);
  // It is as good as one that the client gave: who comes with it takes the first one's place.
  Client again(port(), Connect{.client_id = a->text});
  CHECK(first.expect_disconnect() == 0x8e);
  CHECK_FALSE(find(again.connack.properties, assigned_client_identifier));
}

TEST_CASE("an empty identifier for a session that is to be kept is refused before MQTT 5",
          "[3.1.1 MQTT-3.1.3-8][3.1.1 MQTT-3.1.3-9]") {
  CHECK(refusal_of(encode(Connect{.level = 4, .clean = false})) == 2);
  // MQTT 3.1 always wants an identifier.
  CHECK(refusal_of(encode(Connect{.level = 3, .clean = false})) == 2);
  CHECK(refusal_of(encode(Connect{.level = 3, .clean = true})) == 2);
}

TEST_CASE("a user name and a will topic are UTF-8",
          "[3.1.1 MQTT-3.1.3-10][3.1.1 MQTT-3.1.3-11][5.0 MQTT-3.1.3-11][5.0 MQTT-3.1.3-12]") {
  for (const int level : levels) {
    CAPTURE(level);
    CHECK(refused_as_wrong(level, encode(Connect{.level = level, .client_id = "id", .user = "\xed\xbf\xbf"})));
    CHECK(refused_as_wrong(level, encode(Connect{.level = level, .client_id = "id", .will = Will{.topic = "a\xff"}})));
    // A topic name all the same: no wildcards, not empty.
    for (const auto* topic : {"a/+", "#", ""}) {
      const int code = refusal_of(encode(Connect{.level = level, .client_id = "id", .will = Will{.topic = topic}}));
      CHECK((level == 5 ? code == 0x90 || code == 0x82 : code == -1));
    }
  }
}

TEST_CASE("a CONNECT that is not well-formed closes the connection; before MQTT 5 without a CONNACK",
          "[3.1.1 MQTT-3.1.4-1][3.1.1 MQTT-3.2.2-6][5.0 MQTT-3.1.4-1]") {
  for (const int level : {4, 5}) {
    const auto good = connect(level, "id");
    // Every shorter body, with a length that says so.
    for (std::size_t size = 7; size < good.size() - 2; ++size) {
      CAPTURE(level, size);
      CHECK(refused_as_wrong(level, packet(CONNECT << 4, good.substr(2, size))));
    }
    CHECK(refused_as_wrong(level, packet(CONNECT << 4, good.substr(2) + "x")));
  }
  for (unsigned flags = 1; flags < 16; ++flags) {
    auto wrong = connect(5);
    wrong[0] = static_cast<char>(wrong[0] | static_cast<char>(flags));
    Client client(port());
    client.send(wrong);
    CHECK(client.ends());
  }
}

TEST_CASE("properties of CONNECT that contradict the specification are refused", "[5.0 MQTT-3.1.4-2]") {
  const auto code = [](const std::string& properties) {
    return refusal_of(encode(Connect{.client_id = "id", .properties = properties}));
  };
  CHECK(code(property(receive_maximum, 0u)) == 0x82);
  CHECK(code(property(maximum_packet_size, 0u)) == 0x82);
  CHECK(code(property(request_problem_information, 2u)) == 0x82);
  CHECK(code(property(request_response_information, 2u)) == 0x82);
  CHECK(code(property(session_expiry, 1u) + property(session_expiry, 1u)) == 0x82);
  CHECK(code(property(authentication_data, "x")) == 0x82);
  CHECK(code(property(topic_alias, 1u)) == 0x81);
  CHECK(code(property(will_delay, 1u)) == 0x81);
  CHECK(code("\x7f") == 0x81);
}

TEST_CASE("a second connection with an identifier takes the first one's place",
          "[3.1.1 MQTT-3.1.3-2][3.1.1 MQTT-3.1.4-2][5.0 MQTT-3.1.3-2][5.0 MQTT-3.1.4-3]") {
  for (const int level : levels)
    for (const int next : levels) {
      CAPTURE(level, next);
      const auto id = unique("taken");
      auto first = connected(level, {.client_id = id});
      auto second = connected(next, {.client_id = id});
      if (level == 5)
        CHECK(first.expect_disconnect() == 0x8e);
      else
        CHECK(first.ends());
      CHECK(second.ping().empty());
    }
}

TEST_CASE("a good CONNECT gets a CONNACK of success, first and once, whatever is sent behind it",
          "[3.1.1 MQTT-3.1.4-4][3.1.1 MQTT-3.2.0-1][5.0 MQTT-3.1.4-5][5.0 MQTT-3.2.0-1][5.0 MQTT-3.2.0-2]"
          "[5.0 MQTT-3.2.2-1][5.0 MQTT-3.2.2-8]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto topic = unique("behind/");
    auto keeper = connected(5);
    keeper.publish({.topic = topic, .payload = "kept", .qos = 1, .retain = true});
    Client client(port());
    client.level = level;
    client.send(connect(level) + wire::subscribe(level, 7, {{topic, 1}}) +
                encode(Publish{.level = level, .topic = topic, .payload = "live", .qos = 1, .id = 9}) + pingreq());
    const auto connack = client.expect_connack();
    CHECK(connack.reason == 0);
    CHECK(connack.flags == 0);
    // In some order, with or without the live message, which may have come before the subscription was in force.
    std::set<unsigned> seen;
    while (!seen.count(SUBACK) || !seen.count(PUBACK) || !seen.count(PINGRESP) || !seen.count(PUBLISH)) {
      const auto packet = client.read();
      REQUIRE(packet);
      CHECK(packet->type() != CONNACK);
      seen.insert(packet->type());
    }
  }
}

TEST_CASE("what a client has sent behind a CONNECT that is refused is not looked at",
          "[3.1.1 MQTT-3.1.4-5][5.0 MQTT-3.1.4-6]") {
  const auto topic = unique("pipelined/");
  auto watcher = connected(5);
  watcher.subscribe(topic);
  for (const int level : {4, 5}) {
    Connect refused{.level = level, .clean = false};
    if (level == 5) refused = {.client_id = "id", .properties = property(authentication_method, "none such")};
    Client client(port());
    client.level = level;
    client.send(encode(refused) + encode(Publish{.level = level, .topic = topic, .payload = "no"}) +
                encode(Publish{.level = level, .topic = topic, .payload = "no", .qos = 1, .id = 1}));
    CHECK(client.expect_connack().reason != 0);
    CHECK(client.ends());
  }
  auto good = connected(5);
  good.publish({.topic = topic, .payload = "yes", .qos = 1});
  CHECK(watcher.expect_publish().payload == "yes");
}

TEST_CASE("a CONNACK that refuses says session present 0, and the connection ends",
          "[3.1.1 MQTT-3.2.2-4][3.1.1 MQTT-3.2.2-5][5.0 MQTT-3.2.2-6][5.0 MQTT-3.2.2-7]") {
  // refusal_of checks both.
  CHECK(refusal_of(encode(Connect{.level = 4, .clean = false})) == 2);
  CHECK(refusal_of(encode(Connect{.clean = false, .properties = property(authentication_method, "x")})) == 0x8c);
}

TEST_CASE("a method of enhanced authentication that the broker does not know is refused", "[5.0 MQTT-4.12.0-1]") {
  const auto method = property(authentication_method, "SCRAM-SHA-1");
  CHECK(refusal_of(encode(Connect{.client_id = "id", .properties = method})) == 0x8c);
  CHECK(refusal_of(encode(Connect{.client_id = "id", .properties = method + property(authentication_data, "data")})) ==
        0x8c);
}

TEST_CASE("without an authentication method there is none in CONNACK, and AUTH is a protocol error",
          "[5.0 MQTT-4.12.0-6][5.0 MQTT-4.12.0-7][5.0 MQTT-3.15.1-1][5.0 MQTT-3.15.2-1]") {
  auto client = connected(5);
  CHECK_FALSE(find(client.connack.properties, authentication_method));
  const auto method = property(authentication_method, "x");
  const auto auth = [&](unsigned reason) {
    return packet(AUTH << 4,
                  std::string(1, static_cast<char>(reason)) + varint(static_cast<unsigned>(method.size())) + method);
  };
  CHECK(end_after(5, auth(0x18)) == 0x82);
  CHECK(end_after(5, auth(0x19)) == 0x82);
  for (const unsigned reason : {0x00u, 0x01u, 0x1au, 0x80u}) CHECK(end_after(5, auth(reason)) == 0x82);
  CHECK(end_after(5, packet(AUTH << 4, {})) == 0x82);
  CHECK(end_after(5, packet(AUTH << 4, "\x19")) >= 0x81);
  for (unsigned flags = 1; flags < 16; ++flags) CHECK(end_after(5, packet(AUTH << 4 | flags, {})) == 0x81);
  // A type that is reserved before MQTT 5.
  for (const int level : {3, 4}) end_after(level, packet(AUTH << 4, {}));
}

TEST_CASE("session present is 0 after Clean Start, and when there was no session",
          "[3.1.1 MQTT-3.2.2-1][3.1.1 MQTT-3.2.2-3][5.0 MQTT-3.2.2-2][5.0 MQTT-3.1.2-6]") {
  for (const int level : {4, 5})
    for (const bool clean : {true, false}) {
      const auto id = unique("fresh");
      CHECK_FALSE(connected(level, {.client_id = id, .clean = clean}).connack.session_present());
      CHECK_FALSE(connected(level, {.client_id = id, .clean = true}).connack.session_present());
    }
}

TEST_CASE("CONNACK tells the limits that MQTT 5 has properties for", "[5.0 MQTT-3.2.2-9][5.0 MQTT-3.2.2-13]") {
  const auto told = connected(5).connack.properties;
  CHECK(number(told, receive_maximum) == 1024);
  CHECK(number(told, maximum_packet_size) == 1u << 20);
  CHECK(number(told, topic_alias_maximum) == 64);
  // All qualities of service, retained messages, wildcards and identifiers are served: absent says so.
  CHECK_FALSE(find(told, maximum_qos));
  CHECK(number(told, retain_available, 1) == 1);
  CHECK(number(told, wildcard_available, 1) == 1);
  CHECK(number(told, identifiers_available, 1) == 1);
  CHECK_FALSE(find(told, server_keep_alive));
  CHECK_FALSE(find(told, server_reference));
  for (const auto& one : told) CHECK(one.id != reason_string);
}

TEST_CASE("response information comes only to those who ask", "[5.0 MQTT-3.1.2-28]") {
  for (const auto& asks : {std::string(), property(request_response_information, 0u)})
    CHECK_FALSE(find(connected(5, {.properties = asks}).connack.properties, response_information));
  Broker with({"mqtt.response_information=answers/here"});
  const auto told = [&](const std::string& asks) {
    Client client(with.mqtt(), Connect{.client_id = "asker", .properties = asks});
    const auto* found = find(client.connack.properties, response_information);
    return found ? found->text : std::string();
  };
  CHECK(told({}).empty());
  CHECK(told(property(request_response_information, 0u)).empty());
  CHECK(told(property(request_response_information, 1u)) == "answers/here");
}

TEST_CASE("a CONNACK is no larger than the client allows",
          "[5.0 MQTT-3.1.2-24][5.0 MQTT-3.2.2-19][5.0 MQTT-3.2.2-20]") {
  const auto method = property(authentication_method, "x");
  const auto refusal = [&](unsigned most) {
    Client client(port());
    client.send(encode(Connect{.client_id = "id", .properties = method + property(maximum_packet_size, most)}));
    return client.expect(CONNACK);
  };
  const auto whole = refusal(1000);
  CHECK(whole.bytes > 5);  // it says why
  CHECK(refusal(static_cast<unsigned>(whole.bytes)).bytes == whole.bytes);
  CHECK(refusal(static_cast<unsigned>(whole.bytes) - 1).bytes == 5);
  // A CONNACK of success whose properties do not fit cannot be sent at all.
  Client client(port());
  client.send(encode(Connect{.client_id = unique("id"), .properties = property(maximum_packet_size, 10u)}));
  CHECK(client.expect_connack().reason == 0x95);
  CHECK(client.ends());
}
