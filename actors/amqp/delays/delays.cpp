// Braid, Apache-2.0.
#include <algorithm>
#include <memory>

#include "actors/amqp/delays/interface.hpp"
#include "actors/services.hpp"
#include "runtime/pinned.hpp"

namespace braid::amqp {

namespace {

constexpr std::string_view name_prefix = "amqp-delay:";
/// A queue of delays that nobody has asked for goes this long after the last that was put into it has left.
constexpr std::int64_t kIdleMs = 3600'000;

QueueSettings settings_for(std::int64_t delay_ms) {
  QueueSettings settings;
  settings.dead_letter = true;
  settings.message_ttl_ms = delay_ms;
  settings.expires_ms = delay_ms + kIdleMs;
  return settings;
}

class Delays : public Pinned<DelayActor::base> {
 public:
  Delays(caf::actor_config& config, Loop& loop, Services& services) : Pinned(config, loop), services_(services) {}
  const char* name() const override { return "amqp-delays"; }

 protected:
  behavior_type make_behavior() override {
    return {[this](const DelayMessages& request) {
      auto promise = std::make_shared<Promise<Published>>(this);
      const auto later = promise->later();
      declare(request, std::move(promise));
      return later;
    }};
  }

 private:
  using Answer = std::shared_ptr<Promise<Published>>;

  /// Declared each time, which is cheap where it is there, and tells its host that it is in use.
  void declare(const DelayMessages& request, Answer answer) {
    const std::int64_t delay_ms = rounded_delay_ms(request.delay_ms);
    DeclareQueue queue;
    queue.name = delay_queue_name(request.vhost, request.exchange, delay_ms);
    queue.owner = QueueOwner::amqp;
    queue.settings = settings_for(delay_ms);
    const auto host = services_.queues[queue_loop(services_, queue.name)];
    ask(
        this, host, std::move(queue),
        [this, request, host, answer](const QueueDeclared& declared) {
          if (declared.error != QueueErrc::none) return fail(declared.error, answer);
          publish(request, host, declared.queue, answer);
        },
        [answer](const caf::error&) { fail(QueueErrc::shutting_down, answer); });
  }

  void publish(const DelayMessages& request, const QueueHost& host, QueueId queue, Answer answer) {
    ask(
        this, host, PublishToQueues{request.batch, {queue}, 0, request.persistent},
        [this, request, answer](const Published& published) {
          if (!published.unknown.empty()) return declare(request, answer);  // it has just gone: there will be another
          answer->deliver(published);
        },
        [answer](const caf::error&) { fail(QueueErrc::shutting_down, answer); });
  }

  static void fail(QueueErrc error, const Answer& answer) {
    Published failed;
    failed.error = error;
    answer->deliver(std::move(failed));
  }

  Services& services_;
};

}  // namespace

DelayActor spawn_delays(Services& services) {
  return spawn_on<Delays>(services.loop, services);
}

std::int64_t rounded_delay_ms(std::int64_t delay_ms) {
  delay_ms = std::clamp<std::int64_t>(delay_ms, 0, max_delay_ms);
  std::int64_t step = 1;
  while (delay_ms / step >= 10000) step *= 10;
  return std::min((delay_ms + step - 1) / step * step, max_delay_ms);
}

std::string delay_queue_name(std::string_view vhost, std::string_view exchange, std::int64_t delay_ms) {
  std::string name(name_prefix);
  name += vhost;
  name += '\0';
  name += exchange;
  name += '\0';
  name += std::to_string(delay_ms);
  return name;
}

std::optional<DelayQueue> parse_delay_queue_name(std::string_view name) {
  if (!name.starts_with(name_prefix)) return std::nullopt;
  name.remove_prefix(name_prefix.size());
  const auto first = name.find('\0'), last = name.rfind('\0');
  if (first == last) return std::nullopt;
  return DelayQueue{name.substr(0, first), name.substr(first + 1, last - first - 1)};
}

}  // namespace braid::amqp
