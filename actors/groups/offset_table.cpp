// Braid, Apache-2.0.
#include "actors/groups/offset_table.hpp"

#include <algorithm>

#include "actors/groups/group_snapshot.hpp"
#include "model/byte_io.hpp"

namespace braid {

namespace {

constexpr std::uint8_t kOffsetVersion = 1;
/// An occupation's value of version 2 ends with the type of the group's members.
constexpr std::uint8_t kOccupationVersion = 2;
enum class Kind : std::uint8_t { offset = 0, occupation = 1, group = 2 };

ByteWriter begin_key(Kind kind, std::string_view group) {
  ByteWriter writer(64);
  writer.u8(kOffsetVersion);
  writer.u8(static_cast<std::uint8_t>(kind));
  writer.sized(group);
  return writer;
}

Bytes offset_key(std::string_view group, std::string_view topic, std::int32_t partition) {
  ByteWriter writer = begin_key(Kind::offset, group);
  writer.sized(topic);
  writer.zigzag32(partition);
  return writer.finish();
}

std::optional<CommittedOffset> read_offset(const Bytes& value) {
  ByteReader reader(value);
  if (reader.u8() != kOffsetVersion) return std::nullopt;
  CommittedOffset committed;
  committed.offset = Offset{reader.zigzag64()};
  committed.leader_epoch = LeaderEpoch{reader.zigzag32()};
  committed.committed = Timestamp{reader.zigzag64()};
  committed.expires = Timestamp{reader.zigzag64()};
  for (std::uint8_t& byte : committed.topic_id.bytes) byte = reader.u8();
  committed.metadata = reader.take_sized();
  if (reader.failed() || reader.remaining() != 0) return std::nullopt;
  return committed;
}

}  // namespace

StateChange OffsetTable::offset_change(std::string_view group, std::string_view topic, std::int32_t partition,
                                       const CommittedOffset& committed) {
  ByteWriter writer(64 + committed.metadata.size());
  writer.u8(kOffsetVersion);
  writer.zigzag64(committed.offset.value);
  writer.zigzag32(committed.leader_epoch.value);
  writer.zigzag64(committed.committed.value);
  writer.zigzag64(committed.expires.value);
  writer.raw(committed.topic_id.bytes.data(), committed.topic_id.bytes.size());
  writer.sized(committed.metadata);
  return {offset_key(group, topic, partition), writer.finish()};
}

StateChange OffsetTable::offset_removal(std::string_view group, std::string_view topic, std::int32_t partition) {
  return {offset_key(group, topic, partition), std::nullopt};
}

StateChange OffsetTable::occupation_change(std::string_view group, bool occupied, Timestamp since,
                                           std::string_view protocol_type) {
  ByteWriter writer(32);
  writer.u8(kOccupationVersion);
  writer.u8(occupied ? 1 : 0);
  writer.zigzag64(since.value);
  writer.sized(protocol_type);
  return {begin_key(Kind::occupation, group).finish(), writer.finish()};
}

StateChange OffsetTable::occupation_removal(std::string_view group) {
  return {begin_key(Kind::occupation, group).finish(), std::nullopt};
}

StateChange OffsetTable::group_change(std::string_view group, const Bytes& snapshot) {
  return {begin_key(Kind::group, group).finish(), snapshot};
}

StateChange OffsetTable::group_removal(std::string_view group) {
  return {begin_key(Kind::group, group).finish(), std::nullopt};
}

void OffsetTable::keep_group(const std::string& group, std::optional<Bytes> snapshot) {
  if (snapshot)
    kept_.insert_or_assign(group, *std::move(snapshot));
  else
    kept_.erase(group);
}

bool OffsetTable::apply(const Bytes& key, const std::optional<Bytes>& value) {
  ByteReader reader(key);
  if (reader.u8() != kOffsetVersion) return false;
  const std::uint8_t kind = reader.u8();
  const std::string group(reader.take_sized());
  if (kind == static_cast<std::uint8_t>(Kind::offset)) {
    const std::string topic(reader.take_sized());
    const std::int32_t partition = reader.zigzag32();
    if (reader.failed() || reader.remaining() != 0 || partition < 0) return false;
    if (!value) return erase(group, topic, partition), true;
    auto committed = read_offset(*value);
    if (!committed) return false;
    commit(group, topic, partition, *std::move(committed));
    return true;
  }
  if (kind == static_cast<std::uint8_t>(Kind::group) && !reader.failed() && reader.remaining() == 0) {
    if (value && !decode_group(*value)) return false;
    keep_group(group, value ? std::optional(value->compact()) : std::nullopt);
    return true;
  }
  if (kind != static_cast<std::uint8_t>(Kind::occupation) || reader.failed() || reader.remaining() != 0) return false;
  if (!value) return true;  // goes with the group's last offset
  ByteReader fields(*value);
  const std::uint8_t version = fields.u8();
  if (version != kOffsetVersion && version != kOccupationVersion) return false;
  const std::uint8_t state = fields.u8();
  const Timestamp since{fields.zigzag64()};
  const std::string protocol_type(version == kOccupationVersion ? fields.take_sized() : std::string_view());
  if (fields.failed() || fields.remaining() != 0 || state > 1) return false;
  set_occupied(group, state == 1, since, protocol_type);
  return true;
}

void OffsetTable::commit(const std::string& group, const std::string& topic, std::int32_t partition,
                         CommittedOffset committed) {
  groups_[group].topics[topic].insert_or_assign(partition, std::move(committed));
}

const CommittedOffset* OffsetTable::find(std::string_view group, std::string_view topic, std::int32_t partition) const {
  const auto found = groups_.find(std::string(group));
  if (found == groups_.end()) return nullptr;
  const auto offsets = found->second.topics.find(topic);
  if (offsets == found->second.topics.end()) return nullptr;
  const auto committed = offsets->second.find(partition);
  return committed == offsets->second.end() ? nullptr : &committed->second;
}

std::optional<bool> OffsetTable::occupied(const std::string& group) const {
  const auto found = groups_.find(group);
  if (found == groups_.end() || !found->second.recorded) return std::nullopt;
  return found->second.occupied;
}

void OffsetTable::set_occupied(const std::string& group, bool occupied, Timestamp since,
                               const std::string& protocol_type) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;  // a group without offsets needs no record
  found->second.recorded = true;
  found->second.occupied = occupied;
  found->second.since = since;
  if (!protocol_type.empty()) found->second.protocol_type = protocol_type;
}

