// Braid, Apache-2.0.
#include "actors/amqp/session/publish_batches.hpp"

#include <algorithm>

namespace braid::amqp {

namespace {

bool overlap(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (*x == *y) return true;
    *x < *y ? ++x : ++y;
  }
  return false;
}

}  // namespace

bool PublishBatches::add(const VhostView& vhost, std::span<const QueueNumber> queues, const Message& message,
                         Timestamp arrived, const Receipt* receipt) {
  Open* open = &open_for(vhost, queues, message.priority);
  if (!encoder_.add(open->builder, arrived, message.publish)) {
    if (open->builder.empty()) return false;
    seal(*open);
    open = &make(vhost, queues, message.priority);
    if (!encoder_.add(open->builder, arrived, message.publish)) return false;
  }
  // One that may be lost in the company of one that may not is kept as well.
  open->persistent = open->persistent || message.persistent;
  if (receipt) note(*open, *receipt);
  return true;
}

bool PublishBatches::add_delayed(std::string_view exchange, std::int64_t delay_ms, const Message& message,
                                 Timestamp arrived, const Receipt* receipt) {
  auto publish = message.publish;
  publish.expiration = {};  // its time to live begins when it has waited
  BatchBuilder builder;
  if (!encoder_.add(builder, arrived, publish)) return false;
  SealedBatch sealed;
  sealed.batch = builder.finish();
  sealed.targets.emplace_back();
  sealed.persistent = message.persistent;
  sealed.count = 1;
  sealed.delay_ms = delay_ms;
  sealed.delayed_at = exchange;
  if (receipt) {
    sealed.receipts.push_back(*receipt);
    sealed.receipts.back().count = 1;
    sealed.receipts.back().record = 0;
  }
  sealed_bytes_ += sealed.batch.size();
  sealed_.push_back(std::move(sealed));
  return true;
}

void PublishBatches::note(Open& open, const Receipt& receipt) {
  const auto record = static_cast<std::uint32_t>(open.builder.count() - 1);
  if (!open.receipts.empty()) {
    Receipt& last = open.receipts.back();
    const bool follows = receipt.first == 0 ? last.first == 0 : last.first + last.count == receipt.first;
    if (last.serial == receipt.serial && follows && last.record + last.count == record) {
      ++last.count;
      return;
    }
  }
  open.receipts.push_back(receipt);
  open.receipts.back().count = 1;
  open.receipts.back().record = record;
}

PublishBatches::Open& PublishBatches::open_for(const VhostView& vhost, std::span<const QueueNumber> queues,
                                               std::uint8_t priority) {
  const auto same = [queues](const Open& open) {
    return std::equal(open.queues.begin(), open.queues.end(), queues.begin(), queues.end());
  };
  for (Open& open : open_) {
    if (!same(open)) continue;
    if (open.has_priorities && open.priority != priority) break;
    if (open.builder.bytes() > good_batch_bytes) break;
    return open;
  }
  return make(vhost, queues, priority);
}

PublishBatches::Open& PublishBatches::make(const VhostView& vhost, std::span<const QueueNumber> queues,
                                           std::uint8_t priority) {
  Open made;
  made.queues.assign(queues.begin(), queues.end());
  made.by_number.reserve(queues.size());
  for (const QueueNumber number : queues) {
    made.by_number.push_back(static_cast<std::uint32_t>(number));
    const QueuePlace& place = vhost.place(number);
    made.has_priorities = made.has_priorities || place.max_priority > 0;
    auto target = std::find_if(made.targets.begin(), made.targets.end(),
                               [&](const SealedBatch::Target& each) { return each.loop == place.loop; });
    if (target == made.targets.end()) target = made.targets.insert(made.targets.end(), {place.loop, {}});
    target->queues.push_back(place.queue);
  }
  std::sort(made.by_number.begin(), made.by_number.end());
  made.priority = made.has_priorities ? priority : 0;
  const bool full = open_.size() >= max_open;
  for (Open& open : open_)
    if (full || overlap(open.by_number, made.by_number)) seal(open);
  std::erase_if(open_, [](const Open& open) { return open.builder.empty(); });
  return open_.emplace_back(std::move(made));
}

void PublishBatches::seal(Open& open) {
  if (open.builder.empty()) return;
  SealedBatch sealed;
  sealed.count = static_cast<std::uint32_t>(open.builder.count());
  sealed.batch = open.builder.finish();
  sealed.targets = open.targets;
  sealed.priority = open.priority;
  sealed.persistent = open.persistent;
  sealed.receipts = std::move(open.receipts);
  open.receipts.clear();
  sealed_bytes_ += sealed.batch.size();
  sealed_.push_back(std::move(sealed));
}

std::vector<SealedBatch> PublishBatches::take() {
  for (Open& open : open_) seal(open);
  open_.clear();
  sealed_bytes_ = 0;
  return std::exchange(sealed_, {});
}

std::uint64_t PublishBatches::bytes() const {
  std::uint64_t bytes = sealed_bytes_;
  for (const Open& open : open_) bytes += open.builder.bytes();
  return bytes;
}

void PublishBatches::clear() {
  open_.clear();
  sealed_.clear();
  sealed_bytes_ = 0;
}

}  // namespace braid::amqp
