// Braid, Apache-2.0.
//
// SUBSCRIBE and UNSUBSCRIBE: sections 3.8 to 3.11 of MQTT 3.1.1 and 5.0, and topic filters, section 4.7.
#include <algorithm>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

/// Names under which a message reaches a subscriber of `filter`, of those given; `root` keeps tests apart.
std::vector<std::string> matched(int level, const std::string& filter, const std::vector<std::string>& names,
                                 const std::string& end) {
  auto client = connected(level);
  REQUIRE(client.subscribe(filter) < 0x80);
  client.subscribe(end);
  auto publisher = connected(5);
  for (const auto& name : names) publisher.publish({.topic = name, .payload = "x", .qos = 1});
  publisher.publish({.topic = end, .payload = "end", .qos = 1});
  std::vector<std::string> found;
  for (;;) {
    const auto message = client.expect_publish();
    if (message.topic == end) return found;
    found.push_back(message.topic);
  }
}

}  // namespace

TEST_CASE("a SUBSCRIBE or UNSUBSCRIBE has at least one topic filter",
          "[3.1.1 MQTT-3.8.3-3][3.1.1 MQTT-3.10.3-2][5.0 MQTT-3.8.3-2][5.0 MQTT-3.10.3-2]") {
  for (const int level : levels) {
    CAPTURE(level);
    CHECK(end_after(level, wire::subscribe(level, 1, {})) == (level == 5 ? 0x82u : 0u));
    CHECK(end_after(level, wire::unsubscribe(level, 1, {})) == (level == 5 ? 0x82u : 0u));
    // A filter without its options is none.
    const std::string none = level == 5 ? std::string("\0", 1) : std::string();
    CHECK(end_after(level, packet(0x82, u16(1) + none + str("t"))) == (level == 5 ? 0x81u : 0u));
  }
}

TEST_CASE("reserved bits of the subscription options have to be 0, and values in their range",
          "[3.1.1 MQTT-3.8.3-4][5.0 MQTT-3.8.3-5]") {
  for (const int level : {3, 4})
    for (unsigned options = 3; options < 256; ++options) end_after(level, wire::subscribe(level, 1, {{"t", options}}));
  for (unsigned options = 0; options < 256; ++options) {
    CAPTURE(options);
    if ((options & 0xc0) != 0) {
      CHECK(end_after(5, wire::subscribe(5, 1, {{"t", options}})) == 0x81);
    } else if ((options & 3) == 3 || (options & 0x30) == 0x30) {
      CHECK(end_after(5, wire::subscribe(5, 1, {{"t", options}})) == 0x82);
    }
  }
}

TEST_CASE(
    "a SUBSCRIBE is answered by one SUBACK with a code for each filter, in their order, and a bad filter spoils none",
    "[3.1.1 MQTT-3.8.4-1][3.1.1 MQTT-3.8.4-4][3.1.1 MQTT-3.8.4-5][3.1.1 MQTT-3.9.3-1][3.1.1 MQTT-3.9.3-2]"
    "[3.1.1 MQTT-4.7.1-2][3.1.1 MQTT-4.7.1-3][5.0 MQTT-3.8.4-1][5.0 MQTT-3.8.4-5][5.0 MQTT-3.8.4-6]"
    "[5.0 MQTT-3.8.4-7][5.0 MQTT-3.9.3-1][5.0 MQTT-3.9.3-2][5.0 MQTT-4.7.1-1][5.0 MQTT-4.7.1-2]") {
  for (const int level : levels) {
    CAPTURE(level);
    const auto root = unique("list/") + "/";
    auto client = connected(level);
    const std::vector<Filter> filters = {{root + "a", 0}, {"a/#/b", 0}, {root + "b", 1},   {"a+", 1},
                                         {"+a/b", 2},     {"a#", 0},    {"##", 0},         {root + "c", 2},
                                         {"a/b+", 0},     {"#/a", 0},   {root + "+/d", 1}, {root + "e/#", 0},
                                         {root + "b", 2}, {"", 0}};
    const std::vector<unsigned> bad = {1, 3, 4, 5, 6, 8, 9, 13};
    client.send(wire::subscribe(level, 9, filters));
    const auto answer = client.expect_answers(SUBACK);
    CHECK(answer.id == 9);
    REQUIRE(answer.reasons.size() == filters.size());
    for (unsigned i = 0; i < filters.size(); ++i) {
      CAPTURE(filters[i].filter);
      const bool wrong = std::find(bad.begin(), bad.end(), i) != bad.end();
      CHECK(answer.reasons[i] == (wrong ? (level == 5 ? 0x8fu : 0x80u) : filters[i].options));
    }
    auto publisher = connected(5);
    for (const auto* name : {"a", "b", "c", "x/d", "e/f/g", "e"})
      publisher.publish({.topic = root + name, .payload = name, .qos = 2});
    const unsigned qos[] = {0, 2, 2, 1, 0, 0};
    for (const auto& wanted : qos) CHECK(client.expect_publish().qos == wanted);
  }
}

