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
    literal("{");
    Fields<T> fields{*this, value};
    T::describe(fields);
    literal("}");
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
      out.name(name, first);
      first = false;
      out.value(self.*member);
    }
  };

  template <class T>
  void value(const T& in) {
    if constexpr (std::is_same_v<T, bool>)
      literal(in ? "true" : "false");
    else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
      integer(static_cast<std::int64_t>(in));
    else if constexpr (std::is_same_v<T, double>)
      real(in);
    else if constexpr (is_uuid<T>)
      uuid(uuid_bytes(in));
    else if constexpr (Described<T>)
      structure(in);
    else if constexpr (is_optional<T>)
      in ? value(*in) : literal("null");
    else if constexpr (std::is_same_v<T, Text>)
      text(in.view());
    else if constexpr (is_array<T>)
      array(in);
    else
      payload(in.size());
  }
  template <class T>
  void array(const std::vector<T>& in) {
    literal("[");
    for (std::size_t i = 0; i < in.size() && i < longest_array; ++i) {
      if (i) literal(", ");
      value(in[i]);
    }
    end_array(in.size());
  }
  void name(std::string_view, bool first);
  void literal(std::string_view);
  void integer(std::int64_t);
  void real(double);
  void payload(std::size_t bytes);
  void end_array(std::size_t count);
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
