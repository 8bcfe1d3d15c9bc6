// Braid, Apache-2.0.
//
// Delivers what is published to the subscribers of one loop. A published batch is walked once; each record is matched
// once; what several subscribers get is made once and shared; and each session gets one message per batch, however many
// of the batch's records it wants. Overlapping subscriptions of a session make one delivery, with the highest quality
// of service and all subscription identifiers [MQTT-3.3.4-2] [MQTT-3.3.4-3]; a shared subscription makes one of its
// own.
//
// A subscriber is an actor, not a connection: while the client of a session is away, the registry of clients takes what
// comes for it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "actors/routing/interface.hpp"
#include "actors/routing/shared_groups.hpp"
#include "actors/routing/subscription_index.hpp"
#include "actors/services.hpp"
#include "model/batch_walker.hpp"
#include "runtime/pinned.hpp"

namespace braid {

class Router : public Pinned<RouterActor::base> {
 public:
  Router(caf::actor_config& config, Loop& loop, Services& services);
  const char* name() const override { return "router"; }

 protected:
  behavior_type make_behavior() override;

 private:
  struct Subscriber {
    std::uint64_t session = 0;
    std::uint64_t client = 0;
    SubscriberActor actor;
    std::uint32_t subscriptions = 0;
    bool connected = true;
    bool busy = false;
    std::uint32_t usual = 0;        ///< deliveries of the last batch
    std::vector<Delivery> pending;  ///< of the batch that is being walked
    std::uint64_t last_record = 0;  ///< record whose delivery is the last of `pending`
  };

  void publish(const PublishBatch& batch);
  void deliver(const Bytes& topic, const BatchWalker& walker, const RecordView& record, std::uint8_t flags,
               const PublishBatch& batch);
  /// Hands a message to the member of a group whose turn it is, `besides` one; false when there is none for it.
  bool to_member(std::uint32_t group, const std::shared_ptr<const Publication>& publication, std::uint32_t besides);
  SubscribersFound find_subscribers(const FindSubscribers& request);
  Redispatched redispatch(const Redispatch& request);
  /// The subscriber's deliveries of this batch, as yet none or some.
  std::vector<Delivery>& pending_of(std::uint32_t slot);
  void flush();
  caf::result<Subscribed> subscribe(const Subscribe& request);
  routing::SubscriptionIndex::Subscribed put(std::string_view filter, const routing::Posting& posting);
  Unsubscribed unsubscribe(std::uint64_t session, const std::vector<Bytes>& filters);
  routing::SubscriptionIndex::Unsubscribed remove(std::string_view filter, std::uint32_t slot);
  void rebind(const Rebind& request);
  std::uint32_t slot_of(const Subscribe& request);
  void release_if_unused(std::uint64_t session, std::uint32_t slot);
  /// Adds to `changes` what other loops have to know of a change of the index.
  void note_interest(std::vector<InterestChanged>& changes, std::string_view filter,
                     const routing::InterestChange& change, bool interested);

  static constexpr std::uint32_t nobody = UINT32_MAX;

  Services& services_;
  routing::SubscriptionIndex index_;
  routing::SharedGroups groups_;
  std::vector<std::uint32_t> matched_groups_;  ///< of the record that is being matched
  std::vector<Subscriber> subscribers_;
  std::vector<std::uint32_t> free_slots_;
  std::unordered_map<std::uint64_t, std::uint32_t> slots_;  ///< by session
  std::vector<std::uint32_t> touched_;                      ///< subscribers with pending deliveries
  std::uint64_t record_number_ = 0;
};

RouterActor spawn_router(Loop& loop, Services& services);

}  // namespace braid
