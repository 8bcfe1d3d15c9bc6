// Braid, Apache-2.0.
//
// Strong types for the numbers that travel through the broker, so that an offset is never passed for an epoch.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

namespace braid {

/// An integer with a meaning. Arithmetic is done on `value`, in the open.
template <class Tag, class Representation>
struct StrongId {
  using representation = Representation;
  Representation value{};
  constexpr StrongId() = default;
  constexpr explicit StrongId(Representation v) : value(v) {}
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

/// Position of a record in its partition, from 0.
using Offset = StrongId<struct OffsetTag, std::int64_t>;
/// Number of a leadership of a partition; grows with every change of leader.
using LeaderEpoch = StrongId<struct LeaderEpochTag, std::int32_t>;
/// A partition for as long as the cluster lives; never reused, unlike a topic's name and a partition's index.
using PartitionId = StrongId<struct PartitionIdTag, std::uint64_t>;
/// Number of a partition within its topic, from 0: what Kafka clients call the partition.
using PartitionIndex = StrongId<struct PartitionIndexTag, std::int32_t>;
/// A Raft group and what is placed together.
using ShardId = StrongId<struct ShardIdTag, std::uint32_t>;
using NodeId = StrongId<struct NodeIdTag, std::int32_t>;
using Term = StrongId<struct TermTag, std::uint64_t>;
using RaftIndex = StrongId<struct RaftIndexTag, std::uint64_t>;
/// Identity of an idempotent or transactional producer; -1 when a batch has none.
using ProducerId = StrongId<struct ProducerIdTag, std::int64_t>;
using ProducerEpoch = StrongId<struct ProducerEpochTag, std::int16_t>;
/// Milliseconds since 1970-01-01 UTC; -1 when there is none.
using Timestamp = StrongId<struct TimestampTag, std::int64_t>;
/// MQTT packet identifier, 1 to 65535.
using PacketId = StrongId<struct PacketIdTag, std::uint16_t>;
/// One of the node's event loops, from 0.
using LoopIndex = StrongId<struct LoopIndexTag, std::uint16_t>;

/// A topic for as long as it lives; a topic created anew under the same name has another one (KIP-516).
struct TopicId {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const TopicId&, const TopicId&) = default;
  bool is_zero() const { return *this == TopicId{}; }
};

}  // namespace braid

template <class Tag, class Representation>
struct std::hash<braid::StrongId<Tag, Representation>> {
  std::size_t operator()(braid::StrongId<Tag, Representation> id) const noexcept {
    return std::hash<Representation>{}(id.value);
  }
};
template <>
struct std::hash<braid::TopicId> {
  std::size_t operator()(const braid::TopicId& id) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};
