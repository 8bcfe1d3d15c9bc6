// Braid, Apache-2.0.
//
// Small shared vocabulary of the log.
#pragma once

#include <cstdint>

namespace braid {

/// What an acknowledgement promises, per topic (setting `durability`).
enum class Durability : std::uint8_t {
  memory = 0,  ///< never touches the disk; gone with the process
  os = 1,      ///< written to the operating system, synced in the background: survives the process, not the machine
  sync = 2,    ///< synced before it is acknowledged: survives both
};

/// Kafka's codec numbers: the low three bits of a batch's attributes.
enum class Compression : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

/// Whose clock a record's timestamp is from: the attributes bit of a batch, Kafka's `message.timestamp.type`.
enum class TimestampType : std::uint8_t { create_time = 0, log_append_time = 1 };

}  // namespace braid
