// Braid, Apache-2.0.
#include "e2e/support/mqtt_wire.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace braid::e2e::wire {

namespace {

enum class Kind { byte, two, four, variable, text, pair };

Kind kind_of(unsigned id) {
  switch (id) {
    case payload_format:
    case request_problem_information:
    case request_response_information:
    case maximum_qos:
    case retain_available:
    case wildcard_available:
    case identifiers_available:
    case shared_available:
      return Kind::byte;
    case server_keep_alive:
    case receive_maximum:
    case topic_alias_maximum:
    case topic_alias:
      return Kind::two;
    case message_expiry:
    case session_expiry:
    case will_delay:
    case maximum_packet_size:
      return Kind::four;
    case subscription_identifier:
      return Kind::variable;
    case user_property:
      return Kind::pair;
    default:
      return Kind::text;
  }
}

/// Takes a packet's body apart; running out of bytes throws.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  unsigned u8() { return static_cast<unsigned char>(take(1)[0]); }
  unsigned u16() {
    const unsigned high = u8();
    return high << 8 | u8();
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  unsigned varint() {
    unsigned value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      const unsigned part = u8();
      value |= (part & 127) << shift;
      if (part < 128) return value;
    }
    throw std::runtime_error("a number of more than four bytes");
  }
  std::string str() { return std::string(take(u16())); }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) throw std::runtime_error("the packet is shorter than what it announces");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest() { return take(rest_.size()); }
  bool done() const { return rest_.empty(); }

  Properties properties() {
    Reader block(take(varint()));
    Properties all;
    while (!block.done()) {
      Property one;
      one.id = block.u8();
      switch (kind_of(one.id)) {
        case Kind::byte:
          one.number = block.u8();
          break;
        case Kind::two:
          one.number = block.u16();
          break;
        case Kind::four:
          one.number = block.u32();
          break;
        case Kind::variable:
          one.number = block.varint();
          break;
        case Kind::text:
          one.text = block.str();
          break;
        case Kind::pair:
          one.text = block.str();
          one.value = block.str();
          break;
      }
      all.push_back(std::move(one));
    }
    return all;
  }

 private:
  std::string_view rest_;
};

std::string block(int level, std::string_view properties) {
  if (level < 5) return {};
  return varint(static_cast<unsigned>(properties.size())).append(properties);
}

constexpr std::string_view kNames[] = {"reserved", "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
                                       "PUBREL",   "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
                                       "PINGREQ",  "PINGRESP", "DISCONNECT", "AUTH"};

}  // namespace

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string u32(std::uint32_t value) {
  return u16(value >> 16) + u16(value & 0xffff);
}
std::string varint(unsigned value) {
  std::string bytes;
  do {
    bytes.push_back(static_cast<char>((value & 127) | (value > 127 ? 128u : 0u)));
    value >>= 7;
  } while (value != 0);
  return bytes;
}
std::string str(std::string_view text) {
  return u16(static_cast<unsigned>(text.size())).append(text);
}
std::string packet(unsigned first, std::string_view body) {
  return std::string(1, static_cast<char>(first)).append(varint(static_cast<unsigned>(body.size()))).append(body);
}

std::string property(unsigned id, std::uint32_t value) {
  const std::string name(1, static_cast<char>(id));
  switch (kind_of(id)) {
    case Kind::byte:
      return name + static_cast<char>(value);
    case Kind::two:
      return name + u16(value);
    case Kind::four:
      return name + u32(value);
    default:
      return name + varint(value);
  }
}
std::string property(unsigned id, std::string_view text) {
  return std::string(1, static_cast<char>(id)) + str(text);
}
std::string property(unsigned id, std::string_view name, std::string_view value) {
  return std::string(1, static_cast<char>(id)) + str(name) + str(value);
}

