// Braid, Apache-2.0.
//
// The queues of one loop. One actor has them all, because a publish concerns several at once (it is one entry in the
// journal) and because an actor per queue would buy nothing: they share the loop's thread and its journal anyway. A
// queue that is used is a Queue (persistence/queue/queue.hpp), driven from here; one that rests is a row.
//
// What is acknowledged is gathered and written to the state log of the queue's shard every few milliseconds, in one
// batch for all queues; nobody waits for that but SyncSettlements and the ordered end. The acknowledged front of a log
// goes a little later, by moving its log start.
//
//   host.cpp           start, definitions, life and end of queues
//   host_publish.cpp   messages in
//   host_consume.cpp   messages out
//   host_state.cpp     what survives
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/memory_budget.hpp"
#include "actors/queues/interface.hpp"
#include "actors/queues/state_codec.hpp"
#include "actors/services.hpp"
#include "actors/state_log.hpp"
#include "persistence/queue/queue.hpp"
#include "runtime/pinned.hpp"
#include "runtime/start_gate.hpp"

namespace braid {

class QueueHostActor : public Pinned<QueueHost::base> {
 public:
  QueueHostActor(caf::actor_config& config, Loop& loop, Services& services);
  const char* name() const override { return "queue-host"; }
  /// Sessions and listeners have a handle of this actor and it has theirs: none of them would ever be destroyed.
  void on_exit() override;

 protected:
  behavior_type make_behavior() override;

 private:
  static constexpr unsigned kQueueNumberBits = 40;  ///< of a QueueId: its shard above, its number there below
  /// A queue that goes when it was unused for a year is looked at now and then, for no timer is that long.
  static constexpr std::int64_t kLongestTimerMs = 3'600'000;
  /// What is acknowledged of messages in memory is let go when there are so many more, and not a second later.
  static constexpr std::uint64_t kTrimBytes = 256u << 10;

  /// A shard of this loop: where its queues' messages and their state lie.
  struct Shard {
    ShardId id;
    Journal* journal = nullptr;
    PartitionId partition;
    std::unique_ptr<StateLog> log;
    std::uint64_t next_queue = 1;
    /// While the state is being read: by queue, in the order of the numbers.
    struct Read {
      std::optional<StoredQueue> definition;
      std::map<std::uint8_t, Queue::Stored> priorities;
    };
    std::map<std::uint64_t, Read> read;
    std::uint64_t strange_records = 0;  ///< in the state, and not understood
    bool loaded = false;
    Timer retry;
  };
  /// What a queue that is used has beside its row.
  struct Active {
    explicit Active(const QueueSettings& settings) : queue(settings) {}
    Queue queue;
    std::uint64_t serial = 0;  ///< no other Active had or will have it
    std::set<ConsumerKey> consumers;
    std::vector<Offset> trimmed;  ///< by priority: log starts as the journal has them
    std::int64_t used_ms = 0;
    std::uint64_t loaded_bytes = 0;
    bool pumping = false, dirty = false;
    bool rewrite = false;          ///< the state log may lack something: write all of it
    std::set<std::uint64_t> gets;  ///< tokens that wait for an answer
    std::optional<Timestamp> wake_at;
    Timer wake;
  };
  struct Row {
    QueueId id;
    Shard* shard = nullptr;
    std::unique_ptr<Active> active;
    StoredQueue queue;
    std::uint64_t exclusive_to = 0;
    std::vector<Queue::Change> saved;          ///< of a queue at rest
    std::uint64_t ready = 0, bytes = 0;        ///< likewise
    std::uint64_t unstored_bytes = 0;          ///< of its log, in memory and nowhere else, about
    std::uint64_t trim_at_bytes = kTrimBytes;  ///< when there are so many, what was acknowledged of them goes
    bool had_consumers = false;
    std::int64_t used_ms = 0;  ///< for QueueSettings::expires_ms
    Timer expiry;
    std::vector<Promise<QueueDeclared>> creating;  ///< waiting until the definition is on the disk

    bool is_stored() const { return queue.settings.durable && exclusive_to == 0; }
  };
  struct Session {
    QueueConsumer handle;
    std::set<std::pair<QueueId, std::uint64_t>> consumers;  ///< that are subscribed, or hold something
    std::set<QueueId> exclusive;
  };
  struct Get {
    ConsumerKey key;
    Promise<MessageGot> promise;
  };
  struct PublishJob;
  struct PublishPart {
    QueueId queue;
    std::uint64_t serial = 0;
    std::uint8_t priority = 0;
  };

