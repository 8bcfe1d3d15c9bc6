// Braid, Apache-2.0.
#include "load.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace braid::bench {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
/// Shorter waits are spun: a timer would come late by more.
constexpr std::uint64_t spin_ns = 20'000;
constexpr std::uint64_t drain_limit_ns = 5 * second_ns;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace

Plan::Plan(Options& options)
    : host(options.text("host", "127.0.0.1")),
      port(static_cast<std::uint16_t>(options.number("port", 1883))),
      publishers(options.number("publishers", 1)),
      subscribers(options.number("subscribers", 1)),
      topics(options.number("topics", 1)),
      idle(options.number("idle", 0)),
      payload_bytes(options.number("payload", 64)),
      window(options.number("window", 20)),
      rate(options.real("rate", 0)),
      warmup_s(options.real("warmup", 1)),
      seconds(options.real("seconds", 3)),
      fan(options.number("fan", 1)) {
  if (payload_bytes < sizeof(Stamp)) throw std::runtime_error("a payload holds at least a stamp of 16 bytes");
}

int connect_to(const std::string& host, std::uint16_t port, std::size_t number) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) throw std::runtime_error("not an address: " + host);
  // Many connections need more than one address of their own, or they run out of ports.
  if (host == "127.0.0.1" && number >= 10000) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number / 10000));
    if (::bind(made, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) fail("bind");
  }
  address.sin_port = htons(port);
  if (::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

Client::Client(Load& load, int socket) : load_(load), socket_(socket) {
  ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
}

Client::~Client() {
  ::close(socket_);
}

void Client::write(const char* data, std::size_t size) {
  out_.append(data, size);
  if (dirty_) return;
  dirty_ = true;
  load_.dirty_.push_back(this);
}

void Client::flush() {
  std::size_t done = 0;
  while (done < out_.size()) {
    const auto sent = ::send(socket_, out_.data() + done, out_.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) fail("send");
    if (sent < 0) break;
    done += static_cast<std::size_t>(sent);
  }
  out_.erase(0, done);
  if (out_.empty() == !waits_to_write_) return;
  waits_to_write_ = !out_.empty();
  epoll_event event{};
  event.events = waits_to_write_ ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = this;
  ::epoll_ctl(load_.poller_, EPOLL_CTL_MOD, socket_, &event);
}

void Client::receive() {
  auto& block = load_.block_;
  const auto got = ::recv(socket_, block.data(), block.size(), 0);
  if (got == 0) throw std::runtime_error("the broker closed a connection");
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) fail("recv");
  load_.now_ns_ = now_ns();
  const auto size = static_cast<std::size_t>(got);
  if (in_.empty()) {
    const auto used = take(block.data(), size);
    in_.assign(block.data() + used, size - used);
  } else {
    in_.append(block.data(), size);
    in_.erase(0, take(in_.data(), in_.size()));
  }
  taken();
}

Load::Load(const Plan& plan)
    : plan_(plan),
      poller_(::epoll_create1(EPOLL_CLOEXEC)),
      figures_(plan.warmup_s, plan.seconds),
      schedule_(plan.rate),
      block_(1 << 18) {
  if (poller_ < 0) fail("epoll");
}

Load::~Load() {
  ::close(poller_);
}

Client& Load::add(std::unique_ptr<Client> client) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = client.get();
  if (::epoll_ctl(poller_, EPOLL_CTL_ADD, client->socket(), &event) != 0) fail("epoll");
  clients_.push_back(std::move(client));
  return *clients_.back();
}

Client& Load::add_publisher(std::unique_ptr<Client> client) {
  client->index_ = static_cast<std::uint32_t>(publishers_.size());
  publishers_.push_back(client.get());
  return add(std::move(client));
}

