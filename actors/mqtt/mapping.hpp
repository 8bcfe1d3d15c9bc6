// Braid, Apache-2.0.
//
// An MQTT message as a record and back: docs/protocol-mapping.md in code. The record's key is the topic name, its value
// the payload, its headers are the user properties in their order, and behind them the standard properties under names
// that begin with "braid.". A user property whose own name begins so is escaped, so that nothing a client sends is
// taken for ours.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/record_headers.hpp"
#include "actors/routing/interface.hpp"
#include "codecs/mqtt/properties.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"

namespace braid::mqtt {

/// Adds messages to batches; keeps its scratch memory from message to message.
class RecordEncoder {
 public:
  /// False when the batch is full (BatchBuilder::add).
  bool add(BatchBuilder& batch, Timestamp now, std::string_view topic, std::string_view payload,
           const Properties& properties);

 private:
  std::string_view keep(std::string text);
  std::vector<HeaderView> headers_;
  std::vector<std::string> texts_;  ///< what headers_ refers to and the packet does not hold
};

/// What subscribers get of a record. Headers that MQTT cannot carry (names or values that are not UTF-8) are left out.
std::shared_ptr<const Publication> to_publication(Bytes topic, const BatchWalker& walker, const RecordView& record,
                                                  std::uint8_t publish_flags, std::uint64_t publisher);

/// Seconds that are left of a publication's expiry interval; nothing when it has none; 0 when it has expired.
std::optional<std::uint32_t> remaining_expiry_s(const Publication& publication, Timestamp now);

}  // namespace braid::mqtt