TEST_CASE("a message comes with the lower of its own and the granted quality of service",
          "[3.1.1 MQTT-3.8.4-6][5.0 MQTT-3.8.4-8][5.0 MQTT-3.2.2-10]") {
  for (const int level : levels)
    for (const unsigned granted : {0u, 1u, 2u}) {
      const auto topic = unique("lower/");
      auto client = connected(level);
      CHECK(client.subscribe(topic, granted) == granted);
      auto publisher = connected(level);
      for (const unsigned qos : {0u, 1u, 2u}) {
        publisher.publish({.topic = topic, .payload = "x", .qos = qos});
        CHECK(client.expect_publish().qos == std::min(qos, granted));
      }
    }
}

TEST_CASE("a filter that a client has already is replaced, options, identifier and all, and nothing comes twice",
          "[3.1.1 MQTT-3.8.4-3][5.0 MQTT-3.8.4-3]") {
  for (const int level : levels) {
    const auto topic = unique("replace/");
    auto client = connected(level), publisher = connected(5);
    for (const unsigned qos : {0u, 2u, 1u}) {
      client.subscribe(topic, qos, level == 5 ? property(subscription_identifier, qos + 10) : std::string());
      publisher.publish({.topic = topic, .payload = "x", .qos = 2});
      const auto message = client.expect_publish();
      CHECK(message.qos == qos);
      if (level == 5) CHECK(number(message.properties, subscription_identifier) == qos + 10);
    }
    if (level == 5) {
      client.subscribe(topic, 0);
      publisher.publish({.topic = topic, .payload = "x", .qos = 0});
      CHECK_FALSE(find(client.expect_publish().properties, subscription_identifier));
    }
    CHECK(client.ping().empty());
  }
}

TEST_CASE("no message is lost while a subscription is replaced over and over, and retained ones come again",
          "[5.0 MQTT-3.8.4-4][3.1.1 MQTT-3.8.4-3]") {
  for (const int level : {4, 5}) {
    const auto topic = unique("busy/");
    auto client = connected(level), publisher = connected(5);
    client.subscribe(topic, 1);
    constexpr int messages = 300;
    std::string all, again;
    for (int i = 0; i < messages; ++i)
      all +=
          encode(Publish{.topic = topic, .payload = std::to_string(i), .qos = 1, .id = static_cast<unsigned>(i) + 1});
    for (int i = 0; i < 20; ++i) again += wire::subscribe(level, 100u + static_cast<unsigned>(i), {{topic, 1}});
    publisher.send(all);
    client.send(again);
    int next = 0, answers = 0;
    while (next < messages || answers < 20) {
      const auto packet = client.read();
      REQUIRE(packet);
      if (packet->type() == SUBACK) {
        ++answers;
        continue;
      }
      REQUIRE(packet->type() == PUBLISH);
      CHECK(packet->body.ends_with(std::to_string(next)));
      ++next;
      client.send(acknowledge(PUBACK, static_cast<unsigned char>(packet->body[2 + topic.size()]) * 256u +
                                          static_cast<unsigned char>(packet->body[3 + topic.size()])));
    }
    publisher.drop();
    connected(5).publish({.topic = topic, .payload = "kept", .qos = 1, .retain = true});
    CHECK(client.expect_publish().payload == "kept");
    // Copies of the subscriptions before may still be on their way; behind the answer there is one more.
    client.send(wire::subscribe(level, 500, {{topic, 0}}));
    bool answered = false, kept = false;
    while (!kept) {
      const auto packet = client.read();
      REQUIRE(packet);
      answered = answered || packet->type() == SUBACK;
      kept = answered && packet->type() == PUBLISH && (packet->flags() & 1) != 0 && packet->body.ends_with("kept");
    }
  }
}

