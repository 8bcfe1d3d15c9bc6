// Braid, Apache-2.0.
//
// Choosing what happens next.
#include "runtime/simulation/sim_core.hpp"

#include <algorithm>

#include "runtime/simulation/sim_loop.hpp"

namespace braid {
namespace {
/// What a turn costs: time passes while actors work, so timers and packets come between.
constexpr std::int64_t kTurnLeastUs = 1, kTurnMostUs = 10;
}  // namespace

void SimCore::in(std::int64_t delay_us, SimLoop& loop, SimEvent kind, std::uint64_t detail, std::function<void()> run) {
  if (!loop.alive()) return;
  events_.emplace(When{now_us + std::max<std::int64_t>(delay_us, 0), random.next(), ++numbers_},
                  Event{&loop, kind, detail, std::move(run)});
}

void SimCore::purge(const SimLoop& loop) {
  std::vector<Event> dropped;  // destroyed when the map is whole again: what they hold may ask for new events
  for (auto event = events_.begin(); event != events_.end();) {
    if (event->second.loop != &loop) {
      ++event;
      continue;
    }
    dropped.push_back(std::move(event->second));
    event = events_.erase(event);
  }
}

bool SimCore::step(std::int64_t until_us) {
  std::vector<SimLoop*> ready;
  SimLoop* timer_loop = nullptr;
  std::int64_t timer_us = INT64_MAX;
  for (SimLoop* const loop : loops) {
    if (loop->paused()) continue;
    if (loop->ready()) ready.push_back(loop);
    if (const std::int64_t due = loop->next_timer_us(); due < timer_us) {
      timer_us = due;
      timer_loop = loop;
    }
  }
  auto event =
      std::find_if(events_.begin(), events_.end(), [](const auto& entry) { return !entry.second.loop->paused(); });
  const std::int64_t event_us = event == events_.end() ? INT64_MAX : event->first.time_us;
  const std::int64_t next_us = std::min(event_us, timer_us);

  if (ready.empty() && (next_us == INT64_MAX || next_us > until_us)) return false;
  ++steps_;
  const bool due = next_us <= now_us;
  const std::size_t choices = ready.size() + (due ? 1 : 0);
  const std::size_t choice = choices == 0 ? 0 : static_cast<std::size_t>(random.below(choices));
  if (choice < ready.size()) {
    SimLoop& loop = *ready[choice];
    fold(SimEvent::turn, loop.number(), static_cast<std::uint64_t>(now_us));
    loop.turn();
    now_us += random.between(kTurnLeastUs, kTurnMostUs);
    return true;
  }
  now_us = std::max(now_us, next_us);
  if (timer_us < event_us || (timer_us == event_us && random.below(2) == 0)) {
    fold(SimEvent::timers, timer_loop->number(), static_cast<std::uint64_t>(now_us));
    timer_loop->fire_timers();
    return true;
  }
  const Event happening = std::move(event->second);
  events_.erase(event);
  fold(happening.kind, happening.loop->number() << 32 ^ happening.detail, static_cast<std::uint64_t>(now_us));
  happening.loop->run_turn(happening.run);
  return true;
}

void SimCore::mix(std::uint64_t value) {
  hash_ = Random(hash_ ^ value).next();
}

void SimCore::fold(SimEvent kind, std::uint64_t a, std::uint64_t b) {
  mix(static_cast<std::uint64_t>(kind));
  mix(a);
  mix(b);
}

void SimCore::fold(std::string_view text) {
  mix(static_cast<std::uint64_t>(SimEvent::note));
  mix(text.size());
  for (const char c : text) mix(static_cast<unsigned char>(c));
}

}  // namespace braid
