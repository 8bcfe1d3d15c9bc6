// Braid, Apache-2.0.
//
// Messages on their way between AMQP and the others, as records: an AMQP message that a topic stores or that MQTT
// subscribers get, and an MQTT publication or a topic's record that an AMQP queue gets. docs/protocol-mapping.md in
// code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/amqp/message_record.hpp"
#include "actors/routing/interface.hpp"
#include "model/batch_builder.hpp"
#include "model/record_format.hpp"

namespace braid::amqp {

/// Adds records to batches; keeps its scratch memory from message to message.
class BridgeEncoder {
 public:
  /// For a topic or for subscribers, under an MQTT topic name. Its properties are headers that everybody understands,
  /// and once more as they came for AMQP readers. False: the batch is full.
  bool add_to_topic(BatchBuilder& batch, Timestamp arrived, std::string_view topic_name, const MessageRecord& message);
  /// For a queue. A record without AMQP's own header is read as one of amq.topic (MessageRecordReader).
  bool add_to_queue(BatchBuilder& batch, std::string_view routing_key, const braid::Publication& publication);

 private:
  std::string_view keep(std::string text);
  void add_header(std::string_view name, std::string_view value);
  std::vector<HeaderView> headers_;
  std::vector<std::string> texts_;  ///< what headers_ refers to and nobody else holds
};

}  // namespace braid::amqp