TEST_CASE("overlapping subscriptions bring one copy, at the highest quality of service, with all their identifiers",
          "[3.1.1 MQTT-3.3.5-1][5.0 MQTT-3.3.4-2][5.0 MQTT-3.3.4-3][5.0 MQTT-3.3.4-4]") {
  for (const int level : levels) {
    const auto root = unique("overlap");
    auto client = connected(level), publisher = connected(5);
    const auto identifier = [&](std::uint32_t id) {
      return level == 5 ? property(subscription_identifier, id) : std::string();
    };
    client.subscribe(root + "/#", 0, identifier(1));
    client.subscribe(root + "/+", 2, identifier(268435455));
    client.subscribe(root + "/x", 1, identifier(1));
    client.subscribe(root + "/+/y", 1);
    publisher.publish({.topic = root + "/x", .payload = "one", .qos = 2});
    publisher.publish({.topic = root + "/x/y", .payload = "end", .qos = 0});
    const auto message = client.expect_publish();
    CHECK(message.payload == "one");
    CHECK(message.qos == 2);
    if (level == 5) {
      std::vector<std::uint32_t> identifiers;
      for (const auto& one : message.properties)
        if (one.id == subscription_identifier) identifiers.push_back(one.number);
      std::sort(identifiers.begin(), identifiers.end());
      CHECK(identifiers == std::vector<std::uint32_t>{1, 1, 268435455});
    }
    CHECK(client.expect_publish().payload == "end");
  }
}

TEST_CASE("a subscription identifier is not 0", "[5.0 MQTT-4.13.1-1]") {
  CHECK(end_after(5, wire::subscribe(5, 1, {{"t", 0}}, property(subscription_identifier, 0u))) == 0x82);
}

TEST_CASE("with No Local a client does not get what it published itself; others do, and shared filters cannot have it",
          "[5.0 MQTT-3.8.3-3][5.0 MQTT-3.8.3-4]") {
  const auto topic = unique("local/");
  auto client = connected(5), other = connected(5);
  client.subscribe(topic, 0x04);
  other.subscribe(topic, 0);
  client.publish({.topic = topic, .payload = "mine", .qos = 1});
  CHECK(other.expect_publish().payload == "mine");
  other.publish({.topic = topic, .payload = "theirs", .qos = 0});
  CHECK(client.expect_publish().payload == "theirs");
  CHECK(end_after(5, wire::subscribe(5, 1, {{"$share/g/t", 0x04}})) == 0x82);
}

TEST_CASE("UNSUBSCRIBE takes away the filter that is the same byte for byte, and says whether there was one",
          "[3.1.1 MQTT-3.10.4-1][3.1.1 MQTT-3.10.4-2][3.1.1 MQTT-3.10.4-4][3.1.1 MQTT-3.10.4-5][3.1.1 MQTT-3.10.4-6]"
          "[5.0 MQTT-3.10.4-1][5.0 MQTT-3.10.4-2][5.0 MQTT-3.10.4-4][5.0 MQTT-3.10.4-5][5.0 MQTT-3.10.4-6]"
          "[5.0 MQTT-3.11.3-1][5.0 MQTT-3.11.3-2]") {
  for (const int level : levels) {
    const auto root = unique("away");
    auto client = connected(level), publisher = connected(5);
    client.send(wire::subscribe(level, 1, {{root + "/#", 0}, {root + "/+", 0}, {root + "/a", 0}}));
    client.expect_answers(SUBACK);
    // Filters that cover or are covered do not count.
    client.send(wire::unsubscribe(level, 2, {root + "/b", root + "/+/#", root + "/#", root + "/A", root + "/#"}));
    auto answer = client.expect_answers(UNSUBACK);
    CHECK(answer.id == 2);
    CHECK(answer.reasons == (level == 5 ? std::vector<unsigned>{0x11, 0x11, 0, 0x11, 0x11} : std::vector<unsigned>{}));
    publisher.publish({.topic = root + "/x/y", .payload = "no longer", .qos = 1});
    publisher.publish({.topic = root + "/a", .payload = "still", .qos = 1});
    CHECK(client.expect_publish().payload == "still");
    client.send(wire::unsubscribe(level, 3, {root + "/a", root + "/+"}));
    client.expect_answers(UNSUBACK);
    publisher.publish({.topic = root + "/a", .payload = "gone", .qos = 1});
    client.subscribe(root + "/end");
    publisher.publish({.topic = root + "/end", .payload = "end", .qos = 1});
    CHECK(client.expect_publish().payload == "end");
  }
}

