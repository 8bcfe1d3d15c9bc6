// Braid, Apache-2.0.
//
// One queue: who gets which message next, and what becomes of it. A state machine without clock, disk or actors: events
// go in, `pump` does what has become possible, and what somebody has to do comes out (QueueOutput). AMQP queues, MQTT
// sessions and share groups are this class with other settings.
//
// The messages lie in the log, one partition per priority. The queue knows where it stands in each (QueueCursor) and
// asks for reads as consumers have credit, so its memory does not depend on its length. The head is the first ready
// message of the highest priority; returned ones come before what was never delivered.
//
// The driver calls, all with the time of the loop: `arrived` when it gives a batch to the journal (and `failed` if that
// could not keep it), and `pump` once per turn in which anything happened.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/errors.hpp"
#include "persistence/queue/cursor.hpp"
#include "persistence/queue/message_reader.hpp"
#include "persistence/queue/message_run.hpp"
#include "persistence/queue/types.hpp"

namespace braid {

/// A consumer as the driver knows it: a session and a number of the session's choice.
struct ConsumerKey {
  std::uint64_t session = 0;
  std::uint64_t consumer = 0;
  friend bool operator==(const ConsumerKey&, const ConsumerKey&) = default;
  friend auto operator<=>(const ConsumerKey&, const ConsumerKey&) = default;
};

struct ConsumerSettings {
  bool no_ack = false;
  bool exclusive = false;
  bool granted = false;
  bool on_demand = false;  ///< has credit for what is there only, and is told when there is something (Delivery)
  std::int32_t priority = 0;
  std::uint32_t prefetch = 0;
  std::uint64_t window_bytes = 1ull << 20;
};

/// What the driver has to do for a queue.
struct QueueOutput {
  struct Delivery {
    ConsumerKey to;
    std::vector<MessageRun> runs;
    std::uint32_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint32_t unused = 0;  ///< credit that found nothing, and is no more
    bool wants = false;        ///< there is something for it, and it has no credit
  };
  struct Read {
    std::uint8_t priority = 0;
    std::uint8_t stream = 0;  ///< to be handed back with `loaded`
    Offset from;
    std::uint32_t max_bytes = 0;
  };
  struct Dead {
    std::uint64_t token = 0;  ///< for dead_done
    DeadReason reason = DeadReason::rejected;
    std::vector<MessageRun> runs;
  };
  struct Got {
    std::uint64_t token = 0;
    std::optional<MessageRun> run;
    std::uint64_t ready = 0;
  };
  std::vector<Delivery> deliveries;
  std::vector<Read> reads;
  std::vector<Dead> dead;
  std::vector<Got> got;
  std::optional<Timestamp> wake_at;  ///< pump then, if nothing happens before
  bool again = false;                ///< there is more to do: pump again when others had their turn
  bool changed = false;              ///< messages moved: there is something for `changes`
};

class Queue {
 public:
  explicit Queue(const QueueSettings& settings) : settings_(settings) { holders_.emplace_back(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  const QueueSettings& settings() const { return settings_; }
  void change(const QueueSettings& settings);
  /// Whether somebody takes dead letters now; without, they wait.
  void dead_letters_taken(bool taken) { dead_taken_ = taken; }

  // -- what the log holds

  /// What is known at the start of one priority: from the state (empty: nothing) and from the log.
  struct Stored {
    Bytes position;
    std::vector<std::pair<std::uint64_t, Bytes>> pages;
    Offset log_start{0}, end{0};
    std::uint64_t bytes = 0;  ///< of batches in the log
  };
  /// False when the state was damaged, or speaks of messages that the log does not have (any more): what is not known
  /// to be acknowledged will be delivered again, and changes(true) must be written before the log is appended to, since
  /// new messages will bear the offsets of those that are gone.
  bool restore(std::uint8_t priority, const Stored& stored);

  /// How many of the messages of a batch, from its front, the queue's limits let in now.
  std::uint32_t room(std::span<const std::uint32_t> sizes) const;
  void arrived(std::uint8_t priority, const Bytes& batch, Offset base, std::uint32_t messages, std::uint64_t bytes);
  /// The log lost something that had arrived. Who was given it has it; nobody else will find it.
  void failed(std::uint8_t priority);
  /// Answer to a read.
  void loaded(const QueueOutput::Read&, Errc error, std::span<const Bytes> batches, std::span<const Offset> bases);
  void pump(Timestamp now, QueueOutput& out);

  // -- consumers

  enum class Refusal : std::uint8_t { none = 0, in_use = 1, single_active = 2, too_many = 3 };
  Refusal consume(const ConsumerKey& key, const ConsumerSettings& settings);
  bool is_active(const ConsumerKey& key) const;
  /// Subscribed, or holds something, or waits for a single message.
  bool knows(const ConsumerKey& key) const { return by_key_.contains(key); }
  /// No more deliveries. What it holds stays until it is settled, or is requeued at once; then its single gets end,
  /// too.
  void stop(const ConsumerKey& key, bool requeue, bool counted);
  void grant(const ConsumerKey& key, std::uint32_t messages, std::uint64_t bytes);
  /// One message for `key`, answered in an output with the token.
  Refusal get(const ConsumerKey& key, bool no_ack, std::uint64_t token);
  /// True when the queue does not know this consumer (any more): it is not subscribed, and that was the last it held.
  bool settle(const ConsumerKey& key, std::uint8_t priority, Offset first, std::uint32_t count, Settlement settlement);
  /// Dead letters are stored elsewhere; or not, and will be tried again after a while.
  void dead_done(std::uint64_t token, bool done);
  /// Drops what is ready; returns how many.
  std::uint64_t purge();

  std::uint64_t ready() const;
  std::uint64_t held() const;
  std::uint64_t bytes() const { return ready_bytes_; }
  std::size_t consumers() const { return subscribed_; }
  /// Nothing is going on, and nothing will by itself.
  bool idle() const;

  // -- the durable form

  struct Change {
    std::uint8_t priority = 0;
    std::optional<std::uint64_t> page;  ///< nothing: the position
    std::optional<Bytes> value;         ///< nothing: it goes
  };
  /// What changed since the last call; `everything`: all there is.
  std::vector<Change> changes(bool everything = false);
  /// Priorities that have or had messages, and behind the last message of one.
  std::size_t priorities() const { return levels_.size(); }
  Offset end(std::uint8_t priority) const;
  /// Before here everything of this priority is acknowledged.
  std::optional<Offset> first(std::uint8_t priority) const;
  std::uint64_t memory_bytes() const;
  /// Of that, batches that were read and not yet delivered.
  std::uint64_t loaded_bytes() const;
  /// Lets go of them; what is wanted will be read again.
  void unload();

 private:
  using Holder = QueueCursor::Holder;
  static constexpr Holder kDead = 0;  ///< holds what is on its way to the dead-letter output
  enum Stream : std::uint8_t { kFresh = 0, kReturned = 1, kDeadLetters = 2, kStreams = 3 };

  struct Level {
    std::uint8_t priority = 0;
    QueueCursor cursor;
    Offset delivered{0};  ///< messages before here were delivered before the restart, or may have been
    Offset kept_first{-1}, kept_next{-1}, kept_end{-1};  ///< as the durable form has them
    std::set<std::uint64_t> kept_pages;
    std::uint64_t ready_bytes = 0, held_bytes = 0;  ///< of bodies
    std::array<MessageReader, kStreams> readers;
    std::array<bool, kStreams> reading{};
    Offset arrived_from{INT64_MAX};  ///< has arrived since the last pump
  };
  struct Consumer {
    ConsumerKey key;
    ConsumerSettings settings;
    Holder number = 0;
    bool used = false, subscribed = false, enlisted = false;
    std::uint64_t held = 0;
    std::uint64_t credit = 0;         ///< when granted or on demand
    bool told = false;                ///< on demand: that there is something, and has not answered with credit
    std::int64_t window = 0;          ///< bytes that may be sent
    std::uint64_t order = 0;          ///< of subscription
    std::size_t delivery = SIZE_MAX;  ///< in the output that is being made
  };
  struct Get {
    Holder holder;
    bool no_ack;
    std::uint64_t token;
  };
  struct DeadRange {
    std::uint8_t priority;
    DeadReason reason;
    Offset first;
    std::uint32_t count;
  };
  /// When the message that was at the head last expires: it need not be looked at again.
  struct Watched {
    const Level* level = nullptr;
    Offset offset{-1};
    std::int64_t expires = 0;
  };
  struct Head {
    Level* level = nullptr;
    QueueCursor::Ready ready;
    MessageReader* reader = nullptr;
    MessageReader::Message message;
  };
  enum class Look : std::uint8_t { none, waiting, found };
  struct KeyHash {
    std::size_t operator()(const ConsumerKey& key) const { return key.session * 0x9e3779b97f4a7c15ull ^ key.consumer; }
  };

  Level& level(std::uint8_t priority);
  Level* find_level(std::uint8_t priority) { return priority < levels_.size() ? levels_[priority].get() : nullptr; }
  void read(Level& level, Stream stream, Offset from, QueueOutput& out);
  Look look(Head& head, QueueOutput& out);
  std::int64_t expires(const MessageReader::Message& message) const;
  bool is_expired(const Level& level, Offset offset, const MessageReader::Message& message) const;
  /// The head leaves the queue on the queue's own account.
  void remove(const Head& head, DeadReason reason);
  void lose(Level& level, const QueueCursor::Ready& ready, Offset until);
  bool over_limit() const;
  void drop_over_limit(QueueOutput& out);
  void watch_head(QueueOutput& out);
  void add_ready(Level& level, std::uint64_t bytes);
  void remove_ready(Level& level, std::uint64_t bytes);
  QueueCursor::Settled acknowledge(Level& level, Offset first, std::uint32_t count, Holder holder);
  void route_dead(QueueOutput& out);
  void serve_gets(QueueOutput& out);
  void serve_consumers(QueueOutput& out);
  void tell_on_demand(QueueOutput& out);
  QueueOutput::Delivery& delivery_to(Consumer& consumer, QueueOutput& out);
  std::uint32_t share(const Consumer& consumer) const;
  MessageRun take(Head& head, std::uint32_t messages, std::uint64_t bytes, Holder holder, bool no_ack,
                  std::uint64_t& taken);
  void add_dead(std::uint8_t priority, Offset offset, DeadReason reason);
  void requeue(Consumer& consumer, Level& level, Offset offset, bool counted);

  Consumer& consumer_for(const ConsumerKey& key);
  Consumer* find_consumer(const ConsumerKey& key);
  /// It may have a message, if it has credit where it needs that.
  bool is_open(const Consumer& consumer) const;
  bool can_take(const Consumer& consumer) const;
  void enlist(Consumer& consumer);
  void delist(Consumer& consumer);
  bool release(Consumer& consumer);
  void choose_active();

  QueueSettings settings_;
  std::vector<std::unique_ptr<Level>> levels_;  ///< by priority; made when used
  std::uint64_t ready_bytes_ = 0;
  Timestamp now_{0};
  std::uint32_t work_ = 0;  ///< messages handled in this pump

  // Lists where others would take a deque: a queue has these, and most are empty most of the time.
  std::vector<Consumer> holders_;  ///< by Holder; the first is nobody
  std::vector<Holder> free_;
  std::unordered_map<ConsumerKey, Holder, KeyHash> by_key_;
  std::map<std::int32_t, std::list<Holder>, std::greater<>> waiting_;  ///< with credit, by priority, in turn
  std::vector<Holder> on_demand_;
  std::size_t subscribed_ = 0;
  std::uint64_t subscriptions_ = 0;
  Holder active_ = 0;     ///< the single active consumer
  Holder exclusive_ = 0;  ///< the one that is alone
  std::list<Get> gets_;
  std::vector<std::uint64_t> ended_gets_;  ///< tokens, to be answered with nothing
  std::vector<Holder> served_;             ///< have a delivery in the output that is being made

  bool dead_taken_ = false;
  std::list<DeadRange> dead_;                                  ///< to be handed out
  std::map<std::uint64_t, std::vector<DeadRange>> dead_sent_;  ///< by token
  std::uint64_t next_token_ = 1;
  std::optional<Timestamp> dead_retry_at_;
  Watched watched_;
  bool head_expires_ = false;  ///< there is a time at which something will happen by itself
};

}  // namespace braid
