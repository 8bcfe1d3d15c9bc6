// Braid, Apache-2.0.
//
// Record headers with a meaning to the broker: standard properties that each protocol has a word of its own for, and
// what one protocol keeps for itself. docs/protocol-mapping.md is the contract.
#pragma once

#include <string_view>

namespace braid::header {

inline constexpr std::string_view reserved_prefix = "braid.";
inline constexpr std::string_view content_type = "braid.content-type";
inline constexpr std::string_view reply_to = "braid.reply-to";              ///< MQTT's response topic
inline constexpr std::string_view correlation_id = "braid.correlation-id";  ///< bytes
inline constexpr std::string_view expiration = "braid.expiration";          ///< ms from the record's time, decimal
inline constexpr std::string_view payload_format = "braid.payload-format";  ///< "1": UTF-8 text
inline constexpr std::string_view user_prefix = "braid.user.";              ///< before a reserved name of a client's
inline constexpr std::string_view amqp = "braid.amqp";                      ///< actors/amqp/message_record.hpp
inline constexpr std::string_view bcc = "braid.bcc";                        ///< likewise

}  // namespace braid::header