std::string encode(const Connect& connect) {
  unsigned flags = connect.clean ? 0x02 : 0;
  std::string payload = str(connect.client_id);
  if (const auto& will = connect.will) {
    flags |= 0x04 | will->qos << 3 | (will->retain ? 0x20u : 0u);
    payload += block(connect.level, will->properties) + str(will->topic) + str(will->payload);
  }
  if (connect.user) {
    flags |= 0x80;
    payload += str(*connect.user);
  }
  if (connect.password) {
    flags |= 0x40;
    payload += str(*connect.password);
  }
  const std::string head = str(connect.level == 3 ? "MQIsdp" : "MQTT") + static_cast<char>(connect.level) +
                           static_cast<char>(flags ^ connect.wrong_flags) + u16(connect.keep_alive_s);
  return packet(CONNECT << 4, head + block(connect.level, connect.properties) + payload);
}

std::string encode(const Publish& publish) {
  const unsigned first = PUBLISH << 4 | (publish.dup ? 8u : 0u) | publish.qos << 1 | (publish.retain ? 1u : 0u);
  return packet(first, str(publish.topic) + (publish.qos == 0 ? "" : u16(publish.id)) +
                           block(publish.level, publish.properties) + publish.payload);
}

std::string subscribe(int level, unsigned id, const std::vector<Filter>& filters, std::string_view properties) {
  std::string body = u16(id) + block(level, properties);
  for (const auto& one : filters) body += str(one.filter) + static_cast<char>(one.options);
  return packet(SUBSCRIBE << 4 | 2, body);
}
std::string unsubscribe(int level, unsigned id, const std::vector<std::string>& filters, std::string_view properties) {
  std::string body = u16(id) + block(level, properties);
  for (const auto& filter : filters) body += str(filter);
  return packet(UNSUBSCRIBE << 4 | 2, body);
}
std::string acknowledge(unsigned type, unsigned id, std::optional<unsigned> reason,
                        std::optional<std::string> properties) {
  std::string body = u16(id);
  if (reason) body += static_cast<char>(*reason);
  if (properties) body += block(5, *properties);
  return packet(type << 4 | (type == PUBREL ? 2u : 0u), body);
}
std::string pingreq() {
  return packet(PINGREQ << 4, {});
}
std::string disconnect(std::optional<unsigned> reason, std::optional<std::string> properties) {
  std::string body;
  if (reason) body += static_cast<char>(*reason);
  if (properties) body += block(5, *properties);
  return packet(DISCONNECT << 4, body);
}

const Property* find(const Properties& properties, unsigned id) {
  for (const auto& one : properties)
    if (one.id == id) return &one;
  return nullptr;
}
std::uint32_t number(const Properties& properties, unsigned id, std::uint32_t absent) {
  const auto* found = find(properties, id);
  return found ? found->number : absent;
}

std::string Packet::describe() const {
  std::string text(kNames[type()]);
  for (const char byte : body.substr(0, 40)) {
    constexpr char digits[] = "0123456789abcdef";
    text += {' ', digits[static_cast<unsigned char>(byte) >> 4], digits[byte & 15]};
  }
  return text;
}

Client::Client(std::uint16_t port, const Connect& connect) : Client(port) {
  level = connect.level;
  send(encode(connect));
  connack = expect_connack();
  if (connack.reason != 0) throw std::runtime_error("the CONNECT was refused: " + std::to_string(connack.reason));
}

