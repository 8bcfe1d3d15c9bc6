// Braid, Apache-2.0.
//
// MQTT 3.1.1 under load: one to one, many to one, one to many, many to many, shared groups, wildcards, idle
// connections. It speaks to every broker alike and knows only the packets that it needs.
//
//   bench_mqtt_load --port 1883 --publishers 50 --subscribers 50 --topics 50 --qos 1 --window 20 --seconds 3
//
//   --filter exact|all|shared|wildcards  what a subscriber asks for: its topic, every topic, a share of every topic, or
//                                        `--filters N` different filters with a '+', spread over the subscribers
//   --fan N                              how many subscribers get each message
//   --rate N                             messages a second in all, on a schedule; without it as many as the window
//   allows
//   --idle N                             nothing but N connections
#include <cstdio>
#include <exception>

#include "load.hpp"

namespace braid::bench {
namespace {

enum Type : unsigned {
  connack = 2,
  publish_packet = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  suback = 9,
};

std::string text16(const std::string& text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + text;
}

std::string packet(unsigned first, const std::string& body) {
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
  MqttClient(Load& load, int socket, const Shape& shape, const std::string& client_id)
      : Client(load, socket), shape_(shape) {
    write(packet(0x10, text16("MQTT") + std::string{4, 2, 0, 0} + text16(client_id)));
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

 private:
  void prepare() {
    const auto head = text16(shape_.topic(topic_)) + (shape_.qos != 0 ? std::string(2, '\0') : "");
    const std::string payload(load().plan().payload_bytes, 'x');
    message_ = packet(0x30 | shape_.qos << 1, head + payload);
    payload_at_ = message_.size() - payload.size();
  }

  void answer(unsigned first, const char* identifier) {
    const char made[] = {static_cast<char>(first), 2, identifier[0], identifier[1]};
    write(made, sizeof made);
  }

  void take_packet(unsigned first, const char* body, std::size_t length) {
    switch (first >> 4) {
      case publish_packet: {
        const unsigned qos = first >> 1 & 3;
        const auto topic = static_cast<std::size_t>(static_cast<unsigned char>(body[0])) << 8 |
                           static_cast<std::size_t>(static_cast<unsigned char>(body[1]));
        const auto at = 2 + topic + (qos != 0 ? 2 : 0);
        if (at + sizeof(Stamp) > length) throw std::runtime_error("a message that nobody here published");
        load().delivered(body + at);
        if (qos != 0) answer(qos == 1 ? 0x40 : 0x50, body + 2 + topic);
        return;
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

class MqttLoad {
 public:
  MqttLoad(const Plan& plan, const Shape& shape) : load_(plan), shape_(shape) {}

  void run() {
    const auto& plan = load_.plan();
    if (plan.idle != 0) {
      const auto begin = now_ns();
      for (std::size_t i = 0; i < plan.idle; ++i) connect("i", i, false);
      connected();
      tell("connected", "\"count\":" + std::to_string(plan.idle) +
                            ",\"seconds\":" + std::to_string(static_cast<double>(now_ns() - begin) / 1e9));
      return load_.idle();
    }
    for (std::size_t i = 0; i < plan.subscribers; ++i) connect("s", i, false);
    const auto subscribers = clients_;
    for (std::size_t i = 0; i < plan.publishers; ++i) connect("p", i, true).publish_under(i, plan.publishers, count());
    connected();
    subscribe(subscribers);
    load_.run(shape_.qos != 0);
  }

 private:
  /// Connections that a broker has not answered yet; more at once would only fill its backlog.
  static constexpr std::size_t lot = 100;
  static constexpr std::size_t filters_per_packet = 100;

  std::size_t count() const {
    return shape_.filter == "wildcards" ? shape_.filters : std::max(load_.plan().topics, load_.plan().publishers);
  }
  MqttClient& connect(const std::string& role, std::size_t number, bool publisher) {
    const auto& plan = load_.plan();
    auto made = std::make_unique<MqttClient>(load_, connect_to(plan.host, plan.port, clients_.size()), shape_,
                                             "bench-" + role + std::to_string(number));
    auto& client = *made;
    publisher ? load_.add_publisher(std::move(made)) : load_.add(std::move(made));
    clients_.push_back(&client);
    if (clients_.size() % lot == 0) connected();
    return client;
  }
  void connected() {
    load_.serve("CONNACK", [&] {
      while (known_ < clients_.size() && clients_[known_]->connacks != 0) ++known_;
      return known_ == clients_.size();
    });
  }

  std::vector<std::string> filters_of(std::size_t subscriber) const {
    const auto& plan = load_.plan();
    if (shape_.filter == "all") return {"bench/#"};
    if (shape_.filter == "shared") return {"$share/group/bench/#"};
    if (shape_.filter == "exact") return {shape_.topic(subscriber % plan.topics)};
    if (shape_.filter != "wildcards") throw std::runtime_error("no such filter: " + shape_.filter);
    std::vector<std::string> made;
    for (std::size_t n = subscriber; n < shape_.filters; n += plan.subscribers)
      made.push_back("bench/" + std::to_string(n % 1000) + "/dev" + std::to_string(n) + "/+/cmd");
    return made;
  }
  void subscribe(const std::vector<MqttClient*>& subscribers) {
    const auto begin = now_ns();
    std::size_t all = 0;
    for (std::size_t i = 0; i < subscribers.size(); ++i) {
      const auto filters = filters_of(i);
      all += filters.size();
      for (std::size_t at = 0; at < filters.size(); at += filters_per_packet) {
        const auto to = std::min(filters.size(), at + filters_per_packet);
        subscribers[i]->subscribe(
            {filters.begin() + static_cast<std::ptrdiff_t>(at), filters.begin() + static_cast<std::ptrdiff_t>(to)});
      }
      if (i % lot == lot - 1 || filters.size() > filters_per_packet || i + 1 == subscribers.size())
        load_.serve("SUBACK", [&] {
          for (std::size_t k = i - i % lot; k <= i; ++k)
            if (subscribers[k]->subacks != subscribers[k]->subscribes) return false;
          return true;
        });
    }
    tell("subscribed", "\"count\":" + std::to_string(all) +
                           ",\"seconds\":" + std::to_string(static_cast<double>(now_ns() - begin) / 1e9));
  }

  Load load_;
  Shape shape_;
  std::vector<MqttClient*> clients_;
  std::size_t known_ = 0;
};

}  // namespace
}  // namespace braid::bench

int main(int argc, char** argv) try {
  using namespace braid::bench;
  Options options(argc, argv);
  const Plan plan(options);
  const Shape shape{static_cast<unsigned>(options.number("qos", 0)), options.text("filter", "exact"),
                    options.number("filters", 1000)};
  options.finish();
  MqttLoad(plan, shape).run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_mqtt_load: %s\n", error.what());
  return 1;
}
