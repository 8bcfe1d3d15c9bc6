// Braid, Apache-2.0.
//
// Ids of group members: what the client calls itself, for people who read logs, and a random part that makes it unique.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace braid {

/// "client-7f9c24e8-3b12-4a6d-9c01-5e8f7a6b4c3d": a UUID of version 4 made of 128 random bits. Of a very long `prefix`
/// only the beginning is kept, since an id has to fit into every message that names it.
std::string make_member_id(std::string_view prefix, std::uint64_t random_high, std::uint64_t random_low);

}  // namespace braid
