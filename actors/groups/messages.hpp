// Braid, Apache-2.0.
//
// What a consumer group is asked and what it answers (Kafka's classic protocol), as plain structs: the state machine
// (`group.hpp`) knows them without knowing actors. Metadata and assignments are opaque bytes: Connect's and Schema
// Registry's groups look the same from here. Errors are Kafka's own numbers (codecs/kafka/errors.hpp): groups are a
// Kafka concept, and nothing is gained by translating twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs/kafka/errors.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid {

enum class GroupState : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };
/// Kafka's name of the state: "PreparingRebalance".
std::string_view to_string(GroupState);

struct GroupProtocol {
  std::string name;
  Bytes metadata;
};
struct JoinGroup {
  std::string group, member, protocol_type, client_id, client_host;
  std::optional<std::string> instance;  ///< static membership, KIP-345
  std::int64_t session_timeout_ms = 0, rebalance_timeout_ms = 0;
  std::vector<GroupProtocol> protocols;
  bool requires_known_member = false;     ///< JoinGroup v4+: a first join gets MEMBER_ID_REQUIRED (KIP-394)
  bool supports_skip_assignment = false;  ///< v9, KIP-814
};
struct GroupMember {
  std::string member;
  std::optional<std::string> instance;
  Bytes metadata;
};
struct JoinedGroup {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type, protocol;
  std::string leader, member;
  bool skip_assignment = false;
  std::vector<GroupMember> members;  ///< for the leader
};
struct SyncGroup {
  std::string group, member;
  std::optional<std::string> instance, protocol_type, protocol;
  std::int32_t generation = -1;
  std::vector<std::pair<std::string, Bytes>> assignments;
};
struct SyncedGroup {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  std::optional<std::string> protocol_type, protocol;
  Bytes assignment;
};
struct GroupHeartbeat {
  std::string group, member;
  std::optional<std::string> instance;
  std::int32_t generation = -1;
};
struct LeaveGroup {
  struct Member {
    std::string member;
    std::optional<std::string> instance, reason;
  };
  std::string group;
  std::vector<Member> members;
};
struct LeftGroup {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  std::vector<kafka::ErrorCode> member_errors;  ///< in the request's order
};
struct OffsetKey {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const OffsetKey&, const OffsetKey&) = default;
};
struct CommittedOffset {
  Offset offset{-1};
  LeaderEpoch leader_epoch{-1};
  std::string metadata;
  Timestamp committed{-1};
  Timestamp expires{-1};  ///< asked for by the client (OffsetCommit v2 to v4); -1: by the broker's rule
  TopicId topic_id;       ///< of the topic that the offset was committed for; another one of that name has none
};
struct CommitOffsets {
  std::string group, member;
  std::optional<std::string> instance;
  std::int32_t generation = -1;
  std::vector<std::pair<OffsetKey, CommittedOffset>> offsets;
};
struct OffsetsCommitted {
  std::vector<kafka::ErrorCode> errors;  ///< in the request's order
};
struct FetchOffsets {
  std::string group;
  bool all = false;
  std::vector<OffsetKey> keys;
};
struct OffsetsFetched {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  std::vector<std::pair<OffsetKey, CommittedOffset>> offsets;  ///< offset -1 for a key without one
};

/// A generation that has begun, as it is kept: after a restart of the broker its members go on as if nothing had been.
struct GroupSnapshot {
  struct Member {
    std::string id;
    std::optional<std::string> instance;
    std::string client_id, client_host;
    std::int64_t session_timeout_ms = 0, rebalance_timeout_ms = 0;
    std::vector<GroupProtocol> protocols;
    Bytes assignment;
  };
  std::int32_t generation = 0;
  std::string protocol_type, protocol, leader;
  std::vector<Member> members;  ///< at least one
};

// -- for administrators -----------------------------------------------------------------------------------------------

struct DescribeGroup {
  std::string group;
};
struct DescribedMember {
  std::string member;
  std::optional<std::string> instance;
  std::string client_id, client_host;
  Bytes metadata;    ///< of the protocol that was chosen; empty while the group rebalances
  Bytes assignment;  ///< the last one
};
/// A group that nobody knows is dead.
struct GroupDescription {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  GroupState state = GroupState::dead;
  std::string protocol_type, protocol;
  std::vector<DescribedMember> members;
};
/// All groups of one coordinator.
struct ListGroups {};
struct ListedGroup {
  std::string group, protocol_type;
  GroupState state = GroupState::empty;
};
struct GroupsListed {
  kafka::ErrorCode error = kafka::ErrorCode::none;
  std::vector<ListedGroup> groups;
};
/// Only a group without members can be deleted.
struct DeleteGroup {
  std::string group;
};
/// Takes committed offsets back, unless members of the group subscribe to their topic.
struct DeleteOffsets {
  std::string group;
  std::vector<OffsetKey> keys;
};
struct OffsetsDeleted {
  kafka::ErrorCode error = kafka::ErrorCode::none;  ///< of the group as a whole
  std::vector<kafka::ErrorCode> errors;             ///< in the request's order
};

/// For everything that only says whether it worked.
struct GroupError {
  kafka::ErrorCode error = kafka::ErrorCode::none;
};

}  // namespace braid
