// Braid, Apache-2.0.
#include "actors/mqtt/outbound.hpp"

#include <algorithm>
#include <cassert>

#include "actors/mqtt/delivery_record.hpp"

namespace braid::mqtt {

namespace {
constexpr std::size_t kFirstSlots = 16, kMostSlots = 65536;
/// A slice that pins this much more than it shows is copied when it may be kept for days.
constexpr std::size_t kPinnedBytes = 16u << 10;
}  // namespace

void Outbound::connect(std::uint16_t receive_maximum, std::uint64_t max_kept_bytes) {
  receive_maximum_ = std::max<std::uint16_t>(receive_maximum, 1);
  max_kept_bytes_ = max_kept_bytes;
  resend_.clear();
  unsent_ = 0;
  for (const auto id : publishes()) {
    find(id)->unsent = true;
    ++unsent_;
    resend_.push_back(id);
  }
}

PacketId Outbound::begin(std::uint8_t qos) {
  if (count_ * 2 >= slots_.size() && slots_.size() < kMostSlots) resize(std::max(kFirstSlots, slots_.size() * 2));
  do {
    last_id_ = last_id_ == 65535 ? std::uint16_t{1} : static_cast<std::uint16_t>(last_id_ + 1);
  } while (slots_[last_id_ & mask()].id != 0);
  Slot& slot = slots_[last_id_ & mask()];
  slot = {next_order_++, last_id_, qos == 1 ? State::wants_puback : State::wants_pubrec, false};
  ++count_;
  return PacketId{last_id_};
}

void Outbound::keep(PacketId id, Delivery delivery) {
  if (kept_.empty()) kept_.resize(slots_.size());
  kept_bytes_ += queue_cost(delivery);
  kept_[id.value & mask()] = std::move(delivery);
}

void Outbound::release(PacketId id) {
  if (kept_.empty()) return;
  Delivery& delivery = kept_[id.value & mask()];
  if (!delivery.publication) return;
  kept_bytes_ -= queue_cost(delivery);
  delivery = Delivery{};
}

void Outbound::received(PacketId id) {
  Slot* slot = find(id);
  release(id);
  if (std::exchange(slot->unsent, false)) --unsent_;
  if (slot->state == State::wants_pubcomp) return;
  slot->state = State::wants_pubcomp;
  slot->order = next_order_++;
}

void Outbound::finish(PacketId id) {
  Slot* slot = find(id);
  release(id);
  if (slot->unsent) --unsent_;
  *slot = Slot{};
  --count_;
}

std::optional<PacketId> Outbound::resend() {
  while (!resend_.empty()) {
    Slot* slot = find(resend_.front());
    if (!slot || !slot->unsent) {
      resend_.pop_front();
      continue;
    }
    if (count_ - unsent_ >= receive_maximum_) return std::nullopt;
    slot->unsent = false;
    --unsent_;
    return resend_.pop_front();
  }
  return std::nullopt;
}

template <class Wanted>
std::vector<PacketId> Outbound::in_order(Wanted wanted) const {
  std::vector<const Slot*> found;
  for (const Slot& slot : slots_)
    if (slot.id != 0 && wanted(slot)) found.push_back(&slot);
  std::sort(found.begin(), found.end(), [](const Slot* a, const Slot* b) { return a->order < b->order; });
  std::vector<PacketId> ids;
  ids.reserve(found.size());
  for (const Slot* slot : found) ids.emplace_back(slot->id);
  return ids;
}

std::vector<PacketId> Outbound::released() const {
  return in_order([](const Slot& slot) { return slot.state == State::wants_pubcomp; });
}

std::vector<PacketId> Outbound::publishes() const {
  if (kept_.empty()) return {};
  return in_order([this](const Slot& slot) {
    return slot.state != State::wants_pubcomp && kept_[slot.id & mask()].publication != nullptr;
  });
}

void Outbound::resize(std::size_t capacity) {
  std::vector<Slot> slots(capacity);
  std::vector<Delivery> kept(kept_.empty() ? 0 : capacity);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].id == 0) continue;
    const std::size_t to = slots_[i].id & (capacity - 1);
    assert(slots[to].id == 0);
    slots[to] = slots_[i];
    if (!kept_.empty()) kept[to] = std::move(kept_[i]);
  }
  slots_ = std::move(slots);
  kept_ = std::move(kept);
}

void Outbound::compact() {
  if (count_ == 0) {
    slots_ = {};
    kept_ = {};
    resend_ = {};
    return;
  }
  for (auto& delivery : kept_) {
    if (!delivery.publication) continue;
    const Publication& publication = *delivery.publication;
    const std::size_t pinned = publication.payload.pinned() + publication.topic.pinned();
    if (pinned < queue_cost(delivery) * 4 + kPinnedBytes) continue;
    auto copy = std::make_shared<Publication>(publication);
    copy->topic = copy->topic.compact();
    copy->payload = copy->payload.compact();
    copy->properties = copy->properties.compact();
    delivery.publication = std::move(copy);
  }
}

}  // namespace braid::mqtt
