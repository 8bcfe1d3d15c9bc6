// Braid, Apache-2.0.
//
// The parts of the decoder that do not depend on the message, out of line: they are called from every field.
#include "codecs/kafka/decoder.hpp"

namespace braid::kafka {

void Decoder::fail(DecodeError::Code code) {
  if (failed()) return;
  error_.code = code;
  reader_.fail();
}

std::int64_t Decoder::length16() {
  if (flexible_ && !rigid_) return compact_length();
  return old_length(reader_.i16());
}

std::int64_t Decoder::length32() {
  if (flexible_ && !rigid_) return compact_length();
  return old_length(reader_.i32());
}

std::int64_t Decoder::compact_length() {
  const std::int64_t length = reader_.varint32();
  return failed() ? 0 : length - 1;
}

std::int64_t Decoder::old_length(std::int32_t length) {
  if (length < -1) fail(DecodeError::Code::negative_length);
  return failed() ? 0 : length;
}

bool Decoder::admit(std::size_t count, std::size_t wire_bytes, std::size_t memory_bytes) {
  if (failed()) return false;
  if (count > reader_.remaining() / wire_bytes) return fail(DecodeError::Code::count_too_large), false;
  if (count > memory_left_ / memory_bytes) return fail(DecodeError::Code::too_much_memory), false;
  memory_left_ -= count * memory_bytes;
  return true;
}

Decoder::Tag Decoder::next_tag() {
  const std::int64_t number = reader_.varint32();
  const std::size_t length = reader_.varint32();
  if (length > reader_.remaining()) fail(DecodeError::Code::truncated);
  return {number, length, reader_.position() + length};
}

void Decoder::end_tag(const Tag& tag, bool known) {
  if (!known) reader_.skip(tag.length);
  if (!failed() && reader_.position() != tag.end) fail(DecodeError::Code::tagged_field_size);
}

}  // namespace braid::kafka