std::optional<Packet> Client::read(int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    std::size_t header = 1;
    std::size_t length = 0;
    bool known = false;
    for (int shift = 0; header < buffer_.size() && !known; shift += 7) {
      const auto part = static_cast<unsigned char>(buffer_[header++]);
      length |= static_cast<std::size_t>(part & 127) << shift;
      known = part < 128;
    }
    if (known && buffer_.size() >= header + length) {
      Packet packet{static_cast<unsigned char>(buffer_[0]), buffer_.substr(header, length), header + length};
      buffer_.erase(0, header + length);
      return packet;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    const auto more = connection_->receive_some(static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (more.empty()) return std::nullopt;
    buffer_ += more;
  }
}

Packet Client::expect(unsigned type, int timeout_ms) {
  auto packet = read(timeout_ms);
  if (!packet) throw std::runtime_error("expected " + std::string(kNames[type]) + ", and nothing came");
  if (packet->type() != type)
    throw std::runtime_error("expected " + std::string(kNames[type]) + ", and there came " + packet->describe());
  return std::move(*packet);
}

Connack Client::expect_connack() {
  const auto packet = expect(CONNACK);
  Reader reader(packet.body);
  Connack answer;
  answer.flags = reader.u8();
  answer.reason = reader.u8();
  if (!reader.done()) answer.properties = reader.properties();
  if (!reader.done()) throw std::runtime_error("bytes behind a CONNACK: " + packet.describe());
  return answer;
}

Received Client::expect_publish(int timeout_ms) {
  const auto packet = expect(PUBLISH, timeout_ms);
  Reader reader(packet.body);
  Received message;
  message.qos = packet.flags() >> 1 & 3;
  message.retain = packet.flags() & 1;
  message.dup = packet.flags() & 8;
  message.topic = reader.str();
  if (message.qos != 0) message.id = reader.u16();
  if (level >= 5) message.properties = reader.properties();
  message.payload = reader.rest();
  message.bytes = packet.bytes;
  return message;
}

Answer Client::expect_answer(unsigned type) {
  const auto packet = expect(type);
  Reader reader(packet.body);
  Answer answer;
  if (type != DISCONNECT) answer.id = reader.u16();
  if (!reader.done()) answer.reason = reader.u8();
  if (!reader.done()) answer.properties = reader.properties();
  if (!reader.done()) throw std::runtime_error("bytes behind an answer: " + packet.describe());
  return answer;
}

Answers Client::expect_answers(unsigned type) {
  const auto packet = expect(type);
  Reader reader(packet.body);
  Answers answers;
  answers.id = reader.u16();
  if (level >= 5) answers.properties = reader.properties();
  for (const char code : reader.rest()) answers.reasons.push_back(static_cast<unsigned char>(code));
  return answers;
}

unsigned Client::subscribe(const std::string& filter, unsigned options, std::string_view properties) {
  send(wire::subscribe(level, next_id(), {{filter, options}}, properties));
  const auto answers = expect_answers(SUBACK);
  if (answers.reasons.size() != 1) throw std::runtime_error("a SUBACK with not one reason code");
  return answers.reasons[0];
}

unsigned Client::unsubscribe(const std::string& filter) {
  send(wire::unsubscribe(level, next_id(), {filter}));
  const auto answers = expect_answers(UNSUBACK);
  return answers.reasons.empty() ? 0 : answers.reasons[0];
}

unsigned Client::publish(Publish publish) {
  publish.level = level;
  if (publish.qos != 0 && publish.id == 0) publish.id = next_id();
  send(encode(publish));
  if (publish.qos == 0) return 0;
  if (publish.qos == 1) return expect_answer(PUBACK).reason;
  const auto received = expect_answer(PUBREC);
  if (received.reason >= 0x80) return received.reason;
  send(acknowledge(PUBREL, publish.id));
  expect_answer(PUBCOMP);
  return received.reason;
}

std::vector<Packet> Client::ping() {
  send(pingreq());
  std::vector<Packet> before;
  for (;;) {
    auto packet = read();
    if (!packet) throw std::runtime_error("a PINGREQ was not answered");
    if (packet->type() == PINGRESP) return before;
    before.push_back(std::move(*packet));
  }
}

unsigned Client::expect_disconnect() {
  const auto answer = expect_answer(DISCONNECT);
  if (!ends()) throw std::runtime_error("the connection goes on behind a DISCONNECT");
  return answer.reason;
}

bool Client::ends(int timeout_ms) {
  if (const auto packet = read(timeout_ms))
    throw std::runtime_error("expected the end, there came " + packet->describe());
  return connection_->closed(timeout_ms);
}

std::string unique(std::string_view stem) {
  static int count = 0;
  return std::string(stem) + std::to_string(++count);
}

}  // namespace braid::e2e::wire
