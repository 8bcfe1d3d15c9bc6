// Braid, Apache-2.0.
//
// A group's generation as a record of `__consumer_offsets`. Written before members learn their assignment, so that a
// member that has one is known after a restart.
#pragma once

#include <optional>
#include <string_view>

#include "actors/groups/messages.hpp"

namespace braid {

Bytes encode_group(const GroupSnapshot& snapshot);
/// Nothing when it is not one of ours, or does not hang together.
std::optional<GroupSnapshot> decode_group(const Bytes& value);

}  // namespace braid
