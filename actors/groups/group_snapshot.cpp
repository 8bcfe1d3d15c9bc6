// Braid, Apache-2.0.
#include "actors/groups/group_snapshot.hpp"

#include <set>

#include "model/byte_io.hpp"

namespace braid {

namespace {

constexpr std::uint8_t kSnapshotVersion = 1;
/// An id, an instance, two names, two times, a count and an assignment take a byte each at least.
constexpr std::size_t kLeastMemberBytes = 8, kLeastProtocolBytes = 2;

/// A count that its elements, of so many bytes at least, could fit behind.
std::size_t take_count(ByteReader& reader, std::size_t least_bytes, bool& sound) {
  const std::size_t count = reader.varint32();
  if (count > reader.remaining() / least_bytes) sound = false;
  return sound ? count : 0;
}

GroupSnapshot::Member take_member(ByteReader& reader, bool& sound) {
  GroupSnapshot::Member member;
  member.id = reader.take_sized();
  if (reader.u8() != 0) member.instance = reader.take_sized();
  member.client_id = reader.take_sized();
  member.client_host = reader.take_sized();
  member.session_timeout_ms = reader.zigzag64();
  member.rebalance_timeout_ms = reader.zigzag64();
  for (std::size_t left = take_count(reader, kLeastProtocolBytes, sound); left > 0 && !reader.failed(); --left) {
    GroupProtocol& protocol = member.protocols.emplace_back();
    protocol.name = reader.take_sized();
    protocol.metadata = Bytes::copy(reader.take_sized());
  }
  member.assignment = Bytes::copy(reader.take_sized());
  return member;
}

/// What Group relies on: distinct ids, instances and protocol names, a protocol that all speak, and a leader.
bool hangs_together(const GroupSnapshot& snapshot) {
  std::set<std::string_view> ids, instances;
  for (const GroupSnapshot::Member& member : snapshot.members) {
    std::set<std::string_view> names;
    for (const GroupProtocol& protocol : member.protocols)
      if (!names.insert(protocol.name).second) return false;
    if (names.count(snapshot.protocol) == 0 || !ids.insert(member.id).second) return false;
    if (member.instance && !instances.insert(*member.instance).second) return false;
    if (member.session_timeout_ms <= 0 || member.rebalance_timeout_ms < 0) return false;
  }
  return snapshot.generation > 0 && ids.count(snapshot.leader) > 0;
}

}  // namespace

Bytes encode_group(const GroupSnapshot& snapshot) {
  ByteWriter writer(256);
  writer.u8(kSnapshotVersion);
  writer.zigzag32(snapshot.generation);
  writer.sized(snapshot.protocol_type);
  writer.sized(snapshot.protocol);
  writer.sized(snapshot.leader);
  writer.varint(snapshot.members.size());
  for (const GroupSnapshot::Member& member : snapshot.members) {
    writer.sized(member.id);
    writer.u8(member.instance ? 1 : 0);
    if (member.instance) writer.sized(*member.instance);
    writer.sized(member.client_id);
    writer.sized(member.client_host);
    writer.zigzag64(member.session_timeout_ms);
    writer.zigzag64(member.rebalance_timeout_ms);
    writer.varint(member.protocols.size());
    for (const GroupProtocol& protocol : member.protocols) {
      writer.sized(protocol.name);
      writer.sized(protocol.metadata.view());
    }
    writer.sized(member.assignment.view());
  }
  return writer.finish();
}

std::optional<GroupSnapshot> decode_group(const Bytes& value) {
  ByteReader reader(value);
  if (reader.u8() != kSnapshotVersion) return std::nullopt;
  GroupSnapshot snapshot;
  bool sound = true;
  snapshot.generation = reader.zigzag32();
  snapshot.protocol_type = reader.take_sized();
  snapshot.protocol = reader.take_sized();
  snapshot.leader = reader.take_sized();
  for (std::size_t left = take_count(reader, kLeastMemberBytes, sound); left > 0 && !reader.failed(); --left)
    snapshot.members.push_back(take_member(reader, sound));
  if (!sound || reader.failed() || reader.remaining() != 0 || !hangs_together(snapshot)) return std::nullopt;
  return snapshot;
}

}  // namespace braid
