// Braid, Apache-2.0.
#include "codecs/kafka/printer.hpp"

namespace braid::kafka {

namespace {
constexpr char hex_digits[] = "0123456789abcdef";
}

void Printer::name(std::string_view name, bool first) {
  if (!first) out_ += ", ";
  out_ += name;
  out_ += '=';
}

void Printer::literal(std::string_view text) {
  out_ += text;
}
void Printer::integer(std::int64_t number) {
  out_ += std::to_string(number);
}
void Printer::real(double number) {
  out_ += std::to_string(number);
}
void Printer::payload(std::size_t bytes) {
  out_ += '<' + std::to_string(bytes) + " bytes>";
}

void Printer::end_array(std::size_t count) {
  if (count > longest_array) out_ += ", ... " + std::to_string(count) + " in all";
  out_ += ']';
}

void Printer::text(std::string_view text) {
  out_ += '"';
  for (const char c : text.substr(0, longest_text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out_ += "\\x";
      out_ += hex_digits[byte >> 4];
      out_ += hex_digits[byte & 15];
    } else {
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
  }
  out_ += '"';
  if (text.size() > longest_text) out_ += "... " + std::to_string(text.size()) + " bytes";
}

void Printer::uuid(const Uuid& id) {
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out_ += '-';
    out_ += hex_digits[id[i] >> 4];
    out_ += hex_digits[id[i] & 15];
  }
}

}  // namespace braid::kafka
