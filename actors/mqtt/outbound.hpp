// Braid, Apache-2.0.
//
// Messages that were sent to one client and wait for its acknowledgement, with the packet identifiers between. A plain
// class; the session sends what it says. It outlives the connection: on the next one everything that is still here is
// sent again, in its first order and under its first identifier [MQTT-4.4.0-1] [MQTT-4.6.0-1].
//
// The window is the client's Receive Maximum [MQTT-3.3.4-9]. Messages are kept for sending again only when the session
// outlives its connection or when they could go to another member of a shared subscription; else a place in the window
// is sixteen bytes. Identifiers are given out in turn, so they find their place by their low bits.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "actors/routing/interface.hpp"
#include "model/fifo.hpp"
#include "model/ids.hpp"

namespace braid::mqtt {

class Outbound {
 public:
  enum class State : std::uint8_t { none, wants_puback, wants_pubrec, wants_pubcomp };

  /// A connection begins. Whatever is in flight is to be sent again: `resend` names publishes as the window takes them,
  /// `released` the others. `max_kept_bytes` bounds what is kept in memory for that.
  void connect(std::uint16_t receive_maximum, std::uint64_t max_kept_bytes);

  bool window_open() const {
    return count_ < receive_maximum_ && resend_.empty() && (kept_bytes_ == 0 || kept_bytes_ < max_kept_bytes_);
  }
  /// The identifier for a message that is sent now; only while the window is open.
  PacketId begin(std::uint8_t qos);
  /// Keeps the message that `begin` gave the identifier to.
  void keep(PacketId id, Delivery delivery);

  std::optional<State> state(PacketId id) const {
    const Slot* slot = find(id);
    return slot ? std::optional(slot->state) : std::nullopt;
  }
  /// PUBREC came: PUBREL goes out, PUBCOMP is next.
  void received(PacketId id);
  void finish(PacketId id);

  /// The next publish to send again, when the window has room for it.
  std::optional<PacketId> resend();
  const Delivery& kept(PacketId id) const { return kept_[id.value & mask()]; }
  /// Those whose PUBREL has to be sent again, in the order of their PUBRECs.
  std::vector<PacketId> released() const;
  /// Publishes in flight that are kept, in the order in which they were sent.
  std::vector<PacketId> publishes() const;

  std::size_t in_flight() const { return count_; }
  /// Gives back memory that only a full window needs, and that small slices of large blocks pin.
  void compact();

 private:
  struct Slot {
    std::uint64_t order = 0;
    std::uint16_t id = 0;  ///< 0: free
    State state = State::none;
    bool unsent = false;  ///< on this connection
  };
  static_assert(sizeof(Slot) == 16);

  std::size_t mask() const { return slots_.size() - 1; }
  const Slot* find(PacketId id) const {
    if (slots_.empty() || id.value == 0) return nullptr;
    const Slot& slot = slots_[id.value & mask()];
    return slot.id == id.value ? &slot : nullptr;
  }
  Slot* find(PacketId id) { return const_cast<Slot*>(std::as_const(*this).find(id)); }
  void resize(std::size_t capacity);
  void release(PacketId id);
  template <class Wanted>
  std::vector<PacketId> in_order(Wanted wanted) const;

  std::vector<Slot> slots_;     ///< a power of two, at most half in use
  std::vector<Delivery> kept_;  ///< by slot; empty while nothing was ever kept
  Fifo<PacketId> resend_;       ///< to be sent again; some may be finished meanwhile
  std::uint64_t next_order_ = 1;
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t max_kept_bytes_ = UINT64_MAX;
  std::uint32_t count_ = 0;  ///< in flight, sent on this connection or not
  std::uint32_t unsent_ = 0;
  std::uint16_t receive_maximum_ = 1;
  std::uint16_t last_id_ = 0;
};

}  // namespace braid::mqtt
