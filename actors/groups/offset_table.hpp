// Braid, Apache-2.0.
//
// Committed offsets of the groups of one `__consumer_offsets` partition: the table in memory, and the records that it
// is kept in. A commit becomes visible when its record is durable, so nobody reads an offset that a crash takes back.
//
// Offsets of a group that nobody belongs to expire. When that began has to survive a restart, else every restart would
// begin anew; so a group that has offsets also has a record that says whether it is occupied, and since when it is not.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/groups/messages.hpp"
#include "actors/state_log.hpp"

namespace braid {

class OffsetTable {
 public:
  using Offsets = std::map<std::int32_t, CommittedOffset>;  ///< by partition

  // The log's records: keys and values of the state log. Both begin with the version of their encoding.
  static StateChange offset_change(std::string_view group, std::string_view topic, std::int32_t partition,
                                   const CommittedOffset& committed);
  static StateChange offset_removal(std::string_view group, std::string_view topic, std::int32_t partition);
  static StateChange occupation_change(std::string_view group, bool occupied, Timestamp since,
                                       std::string_view protocol_type);
  static StateChange occupation_removal(std::string_view group);
  static StateChange group_change(std::string_view group, const Bytes& snapshot);
  static StateChange group_removal(std::string_view group);
  /// Takes a record of the log in; false when it is not one of ours.
  bool apply(const Bytes& key, const std::optional<Bytes>& value);

  void commit(const std::string& group, const std::string& topic, std::int32_t partition, CommittedOffset committed);
  /// Null when there is none.
  const CommittedOffset* find(std::string_view group, std::string_view topic, std::int32_t partition) const;
  template <class F>
  void for_each(const std::string& group, F&& visit) const {
    const auto found = groups_.find(group);
    if (found == groups_.end()) return;
    for (const auto& [topic, offsets] : found->second.topics)
      for (const auto& [partition, committed] : offsets) visit(topic, partition, committed);
  }
  /// Calls `visit(group, protocol type)` for each group that has offsets.
  template <class F>
  void for_each_group(F&& visit) const {
    for (const auto& [name, group] : groups_) visit(name, group.protocol_type);
  }
  /// Of the members that the group had last; empty when it never had any.
  std::string protocol_type(const std::string& group) const {
    const auto found = groups_.find(group);
    return found == groups_.end() ? std::string() : found->second.protocol_type;
  }
  bool has_offsets(const std::string& group) const { return groups_.count(group) > 0; }
  std::size_t groups() const { return groups_.size(); }

  /// Is the group recorded as occupied? Nothing for one without a record: it never had members when it committed.
  std::optional<bool> occupied(const std::string& group) const;
  void set_occupied(const std::string& group, bool occupied, Timestamp since, const std::string& protocol_type);

  /// The generation that a group has begun, encoded (group_snapshot.hpp); nothing when there is none any more.
  void keep_group(const std::string& group, std::optional<Bytes> snapshot);
  const std::unordered_map<std::string, Bytes>& kept_groups() const { return kept_; }

  /// Takes what matches out and returns the removals for the log.
  std::vector<StateChange> remove_offsets(
      const std::function<bool(const std::string& topic, const CommittedOffset& committed)>& matches);
  /// The same within one group.
  std::vector<StateChange> remove_offsets(
      const std::string& group, const std::function<bool(const std::string& topic, std::int32_t partition)>& matches);
  /// Takes out the offsets that are due at `now`. Offsets without a time of their own live for `retention_ms` after
  /// their group lost its last member, or after their commit in a group that never had one. In a group with members
  /// they live for as long after their commit, unless `in_use` says that the members read the topic (KIP-211).
  using InUse = std::function<bool(const std::string& group, const std::string& topic)>;
  std::vector<StateChange> expire(Timestamp now, std::int64_t retention_ms, const InUse& in_use);
  /// After a restart: groups that are recorded as occupied, and whose members nobody knows, are empty from now on.
  std::vector<StateChange> nobody_is_here(Timestamp now);

  /// Everything, for a snapshot.
  std::vector<StateChange> live() const;

 private:
  struct Group {
    std::map<std::string, Offsets, std::less<>> topics;
    bool recorded = false, occupied = false;
    std::string protocol_type;
    Timestamp since{-1};
  };
  template <class Matches>
  std::vector<StateChange> take_out(Matches matches);
  void erase(const std::string& group, const std::string& topic, std::int32_t partition);

  std::unordered_map<std::string, Group> groups_;  ///< none without offsets
  std::unordered_map<std::string, Bytes> kept_;    ///< generations that have begun
};

}  // namespace braid
