// Braid, Apache-2.0.
//
// Prints the fields of a method on one line for logs. What a peer sent is escaped and cut short, so that a method can
// neither forge a log line nor fill the disk.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "codecs/amqp/table.hpp"
#include "codecs/amqp/types.hpp"

namespace braid::amqp {

class FieldPrinter {
 public:
  explicit FieldPrinter(std::string_view name) : text_(name) { text_ += '{'; }

  template <class T>
  void all(const T& fields) {
    Each<T> each{*this, fields};
    T::describe(each);
  }
  template <class M>
  void print(std::string_view name, const M& value) {
    if (text_.back() != '{') text_ += ", ";
    text_.append(name) += '=';
    show(value);
  }
  std::string finish() {
    text_ += '}';
    return std::move(text_);
  }

 private:
  template <class T>
  struct Each {
    FieldPrinter& out;
    const T& self;
    template <class M>
    void operator()(M T::*member, std::string_view name) {
      out.print(name, self.*member);
    }
  };
  template <std::unsigned_integral Integer>
  void show(Integer value) {
    if constexpr (std::same_as<Integer, bool>)
      text_ += value ? "true" : "false";
    else
      text_ += std::to_string(value);
  }
  void show(ReplyCode value) { text_ += std::to_string(static_cast<unsigned>(value)); }
  void show(DeliveryTag value) { text_ += std::to_string(value.value); }
  void show(std::string_view value) { FieldValue::text(value).print(text_); }
  void show(LongString value) { FieldValue::text(value.text).print(text_); }
  void show(const Table& value) { FieldValue::table(value).print(text_); }

  std::string text_;
};

}  // namespace braid::amqp
