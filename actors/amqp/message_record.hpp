// Braid, Apache-2.0.
//
// An AMQP message as a record and back. The record's key is the routing key (in a topic: the MQTT name that it stands
// for), its value the body. Everything else an
// AMQP reader gets back byte for byte is in headers with reserved names:
//
//   braid.amqp        u8 flags, u8 length of the exchange's name, the name, property flags and properties as they came
//   braid.expiration  milliseconds, decimal; only when the message has an expiration
//   braid.bcc         the fields of the "BCC" array, which readers must not see; only when there was one
//
// so a message costs no conversion on its way through a queue. A record that another protocol wrote has no such header:
// it is read as its own headers say (docs/protocol-mapping.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codecs/amqp/properties.hpp"
#include "codecs/amqp/table.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"

namespace braid::amqp {

/// Adds messages to batches; keeps its scratch memory from message to message.
class MessageRecordEncoder {
 public:
  struct Publish {
    std::string_view exchange = {}, routing_key = {};
    std::string_view properties = no_properties;  ///< flags and properties: ContentHeader::encoded
    std::string_view expiration = {};             ///< the property, checked to be decimal; empty: none
    std::span<const std::string_view> body = {};  ///< in pieces, as ContentAssembler has it
    Array bcc = {};                               ///< the header that was taken out of `properties`
    bool dead_lettered = false;                   ///< the x-death header in `properties` is the broker's own
    bool in_topic = false;                        ///< `routing_key` is an MQTT topic name
  };
  /// False when the batch is full (BatchBuilder::add). The one copy of the body.
  bool add(BatchBuilder& batch, Timestamp arrived, const Publish& publish);

 private:
  std::string own_;  ///< the value of braid.amqp
};

/// A message as a session delivers it. Views show the record, or the reader.
struct MessageRecord {
  std::string_view exchange, routing_key;
  std::string_view properties;  ///< flags and properties: what encode_content takes
  std::string_view body;        ///< RunWalker::share makes a slice of it
  Array bcc;
  bool dead_lettered = false;
};

class MessageRecordReader {
 public:
  /// Any record can be read; `message` is good until the next call and as long as the record.
  void read(const RecordView& record, MessageRecord& message);

 private:
  void convert(const RecordView& record, MessageRecord& message);
  ByteWriter converted_{0};
  std::string key_;
};

/// The value of `braid.amqp` for a message.
void append_own_header(std::string& to, const MessageRecordEncoder::Publish& publish);

/// The property block with a header field set: x-delivery-count, x-stream-offset. `scratch` holds the result, which is
/// a sound block whatever the one before was.
std::string_view with_header(std::string_view properties, std::string_view name, const FieldValue& value,
                             std::string& scratch);
/// The property block without a header field: "BCC" is taken out before a message is stored.
std::string_view without_header(std::string_view properties, std::string_view name, std::string& scratch);

/// The decimal number of an expiration property; nothing when it is none.
std::optional<std::uint64_t> parse_expiration(std::string_view text);

}  // namespace braid::amqp
