// Braid, Apache-2.0.
//
// What a session is beside its connection (section 4.1): it is in the hands of the session actor while the client is
// connected, of the registry of clients while it is away, and goes from one to the other as a whole. Small while
// nothing is in flight: a node may hold hundreds of thousands.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "actors/mqtt/delivery_queue.hpp"
#include "actors/mqtt/filter_set.hpp"
#include "actors/mqtt/outbound.hpp"
#include "actors/routing/interface.hpp"
#include "codecs/mqtt/topic.hpp"
#include "codecs/mqtt/types.hpp"
#include "model/bytes.hpp"
#include "model/fifo.hpp"

namespace braid::mqtt {

/// Session Expiry Interval that never comes [MQTT-4.1.0-2].
inline constexpr std::uint32_t never_expires = UINT32_MAX;

struct WillMessage {
  Bytes topic, payload;
  Bytes properties;  ///< the will's property block, checked
  QoS qos = QoS::at_most_once;
  bool retain = false;
  std::uint32_t delay_s = 0;
  std::uint64_t publisher = 0;  ///< client_number
};

/// A subscription's retained messages that are still to be sent.
struct RetainedCursor {
  Bytes filter, position;
  std::uint8_t qos = 0;
  std::uint32_t subscription_identifier = 0;
  std::uint64_t as_of = 0;  ///< the keeper's mark when the subscription was in force
};

/// QoS 2 publishes that came and were not yet released by PUBREL. Most clients never send one.
class UnreleasedIds {
 public:
  bool contains(PacketId id) const { return ids_ && ids_->contains(id); }
  void insert(PacketId id) {
    if (!ids_) ids_ = std::make_unique<std::unordered_set<PacketId>>();
    ids_->insert(id);
  }
  bool erase(PacketId id) { return ids_ && ids_->erase(id) != 0; }
  std::size_t size() const { return ids_ ? ids_->size() : 0; }

 private:
  std::unique_ptr<std::unordered_set<PacketId>> ids_;
};

struct SessionState {
  std::uint64_t number = 0;  ///< unique on the node, the session's name towards routers
  std::uint32_t expiry_interval_s = 0;
  std::uint8_t router = 0;  ///< the loop whose router has its subscriptions
  FilterSet filters;
  Outbound outbound;
  std::shared_ptr<DeliveryQueue> queue;  ///< null while nothing ever waited
  UnreleasedIds unreleased;
  Fifo<RetainedCursor> retained;
  std::uint64_t dropped = 0;  ///< deliveries that found no room

  /// The will of the connection that ended, while its delay runs.
  std::unique_ptr<const WillMessage> will;
  std::int64_t will_due_us = 0;
  std::int64_t ended_us = 0;  ///< when the connection ended; monotonic, the same on all loops

  /// The routers that know the session.
  LoopSet routers(std::size_t loops) const;
  /// Its filters, one list per router.
  std::vector<std::vector<Bytes>> filters_by_router(std::size_t loops) const;
};

bool has_shared_filters(const SessionState& state);

}  // namespace braid::mqtt
