// Braid, Apache-2.0.
//
// The wheel's arithmetic. `now_` is the last millisecond that was dealt with; a timer's slot is a function of its time
// and `now_` alone, which is what keeps timers of the same millisecond in the order in which they were set.
#include "runtime/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace braid {
namespace {
constexpr std::uint64_t kMaxNodes = 0xfffffff0;
}

TimerId TimerWheel::insert(std::int64_t due_ms, std::function<void()> fire) {
  std::uint32_t index = free_;
  if (index != kNone) {
    free_ = nodes_[index].next;
  } else {
    if (nodes_.size() >= kMaxNodes) return TimerId{};
    index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  }
  Node& node = nodes_[index];
  node.fire = std::move(fire);
  node.due = std::max(due_ms < 0 ? 0 : static_cast<std::uint64_t>(due_ms), now_ + 1);
  ++node.generation;
  if (node.generation == 0) node.generation = 1;
  link(index);
  ++size_;
  return TimerId{static_cast<std::uint64_t>(node.generation) << 32 | index};
}

bool TimerWheel::cancel(TimerId id) {
  const auto index = static_cast<std::uint32_t>(id.value);
  if (index >= nodes_.size()) return false;
  Node& node = nodes_[index];
  if (node.slot == kFree || node.generation != static_cast<std::uint32_t>(id.value >> 32)) return false;
  unlink(index);
  // Destroyed last: what the callback holds may cancel or set timers itself.
  const std::function<void()> dropped = std::move(node.fire);
  release(index);
  return true;
}

std::uint16_t TimerWheel::slot_for(std::uint64_t due) const {
  const std::uint64_t different = due ^ now_;
  const unsigned level = different == 0 ? 0 : (static_cast<unsigned>(std::bit_width(different)) - 1) / kBits;
  return static_cast<std::uint16_t>(level * kSlots + ((due >> (level * kBits)) & (kSlots - 1)));
}

void TimerWheel::link(std::uint32_t index) {
  Node& node = nodes_[index];
  node.slot = slot_for(node.due);
  Slot& slot = slots_[node.slot];
  node.next = kNone;
  node.previous = slot.last;
  (slot.last == kNone ? slot.first : nodes_[slot.last].next) = index;
  slot.last = index;
  filled_[node.slot / kSlots] |= 1ull << (node.slot % kSlots);
}

void TimerWheel::unlink(std::uint32_t index) {
  Node& node = nodes_[index];
  Slot& slot = slots_[node.slot];
  (node.previous == kNone ? slot.first : nodes_[node.previous].next) = node.next;
  (node.next == kNone ? slot.last : nodes_[node.next].previous) = node.previous;
  if (slot.first == kNone) filled_[node.slot / kSlots] &= ~(1ull << (node.slot % kSlots));
}

void TimerWheel::release(std::uint32_t index) {
  Node& node = nodes_[index];
  node.fire = nullptr;
  node.slot = kFree;
  node.next = free_;
  free_ = index;
  --size_;
}

/// The start of the first slot that is not empty. Slots of a level all lie ahead of now within the current slot of the
/// level above, so the lowest level that has any holds the nearest.
std::optional<std::uint64_t> TimerWheel::next_event() const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (filled_[level] == 0) continue;
    const unsigned shift = level * kBits;
    const auto digit = static_cast<std::uint64_t>(std::countr_zero(filled_[level]));
    const unsigned above = shift + kBits;
    const std::uint64_t prefix = above >= 64 ? 0 : now_ >> above << above;
    return prefix | digit << shift;
  }
  return std::nullopt;
}

std::optional<std::int64_t> TimerWheel::next_due_ms() const {
  const auto next = next_event();
  if (!next) return std::nullopt;
  return static_cast<std::int64_t>(*next);
}

std::size_t TimerWheel::advance(std::int64_t now_ms) {
  const auto target = now_ms < 0 ? 0 : static_cast<std::uint64_t>(now_ms);
  std::size_t fired = 0;
  while (true) {
    const auto next = next_event();
    if (!next || *next > target) break;
    now_ = std::max(now_, *next);
    // Deal out the slots that begin now, from the top, so that a timer reaches its level in one pass.
    for (unsigned level = kLevels - 1; level > 0; --level) {
      const unsigned shift = level * kBits;
      if (shift < 64 && (now_ & ((1ull << shift) - 1)) != 0) continue;
      const auto number = static_cast<std::uint16_t>(level * kSlots + (shift < 64 ? (now_ >> shift) % kSlots : 0));
      std::uint32_t index = slots_[number].first;
      if (index == kNone) continue;
      slots_[number] = Slot{};
      filled_[level] &= ~(1ull << (number % kSlots));
      while (index != kNone) {
        const std::uint32_t following = nodes_[index].next;
        link(index);
        index = following;
      }
    }
    const Slot& due = slots_[now_ % kSlots];
    while (due.first != kNone) {
      const std::uint32_t index = due.first;
      unlink(index);
      const std::function<void()> fire = std::move(nodes_[index].fire);
      release(index);
      fire();
      ++fired;
    }
  }
  now_ = std::max(now_, target);
  return fired;
}

std::size_t TimerWheel::memory_bytes() const {
  return sizeof *this + nodes_.capacity() * sizeof(Node);
}

void TimerWheel::clear() {
  // What the callbacks hold is destroyed when the wheel is already empty: it may well cancel timers.
  const std::vector<Node> dropped = std::exchange(nodes_, {});
  slots_.fill(Slot{});
  filled_.fill(0);
  free_ = kNone;
  size_ = 0;
}

}  // namespace braid
