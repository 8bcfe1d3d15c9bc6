// Braid, Apache-2.0.
//
// Bytes to messages and back. The templates are declared here and instantiated once per message, beside the message
// (`messages/*.cpp`), so that a session that includes this header pays neither for their definitions nor for their
// code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/frame_writer.hpp"
#include "codecs/kafka/schema.hpp"
#include "model/byte_io.hpp"
#include "model/result.hpp"

namespace braid::kafka {

struct DecodeLimits {
  /// Memory that the arrays of one message may take. An element of two bytes on the wire may take a hundred in memory,
  /// so the frame limit alone does not bound it.
  std::size_t array_memory_bytes = std::size_t{64} << 20;
};

struct DecodeError {
  enum class Code : std::uint8_t {
    unsupported_version,
    truncated,          ///< the message ends inside a field
    negative_length,    ///< a length below -1
    unexpected_null,    ///< null in a version that does not allow it
    count_too_large,    ///< an array that cannot fit into the bytes that are left
    too_much_memory,    ///< `DecodeLimits::array_memory_bytes`
    tagged_field_size,  ///< a known tagged field that is not as long as it says
  };
  Code code = Code::truncated;
  std::string_view field;  ///< the innermost field that was being read
};
std::string to_string(const DecodeError&);

struct EncodeError {
  enum class Code : std::uint8_t {
    unsupported_version,
    field_not_in_version,  ///< a field holds a value that this version has no place for, and that must not be dropped
    unexpected_null,
    too_long,  ///< a string beyond 32767 bytes, or a frame beyond 2 GiB
  };
  Code code = Code::unsupported_version;
  std::string_view field;
};
std::string to_string(const EncodeError&);

/// Reads one message at the reader's position and leaves the reader behind it. Bytes behind a message are not an error:
/// Kafka's broker ignores them too, and some clients rely on it.
template <class Message>
Result<Message, DecodeError> decode(ByteReader&, std::int16_t version, const DecodeLimits& = {});

template <class Message>
Result<Message, DecodeError> decode(Bytes body, std::int16_t version, const DecodeLimits& limits = {}) {
  ByteReader reader(std::move(body));
  return decode<Message>(reader, version, limits);
}

/// Appends the message. After an error what the writer holds is of no use.
template <class Message>
Outcome<EncodeError> encode(FrameWriter&, const Message&, std::int16_t version);

/// One line for logs: the fields of that version, long values and arrays cut short, payloads as their size.
template <class Message>
std::string print(const Message&, std::int16_t version);

template <class Message>
std::vector<FieldSchema> schema_of();

}  // namespace braid::kafka
