// Braid, Apache-2.0.
//
// Messages on their way to one client: which wait for a place in its window, which were sent and wait for an
// acknowledgement, and the packet identifiers between. A plain class; the session sends what it says.
//
// The window is the client's Receive Maximum [MQTT-3.3.4-9]. What waits is bounded in bytes: a subscriber that does not
// keep up loses messages (counted, logged), it does not fill the node's memory.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "actors/routing/interface.hpp"
#include "model/ids.hpp"

namespace braid::mqtt {

class Outbound {
 public:
  enum class State : std::uint8_t { wants_puback, wants_pubrec, wants_pubcomp };

  Outbound(std::uint16_t receive_maximum, std::uint64_t max_waiting_bytes)
      : receive_maximum_(receive_maximum == 0 ? std::uint16_t{1} : receive_maximum),
        max_waiting_bytes_(max_waiting_bytes) {}

  bool window_open() const { return in_flight_.size() < receive_maximum_; }
  /// The identifier for a message that is sent now; only while the window is open.
  PacketId begin(std::uint8_t qos) {
    do {
      next_id_ = next_id_ == 65535 ? std::uint16_t{1} : static_cast<std::uint16_t>(next_id_ + 1);
    } while (in_flight_.contains(PacketId{next_id_}));
    in_flight_.emplace(PacketId{next_id_}, qos == 1 ? State::wants_puback : State::wants_pubrec);
    return PacketId{next_id_};
  }
  std::optional<State> state(PacketId id) const {
    const auto at = in_flight_.find(id);
    if (at == in_flight_.end()) return std::nullopt;
    return at->second;
  }
  /// PUBREC came: PUBREL goes out, PUBCOMP is next.
  void received(PacketId id) { in_flight_.at(id) = State::wants_pubcomp; }
  void finish(PacketId id) { in_flight_.erase(id); }

  /// False when there is no room for it.
  bool wait(Delivery delivery) {
    const std::size_t bytes = cost(delivery);
    if (waiting_bytes_ + bytes > max_waiting_bytes_) return false;
    waiting_bytes_ += bytes;
    waiting_.push_back(std::move(delivery));
    return true;
  }
  bool anything_waits() const { return !waiting_.empty(); }
  Delivery next() {
    Delivery delivery = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= cost(delivery);
    return delivery;
  }
  std::size_t in_flight() const { return in_flight_.size(); }

 private:
  static std::size_t cost(const Delivery& delivery) {
    return delivery.publication->payload.size() + delivery.publication->topic.size() +
           delivery.publication->properties.size() + sizeof(Delivery);
  }
  const std::uint16_t receive_maximum_;
  const std::uint64_t max_waiting_bytes_;
  std::uint16_t next_id_ = 0;
  std::unordered_map<PacketId, State> in_flight_;
  std::deque<Delivery> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace braid::mqtt
