// Braid, Apache-2.0.
//
// An MQTT 3.1.1 client of the load generators: the packets that a load needs, and nothing that tells brokers apart.
#pragma once

#include <string_view>

#include "load.hpp"

namespace braid::bench {

enum Type : unsigned {
  connack = 2,
  publish_packet = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  suback = 9,
};

inline std::string text16(const std::string& text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + text;
}

inline std::string packet(unsigned first, const std::string& body) {
  std::string made{static_cast<char>(first)};
  for (std::size_t left = body.size();;) {
    const bool more = left >= 0x80;
    made += static_cast<char>((left & 0x7f) | (more ? 0x80 : 0));
    left >>= 7;
    if (!more) return made + body;
  }
}

struct Shape {
  unsigned qos;
  std::string filter;
  std::size_t filters;

  /// The name under which number n is published.
  std::string topic(std::size_t n) const {
    const auto text = std::to_string(n);
    return filter == "wildcards" ? "bench/" + std::to_string(n % 1000) + "/dev" + text + "/state/cmd" : "bench/" + text;
  }
};

class MqttClient : public Client {
 public:
  MqttClient(Load& load, int socket, const Shape& shape, const std::string& client_id, bool clean = true)
      : Client(load, socket), shape_(shape) {
    write(packet(0x10, text16("MQTT") + std::string{4, static_cast<char>(clean ? 2 : 0), 0, 0} + text16(client_id)));
  }

  /// Publishes under the topics `first`, `first + step`, ... in turn.
  void publish_under(std::size_t first, std::size_t step, std::size_t count) {
    first_ = topic_ = first;
    step_ = step;
    topics_ = count;
    prepare();
  }
  void subscribe(const std::vector<std::string>& filters) {
    std::string body{0, 1};
    for (const auto& filter : filters) body += text16(filter) + static_cast<char>(shape_.qos);
    write(packet(0x82, body));
    ++subscribes;
  }

  void publish(std::uint64_t intended_ns) override {
    const auto made = stamp(intended_ns);
    std::memcpy(message_.data() + payload_at_, &made, sizeof made);
    if (shape_.qos != 0) {
      identifier_ = identifier_ == 65535 ? 1 : identifier_ + 1;
      message_[payload_at_ - 2] = static_cast<char>(identifier_ >> 8);
      message_[payload_at_ - 1] = static_cast<char>(identifier_);
    }
    write(message_);
    if (first_ + step_ >= topics_) return;
    topic_ = topic_ + step_ < topics_ ? topic_ + step_ : first_;
    prepare();
  }

  std::size_t take(const char* data, std::size_t size) override {
    std::size_t used = 0;
    while (size - used >= 2) {
      std::size_t length = 0, header = 1;
      bool whole = false;
      for (unsigned shift = 0; header < size - used && shift < 28; shift += 7) {
        const auto byte = static_cast<unsigned char>(data[used + header++]);
        length |= static_cast<std::size_t>(byte & 0x7f) << shift;
        whole = byte < 0x80;
        if (whole) break;
      }
      if (!whole || size - used < header + length) break;
      take_packet(static_cast<unsigned char>(data[used]), data + used + header, length);
      used += header + length;
    }
    return used;
  }

  std::size_t connacks = 0, subacks = 0, subscribes = 0;

 protected:
  void answer(unsigned first, const char* identifier) {
    const char made[] = {static_cast<char>(first), 2, identifier[0], identifier[1]};
    write(made, sizeof made);
  }
  /// A message came; `identifier` is null at QoS 0.
  virtual void take_message(std::string_view, const char* payload, std::size_t size, unsigned qos,
                            const char* identifier) {
    if (size < sizeof(Stamp)) throw std::runtime_error("a message that nobody here published");
    load().delivered(payload);
    if (qos != 0) answer(qos == 1 ? 0x40 : 0x50, identifier);
  }

 private:
  void prepare() {
    const auto head = text16(shape_.topic(topic_)) + (shape_.qos != 0 ? std::string(2, '\0') : "");
    const std::string payload(load().plan().payload_bytes, 'x');
    message_ = packet(0x30 | shape_.qos << 1, head + payload);
    payload_at_ = message_.size() - payload.size();
  }

  void take_packet(unsigned first, const char* body, std::size_t length) {
    switch (first >> 4) {
      case publish_packet: {
        const unsigned qos = first >> 1 & 3;
        const auto topic = static_cast<std::size_t>(static_cast<unsigned char>(body[0])) << 8 |
                           static_cast<std::size_t>(static_cast<unsigned char>(body[1]));
        const auto at = 2 + topic + (qos != 0 ? 2 : 0);
        if (at > length) throw std::runtime_error("a message that ends in its own name");
        return take_message({body + 2, topic}, body + at, length - at, qos, qos != 0 ? body + 2 + topic : nullptr);
      }
      case puback:
      case pubcomp:
        return load().acknowledged(*this);
      case pubrec:
        return answer(0x62, body);
      case pubrel:
        return answer(0x70, body);
      case connack:
        if (length < 2 || body[1] != 0) throw std::runtime_error("the broker refused a client");
        ++connacks;
        return;
      case suback:
        for (std::size_t i = 2; i < length; ++i)
          if (static_cast<unsigned char>(body[i]) > 2) throw std::runtime_error("the broker refused a subscription");
        ++subacks;
        return;
      default:
        return;
    }
  }

  const Shape& shape_;
  std::string message_;
  std::size_t payload_at_ = 0, first_ = 0, topic_ = 0, step_ = 1, topics_ = 0;
  std::uint16_t identifier_ = 0;
};

}  // namespace braid::bench
