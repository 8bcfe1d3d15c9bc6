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

#include "mqtt_client.hpp"

namespace braid::bench {
namespace {

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
