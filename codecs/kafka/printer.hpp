// Braid, Apache-2.0.
//
// Prints a described struct on one line for logs. What a peer sent is escaped and cut short, so that a request can
// neither forge a log line nor fill the disk.
#pragma once

#include <string>
#include <type_traits>

#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/traits.hpp"

namespace braid::kafka {

class Printer {
 public:
  static constexpr std::size_t longest_text = 64;
  static constexpr std::size_t longest_array = 16;

  explicit Printer(std::int16_t version) : version_(version) {}

  template <class T>
  void structure(const T& value) {
    out_ += '{';
    Fields<T> fields{*this, value};
    T::describe(fields);
    out_ += '}';
  }
  std::string finish() { return std::move(out_); }

 private:
  template <class T>
  struct Fields {
    Printer& out;
    const T& self;
    bool first = true;

    template <class M>
    void operator()(M T::*member, std::string_view name, const Field& field) {
      if (!field.versions.contains(out.version_)) return;
      if (field.tag != untagged && self.*member == defaults_of<T>().*member) return;
      if (!first) out.out_ += ", ";
      first = false;
      out.out_ += name;
      out.out_ += '=';
      out.value(self.*member);
    }
  };

  template <class T>
  void value(const T& in) {
    if constexpr (std::is_same_v<T, bool>) {
      out_ += in ? "true" : "false";
    } else if constexpr (std::is_enum_v<T>) {
      out_ += std::to_string(static_cast<std::underlying_type_t<T>>(in));
    } else if constexpr (std::is_arithmetic_v<T>) {
      out_ += std::to_string(in);
    } else if constexpr (is_uuid<T>) {
      uuid(uuid_bytes(in));
    } else if constexpr (Described<T>) {
      structure(in);
    } else if constexpr (is_optional<T>) {
      if (in)
        value(*in);
      else
        out_ += "null";
    } else if constexpr (std::is_same_v<T, Text>) {
      text(in.view());
    } else if constexpr (is_array<T>) {
      out_ += '[';
      for (std::size_t i = 0; i < in.size() && i < longest_array; ++i) {
        if (i) out_ += ", ";
        value(in[i]);
      }
      if (in.size() > longest_array) out_ += ", ... " + std::to_string(in.size()) + " in all";
      out_ += ']';
    } else {
      out_ += '<' + std::to_string(in.size()) + " bytes>";
    }
  }
  void text(std::string_view);
  void uuid(const Uuid&);

  std::int16_t version_;
  std::string out_;
};

template <class Message>
std::string print(const Message& message, std::int16_t version) {
  Printer printer(version);
  printer.structure(message);
  return printer.finish();
}

}  // namespace braid::kafka