  // host.cpp
  void declare(const DeclareQueue& request, Promise<QueueDeclared> promise);
  void change(const ChangeQueue& request, Promise<QueueChanged> promise);
  void remove(const DeleteQueue& request, Promise<QueueEmptied> promise);
  void purge(const PurgeQueue& request, Promise<QueueEmptied> promise);
  void describe(const DescribeQueues& request, Promise<QueuesDescribed> promise);
  void listen(const ListenToQueues& request, Promise<QueuesDescribed> promise);
  Row* find(QueueId queue);
  Row& add_row(QueueId queue, Shard& shard, StoredQueue stored);
  QueueDeclared declared(const Row& row, bool created) const;
  QueueDescription describe(const Row& row) const;
  Active& activate(Row& row);
  void rest(Row& row);
  /// The queue is gone at once; `done` when its definition is, too.
  void erase(Row& row, std::function<void(Errc)> done);
  void drop_logs(Shard& shard, QueueId queue, std::uint8_t max_priority);
  void used(Row& row);
  void watch_expiry(Row& row);
  void delete_if_unused(QueueId queue);
  Session& session(const QueueConsumer& handle);
  /// The queue has nothing to do with this consumer any more.
  void forget(QueueId queue, const ConsumerKey& key);
  void ended(const caf::down_msg& down);
  void tick();

  // host_publish.cpp
  void publish(const PublishToQueues& request, Promise<Published> promise);
  void append(const std::shared_ptr<PublishJob>& job, Shard& shard, const std::vector<Row*>& rows,
              std::uint8_t priority, Durability durability, Bytes batch, std::uint32_t count);
  void appended(const std::shared_ptr<PublishJob>& job, const std::vector<PublishPart>& parts, Errc error);
  Durability durability_of(const Row& row, const PublishToQueues& request) const;
  void refuse(Row& row, const PublishToQueues& request, std::uint32_t from, Published& reply);

  // host_consume.cpp
  void start_consuming(const StartConsuming& request, Promise<ConsumeStarted> promise);
  void stop_consuming(const StopConsuming& request, Promise<ConsumeStopped> promise);
  void stopped(Row& row, const ConsumerKey& key);
  void grant(const GrantCredit& grant);
  void get(const GetMessage& request, Promise<MessageGot> promise);
  void settle(const Settle& settle);
  void schedule_pump(Row& row);
  void pump_all();
  void pump(Row& row);
  void read(Row& row, const QueueOutput::Read& read);
  void route(Row& row, QueueOutput::Dead dead);

  // host_state.cpp
  void adopt_shards();
  void load(Shard& shard);
  void loaded(Shard& shard, Errc error);
  void start();
  /// Queues with something in them look at their heads once, in case they expire.
  void wake_some();
  void mark_dirty(Row& row);
  void flush();
  /// A sync is about to happen anyway: changes that wait for theirs go with it.
  void flush_along();
  void put(Shard& shard, std::vector<StateChange> changes, std::function<void(Errc)> done);
  void sync(const SyncSettlements& request, Promise<SettlementsSynced> promise);
  void when_synced(std::function<void(Errc)> done);
  void trim(Row& row);
  void snapshot_if_due(Shard& shard);
  void restore(Row& row, Queue& queue, bool& sound) const;

  Services& services_;
  std::vector<std::unique_ptr<Shard>> shards_;
  StartGate state_read_;

  std::unordered_map<QueueId, std::unique_ptr<Row>> rows_;
  std::unordered_map<std::string_view, Row*> by_name_;  ///< keys lie in the rows
  std::set<QueueId> active_;
  std::uint64_t next_serial_ = 1;
  std::unordered_map<std::uint64_t, Session> sessions_;
  std::array<QueueListener, 3> listeners_;
  std::unordered_map<std::uint64_t, Get> gets_;
  std::uint64_t next_get_ = 1;

  std::vector<QueueId> pumping_, pumping_now_;
  bool pump_scheduled_ = false;
  std::deque<QueueId> waking_;
  std::vector<QueueId> dirty_;
  Timer flush_timer_, tick_timer_;
  std::int64_t flushed_ms_ = 0;
  std::uint64_t puts_started_ = 0;
  std::set<std::uint64_t> open_puts_;
  struct Sync {
    std::uint64_t put;  ///< done when this one and all before it have finished
    std::function<void(Errc)> done;
    Errc error = Errc::none;  ///< of one of them
  };
  std::deque<Sync> syncs_;
  BudgetShare budget_;
  std::uint64_t loaded_bytes_ = 0;
  std::uint64_t unstored_bytes_ = 0;  ///< of all rows
  std::vector<std::uint32_t> sizes_;  ///< scratch
};

QueueHost spawn_queue_host(Services& services);
/// For the ordered end: calls `drained` on the loop when what was settled in its queues is on the disk.
void drain_queues(Services& services, std::function<void()> drained);
/// The shard that has, or will have, the queue of this name.
ShardId queue_shard(const Services& services, std::string_view name);

}  // namespace braid
