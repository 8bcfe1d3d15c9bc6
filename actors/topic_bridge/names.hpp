// Braid, Apache-2.0.
//
// MQTT topic names and AMQP routing keys, where they mean the same: '/' and '.' exchanged, '+' and '*' in patterns. The
// MQTT name is the canonical one. What separates words in the other protocol is escaped inside a level, as '%' and two
// hexadecimal digits, so that every topic name has a key of its own and comes back from it:
//
//   sensors/10.0.0.1/temp   <->   sensors.10%2E0%2E0%2E1.temp
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace braid::amqp {

/// Nothing when it would be longer than a routing key can be.
std::optional<std::string> to_routing_key(std::string_view topic_name);
/// Nothing when the key stands for no topic name: it is empty, or has '/', '+' or '#' in it, or is not UTF-8.
std::optional<std::string> to_topic_name(std::string_view routing_key);
/// A filter for all names whose keys a binding of a topic exchange matches, and perhaps for others: MQTT has '#' at the
/// end only. Nothing when there can be no such name.
std::optional<std::string> to_topic_filter(std::string_view binding_key);
/// What InterestTable keeps the subscribers of a topic name by.
std::string_view first_level(std::string_view topic_name);

}  // namespace braid::amqp