TEST_CASE("what was begun before an UNSUBSCRIBE is finished after it", "[3.1.1 MQTT-3.10.4-3][5.0 MQTT-3.10.4-3]") {
  for (const int level : levels)
    for (const unsigned qos : {1u, 2u}) {
      const auto topic = unique("begun/");
      auto client = connected(level);
      client.subscribe(topic, 2);
      connected(5).publish({.topic = topic, .payload = "x", .qos = qos});
      const auto message = client.expect_publish();
      client.unsubscribe(topic);
      client.send(acknowledge(qos == 1 ? PUBACK : PUBREC, message.id));
      if (qos == 2) {
        const auto release = client.expect_answer(PUBREL);
        CHECK(release.id == message.id);
        CHECK(release.reason == 0);
        client.send(acknowledge(PUBCOMP, message.id));
      }
      CHECK(client.ping().empty());
    }
}

TEST_CASE("filters match as section 4.7 says: parents, empty levels, and one level for a plus",
          "[3.1.1 MQTT-4.7.1-2][3.1.1 MQTT-4.7.1-3][5.0 MQTT-4.7.1-1][5.0 MQTT-4.7.1-2][5.0 MQTT-4.7.3-4]"
          "[3.1.1 MQTT-4.7.3-4]") {
  const auto a = unique("match");
  const std::vector<std::string> names = {a, a + "/", a + "/b", a + "/b/c", a + "//c", "/" + a, a + "x", a + "/B"};
  const struct {
    std::string filter;
    std::vector<std::string> wanted;
  } cases[] = {
      {a + "/#", {a, a + "/", a + "/b", a + "/b/c", a + "//c", a + "/B"}},
      {a + "/+", {a + "/", a + "/b", a + "/B"}},
      {a + "/+/#", {a + "/", a + "/b", a + "/b/c", a + "//c", a + "/B"}},
      {a + "/+/c", {a + "/b/c", a + "//c"}},
      {a + "//c", {a + "//c"}},
      {"+/" + a, {"/" + a}},
      {"/" + a, {"/" + a}},
      {"/+", {"/" + a}},
      {a, {a}},
      {a + "/b/#", {a + "/b", a + "/b/c"}},
  };
  for (const int level : {4, 5})
    for (const auto& one : cases) {
      CAPTURE(level, one.filter);
      CHECK(matched(level, one.filter, names, unique("end/of/it")) == one.wanted);
    }
}

TEST_CASE("filters that begin with a wildcard do not match names that begin with a dollar sign",
          "[3.1.1 MQTT-4.7.2-1][5.0 MQTT-4.7.2-1]") {
  const auto name = "$" + unique("dollar") + "/x/y";
  const auto first = name.substr(0, name.find('/'));
  for (const int level : levels) {
    for (const auto* filter : {"#", "+/x/y", "+/#", "+/+/+"}) {
      CAPTURE(level, filter);
      auto client = connected(level);
      client.subscribe(filter);
      auto publisher = connected(5);
      publisher.publish({.topic = name, .payload = "no", .qos = 1});
      const auto other = unique("plain") + "/x/y";
      publisher.publish({.topic = other, .payload = "yes", .qos = 1});
      // What other tests have left retained comes first.
      std::string topic;
      do {
        topic = client.expect_publish().topic;
        CHECK(topic != name);
      } while (topic != other);
    }
    CHECK(matched(level, first + "/#", {name}, unique("end/")) == std::vector<std::string>{name});
    CHECK(matched(level, first + "/+/y", {name}, unique("end/")) == std::vector<std::string>{name});
  }
}

TEST_CASE("a shared filter has a name without wildcards and a filter behind it",
          "[5.0 MQTT-4.8.2-1][5.0 MQTT-4.8.2-2]") {
  auto client = connected(5);
  for (const auto* filter : {"$share//a", "$share/g", "$share/g/", "$share/", "$share", "$share/g+/a", "$share/#/a",
                             "$share/+/a", "$share/g/a#", "$share/g/a/#/b"}) {
    CAPTURE(filter);
    CHECK(client.subscribe(filter) == 0x8f);
  }
}
