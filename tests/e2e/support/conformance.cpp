// Braid, Apache-2.0.
#include "e2e/support/conformance.hpp"

namespace braid::e2e::conformance {

std::vector<std::string>& settings() {
  static std::vector<std::string> all;
  return all;
}

Broker& broker() {
  static Broker one(settings());
  return one;
}

wire::Client connected(int level, wire::Connect connect) {
  connect.level = level;
  if (connect.client_id.empty()) connect.client_id = wire::unique("client");
  return wire::Client(port(), connect);
}

std::vector<wire::Received> retained_for(wire::Client& client, const std::string& filter, unsigned options) {
  const auto end = wire::unique("end/of/retained");
  connected(5).publish({.topic = end, .payload = "end", .qos = 1, .retain = true});
  client.send(wire::subscribe(client.level, client.next_id(), {{filter, options}, {end, 0}}));
  client.expect_answers(wire::SUBACK);
  std::vector<wire::Received> found;
  for (;;) {
    auto message = client.expect_publish();
    if (message.topic == end) return found;
    found.push_back(std::move(message));
  }
}

unsigned end_after(int level, std::string_view bytes) {
  auto client = connected(level);
  client.send(bytes);
  if (level >= 5) return client.expect_disconnect();
  CHECK(client.ends());
  return 0;
}

int refusal_of(std::string_view bytes) {
  wire::Client client(port());
  client.send(bytes);
  const auto packet = client.read();
  if (!packet) {
    CHECK(client.ends());
    return -1;
  }
  REQUIRE(packet->type() == wire::CONNACK);
  REQUIRE(packet->body.size() >= 2);
  CHECK(packet->body[0] == 0);  // a refusal never tells of a session
  CHECK(client.ends());
  return static_cast<unsigned char>(packet->body[1]);
}

}  // namespace braid::e2e::conformance
