// Braid, Apache-2.0.
//
// Acknowledgements in the order of the publishes [MQTT-4.6.0-2], [MQTT-4.6.0-3], although the parts of the log that
// they wait for finish in any order. A publish may wait for several parts (its topic and its retained copy); it is done
// when all are, with the first failure among them.
#pragma once

#include <cstdint>

#include "codecs/mqtt/types.hpp"
#include "model/fifo.hpp"
#include "model/ids.hpp"

namespace braid::mqtt {

class Acknowledger {
 public:
  using Receipt = std::uint64_t;  ///< 0: nobody waits
  static constexpr Receipt none = 0;

  struct Ready {
    PacketId packet_id;
    QoS qos;
    ReasonCode reason;
    bool repeated;  ///< of a QoS 2 publish that was sent again before its first acknowledgement went out
  };

  /// A publish that is to be acknowledged. It is ready only after `close`, so that parts may be added one by one.
  Receipt open(PacketId packet_id, QoS qos) {
    slots_.push_back({packet_id, qos, ReasonCode::success, 1, false});
    if (qos == QoS::at_least_once) ++at_least_once_;
    return first_ + slots_.size() - 1;
  }
  /// A QoS 2 publish came again: it is acknowledged again, behind all that waits, and nothing else [MQTT-4.3.3-10].
  void repeat(PacketId packet_id) { slots_.push_back({packet_id, QoS::exactly_once, ReasonCode::success, 0, true}); }
  void expect(Receipt receipt) {
    if (receipt != none) ++slot(receipt).parts;
  }
  /// One part is finished; `close` is the part that `open` counted.
  void finish(Receipt receipt, ReasonCode reason) {
    if (receipt == none) return;
    auto& one = slot(receipt);
    if (reason != ReasonCode::success && !is_failure(one.reason)) one.reason = reason;
    --one.parts;
  }
  void close(Receipt receipt) { finish(receipt, ReasonCode::success); }

  /// Calls `each(Ready)` for what can be acknowledged now, in order.
  template <class Each>
  void drain(Each&& each) {
    while (!slots_.empty() && slots_.front().parts == 0) {
      const Slot& front = slots_.front();
      const Ready ready{front.packet_id, front.qos, front.reason, front.repeated};
      if (front.qos == QoS::at_least_once) --at_least_once_;
      slots_.pop_front();
      ++first_;
      each(ready);
    }
  }
  std::size_t waiting() const { return slots_.size(); }
  /// Of these the ones of QoS 1.
  std::size_t waiting_at_least_once() const { return at_least_once_; }

 private:
  struct Slot {
    PacketId packet_id;
    QoS qos;
    ReasonCode reason;
    std::uint32_t parts;
    bool repeated;
  };
  Slot& slot(Receipt receipt) { return slots_[receipt - first_]; }
  Fifo<Slot> slots_;
  Receipt first_ = 1;
  std::size_t at_least_once_ = 0;
};

}  // namespace braid::mqtt
