// Braid, Apache-2.0.
#include "actors/mqtt/delivery_queue.hpp"

namespace braid::mqtt {

bool DeliveryQueue::push(Delivery delivery) {
  const std::uint64_t cost = queue_cost(delivery);
  if (messages_ + 1 > limits_.max_messages || bytes_ + cost > limits_.max_bytes) return false;
  ++messages_;
  bytes_ += cost;
  if (!parked_ && !spilled() && memory_bytes_ + cost <= limits_.memory_bytes) {
    memory_bytes_ += cost;
    memory_.push_back({std::move(delivery), Offset{-1}});
  } else {
    spill_.push_back(std::move(delivery));
  }
  return true;
}

Delivery DeliveryQueue::pop() {
  Delivery delivery = memory_.pop_front().delivery;
  const std::uint64_t cost = queue_cost(delivery);
  memory_bytes_ -= cost;
  forget(1, cost);
  return delivery;
}

std::vector<Delivery> DeliveryQueue::take_memory() {
  std::vector<Delivery> taken;
  while (!memory_.empty()) taken.push_back(pop());
  for (auto& delivery : spill_) {
    forget(1, queue_cost(delivery));
    taken.push_back(std::move(delivery));
  }
  spill_.clear();
  return taken;
}

void DeliveryQueue::empty_memory() {
  // What came from the log and lies at the end is read again later.
  std::uint64_t records = 0;
  Offset from{-1};
  while (!memory_.empty() && memory_.back().offset.value >= 0) {
    const Item item = memory_.pop_back();
    memory_bytes_ -= queue_cost(item.delivery);
    if (item.delivery.share != 0) ++shared_on_log_;
    from = item.offset;
    ++records;
  }
  if (records != 0) log_->rewind(from, records);
  if (spilled() || memory_.empty()) return;
  // Nothing is on the log: the rest goes there. With something there it would come behind it, so it stays.
  while (!memory_.empty()) spill_.push_back(memory_.pop_front().delivery);
  memory_bytes_ = 0;
}

std::vector<DeliveryQueue::Sealed> DeliveryQueue::seal(Timestamp now) {
  std::vector<Sealed> result;
  BatchBuilder builder;
  Sealed one;
  const auto finish = [&] {
    if (builder.empty()) return;
    one.batch = builder.finish();
    result.push_back(std::exchange(one, Sealed{}));
  };
  for (const auto& delivery : spill_) {
    if (builder.bytes() > kGoodBatchBytes) finish();
    if (!add_delivery(builder, now, delivery)) {
      finish();
      add_delivery(builder, now, delivery);
    }
    ++one.records;
    one.bytes += queue_cost(delivery);
    if (delivery.share != 0) ++one.shared;
  }
  finish();
  spill_.clear();
  return result;
}

void DeliveryQueue::came_back(const BatchWalker& walker, const RecordView& record) {
  auto delivery = read_delivery(walker, record);
  if (!delivery) return lose(1, 0);
  if (delivery->share != 0 && shared_on_log_ != 0) --shared_on_log_;
  memory_bytes_ += queue_cost(*delivery);
  memory_.push_back({std::move(*delivery), record.offset});
}

Offset DeliveryQueue::needed() const {
  for (const auto& item : memory_)
    if (item.offset.value >= 0) return item.offset;
  return log_->next();
}

void DeliveryQueue::forget(std::uint64_t messages, std::uint64_t bytes) {
  messages_ -= std::min(messages_, messages);
  bytes_ = messages_ == 0 ? 0 : bytes_ - std::min(bytes_, bytes);
}

void DeliveryQueue::lose(std::uint64_t messages, std::uint64_t bytes) {
  lost_ += messages;
  forget(messages, bytes);
}

void DeliveryQueue::lose_spill() {
  for (const auto& delivery : spill_) lose(1, queue_cost(delivery));
  spill_.clear();
}

}  // namespace braid::mqtt
