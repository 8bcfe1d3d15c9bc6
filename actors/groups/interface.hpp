// Braid, Apache-2.0.
//
// Consumer groups as actors. Each loop has a coordinator for the groups whose `__consumer_offsets` partition lives
// there; it starts an actor per group. What the messages mean: `messages.hpp`.
#pragma once

#include "actors/groups/messages.hpp"
#include "runtime/spelling.hpp"

namespace braid {

using GroupCoordinator = Interface<Answers<JoinGroup, JoinedGroup>, Answers<SyncGroup, SyncedGroup>,
                                   Answers<GroupHeartbeat, GroupError>, Answers<LeaveGroup, LeftGroup>,
                                   Answers<CommitOffsets, OffsetsCommitted>, Answers<FetchOffsets, OffsetsFetched>,
                                   Answers<DescribeGroup, GroupDescription>, Answers<ListGroups, GroupsListed>,
                                   Answers<DeleteGroup, GroupError>, Answers<DeleteOffsets, OffsetsDeleted>>;

}  // namespace braid

BRAID_MESSAGE(braid::JoinGroup)
BRAID_MESSAGE(braid::JoinedGroup)
BRAID_MESSAGE(braid::SyncGroup)
BRAID_MESSAGE(braid::SyncedGroup)
BRAID_MESSAGE(braid::GroupHeartbeat)
BRAID_MESSAGE(braid::LeaveGroup)
BRAID_MESSAGE(braid::LeftGroup)
BRAID_MESSAGE(braid::CommitOffsets)
BRAID_MESSAGE(braid::OffsetsCommitted)
BRAID_MESSAGE(braid::FetchOffsets)
BRAID_MESSAGE(braid::OffsetsFetched)
BRAID_MESSAGE(braid::DescribeGroup)
BRAID_MESSAGE(braid::GroupDescription)
BRAID_MESSAGE(braid::ListGroups)
BRAID_MESSAGE(braid::GroupsListed)
BRAID_MESSAGE(braid::DeleteGroup)
BRAID_MESSAGE(braid::DeleteOffsets)
BRAID_MESSAGE(braid::OffsetsDeleted)
BRAID_MESSAGE(braid::GroupError)
