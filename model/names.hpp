// Braid, Apache-2.0.
//
// Which names a topic may have. Kafka's rules hold for all protocols, since every topic is seen by Kafka clients.
#pragma once

#include <string>
#include <string_view>

namespace braid {

inline constexpr std::size_t kMaxTopicNameBytes = 249;

/// 1 to 249 of [a-zA-Z0-9._-], and neither "." nor "..".
bool is_valid_topic_name(std::string_view name);

/// Why a name is not valid, as part of a sentence for the user; empty for a valid name.
std::string_view topic_name_problem(std::string_view name);

/// '.' and '_' are one character in the names of Kafka's metrics, so a topic must not differ from another one in that
/// alone. Two names collide when their collision keys are equal and they are not the same name.
std::string topic_collision_key(std::string_view name);
bool topic_names_collide(std::string_view a, std::string_view b);

}  // namespace braid
