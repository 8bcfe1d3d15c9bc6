// Braid, Apache-2.0.
#include "codecs/kafka/messages/consumer_protocol.hpp"

#include <algorithm>

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(ConsumerProtocolSubscription);
BRAID_KAFKA_INSTANTIATE(ConsumerProtocolAssignment);

namespace {

template <class Message>
Result<Message, DecodeError> decode_versioned(Bytes bytes) {
  ByteReader reader(std::move(bytes));
  const std::int16_t version = reader.i16();
  if (reader.failed()) return Unexpected{DecodeError{DecodeError::Code::truncated, "version"}};
  if (version < 0) return Unexpected{DecodeError{DecodeError::Code::unsupported_version, "version"}};
  return decode<Message>(reader, std::min(version, Message::info.versions.last));
}

/// Empty when the message does not fit the version.
template <class Message>
Bytes encode_versioned(const Message& message, std::int16_t version) {
  FrameWriter writer;
  writer.bytes().i16(version);
  if (!encode(writer, message, version)) return {};
  ByteWriter whole(writer.size());
  for (const Bytes& part : writer.finish()) whole.raw(part);
  return whole.finish();
}

}  // namespace

Result<ConsumerProtocolSubscription, DecodeError> decode_subscription(Bytes metadata) {
  return decode_versioned<ConsumerProtocolSubscription>(std::move(metadata));
}
Result<ConsumerProtocolAssignment, DecodeError> decode_assignment(Bytes assignment) {
  return decode_versioned<ConsumerProtocolAssignment>(std::move(assignment));
}
Bytes encode_subscription(const ConsumerProtocolSubscription& subscription, std::int16_t version) {
  return encode_versioned(subscription, version);
}
Bytes encode_assignment(const ConsumerProtocolAssignment& assignment, std::int16_t version) {
  return encode_versioned(assignment, version);
}

}  // namespace braid::kafka