void Load::turn(std::uint64_t wait_ns) {
  epoll_event events[256];
  const timespec wait{static_cast<time_t>(wait_ns / second_ns), static_cast<long>(wait_ns % second_ns)};
  const int count = ::epoll_pwait2(poller_, events, 256, &wait, nullptr);
  for (int i = 0; i < count; ++i) {
    auto& client = *static_cast<Client*>(events[i].data.ptr);
    if ((events[i].events & EPOLLOUT) != 0) client.flush();
    if ((events[i].events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) client.receive();
  }
  now_ns_ = now_ns();
}

void Load::flush_all() {
  for (auto* client : dirty_) {
    client->dirty_ = false;
    client->flush();
  }
  dirty_.clear();
}

void Load::serve(const std::string& what, const std::function<bool()>& done, double limit_s) {
  const auto limit_ns = now_ns() + static_cast<std::uint64_t>(limit_s * 1e9);
  flush_all();
  while (!done()) {
    turn(second_ns / 10);
    flush_all();
    if (now_ns_ > limit_ns) throw std::runtime_error("timed out: " + what);
  }
}

bool Load::may_publish(const Client& publisher) const {
  return (!acknowledges_ || publisher.unacknowledged_ < plan_.window) &&
         (schedule_.open_loop() || publisher.undelivered_ < plan_.window * plan_.fan);
}

void Load::publish(Client& publisher, std::uint64_t intended_ns) {
  publisher.publish(intended_ns);
  publisher.undelivered_ += plan_.fan;
  if (acknowledges_) ++publisher.unacknowledged_;
  expected_ += plan_.fan;
  figures_.sent();
}

void Load::publish_what_may_be() {
  for (auto* publisher : eager_) {
    publisher->eager_ = false;
    while (may_publish(*publisher)) publish(*publisher, now_ns_);
  }
  eager_.clear();
}

// What cannot be sent because the window is full waits at its publisher, and keeps the time at which it was due.
void Load::publish_what_is_due() {
  for (auto* publisher : eager_) {
    publisher->eager_ = false;
    while (!publisher->late_.empty() && may_publish(*publisher)) {
      publish(*publisher, publisher->late_.front());
      publisher->late_.pop_front();
      --late_;
    }
  }
  eager_.clear();
  while (publishing_ && schedule_.next_ns() <= now_ns_) {
    auto& publisher = *publishers_[turn_of_++ % publishers_.size()];
    if (publisher.late_.empty() && may_publish(publisher)) {
      publish(publisher, schedule_.next_ns());
    } else {
      publisher.late_.push_back(schedule_.next_ns());
      ++late_;
    }
    schedule_.advance();
  }
}

std::uint64_t Load::wait_ns() const {
  if (!publishing_ || !schedule_.open_loop()) return second_ns / 100;
  const auto next = schedule_.next_ns();
  return next < now_ns_ + spin_ns ? 0 : next - now_ns_;
}

bool Load::finished() const {
  if (!figures_.ended()) return false;
  return (figures_.delivered_in_all() >= expected_ && late_ == 0) || now_ns_ > figures_.end_ns() + drain_limit_ns;
}

void Load::run(bool acknowledges) {
  acknowledges_ = acknowledges;
  tell("ready");
  figures_.start();
  now_ns_ = now_ns();
  schedule_.start(now_ns_);
  publishing_ = true;
  if (!schedule_.open_loop()) eager_ = publishers_;
  while (!finished()) {
    if (schedule_.open_loop())
      publish_what_is_due();
    else if (publishing_)
      publish_what_may_be();
    flush_all();
    turn(wait_ns());
    figures_.tick(now_ns_);
    if (figures_.ended()) publishing_ = false;
  }
  const auto got = figures_.delivered_in_all();
  figures_.result("\"lost\":" + std::to_string(expected_ > got ? expected_ - got : 0) + ",\"doubled\":" +
                  std::to_string(got > expected_ ? got - expected_ : 0) + ",\"never_sent\":" + std::to_string(late_));
}

void Load::idle() {
  tell("ready");
  figures_.start();
  while (!figures_.ended()) {
    turn(second_ns / 10);
    flush_all();
    figures_.tick(now_ns_);
  }
  figures_.result();
}

void Load::look_at_the_clock() {
  now_ns_ = now_ns();
}

void Load::delivered(const char* payload) {
  Stamp stamp;
  std::memcpy(&stamp, payload, sizeof stamp);
  figures_.delivered(stamp.intended_ns, now_ns_);
  if (stamp.publisher >= publishers_.size()) return;
  auto& publisher = *publishers_[stamp.publisher];
  if (publisher.undelivered_ != 0) --publisher.undelivered_;
  if (publisher.eager_ || schedule_.open_loop()) return;
  publisher.eager_ = true;
  eager_.push_back(&publisher);
}

void Load::acknowledged(Client& publisher, std::size_t count) {
  figures_.acknowledged(count);
  publisher.unacknowledged_ -= std::min(count, publisher.unacknowledged_);
  if (publisher.eager_) return;
  publisher.eager_ = true;
  eager_.push_back(&publisher);
}

}  // namespace braid::bench
