// Braid, Apache-2.0.
//
// All messages of the codec behind one type, so that tests over every message at every version are compiled once and
// not seventy times.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "codecs/kafka/codec.hpp"

namespace braid::kafka::test {

struct MessageUnderTest {
  MessageInfo info;
  std::vector<FieldSchema> fields;
  /// What decoding the bytes and encoding the result yields; `printed` receives the message in between.
  Result<Bytes, DecodeError> (*decode_encode)(const Bytes&, std::int16_t version, std::string& printed);
};

/// Requests and responses of the registry, the two headers, and what group members tell each other.
const std::vector<MessageUnderTest>& all_messages();

/// A message with random values, written by the description's data and not by the encoder: what Kafka's rules say about
/// lengths, nulls and tags is stated here a second time, and has to agree.
struct Sample {
  std::string bytes;
  std::string printed;
};
Sample make_sample(const MessageUnderTest&, std::int16_t version, std::mt19937_64&);

}  // namespace braid::kafka::test
