// Braid, Apache-2.0.
//
// AMQP 0-9-1 under load. librabbitmq negotiates, declares and subscribes; then the loop of load.hpp takes over its
// sockets, because that library sends each frame of a message with a system call of its own and would be what is
// measured.
//
//   bench_amqp_load --port 5672 --payload 16 --seconds 3
//
//   --persistent 1   durable queues, persistent messages, publisher confirms and manual acknowledgements
//   --prefetch N     what a consumer may have unacknowledged, 0: unlimited; one `ack multiple` for what a read brought
//   --fan N          each message goes through a fanout exchange to so many queues, with one consumer each
//   --queues N       declares so many queues and then does nothing
//   --topics N       queues between publishers and subscribers
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "load.hpp"

namespace braid::bench {
namespace {

std::uint64_t number(const char* at, std::size_t bytes) {
  std::uint64_t made = 0;
  for (std::size_t i = 0; i < bytes; ++i) made = made << 8 | static_cast<unsigned char>(at[i]);
  return made;
}

std::string bytes_of(std::uint64_t value, std::size_t bytes) {
  std::string made;
  while (bytes-- > 0) made += static_cast<char>(value >> (8 * bytes));
  return made;
}

std::string frame(unsigned type, const std::string& payload) {
  return bytes_of(type, 1) + bytes_of(1, 2) + bytes_of(payload.size(), 4) + payload + '\xce';
}

std::string short_text(const std::string& text) {
  return bytes_of(text.size(), 1) + text;
}

constexpr std::uint64_t basic_deliver = 60 << 16 | 60, basic_ack = 60 << 16 | 80;

/// librabbitmq's part of a connection.
class Negotiated {
 public:
  Negotiated(const std::string& host, std::uint16_t port) : state_(amqp_new_connection()) {
    auto* socket = amqp_tcp_socket_new(state_);
    if (socket == nullptr || amqp_socket_open(socket, host.c_str(), port) != AMQP_STATUS_OK)
      throw std::runtime_error("connect: nobody listens");
    check(amqp_login(state_, "/", 1, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"), "login");
    amqp_channel_open(state_, 1);
    check(amqp_get_rpc_reply(state_), "channel.open");
  }
  ~Negotiated() { amqp_destroy_connection(state_); }
  Negotiated(const Negotiated&) = delete;
  Negotiated& operator=(const Negotiated&) = delete;

  int socket() const { return amqp_get_sockfd(state_); }
  void declare_queue(const std::string& name, bool durable) {
    amqp_queue_declare(state_, 1, bytes(name), 0, durable, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(state_), "queue.declare");
  }
  void declare_fanout(const std::string& name, bool durable) {
    amqp_exchange_declare(state_, 1, bytes(name), amqp_cstring_bytes("fanout"), 0, durable, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(state_), "exchange.declare");
  }
  void bind(const std::string& queue, const std::string& exchange) {
    amqp_queue_bind(state_, 1, bytes(queue), bytes(exchange), amqp_empty_bytes, amqp_empty_table);
    check(amqp_get_rpc_reply(state_), "queue.bind");
  }
  void consume(const std::string& queue, bool no_ack, std::uint16_t prefetch) {
    if (prefetch != 0) {
      amqp_basic_qos(state_, 1, 0, prefetch, 0);
      check(amqp_get_rpc_reply(state_), "basic.qos");
    }
    amqp_basic_consume(state_, 1, bytes(queue), amqp_empty_bytes, 0, no_ack, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(state_), "basic.consume");
  }
  void confirm() {
    amqp_confirm_select(state_, 1);
    check(amqp_get_rpc_reply(state_), "confirm.select");
  }

 private:
  static amqp_bytes_t bytes(const std::string& text) { return {text.size(), const_cast<char*>(text.data())}; }
  static void check(const amqp_rpc_reply_t& reply, const char* what) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error(std::string(what) + " was refused");
  }
  amqp_connection_state_t state_;
};

class AmqpClient : public Client {
 public:
  // The duplicate of the socket is closed by Client, the original by librabbitmq.
  AmqpClient(Load& load, std::unique_ptr<Negotiated> negotiated, bool acknowledges)
      : Client(load, ::dup(negotiated->socket())), negotiated_(std::move(negotiated)), acknowledges_(acknowledges) {}

  void publish_to(const std::string& exchange, const std::string& routing_key, bool persistent) {
    const auto size = load().plan().payload_bytes;
    message_ = frame(1, bytes_of(60 << 16 | 40, 4) + bytes_of(0, 2) + short_text(exchange) + short_text(routing_key) +
                            bytes_of(0, 1));
    // Property flags: nothing, or the delivery mode.
    message_ += frame(2, bytes_of(60, 2) + bytes_of(0, 2) + bytes_of(size, 8) + bytes_of(persistent ? 0x1000 : 0, 2) +
                             (persistent ? bytes_of(2, 1) : ""));
    message_ += frame(3, std::string(size, 'x'));
    payload_at_ = message_.size() - size - 1;
  }

