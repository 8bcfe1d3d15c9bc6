// Braid, Apache-2.0.
//
// The two actors behind subscriptions. Each loop has a router, which knows the subscriptions of that loop's sessions;
// the node has one keeper of retained messages.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/routing/messages.hpp"
#include "model/bytes.hpp"

namespace braid {

/// A message on its way to subscribers of one loop: made once per record, shared by all of them.
struct Publication {
  Bytes topic;  ///< MQTT topic name
  Bytes payload;
  Bytes properties;  ///< MQTT 5 property block without its length and without expiry: forwarded as it is
  std::optional<std::uint32_t> expiry_interval_s;  ///< what the publisher gave
  Timestamp published{-1};                         ///< when the broker got it; expiry counts from here
  std::uint8_t qos = 0;                            ///< the publisher's
  bool retain = false;                             ///< the publisher's flag (for Retain As Published)
  std::uint64_t publisher = 0;                     ///< client that published (client_number), for No Local
};
/// What a session gets of one published batch.
struct Delivery {
  std::shared_ptr<const Publication> publication;
  std::uint8_t qos = 0;  ///< already the smaller of the publisher's and the granted one
  bool retain = false;   ///< flag to send
  std::vector<std::uint32_t> subscription_identifiers;
  std::uint64_t share = 0;  ///< number of the shared subscription that it is for; 0: for none
};
struct Deliver {
  std::uint64_t session = 0;
  std::vector<Delivery> deliveries;
};
using SubscriberActor = caf::typed_actor<caf::reacts_to<Deliver>>;

struct SubscribeOptions {
  std::uint8_t qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint32_t subscription_identifier = 0;  ///< 0: none
};
/// `session` is unique on the node and non-zero. A session's subscriptions lie with one router, on the loop where it
/// began; those of "$share/..." filters lie with the router that `share_loop` says, whoever the members are. Answered
/// when messages published anywhere on the node from now on are delivered.
struct Subscribe {
  std::uint64_t session = 0;
  std::uint64_t client = 0;  ///< client_number of its client identifier
  SubscriberActor subscriber;
  std::vector<std::pair<Bytes, SubscribeOptions>> filters;
};
struct Subscribed {
  std::vector<bool> existed;  ///< per filter: replaced a subscription
};
struct Unsubscribe {
  std::uint64_t session = 0;
  std::vector<Bytes> filters;
};
struct Unsubscribed {
  std::vector<bool> existed;
};
/// The session ended: its subscriptions, which it names, go.
struct ForgetSession {
  std::uint64_t session = 0;
  std::vector<Bytes> filters;
};
/// The session's deliveries go elsewhere from now on: its connection ended, or another one resumed it. The answer comes
/// behind all deliveries that were sent to the subscriber of before.
struct Rebind {
  std::uint64_t session = 0;
  SubscriberActor subscriber;
  bool connected = false;
};
struct Rebound {};
/// A member of shared subscriptions does not keep up, or does again: the others come first.
struct MemberBusy {
  std::uint64_t session = 0;
  bool busy = false;
};
/// Messages of a shared subscription for which `session` was chosen and which it did not acknowledge, for another one.
struct Redispatch {
  std::uint64_t share = 0;
  std::uint64_t session = 0;
  bool to_connected = false;  ///< all of them to connected members, or none at all
  std::vector<Delivery> deliveries;
};
struct Redispatched {
  bool taken = false;
};
/// Whether anybody on this loop would get a message of this topic name, besides what No Local leaves out. Sessions that
/// are away count.
struct FindSubscribers {
  Bytes topic;
  std::uint64_t publisher = 0;
};
struct SubscribersFound {
  bool any = false;
};
using RouterActor =
    caf::typed_actor<caf::reacts_to<PublishBatch>, caf::replies_to<FindSubscribers>::with<SubscribersFound>,
                     caf::replies_to<InterestChanged>::with<InterestNoted>,
                     caf::replies_to<Subscribe>::with<Subscribed>, caf::replies_to<Unsubscribe>::with<Unsubscribed>,
                     caf::reacts_to<ForgetSession>, caf::replies_to<Rebind>::with<Rebound>, caf::reacts_to<MemberBusy>,
                     caf::replies_to<Redispatch>::with<Redispatched>>;

/// What No Local compares: the same for all connections and sessions of a client identifier [MQTT-3.8.3-3]. Never 0.
inline std::uint64_t client_number(std::string_view client_id) {
  return std::hash<std::string_view>{}(client_id) | 1;
}

/// When a Retain is durable, or failed to be.
struct RetainStored {
  std::uint64_t token = 0;
  Errc error = Errc::none;
};
/// Retained messages of a batch of records: a record with an empty value clears its topic name [MQTT-3.3.1-6].
/// Two answers: the reply says that look-ups from now on see it (so the caller may route the batch live, and no
/// subscriber gets an older retained message behind a newer live one); `stored` comes when it is durable.
struct Retain {
  Bytes batch;
  Bytes publish_flags;
  std::uint64_t token = 0;  ///< for RetainStored
  caf::typed_actor<caf::reacts_to<RetainStored>> stored = {};
};
struct Retained {
  Errc error = Errc::none;  ///< overloaded when max_retained_bytes is reached
};
/// How far the keeper has come. A new subscription asks when it is in force: what is retained later reaches it live, so
/// its look-up leaves that out, however long it takes.
struct MarkRetained {};
struct RetainedMarked {
  std::uint64_t as_of = 0;
};
/// The next retained messages under a filter; a cursor in the caller's hands, so that nothing piles up for a slow
/// subscriber.
struct FindRetained {
  Bytes filter;
  Bytes position;  ///< of the last answer; empty to begin
  std::uint32_t limit = 100;
  std::uint64_t as_of = UINT64_MAX;  ///< without what was retained behind this mark
};
struct RetainedFound {
  Bytes position;  ///< to go on from
  std::vector<std::shared_ptr<const Publication>> messages;
  bool more = false;
};
using RetainedActor =
    caf::typed_actor<caf::replies_to<Retain>::with<Retained>, caf::replies_to<MarkRetained>::with<RetainedMarked>,
                     caf::replies_to<FindRetained>::with<RetainedFound>>;

}  // namespace braid

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Subscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Subscribed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Unsubscribe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Unsubscribed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::ForgetSession)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Rebind)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Rebound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::MemberBusy)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Redispatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Redispatched)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::FindSubscribers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::SubscribersFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Retain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Retained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::RetainStored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::MarkRetained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::RetainedMarked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::FindRetained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::RetainedFound)
