// Braid, Apache-2.0.
//
// Messages on their way between AMQP and the others, as records: an AMQP message that a topic stores or that MQTT
// subscribers get, and an MQTT publication or a topic's record that an AMQP queue gets. docs/protocol-mapping.md in
// code.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/amqp/message_record.hpp"
#include "actors/routing/interface.hpp"
#include "model/batch_builder.hpp"
#include "model/record_format.hpp"

namespace braid::amqp {

/// The key of a record.
struct RecordKey {
  std::string_view text;
  bool is_name = true;  ///< an MQTT topic name, which AMQP readers get as the routing key that stands for it
};

/// Adds records to batches; keeps its scratch memory from message to message.
class BridgeEncoder {
 public:
  /// For a topic or for subscribers. Its properties are headers that everybody understands,
  /// and once more as they came for AMQP readers. False: the batch is full.
  bool add_to_topic(BatchBuilder& batch, Timestamp arrived, const RecordKey& key, const MessageRecord& message);
  /// For a queue. A record without AMQP's own header is read as one of amq.topic (MessageRecordReader).
  bool add_to_queue(BatchBuilder& batch, std::string_view routing_key, const braid::Publication& publication);

 private:
  std::string_view keep(std::string text);
  void add_header(std::string_view name, std::optional<std::string_view> value);
  std::vector<HeaderView> headers_;
  std::vector<std::string> texts_;  ///< what headers_ refers to and nobody else holds
};

}  // namespace braid::amqp
