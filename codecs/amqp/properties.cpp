// Braid, Apache-2.0.
#include "codecs/amqp/properties.hpp"

#include "codecs/amqp/field_printer.hpp"
#include "codecs/amqp/field_reader.hpp"
#include "codecs/amqp/field_writer.hpp"

namespace braid::amqp {

namespace {

constexpr std::size_t fixed_header_bytes = 12;  ///< class, weight, body size
/// Another word of flags would follow bit 0, and no property has bit 1.
constexpr std::uint16_t unknown_flags = 0x0003;

struct ReadPresent {
  FieldReader& in;
  BasicProperties& self;
  template <class M>
  void operator()(M BasicProperties::*member, std::string_view, PropertyFlag flag) {
    if (self.has(flag)) in.read(self.*member);
  }
};

struct SizePresent {
  FieldSizer& out;
  const BasicProperties& self;
  template <class M>
  void operator()(M BasicProperties::*member, std::string_view, PropertyFlag flag) {
    if (self.has(flag)) out.add(self.*member);
  }
};

struct WritePresent {
  FieldWriter& out;
  const BasicProperties& self;
  template <class M>
  void operator()(M BasicProperties::*member, std::string_view, PropertyFlag flag) {
    if (self.has(flag)) out.write(self.*member);
  }
};

struct PrintPresent {
  FieldPrinter& out;
  const BasicProperties& self;
  template <class M>
  void operator()(M BasicProperties::*member, std::string_view name, PropertyFlag flag) {
    if (self.has(flag)) out.print(name, self.*member);
  }
};

}  // namespace

Check decode_properties(std::string_view encoded, const TableLimits& limits, BasicProperties& into) {
  if (encoded.size() < 2) return DecodeError{ReplyCode::frame_error, "a content header without property flags", {}};
  into = BasicProperties{};
  into.flags = load_big<std::uint16_t>(reinterpret_cast<const std::uint8_t*>(encoded.data()));
  if (into.flags & unknown_flags)
    return DecodeError{ReplyCode::syntax_error, "property flags that no property has", {}};
  FieldReader reader(encoded.substr(2), limits);
  ReadPresent read{reader, into};
  BasicProperties::describe(read);
  return reader.finish();
}

Check decode_content_header(std::string_view payload, const TableLimits& limits, ContentHeader& into) {
  if (payload.size() < fixed_header_bytes) return DecodeError{ReplyCode::frame_error, "a content header cut short", {}};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
  into.class_id = load_big<std::uint16_t>(bytes);
  if (load_big<std::uint16_t>(bytes + 2) != 0)
    return DecodeError{ReplyCode::frame_error, "a content header whose weight is not 0", {}};
  into.body_bytes = load_big<std::uint64_t>(bytes + 4);
  into.encoded = payload.substr(fixed_header_bytes);
  return decode_properties(into.encoded, limits, into.properties);
}

void encode_properties(ByteWriter& out, const BasicProperties& properties) {
  FieldSizer sizer;
  SizePresent size{sizer, properties};
  BasicProperties::describe(size);
  FieldWriter writer(out.grow(2 + sizer.bytes()));
  writer.write(properties.flags);
  WritePresent write{writer, properties};
  BasicProperties::describe(write);
}

std::string print(const BasicProperties& properties) {
  FieldPrinter printer("properties");
  PrintPresent present{printer, properties};
  BasicProperties::describe(present);
  return printer.finish();
}

}  // namespace braid::amqp
