// Braid, Apache-2.0.
//
// What waits for one MQTT client: a subscriber that does not keep up, or one that is away. A small window lies in
// memory; what is beyond it, and everything while the client is away, goes to the log and is read back as the client
// takes it. Order is kept: once something lies on the log, whatever comes goes behind it until the log is read out.
// Both parts together are bounded, in bytes and messages; what does not fit is refused, and the owner counts it.
//
//   push -> [ memory ] -> pop              while nothing is on the log
//   push -> [ spill ] -> log -> [ memory ] -> pop
//
// Owned by one actor at a time (the session, or the registry of clients while the client is away), through a shared
// pointer that unanswered requests keep. It may change hands while it is `quiet`.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/mqtt/delivery_record.hpp"
#include "actors/services.hpp"
#include "actors/spill/log_fifo.hpp"
#include "model/fifo.hpp"

namespace braid::mqtt {

class DeliveryQueue : public std::enable_shared_from_this<DeliveryQueue> {
 public:
  struct Limits {
    std::uint64_t memory_bytes = 1u << 20;
    std::uint64_t max_bytes = 64u << 20;
    std::uint64_t max_messages = 100'000;
  };
  explicit DeliveryQueue(const Limits& limits) : limits_(limits) {}

  /// False when the limits leave no room for it. `work` is to be called behind a run of these.
  bool push(Delivery delivery);
  /// Whether the first that waits is in memory.
  bool ready() const { return !memory_.empty(); }
  const Delivery& front() const { return memory_.front().delivery; }
  Delivery pop();
  /// Nothing waits, in memory or elsewhere.
  bool empty() const { return memory_.empty() && !spilled(); }
  /// Some of it is, or goes, on the log.
  bool spilled() const { return !spill_.empty() || (log_ && log_->unread() != 0); }
  std::uint64_t messages() const { return messages_; }
  std::uint64_t bytes() const { return bytes_; }
  /// Messages that the log could not take or give back, since the last call.
  std::uint64_t take_lost() { return std::exchange(lost_, 0); }

  /// The client goes away: with the next `work` whatever can goes to the log. `resume` when it is back.
  void park() { parked_ = true; }
  void resume() { parked_ = false; }
  /// Nothing that was asked for is unanswered, and nothing waits to be written.
  bool quiet() const { return !taking_ && spill_.empty() && (!log_ || log_->idle()); }

  /// Writes and reads what is due. `changed` is called, later, when something came of it.
  template <class Self>
  void work(Self* self, Services& services, std::function<void()> changed);

  template <class Each>
  void each_in_memory(Each each) const {
    for (const auto& item : memory_) each(item.delivery);
  }
  /// Takes out those in memory for which `wanted(const Delivery&)` holds.
  template <class Wanted>
  void take_out(Wanted wanted);
  /// Everything that is in memory, written or not: the queue is given up.
  std::vector<Delivery> take_memory();
  /// How many of a shared subscription wait on the log.
  std::uint64_t shared_on_log() const { return shared_on_log_; }

  /// The end of a queue that is quiet: its partition goes back.
  template <class Self>
  void give_back(Self* self, Services& services);

 private:
  struct Item {
    Delivery delivery;
    Offset offset{-1};  ///< on the log; -1 when it never was there
  };
  struct Sealed {
    Bytes batch;
    std::uint32_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t shared = 0;
  };
  static constexpr std::size_t kGoodBatchBytes = 256u << 10;
  static constexpr std::uint32_t kReadBytes = 256u << 10;

  void empty_memory();
  std::vector<Sealed> seal(Timestamp now);
  void forget(std::uint64_t messages, std::uint64_t bytes);
  void lose(std::uint64_t messages, std::uint64_t bytes);
  void lose_spill();
  /// A record came back from the log.
  void came_back(const BatchWalker& walker, const RecordView& record);
  /// What memory still needs of the log begins here.
  Offset needed() const;

  const Limits limits_;
  Fifo<Item> memory_;
  std::uint64_t memory_bytes_ = 0;
  std::vector<Delivery> spill_;  ///< waits to be written
  std::optional<LogFifo> log_;
  bool taking_ = false;  ///< a partition was asked for
  bool parked_ = false;
  unsigned failures_ = 0;  ///< reads that failed, one behind the other
  std::uint64_t messages_ = 0, bytes_ = 0;
  std::uint64_t shared_on_log_ = 0;
  std::uint64_t lost_ = 0;
};

inline DeliveryQueue::Limits queue_limits(const MqttSettings& settings) {
  return {settings.queue_memory_bytes, settings.max_queued_bytes, settings.max_queued_messages};
}

template <class Self>
void DeliveryQueue::work(Self* self, Services& services, std::function<void()> changed) {
  const auto alive = shared_from_this();
  if (parked_ && !(log_ && log_->reading())) empty_memory();
  if (!spill_.empty() && !log_) {
    if (taking_) return;
    taking_ = true;
    auto taken = [this, alive, self, &services, changed](const PartitionTaken& reply) {
      taking_ = false;
      if (reply.error == Errc::none)
        log_.emplace(reply.partition, reply.start);
      else
        lose_spill();
      work(self, services, changed);
      changed();
    };
    ask(self, services.partition_pool, TakePartition{}, taken, [taken](caf::error) {
      taken(PartitionTaken{Errc::shutting_down, PartitionId{0}, Offset{0}});
    });
    return;
  }
  if (!spill_.empty()) {
    for (auto& sealed : seal(services.loop.wall_clock())) {
      shared_on_log_ += sealed.shared;
      log_->append(self, services.partitions, std::move(sealed.batch), sealed.records,
                   [this, alive, self, &services, changed, records = sealed.records, bytes = sealed.bytes,
                    shared = sealed.shared](Errc error) {
                     if (error != Errc::none) {
                       shared_on_log_ -= std::min(shared_on_log_, shared);
                       lose(records, bytes);
                     }
                     work(self, services, changed);
                     changed();
                   });
    }
  }
  if (!log_) return;
  if (!parked_ && log_->readable() && memory_bytes_ <= limits_.memory_bytes / 2) {
    log_->read(
        self, services.partitions, kReadBytes,
        [this](const BatchWalker& walker, const RecordView& record) { came_back(walker, record); },
        [this, alive, self, &services, changed](Errc error) {
          failures_ = error == Errc::none ? 0 : failures_ + 1;
          if (failures_ == 3 || error == Errc::damaged || error == Errc::offset_out_of_range) {
            // What cannot be read is lost, not the session.
            const std::uint64_t gone = std::min(messages_, log_->stored());
            lose(gone, messages_ == 0 ? 0 : bytes_ * gone / messages_);
            log_->skip_to_end();
            failures_ = 0;
          }
          work(self, services, changed);
          changed();
        });
  }
  if (log_->trim_due()) log_->trim(self, services.partitions, needed());
}

template <class Wanted>
void DeliveryQueue::take_out(Wanted wanted) {
  memory_.erase_if([&](const Item& item) {
    if (!wanted(item.delivery)) return false;
    const auto cost = queue_cost(item.delivery);
    memory_bytes_ -= cost;
    forget(1, cost);
    return true;
  });
}

template <class Self>
void DeliveryQueue::give_back(Self* self, Services& services) {
  if (!log_) return;
  self->send(services.partition_pool, GivePartition{log_->partition()});
  log_.reset();
}

}  // namespace braid::mqtt
