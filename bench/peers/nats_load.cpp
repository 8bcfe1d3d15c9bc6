// Braid, Apache-2.0.
//
// NATS JetStream under load: each publish is acknowledged by the stream that stores it in files, each subscriber has a
// consumer that pushes to it and is acknowledged message by message. NATS speaks lines of text, so no library is
// needed.
//
//   bench_nats_load --port 4222 --publishers 50 --subscribers 50 --topics 50 --window 20 --seconds 3
#include <charconv>
#include <cstdio>
#include <exception>
#include <string_view>

#include "load.hpp"

namespace braid::bench {
namespace {

constexpr char stream[] = "BENCH";

class NatsClient : public Client {
 public:
  NatsClient(Load& load, int socket, std::size_t number)
      : Client(load, socket), inbox_("_INBOX." + std::to_string(number)) {
    write("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":false,\"no_responders\":false}\r\n");
    write("SUB " + inbox_ + " 1\r\nPING\r\n");
  }

  void publish_under(const std::string& subject) {
    const auto& plan = load().plan();
    const auto head = "PUB " + subject + " " + inbox_ + " " + std::to_string(plan.payload_bytes) + "\r\n";
    payload_at_ = head.size();
    message_ = head + std::string(plan.payload_bytes, 'x') + "\r\n";
  }
  void subscribe(const std::string& subject) { write("SUB " + subject + " 2\r\nPING\r\n"); }
  void request(const std::string& subject, const std::string& json) {
    write("PUB " + subject + " " + inbox_ + " " + std::to_string(json.size()) + "\r\n" + json + "\r\n");
  }

  void publish(std::uint64_t intended_ns) override {
    const auto made = stamp(intended_ns);
    std::memcpy(message_.data() + payload_at_, &made, sizeof made);
    write(message_);
  }

  std::size_t take(const char* data, std::size_t size) override {
    std::size_t used = 0;
    for (;;) {
      const std::string_view rest(data + used, size - used);
      const auto end = rest.find("\r\n");
      if (end == std::string_view::npos) return used;
      const auto line = rest.substr(0, end);
      std::size_t whole = end + 2;
      if (line.starts_with("MSG ")) {
        std::size_t length = 0;
        const auto last = line.rfind(' ') + 1;
        std::from_chars(line.data() + last, line.data() + line.size(), length);
        if (rest.size() < whole + length + 2) return used;
        take_message(line.substr(4, last - 5), rest.substr(whole, length));
        whole += length + 2;
      } else if (line.starts_with("PING")) {
        write("PONG\r\n");
      } else if (line.starts_with("PONG")) {
        ++pongs;
      } else if (line.starts_with("-ERR")) {
        throw std::runtime_error("the broker says " + std::string(line));
      }
      used += whole;
    }
  }

  std::size_t pongs = 0, replies = 0;
  bool ready = false;

 private:
  /// `head`: subject, number of the subscription, and where to answer, if anywhere.
  void take_message(std::string_view head, std::string_view body) {
    const auto number = head.find(' ') + 1;
    if (head[number] == '2') {
      if (body.size() < sizeof(Stamp)) throw std::runtime_error("a message that nobody here published");
      load().delivered(body.data());
      const auto reply = head.find(' ', number);
      if (reply != std::string_view::npos) write("PUB " + std::string(head.substr(reply + 1)) + " 0\r\n\r\n");
      return;
    }
    if (body.find("\"error\"") != std::string_view::npos)
      throw std::runtime_error("JetStream says " + std::string(body));
    if (ready) return load().acknowledged(*this);
    ++replies;
  }

  std::string inbox_, message_;
  std::size_t payload_at_ = 0;
};

void run(const Plan& plan) {
  Load load(plan);
  std::vector<NatsClient*> clients;
  const auto connect = [&](bool publisher) -> NatsClient& {
    auto made = std::make_unique<NatsClient>(load, connect_to(plan.host, plan.port), clients.size());
    clients.push_back(made.get());
    publisher ? load.add_publisher(std::move(made)) : load.add(std::move(made));
    return *clients.back();
  };
  const auto subject = [&](std::size_t n) { return "bench." + std::to_string(n % plan.topics); };

  auto& control = connect(false);
  control.request(
      "$JS.API.STREAM.CREATE." + std::string(stream),
      "{\"name\":\"" + std::string(stream) +
          "\",\"subjects\":[\"bench.>\"],\"storage\":\"file\",\"retention\":\"limits\",\"max_consumers\":-1,"
          "\"max_msgs\":-1,\"max_bytes\":-1,\"discard\":\"old\",\"num_replicas\":1}");
  load.serve("the stream", [&] { return control.replies == 1; });
  for (std::size_t i = 0; i < plan.subscribers; ++i) {
    const auto deliver = "deliver." + std::to_string(i);
    connect(false).subscribe(deliver);
    const auto name = "c" + std::to_string(i);
    control.request("$JS.API.CONSUMER.DURABLE.CREATE." + std::string(stream) + "." + name,
                    "{\"stream_name\":\"" + std::string(stream) + "\",\"config\":{\"durable_name\":\"" + name +
                        "\",\"deliver_subject\":\"" + deliver +
                        "\",\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"max_ack_pending\":20000,"
                        "\"filter_subject\":\"" +
                        subject(i) + "\"}}");
    load.serve("a consumer", [&] { return control.replies == i + 2 && clients.back()->pongs == 2; });
  }
  for (std::size_t i = 0; i < plan.publishers; ++i) connect(true).publish_under(subject(i));
  load.serve("PONG", [&] {
    for (const auto* client : clients)
      if (client->pongs == 0) return false;
    return true;
  });
  for (auto* client : clients) client->ready = true;
  load.run(true);
}

}  // namespace
}  // namespace braid::bench

int main(int argc, char** argv) try {
  using namespace braid::bench;
  Options options(argc, argv);
  const Plan plan(options);
  options.finish();
  run(plan);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_nats_load: %s\n", error.what());
  return 1;
}
