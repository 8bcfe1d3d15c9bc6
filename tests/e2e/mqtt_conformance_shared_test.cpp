// Braid, Apache-2.0.
//
// Shared subscriptions: section 4.8.2 of MQTT 5.0.
#include <map>
#include <vector>

#include "e2e/support/conformance.hpp"

using namespace braid::e2e;
using namespace braid::e2e::conformance;
using namespace braid::e2e::wire;

namespace {

std::string share(const std::string& topic, const std::string& group = "g") {
  return "$share/" + group + "/" + topic;
}

}  // namespace

TEST_CASE("each message goes to one member of a group, with the quality of service that was granted to it",
          "[5.0 MQTT-4.8.2-3][5.0 MQTT-3.8.4-8]") {
  const auto topic = unique("share/");
  auto low = connected(5), high = connected(5), alone = connected(5), other_group = connected(5);
  CHECK(low.subscribe(share(topic), 0) == 0);
  CHECK(high.subscribe(share(topic), 2) == 2);
  CHECK(other_group.subscribe(share(topic, "other"), 1) == 1);
  CHECK(alone.subscribe(topic, 1) == 1);
  auto publisher = connected(5);
  constexpr int messages = 40;
  for (int i = 0; i < messages; ++i) publisher.publish({.topic = topic, .payload = std::to_string(i), .qos = 2});
  std::map<std::string, int> seen;
  for (auto* whole : {&alone, &other_group})
    for (int i = 0; i < messages; ++i) {
      const auto message = whole->expect_publish();
      CHECK(message.qos == 1);
      whole->send(acknowledge(PUBACK, message.id));
    }
  // Everything has been routed: what the two members have is on its way to them.
  int count = 0;
  for (auto* member : {&low, &high}) {
    int own = 0;
    while (const auto packet = member->read(count + own < messages ? 1000 : 1)) {
      if (packet->type() != PUBLISH) continue;
      ++own;
      const auto qos = packet->flags() >> 1 & 3;
      CHECK(qos == (member == &low ? 0u : 2u));
      ++seen[packet->body.substr(packet->body.size() - 2)];
      if (own == messages) break;
    }
    CHECK(own > 0);
    count += own;
  }
  CHECK(count == messages);
}

TEST_CASE("a shared subscription brings no retained messages", "[5.0 MQTT-4.8.2-3]") {
  const auto topic = unique("sharekeep/");
  auto publisher = connected(5);
  publisher.publish({.topic = topic, .payload = "kept", .qos = 1, .retain = true});
  auto member = connected(5);
  member.subscribe(share(topic), 0);
  publisher.publish({.topic = topic, .payload = "live", .qos = 1});
  CHECK(member.expect_publish().payload == "live");
}

TEST_CASE("a message of quality of service 2 that a member has begun stays with it, whatever becomes of its connection",
          "[5.0 MQTT-4.8.2-4][5.0 MQTT-4.8.2-5]") {
  for (const bool comes_back : {true, false}) {
    const auto topic = unique("begun/"), id = unique("begun");
    auto chosen =
        connected(5, {.client_id = id, .clean = false, .properties = property(session_expiry, comes_back ? 600u : 0u)});
    chosen.subscribe(share(topic), 2);
    auto publisher = connected(5);
    publisher.publish({.topic = topic, .payload = "two", .qos = 2});
    const auto message = chosen.expect_publish();
    auto other = connected(5);
    other.subscribe(share(topic), 2);
    chosen.drop();
    if (comes_back) {
      chosen = connected(5, {.client_id = id, .clean = false, .properties = property(session_expiry, 600u)});
      CHECK(chosen.connack.session_present());
      const auto again = chosen.expect_publish();
      CHECK(again.dup);
      CHECK(again.id == message.id);
      CHECK(again.payload == "two");
      chosen.send(acknowledge(PUBREC, again.id));
      CHECK(chosen.expect_answer(PUBREL).id == again.id);
      chosen.send(acknowledge(PUBCOMP, again.id));
      chosen.unsubscribe(share(topic));
    } else {
      // Its session is over once its identifier can be taken without a take-over.
      connected(5, {.client_id = id});
    }
    // The other member has got nothing of it.
    publisher.publish({.topic = topic, .payload = "next", .qos = 0});
    CHECK(other.expect_publish().payload == "next");
  }
}

TEST_CASE("a message that a member refuses is given to nobody else", "[5.0 MQTT-4.8.2-6]") {
  for (const unsigned qos : {1u, 2u}) {
    const auto topic = unique("no/");
    auto refuses = connected(5), publisher = connected(5);
    refuses.subscribe(share(topic), qos);
    publisher.publish({.topic = topic, .payload = "unwanted", .qos = qos});
    const auto message = refuses.expect_publish();
    auto other = connected(5);
    other.subscribe(share(topic), qos);
    refuses.send(acknowledge(qos == 1 ? PUBACK : PUBREC, message.id, 0x80));
    CHECK(refuses.ping().empty());
    refuses.unsubscribe(share(topic));
    publisher.publish({.topic = topic, .payload = "next", .qos = 0});
    CHECK(other.expect_publish().payload == "next");
  }
}

TEST_CASE("a message of quality of service 1 that a member leaves behind goes to another") {
  const auto topic = unique("left/");
  auto leaves = connected(5), publisher = connected(5);
  leaves.subscribe(share(topic), 1);
  publisher.publish({.topic = topic, .payload = "left", .qos = 1});
  CHECK(leaves.expect_publish().payload == "left");
  auto other = connected(5);
  other.subscribe(share(topic), 1);
  leaves.drop();
  CHECK(other.expect_publish().payload == "left");
}

TEST_CASE("clients of every version may share a subscription") {
  const auto topic = unique("every/");
  std::vector<Client> members;
  for (const int level : levels) {
    members.push_back(connected(level));
    CHECK(members.back().subscribe(share(topic), 1) == 1);
  }
  auto publisher = connected(5);
  for (std::size_t i = 0; i < members.size(); ++i) publisher.publish({.topic = topic, .payload = "x", .qos = 1});
  // In turns: one for each.
  for (auto& member : members) CHECK(member.expect_publish().payload == "x");
}
