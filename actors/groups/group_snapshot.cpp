// Braid, Apache-2.0.
#include "actors/groups/group_snapshot.hpp"

#include <set>

#include "model/byte_io.hpp"

namespace braid {

namespace {

constexpr std::uint8_t kVersion = 1;
/// An id, an instance, two names, two times, a count and an assignment take a byte each at least.
constexpr std::size_t kLeastMemberBytes = 8, kLeastProtocolBytes = 2;

void put_text(ByteWriter& writer, std::string_view text) {
  writer.varint(text.size());
  writer.raw(text);
}
void put_bytes(ByteWriter& writer, const Bytes& bytes) {
  writer.varint(bytes.size());
  writer.raw(bytes);
}
std::string take_text(ByteReader& reader) {
  return std::string(reader.take_view(reader.varint32()));
}
Bytes take_bytes(ByteReader& reader) {
  return Bytes::copy(reader.take_view(reader.varint32()));
}
/// A count that its elements, of so many bytes at least, could fit behind.
std::size_t take_count(ByteReader& reader, std::size_t least_bytes, bool& sound) {
  const std::size_t count = reader.varint32();
  if (count > reader.remaining() / least_bytes) sound = false;
  return sound ? count : 0;
}

GroupSnapshot::Member take_member(ByteReader& reader, bool& sound) {
  GroupSnapshot::Member member;
  member.id = take_text(reader);
  if (reader.u8() != 0) member.instance = take_text(reader);
  member.client_id = take_text(reader);
  member.client_host = take_text(reader);
  member.session_timeout_ms = reader.zigzag64();
  member.rebalance_timeout_ms = reader.zigzag64();
  for (std::size_t left = take_count(reader, kLeastProtocolBytes, sound); left > 0 && !reader.failed(); --left) {
    GroupProtocol& protocol = member.protocols.emplace_back();
    protocol.name = take_text(reader);
    protocol.metadata = take_bytes(reader);
  }
  member.assignment = take_bytes(reader);
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
  writer.u8(kVersion);
  writer.zigzag32(snapshot.generation);
  put_text(writer, snapshot.protocol_type);
  put_text(writer, snapshot.protocol);
  put_text(writer, snapshot.leader);
  writer.varint(snapshot.members.size());
  for (const GroupSnapshot::Member& member : snapshot.members) {
    put_text(writer, member.id);
    writer.u8(member.instance ? 1 : 0);
    if (member.instance) put_text(writer, *member.instance);
    put_text(writer, member.client_id);
    put_text(writer, member.client_host);
    writer.zigzag64(member.session_timeout_ms);
    writer.zigzag64(member.rebalance_timeout_ms);
    writer.varint(member.protocols.size());
    for (const GroupProtocol& protocol : member.protocols) {
      put_text(writer, protocol.name);
      put_bytes(writer, protocol.metadata);
    }
    put_bytes(writer, member.assignment);
  }
  return writer.finish();
}

std::optional<GroupSnapshot> decode_group(const Bytes& value) {
  ByteReader reader(value);
  if (reader.u8() != kVersion) return std::nullopt;
  GroupSnapshot snapshot;
  bool sound = true;
  snapshot.generation = reader.zigzag32();
  snapshot.protocol_type = take_text(reader);
  snapshot.protocol = take_text(reader);
  snapshot.leader = take_text(reader);
  for (std::size_t left = take_count(reader, kLeastMemberBytes, sound); left > 0 && !reader.failed(); --left)
    snapshot.members.push_back(take_member(reader, sound));
  if (!sound || reader.failed() || reader.remaining() != 0 || !hangs_together(snapshot)) return std::nullopt;
  return snapshot;
}

}  // namespace braid
