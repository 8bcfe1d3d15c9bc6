// Braid, Apache-2.0.
//
// Whether a batch from a client may be appended to a topic: its form, its size, and its records' times. What comes from
// the broker itself is trusted, and only its header is read. Pure: no actor, no clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/partition/interface.hpp"
#include "config/topic_settings.hpp"
#include "model/record_batch.hpp"

namespace braid {

/// What a batch may inflate to when somebody has to look at its records.
inline constexpr std::size_t kMaxUncompressedBatchBytes = 256u << 20;

struct BatchRules {
  const TopicSettings& topic;
  Timestamp now;
  bool check_compressed = false;  ///< inflate every compressed batch and check its records
};

struct CheckedBatch {
  Errc error = Errc::none;
  std::string reason;
  std::vector<RecordFault> faults;  ///< the first of them: a batch may have a million
  BatchHeader header;
  /// The records' own maximum, where the header says something else.
  std::optional<Timestamp> max_timestamp;
};

CheckedBatch check_batch(const AppendBatch& request, const BatchRules& rules);

}  // namespace braid
