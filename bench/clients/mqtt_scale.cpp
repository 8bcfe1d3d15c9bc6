// Braid, Apache-2.0.
//
// What many MQTT sessions cost, against the real binary: ten thousand subscribers of one topic, ten thousand retained
// messages under one wildcard, a hundred thousand subscriptions in one session, a subscriber that does not keep up, and
// a hundred thousand sessions whose clients are away. A client library with a thread per connection would measure
// itself, so this speaks MQTT 5 over bare sockets, all of them in one poll loop. One line per figure.
//
//   bench_mqtt_scale [scenario...]     without a name, all of them
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "e2e/support/broker.hpp"

namespace braid::e2e {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}
std::size_t resident_bytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) * 1024;
  return 0;
}

// -- packets ----------------------------------------------------------------------------------------------------------

void put16(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}
void put_text(std::string& out, const std::string& text) {
  put16(out, text.size());
  out += text;
}
std::string packet(unsigned first, const std::string& body) {
  std::string out(1, static_cast<char>(first));
  for (std::size_t left = body.size(); true; left >>= 7) {
    out.push_back(static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
    if (left <= 0x7f) break;
  }
  return out + body;
}
std::string connect_packet(const std::string& client_id, bool lasting, std::uint16_t receive_maximum = 0) {
  std::string body, properties;
  put_text(body, "MQTT");
  body += std::string{5, lasting ? '\0' : '\2'};
  put16(body, 0);
  if (lasting) properties += std::string{0x11, 0, 1, 0, 0};
  if (receive_maximum != 0) {
    properties.push_back(0x21);
    put16(properties, receive_maximum);
  }
  body.push_back(static_cast<char>(properties.size()));
  body += properties;
  put_text(body, client_id);
  return packet(0x10, body);
}
std::string subscribe_packet(std::uint16_t id, const std::vector<std::string>& filters, char qos) {
  std::string body;
  put16(body, id);
  body.push_back(0);
  for (const auto& filter : filters) {
    put_text(body, filter);
    body.push_back(qos);
  }
  return packet(0x82, body);
}
std::string publish_packet(const std::string& topic, const std::string& payload, unsigned qos, bool retain,
                           std::uint16_t id) {
  std::string body;
  put_text(body, topic);
  if (qos != 0) put16(body, id);
  body.push_back(0);
  return packet(0x30 | qos << 1 | (retain ? 1 : 0), body + payload);
}

// -- connections ------------------------------------------------------------------------------------------------------

class Connection {
 public:
  explicit Connection(std::uint16_t port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(const std::string& bytes) {
    out_ += bytes;
    flush();
  }
  void flush() {
    while (!out_.empty()) {
      const auto sent = ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      out_.erase(0, static_cast<std::size_t>(sent));
    }
  }
  /// Reads what is there and counts it; acknowledges QoS 1 when it is to.
  void receive() {
    char block[1 << 16];
    for (;;) {
      const auto got = ::recv(socket_, block, sizeof block, 0);
      if (got <= 0) break;
      in_.append(block, static_cast<std::size_t>(got));
      if (got < static_cast<ssize_t>(sizeof block)) break;
    }
    std::size_t at = 0;
    std::string answers;
    while (in_.size() - at >= 2) {
      std::size_t length = 0, header = 1;
      for (unsigned shift = 0; header < in_.size() - at; shift += 7) {
        const auto byte = static_cast<unsigned char>(in_[at + header++]);
        length |= static_cast<std::size_t>(byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      if (in_.size() - at < header + length) break;
      take(in_.substr(at, 1)[0], at + header, answers);
      at += header + length;
    }
    in_.erase(0, at);
    if (!answers.empty()) send(answers);
  }
  int socket() const { return socket_; }
  bool wants_to_write() const { return !out_.empty(); }

  bool acknowledges = true;
  std::size_t connacks = 0, subacks = 0, pubacks = 0, publishes = 0;

 private:
  void take(char first, std::size_t body, std::string& answers) {
    switch (static_cast<unsigned char>(first) >> 4) {
      case 2:
        ++connacks;
        break;
      case 3: {
        ++publishes;
        const unsigned qos = (static_cast<unsigned char>(first) >> 1) & 3;
        if (qos == 0 || !acknowledges) break;
        const std::size_t topic =
            static_cast<unsigned char>(in_[body]) << 8 | static_cast<unsigned char>(in_[body + 1]);
        answers += std::string{0x40, 2} + in_.substr(body + 2 + topic, 2);
        break;
      }
      case 4:
        ++pubacks;
        break;
      case 9:
        ++subacks;
        break;
      default:
        break;
    }
  }
  int socket_ = -1;
  std::string in_, out_;
};

using Connections = std::vector<std::unique_ptr<Connection>>;

/// Serves the connections until `done` or the time is up.
bool serve(const std::vector<Connection*>& all, const std::function<bool()>& done, double limit_s = 120) {
  const auto begin = Clock::now();
  std::vector<pollfd> polled(all.size());
  while (!done()) {
    if (seconds_since(begin) > limit_s) return false;
    for (std::size_t i = 0; i < all.size(); ++i)
      polled[i] = {all[i]->socket(), static_cast<short>(POLLIN | (all[i]->wants_to_write() ? POLLOUT : 0)), 0};
    if (::poll(polled.data(), polled.size(), 100) <= 0) continue;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (polled[i].revents & POLLOUT) all[i]->flush();
      if (polled[i].revents & (POLLIN | POLLHUP)) all[i]->receive();
    }
  }
  return true;
}
bool serve(Connection& one, const std::function<bool()>& done) {
  return serve(std::vector<Connection*>{&one}, done);
}
std::vector<Connection*> pointers(const Connections& connections) {
  std::vector<Connection*> all;
  for (const auto& one : connections) all.push_back(one.get());
  return all;
}
std::unique_ptr<Connection> connected(const Broker& broker, const std::string& client_id, bool lasting = false,
                                      std::uint16_t receive_maximum = 0) {
  auto made = std::make_unique<Connection>(broker.mqtt());
  made->send(connect_packet(client_id, lasting, receive_maximum));
  if (!serve(*made, [&] { return made->connacks == 1; })) throw std::runtime_error("no CONNACK");
  return made;
}
void subscribed(Connection& connection, const std::vector<std::string>& filters, char qos) {
  const auto before = connection.subacks;
  connection.send(subscribe_packet(1, filters, qos));
  if (!serve(connection, [&] { return connection.subacks > before; })) throw std::runtime_error("no SUBACK");
}
/// Publishes QoS 1 with a window and waits for the acknowledgements.
void publish_all(Connection& publisher, std::size_t count, bool retain,
                 const std::function<std::string(std::size_t)>& topic, const std::string& payload,
                 const std::vector<Connection*>& others = {}) {
  std::vector<Connection*> all = others;
  all.push_back(&publisher);
  const auto before = publisher.pubacks;
  for (std::size_t sent = 0; publisher.pubacks - before < count;) {
    std::string bytes;
    for (; sent < count && sent - (publisher.pubacks - before) < 500; ++sent)
      bytes += publish_packet(topic(sent), payload, 1, retain, static_cast<std::uint16_t>(sent % 60000 + 1));
    if (!bytes.empty()) publisher.send(bytes);
    const auto now = publisher.pubacks;
    if (!serve(all, [&] { return publisher.pubacks > now; })) throw std::runtime_error("no PUBACK");
  }
}

// -- scenarios --------------------------------------------------------------------------------------------------------

void fan_out() {
  constexpr std::size_t subscribers = 10000, messages = 100;
  for (const char qos : {'\0', '\1'}) {
    Broker broker;
    const auto empty = resident_bytes(broker.pid());
    Connections connections;
    for (std::size_t i = 0; i < subscribers; ++i) {
      connections.push_back(connected(broker, "s" + std::to_string(i)));
      subscribed(*connections.back(), {"fan/out"}, qos);
    }
    const auto idle = resident_bytes(broker.pid());
    std::printf("10,000 subscribers of one topic: resident each %.0f B\n",
                static_cast<double>(idle - empty) / subscribers);
    const auto publisher = connected(broker, "p");
    const auto all = pointers(connections);
    const auto begin = Clock::now();
    publish_all(
        *publisher, messages, false, [](std::size_t) { return std::string("fan/out"); }, std::string(64, 'x'));
    double first_s = 0;
    const bool whole = serve(all, [&] {
      std::size_t finished = 0;
      for (const auto* one : all) finished += one->publishes >= messages ? 1 : 0;
      if (finished != 0 && first_s == 0) first_s = seconds_since(begin);
      return finished == subscribers;
    });
    const double took_s = seconds_since(begin);
    std::printf(
        "10,000 subscribers of one topic, QoS %d: %.0f deliveries/s%s; first has all after %.2f s, last %.2f s; "
        "resident +%.1f MiB\n",
        qos, subscribers * messages / took_s, whole ? "" : " INCOMPLETE", first_s, took_s,
        static_cast<double>(resident_bytes(broker.pid()) - idle) / (1 << 20));
  }
}

void retained() {
  constexpr std::size_t count = 10000;
  Broker broker;
  const auto publisher = connected(broker, "p");
  auto begin = Clock::now();
  publish_all(
      *publisher, count, true, [](std::size_t i) { return "ret/" + std::to_string(i) + "/state"; },
      std::string(64, 'x'));
  std::printf("10,000 retained messages stored (sync): %.2f s\n", seconds_since(begin));
  const auto subscriber = connected(broker, "s");
  begin = Clock::now();
  subscriber->send(subscribe_packet(1, {"ret/+/state"}, 1));
  serve(*subscriber, [&] { return subscriber->publishes == count; });
  std::printf("10,000 retained messages under one wildcard, QoS 1: all after %.1f ms\n", seconds_since(begin) * 1000);
}

void subscriptions() {
  constexpr std::size_t count = 100000, lot = 100;
  for (const std::string middle : {"cmd", "+"}) {
    Broker broker;
    const auto subscriber = connected(broker, "s");
    const auto before = resident_bytes(broker.pid());
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < count; i += lot) {
      std::vector<std::string> filters;
      for (std::size_t k = i; k < i + lot; ++k) filters.push_back("dev/" + std::to_string(k) + "/" + middle + "/x");
      subscribed(*subscriber, filters, 1);
    }
    const double took_s = seconds_since(begin);
    std::printf("100,000 subscriptions in one session (dev/N/%s/x): %.2f s, resident each %.0f B\n", middle.c_str(),
                took_s, static_cast<double>(resident_bytes(broker.pid()) - before) / count);
    const auto publisher = connected(broker, "p");
    const auto again = Clock::now();
    publish_all(*publisher, 20000, false, [](std::size_t i) { return "dev/" + std::to_string(i * 5) + "/cmd/x"; },
                std::string(64, 'x'), {subscriber.get()});
    serve(*subscriber, [&] { return subscriber->publishes == 20000; });
    std::printf("  published to 20,000 of them, QoS 1: %.0f msg/s\n", 20000 / seconds_since(again));
  }
}

void slow() {
  constexpr std::size_t count = 200000, window = 100;
  Broker broker({"mqtt.max_queued_bytes=1GiB", "mqtt.max_queued_messages=1000000"});
  const auto slow = connected(broker, "slow", true, window);
  slow->acknowledges = false;
  subscribed(*slow, {"load/#"}, 1);
  const auto fast = connected(broker, "fast");
  subscribed(*fast, {"load/#"}, 1);
  const auto publisher = connected(broker, "p");
  const auto before = resident_bytes(broker.pid());
  auto begin = Clock::now();
  publish_all(*publisher, count, false, [](std::size_t i) { return "load/" + std::to_string(i % 10); },
              std::string(1000, 'x'), {fast.get(), slow.get()});
  serve(*fast, [&] { return fast->publishes == count; });
  std::printf(
      "a subscriber that takes nothing beside one that does, 200,000 x 1 kB: the other %.0f msg/s, resident "
      "+%.1f MiB\n",
      count / seconds_since(begin), static_cast<double>(resident_bytes(broker.pid()) - before) / (1 << 20));
  // Its client comes back and takes all of it.
  const auto again = std::make_unique<Connection>(broker.mqtt());
  begin = Clock::now();
  again->send(connect_packet("slow", true, window));
  const bool whole = serve(*again, [&] { return again->publishes >= count; });
  std::printf("  it takes all of it from the log: %.0f msg/s%s\n",
              static_cast<double>(again->publishes) / seconds_since(begin), whole ? "" : " INCOMPLETE");
}

void offline() {
  constexpr std::size_t count = 100000, lot = 500;
  Broker broker;
  const auto before = resident_bytes(broker.pid());
  auto begin = Clock::now();
  for (std::size_t i = 0; i < count; i += lot) {
    Connections connections;
    for (std::size_t k = i; k < i + lot; ++k) {
      connections.push_back(std::make_unique<Connection>(broker.mqtt()));
      connections.back()->send(connect_packet("device-" + std::to_string(k), true) +
                               subscribe_packet(1, {"dev/" + std::to_string(k) + "/cmd"}, 1));
    }
    const auto all = pointers(connections);
    serve(all, [&] { return std::all_of(all.begin(), all.end(), [](const auto* one) { return one->subacks == 1; }); });
  }
  const double took_s = seconds_since(begin);
  const auto watch = connected(broker, "w");
  std::printf("100,000 sessions whose clients are away, one subscription each: made in %.1f s, resident each %.0f B\n",
              took_s, static_cast<double>(resident_bytes(broker.pid()) - before) / count);
  const auto publisher = connected(broker, "p");
  begin = Clock::now();
  publish_all(
      *publisher, count, false, [](std::size_t i) { return "dev/" + std::to_string(i) + "/cmd"; },
      std::string(64, 'x'));
  std::printf("  a message for each of them: %.1f s, resident each %.0f B\n", seconds_since(begin),
              static_cast<double>(resident_bytes(broker.pid()) - before) / count);
}

}  // namespace
}  // namespace braid::e2e

int main(int argc, char** argv) {
  using namespace braid::e2e;
  const std::pair<std::string, void (*)()> scenarios[] = {{"fanout", fan_out},
                                                          {"retained", retained},
                                                          {"subscriptions", subscriptions},
                                                          {"slow", slow},
                                                          {"offline", offline}};
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const auto& [name, run_one] : scenarios)
    if (argc < 2 || std::find(argv + 1, argv + argc, name) != argv + argc) run_one();
  return 0;
}
