// Braid, Apache-2.0.
#include "actors/routing/router.hpp"

#include "actors/mqtt/mapping.hpp"
#include "codecs/mqtt/topic.hpp"
#include "runtime/log.hpp"

namespace braid {

namespace {
/// What a compressed batch from Kafka may inflate to on its way to subscribers.
constexpr std::size_t kMaxInflatedBytes = 256u << 20;
/// Deliveries that one subscriber is given room for in advance.
constexpr std::uint32_t kMostReserved = 256;
/// Of a record without publish flags: it came from another protocol.
constexpr std::uint8_t kForeignFlags = 1;
}  // namespace

Router::Router(caf::actor_config& config, Loop& loop, Services& services)
    : Pinned(config, loop), services_(services), index_(loop.random()), groups_(loop.index().value) {}

Router::behavior_type Router::make_behavior() {
  return {
      [this](const PublishBatch& batch) { publish(batch); },
      [this](const FindSubscribers& request) { return find_subscribers(request); },
      [this](const InterestChanged& change) {
        services_.interest.note(change);
        return InterestNoted{};
      },
      [this](const Subscribe& request) { return subscribe(request); },
      [this](const Unsubscribe& request) { return unsubscribe(request.session, request.filters); },
      [this](const ForgetSession& request) { unsubscribe(request.session, request.filters); },
      [this](const Rebind& request) {
        rebind(request);
        return Rebound{};
      },
      [this](const MemberBusy& told) {
        if (const auto at = slots_.find(told.session); at != slots_.end()) subscribers_[at->second].busy = told.busy;
      },
      [this](const Redispatch& request) { return redispatch(request); },
  };
}

// -- delivery ---------------------------------------------------------------------------------------------------------

void Router::publish(const PublishBatch& batch) {
  auto walker = BatchWalker::open(batch.batch, kMaxInflatedBytes);
  if (!walker) {
    BRAID_LOG_LIMITED(warning, "router", {{"topic", batch.topic ? batch.topic->name : std::string()}},
                      "a batch cannot be shown to subscribers: {}", to_string(walker.error()));
    return;
  }
  if (walker->header().is_control()) return;
  RecordView record;
  for (std::size_t i = 0; walker->next(record); ++i) {
    const std::uint8_t flags = i < batch.publish_flags.size() ? batch.publish_flags[i] : kForeignFlags;
    const bool named = record.key && (!batch.publish_flags.empty() ||
                                      (mqtt::valid_topic_name(*record.key) &&
                                       (!batch.topic || services_.routes.belongs(*record.key, *batch.topic))));
    if (named)
      deliver(walker->share(*record.key), *walker, record, flags, batch);
    else if (batch.topic)
      deliver(Bytes::copy(batch.topic->name), *walker, record, flags, batch);
  }
  flush();
}

void Router::deliver(const Bytes& topic, const BatchWalker& walker, const RecordView& record, std::uint8_t flags,
                     const PublishBatch& batch) {
  ++record_number_;
  std::shared_ptr<const Publication> publication;
  const auto matched = index_.match(topic.view(), [&](std::span<const routing::Posting> postings) {
    for (const auto& posting : postings) {
      if (posting.subscriber() & routing::SharedGroups::group_bit) {
        matched_groups_.push_back(posting.subscriber() & ~routing::SharedGroups::group_bit);
        continue;
      }
      auto& subscriber = subscribers_[posting.subscriber()];
      if (posting.no_local() && batch.publisher != 0 && subscriber.client == batch.publisher) continue;
      if (!publication) publication = mqtt::to_publication(topic, walker, record, flags, batch.publisher);
      const std::uint8_t qos = std::min(posting.qos(), publication->qos);
      if (subscriber.last_record != record_number_) {
        subscriber.last_record = record_number_;
        pending_of(posting.subscriber()).push_back({publication, qos, false, {}, 0});
      }
      auto& delivery = subscriber.pending.back();
      delivery.qos = std::max(delivery.qos, qos);
      delivery.retain = delivery.retain || (posting.retain_as_published() && publication->retain);
      if (posting.subscription_identifier() != 0)
        delivery.subscription_identifiers.push_back(posting.subscription_identifier());
    }
  });
  if (!matched.complete)
    BRAID_LOG_LIMITED(warning, "router", {{"topic", topic.view()}},
                      "more nodes than a match may visit: some subscribers may miss the message");
  if (matched_groups_.empty()) return;
  if (!publication) publication = mqtt::to_publication(topic, walker, record, flags, batch.publisher);
  for (const auto group : matched_groups_) to_member(group, publication, nobody);
  matched_groups_.clear();
}

bool Router::to_member(std::uint32_t group, const std::shared_ptr<const Publication>& publication,
                       std::uint32_t besides) {
  using routing::Standing;
  const routing::Posting* chosen = groups_.choose(group, [&](const routing::Posting& member) {
    const auto& subscriber = subscribers_[member.subscriber()];
    if (member.subscriber() == besides) return Standing::unfit;
    if (subscriber.connected) return subscriber.busy ? Standing::busy : Standing::ready;
    // Who is away gets what a session keeps.
    const bool kept = std::min(member.qos(), publication->qos) != 0 || services_.settings.mqtt_protocol.queue_qos0;
    return kept ? Standing::absent : Standing::unfit;
  });
  if (!chosen) return false;
  Delivery delivery{publication,
                    std::min(chosen->qos(), publication->qos),
                    chosen->retain_as_published() && publication->retain,
                    {},
                    groups_.number(group)};
  if (chosen->subscription_identifier() != 0)
    delivery.subscription_identifiers.push_back(chosen->subscription_identifier());
  pending_of(chosen->subscriber()).push_back(std::move(delivery));
  return true;
}

SubscribersFound Router::find_subscribers(const FindSubscribers& request) {
  SubscribersFound found;
  const auto matched = index_.match(request.topic.view(), [&](std::span<const routing::Posting> postings) {
    for (const auto& posting : postings)
      found.any = found.any || (posting.subscriber() & routing::SharedGroups::group_bit) || !posting.no_local() ||
                  request.publisher == 0 || subscribers_[posting.subscriber()].client != request.publisher;
  });
  found.any = found.any || !matched.complete;
  return found;
}

Redispatched Router::redispatch(const Redispatch& request) {
  const auto group = groups_.find(request.share);
  if (!group) return {false};
  const auto own = slots_.find(request.session);
  const std::uint32_t besides = own == slots_.end() ? nobody : own->second;
  if (request.to_connected) {
    const bool somebody = groups_.any(*group, [&](const routing::Posting& member) {
      return member.subscriber() != besides && subscribers_[member.subscriber()].connected;
    });
    if (!somebody) return {false};
  }
  for (const auto& delivery : request.deliveries) to_member(*group, delivery.publication, besides);
  flush();
  return {true};
}

std::vector<Delivery>& Router::pending_of(std::uint32_t slot) {
  auto& subscriber = subscribers_[slot];
  if (subscriber.pending.empty()) {
    touched_.push_back(slot);
    // As many as last time are likely, and growing costs more than all else that is done for a delivery.
    subscriber.pending.reserve(std::min(subscriber.usual, kMostReserved));
  }
  return subscriber.pending;
}

void Router::flush() {
  for (const auto slot : touched_) {
    auto& subscriber = subscribers_[slot];
    subscriber.usual = static_cast<std::uint32_t>(subscriber.pending.size());
    send(subscriber.actor, Deliver{subscriber.session, std::move(subscriber.pending)});
    subscriber.pending.clear();
  }
  touched_.clear();
}

// -- subscriptions ----------------------------------------------------------------------------------------------------

std::uint32_t Router::slot_of(const Subscribe& request) {
  if (auto at = slots_.find(request.session); at != slots_.end()) return at->second;
  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(subscribers_.size());
    subscribers_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  subscribers_[slot].session = request.session;
  subscribers_[slot].client = request.client;
  subscribers_[slot].actor = request.subscriber;
  slots_.emplace(request.session, slot);
  return slot;
}

void Router::release_if_unused(std::uint64_t session, std::uint32_t slot) {
  if (subscribers_[slot].subscriptions != 0) return;
  subscribers_[slot] = Subscriber{};
  free_slots_.push_back(slot);
  slots_.erase(session);
}

void Router::note_interest(std::vector<InterestChanged>& changes, std::string_view filter,
                           const routing::InterestChange& change, bool interested) {
  if (!change.first_level && !change.wildcard_first) return;
  if (const auto shared = mqtt::split_shared(filter)) filter = shared->filter;
  InterestChanged told;
  told.loop = loop().index();
  told.interested = interested;
  told.wildcard_first = change.wildcard_first;
  if (change.first_level) told.first_level = Bytes::copy(mqtt::first_level(filter));
  changes.push_back(std::move(told));
}

routing::SubscriptionIndex::Subscribed Router::put(std::string_view filter, const routing::Posting& posting) {
  const auto shared = mqtt::split_shared(filter);
  if (!shared) return index_.subscribe(filter, posting);
  const auto joined = groups_.join(filter, posting);
  if (!joined.first) return {joined.existed, {}};
  // What is sent is a member's business; the index needs the group alone.
  return index_.subscribe(shared->filter,
                          routing::Posting(routing::SharedGroups::group_bit | joined.group, 2, false, false, 0));
}

routing::SubscriptionIndex::Unsubscribed Router::remove(std::string_view filter, std::uint32_t slot) {
  const auto shared = mqtt::split_shared(filter);
  if (!shared) return index_.unsubscribe(filter, slot);
  const auto left = groups_.leave(filter, slot);
  if (!left.last) return {left.existed, {}};
  return index_.unsubscribe(shared->filter, routing::SharedGroups::group_bit | left.group);
}

void Router::rebind(const Rebind& request) {
  const auto at = slots_.find(request.session);
  if (at == slots_.end()) return;
  auto& subscriber = subscribers_[at->second];
  subscriber.actor = request.subscriber;
  subscriber.connected = request.connected;
  subscriber.busy = false;
}

caf::result<Subscribed> Router::subscribe(const Subscribe& request) {
  Subscribed reply;
  std::vector<InterestChanged> changes;
  const auto slot = slot_of(request);
  for (const auto& [filter, options] : request.filters) {
    const auto change =
        put(filter.view(), routing::Posting(slot, options.qos, options.no_local, options.retain_as_published,
                                            options.subscription_identifier));
    if (!change.replaced) {
      ++subscribers_[slot].subscriptions;
      ++services_.metrics.mqtt_subscriptions;
    }
    reply.existed.push_back(change.replaced);
    note_interest(changes, filter.view(), change.interest, true);
  }
  release_if_unused(request.session, slot);
  // A publisher on another loop must know of the subscription before its owner is told that it is in force.
  auto answer =
      std::make_shared<std::pair<Promise<Subscribed>, Subscribed>>(Promise<Subscribed>(this), std::move(reply));
  auto later = answer->first.later();
  auto left = std::make_shared<std::size_t>(changes.size() * services_.routers.size() + 1);
  auto one_less = [answer, left] {
    if (--*left == 0) answer->first.deliver(std::move(answer->second));
  };
  for (const auto& told : changes)
    for (const auto& router : services_.routers)
      ask(
          this, router, told, [one_less](const InterestNoted&) { one_less(); }, [one_less](caf::error) { one_less(); });
  one_less();
  return later;
}

Unsubscribed Router::unsubscribe(std::uint64_t session, const std::vector<Bytes>& filters) {
  Unsubscribed reply;
  const auto at = slots_.find(session);
  if (at == slots_.end()) {
    reply.existed.assign(filters.size(), false);
    return reply;
  }
  const auto slot = at->second;
  std::vector<InterestChanged> changes;
  for (const auto& filter : filters) {
    const auto change = remove(filter.view(), slot);
    if (change.existed) {
      --subscribers_[slot].subscriptions;
      --services_.metrics.mqtt_subscriptions;
    }
    reply.existed.push_back(change.existed);
    note_interest(changes, filter.view(), change.interest, false);
  }
  release_if_unused(session, slot);
  for (const auto& told : changes)
    for (const auto& router : services_.routers)
      ask(
          this, router, told, [](const InterestNoted&) {}, [](caf::error) {});
  return reply;
}

RouterActor spawn_router(Loop& loop, Services& services) {
  return spawn_on<Router>(loop, services);
}

}  // namespace braid
