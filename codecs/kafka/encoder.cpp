// Braid, Apache-2.0.
//
// The parts of the encoder that do not depend on the message, out of line: they are called from every field.
#include "codecs/kafka/encoder.hpp"

namespace braid::kafka {

void Encoder::fail(EncodeError::Code code, std::string_view field) {
  if (!failed_) error_ = {code, field};
  failed_ = true;
}

void Encoder::text(const Text& in, std::string_view name) {
  if (is_compact()) {
    out_.bytes().varint(in.size() + 1);
  } else {
    if (in.size() > 0x7fff) return fail(EncodeError::Code::too_long, name);
    out_.bytes().i16(static_cast<std::int16_t>(in.size()));
  }
  out_.bytes().raw(in.view());
}

void Encoder::null(bool of_text) {
  if (is_compact())
    out_.bytes().varint(0);
  else if (of_text)
    out_.bytes().i16(-1);
  else
    out_.bytes().i32(-1);
}

void Encoder::length32(std::size_t length, std::string_view name) {
  if (length >= 0x7fffffff) return fail(EncodeError::Code::too_long, name);
  if (is_compact())
    out_.bytes().varint(length + 1);
  else
    out_.bytes().i32(static_cast<std::int32_t>(length));
}

}  // namespace braid::kafka
