// Braid, Apache-2.0.
//
// Fetch sessions (KIP-227): what a consumer wants of its partitions is remembered, so that it sends only what changes,
// and is told only what changed. A consumer of a thousand quiet partitions then neither sends nor gets a thousand lines
// with every fetch.
//
// Kept per loop, beyond the connection, in a bounded number of slots. Who finds no slot fetches without a session, and
// whose session is gone (taken by others when it was idle, or kept by another loop when the client came back there) is
// told so and begins a new one: clients do both by themselves. Pure: no sockets and no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "codecs/kafka/messages/fetch.hpp"

namespace braid::kafka {

class FetchSession {
 public:
  struct Topic;
  struct Partition {
    const Topic* topic = nullptr;
    FetchRequest::Partition wanted;
    // As the client knows them; -1 makes the next answer name the partition whatever it holds.
    std::int64_t told_high_watermark = -1, told_log_start = -1;
  };
  using Order = std::list<Partition>;
  struct Topic {
    Text name;  ///< of a session by names
    TopicId id;
    std::unordered_map<std::int32_t, Order::iterator> partitions;
  };

  FetchSession(std::int32_t session_id, bool uses_topic_ids) : id(session_id), by_id(uses_topic_ids) {}

  /// Adds and changes what `request` names, then forgets what it wants forgotten.
  void update(const FetchRequest& request);
  Partition* find(const FetchRequest::Topic& topic, std::int32_t index);
  /// Behind all others: partitions that brought records let the ones that did not go first (fairness).
  void move_to_end(Partition& partition);

  std::size_t size() const { return order_.size(); }
  Order& partitions() { return order_; }

  const std::int32_t id;
  const bool by_id;
  std::int32_t epoch = 1;  ///< of the next request

  /// Epochs wrap from 2^31-1 to 1: 0 would be the beginning of a session.
  static std::int32_t next_epoch(std::int32_t epoch);

 private:
  template <class TopicLike>
  std::string key_of(const TopicLike& topic) const;

  Order order_;
  std::unordered_map<std::string, Topic> topics_;
};
using FetchSessionRef = std::shared_ptr<FetchSession>;

class FetchSessions {
 public:
  struct Limits {
    std::size_t slots = 1000;
    std::size_t partitions = 1000000;  ///< of all sessions
    std::int64_t idle_ms = 120000;     ///< after which a session may be put out for another
    /// Ids are the number of this loop among all of them, modulo their number: no two loops give out the same.
    std::size_t loop = 0, loops = 1;
  };
  FetchSessions(Limits limits, std::function<std::uint64_t()> random) : limits_(limits), random_(std::move(random)) {}

  /// Null when there is none; counts as its use.
  FetchSessionRef find(std::int32_t id, std::int64_t now_ms);
  /// A session over what the request names; null when there is no room.
  FetchSessionRef create(const FetchRequest& request, bool by_id, std::int64_t now_ms);
  /// False, and the session is gone, when it would take more than there is room for, or has no partition left.
  bool update(FetchSession& session, const FetchRequest& request, std::int64_t now_ms);
  void remove(std::int32_t id);

  std::size_t size() const { return slots_.size(); }
  std::size_t partitions() const { return partitions_; }

 private:
  struct Slot {
    FetchSessionRef session;
    std::int64_t used_ms;
    std::size_t partitions;  ///< as counted
    std::list<std::int32_t>::iterator place;
  };
  bool make_room(std::size_t partitions, std::size_t slots, std::int64_t now_ms, std::int32_t except);
  std::int32_t new_id();

  Limits limits_;
  std::function<std::uint64_t()> random_;
  std::unordered_map<std::int32_t, Slot> slots_;
  std::list<std::int32_t> by_use_;  ///< longest unused first
  std::size_t partitions_ = 0;
};

}  // namespace braid::kafka