void OffsetTable::erase(const std::string& group, const std::string& topic, std::int32_t partition) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  const auto offsets = found->second.topics.find(topic);
  if (offsets == found->second.topics.end()) return;
  offsets->second.erase(partition);
  if (offsets->second.empty()) found->second.topics.erase(offsets);
  if (found->second.topics.empty()) groups_.erase(found);
}

template <class Matches>
std::vector<StateChange> OffsetTable::take_out(Matches matches) {
  std::vector<StateChange> removals;
  for (auto group = groups_.begin(); group != groups_.end();) {
    auto& topics = group->second.topics;
    for (auto topic = topics.begin(); topic != topics.end();) {
      std::erase_if(topic->second, [&](const auto& entry) {
        if (!matches(group->first, group->second, topic->first, entry.second)) return false;
        removals.push_back(offset_removal(group->first, topic->first, entry.first));
        return true;
      });
      topic = topic->second.empty() ? topics.erase(topic) : std::next(topic);
    }
    const bool gone = topics.empty();
    if (gone && group->second.recorded) removals.push_back(occupation_removal(group->first));
    group = gone ? groups_.erase(group) : std::next(group);
  }
  return removals;
}

std::vector<StateChange> OffsetTable::remove_offsets(
    const std::function<bool(const std::string& topic, const CommittedOffset& committed)>& matches) {
  return take_out([&](const std::string&, const Group&, const std::string& topic, const CommittedOffset& committed) {
    return matches(topic, committed);
  });
}

std::vector<StateChange> OffsetTable::remove_offsets(
    const std::string& name, const std::function<bool(const std::string& topic, std::int32_t partition)>& matches) {
  std::vector<StateChange> removals;
  const auto group = groups_.find(name);
  if (group == groups_.end()) return removals;
  auto& topics = group->second.topics;
  for (auto topic = topics.begin(); topic != topics.end();) {
    std::erase_if(topic->second, [&](const auto& entry) {
      if (!matches(topic->first, entry.first)) return false;
      removals.push_back(offset_removal(name, topic->first, entry.first));
      return true;
    });
    topic = topic->second.empty() ? topics.erase(topic) : std::next(topic);
  }
  if (!topics.empty()) return removals;
  if (group->second.recorded) removals.push_back(occupation_removal(name));
  groups_.erase(group);
  return removals;
}

std::vector<StateChange> OffsetTable::expire(Timestamp now, std::int64_t retention_ms, const InUse& in_use) {
  return take_out(
      [&](const std::string& name, const Group& group, const std::string& topic, const CommittedOffset& committed) {
        const bool occupied = group.recorded && group.occupied;
        if (occupied && in_use(name, topic)) return false;
        if (committed.expires.value >= 0) return committed.expires <= now;
        const bool left = group.recorded && !occupied;
        const Timestamp begin = left ? std::max(group.since, committed.committed) : committed.committed;
        return begin.value + retention_ms <= now.value;
      });
}

std::vector<StateChange> OffsetTable::nobody_is_here(Timestamp now) {
  std::vector<StateChange> changes;
  for (auto& [name, group] : groups_) {
    if (!group.recorded || !group.occupied || kept_.count(name) > 0) continue;
    group.occupied = false;
    group.since = now;
    changes.push_back(occupation_change(name, false, now, group.protocol_type));
  }
  return changes;
}

std::vector<StateChange> OffsetTable::live() const {
  std::vector<StateChange> changes;
  for (const auto& [name, group] : groups_) {
    for (const auto& [topic, offsets] : group.topics)
      for (const auto& [partition, committed] : offsets)
        changes.push_back(offset_change(name, topic, partition, committed));
    // Behind the offsets: a replay takes it only for a group that has some.
    if (group.recorded) changes.push_back(occupation_change(name, group.occupied, group.since, group.protocol_type));
  }
  for (const auto& [name, snapshot] : kept_) changes.push_back(group_change(name, snapshot));
  return changes;
}

}  // namespace braid