  void publish(std::uint64_t intended_ns) override {
    const auto made = stamp(intended_ns);
    std::memcpy(message_.data() + payload_at_, &made, sizeof made);
    write(message_);
    confirmed_.push_back(false);
  }

  std::size_t take(const char* data, std::size_t size) override {
    std::size_t used = 0;
    while (size - used >= 8) {
      const auto length = static_cast<std::size_t>(number(data + used + 3, 4));
      if (size - used < length + 8) break;
      take_frame(static_cast<unsigned char>(data[used]), data + used + 7, length);
      used += length + 8;
    }
    return used;
  }

  void taken() override {
    if (!acknowledges_ || delivered_ == acknowledged_) return;
    acknowledged_ = delivered_;
    write(frame(1, bytes_of(basic_ack, 4) + bytes_of(delivered_, 8) + bytes_of(1, 1)));
  }

 private:
  void take_frame(unsigned type, const char* body, std::size_t length) {
    if (type == 3) {
      // A body is in one frame: messages are smaller than the frame that was negotiated. The stamp comes first.
      return load().delivered(body);
    }
    if (type != 1) return;
    const auto method = number(body, 4);
    if (method == basic_deliver) {
      delivered_ = number(body + 5 + static_cast<unsigned char>(body[4]), 8);
    } else if (method == basic_ack) {
      confirm(number(body + 4, 8), (body[12] & 1) != 0);
    } else {
      throw std::runtime_error("the broker sent method " + std::to_string(method >> 16) + "." +
                               std::to_string(method & 0xffff) + " " + std::string(body + 4, length - 4));
    }
  }

  // Confirms come one by one in any order, or for all up to one.
  void confirm(std::uint64_t tag, bool multiple) {
    std::size_t count = 0;
    for (auto at = multiple ? confirmed_base_ : tag; at <= tag; ++at) {
      if (at < confirmed_base_ || at - confirmed_base_ >= confirmed_.size()) continue;
      auto& one = confirmed_[static_cast<std::size_t>(at - confirmed_base_)];
      count += one ? 0 : 1;
      one = true;
    }
    while (!confirmed_.empty() && confirmed_.front()) {
      confirmed_.pop_front();
      ++confirmed_base_;
    }
    load().acknowledged(*this, count);
  }

  std::unique_ptr<Negotiated> negotiated_;
  bool acknowledges_;
  std::string message_;
  std::size_t payload_at_ = 0;
  std::uint64_t delivered_ = 0, acknowledged_ = 0, confirmed_base_ = 1;
  std::deque<bool> confirmed_;
};

void run(const Plan& plan, bool persistent, std::uint16_t prefetch, std::size_t idle_queues) {
  Load load(plan);
  const auto negotiate = [&] { return std::make_unique<Negotiated>(plan.host, plan.port); };
  const auto queue = [](std::size_t n) { return "bench-" + std::to_string(n); };
  if (idle_queues != 0) {
    const auto begin = now_ns();
    const auto connection = negotiate();
    for (std::size_t i = 0; i < idle_queues; ++i) connection->declare_queue(queue(i), persistent);
    tell("declared", "\"count\":" + std::to_string(idle_queues) +
                         ",\"seconds\":" + std::to_string(static_cast<double>(now_ns() - begin) / 1e9));
    return load.idle();
  }
  const bool fans_out = plan.fan > 1;
  const auto queues = fans_out ? plan.fan : plan.topics;
  {
    const auto control = negotiate();
    if (fans_out) control->declare_fanout("bench", persistent);
    for (std::size_t i = 0; i < queues; ++i) {
      control->declare_queue(queue(i), persistent);
      if (fans_out) control->bind(queue(i), "bench");
    }
  }
  for (std::size_t i = 0; i < plan.subscribers; ++i) {
    auto connection = negotiate();
    connection->consume(queue(i % queues), !persistent, prefetch);
    load.add(std::make_unique<AmqpClient>(load, std::move(connection), persistent));
  }
  for (std::size_t i = 0; i < plan.publishers; ++i) {
    auto connection = negotiate();
    if (persistent) connection->confirm();
    auto made = std::make_unique<AmqpClient>(load, std::move(connection), false);
    made->publish_to(fans_out ? "bench" : "", fans_out ? "" : queue(i % queues), persistent);
    load.add_publisher(std::move(made));
  }
  load.run(persistent);
}

}  // namespace
}  // namespace braid::bench

int main(int argc, char** argv) try {
  using namespace braid::bench;
  Options options(argc, argv);
  const Plan plan(options);
  const bool persistent = options.flag("persistent");
  const auto prefetch = static_cast<std::uint16_t>(options.number("prefetch", 0));
  const auto queues = options.number("queues", 0);
  options.finish();
  run(plan, persistent, prefetch, queues);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_amqp_load: %s\n", error.what());
  return 1;
}
