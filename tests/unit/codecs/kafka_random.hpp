// Braid, Apache-2.0.
//
// Fills a described message with random values that a version can carry, so that every message can be tested at every
// version without writing one by hand: fields that the version lacks keep their default.
#pragma once

#include <limits>
#include <random>
#include <string>

#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/traits.hpp"

namespace braid::kafka::test {

class RandomMessage {
 public:
  RandomMessage(std::uint32_t seed, std::int16_t version) : random_(seed), version_(version) {}

  template <class Message>
  Message make() {
    Message message;
    fill(message);
    return message;
  }

 private:
  template <class T>
  struct Fields {
    RandomMessage& random;
    T& self;
    template <class M>
    void operator()(M T::*member, std::string_view, const Field& field) {
      if (!field.versions.contains(random.version_)) return;
      if (field.tag != untagged && random.below(2) == 0) return;
      random.value(self.*member, field.nullable.contains(random.version_));
    }
  };

  template <class T>
  void fill(T& message) {
    Fields<T> fields{*this, message};
    T::describe(fields);
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::string text(std::size_t longest) {
    std::string result(below(longest + 1), ' ');
    for (char& c : result) c = static_cast<char>(below(256));
    return result;
  }

  template <class T>
  void value(T& out, bool nullable) {
    if constexpr (std::is_same_v<T, bool>) {
      out = below(2) != 0;
    } else if constexpr (std::is_same_v<T, double>) {
      out = static_cast<double>(random_()) / 7;
    } else if constexpr (std::is_enum_v<T>) {
      out = static_cast<T>(random_());
    } else if constexpr (std::is_integral_v<T>) {
      const auto kind = below(4);
      out = kind == 0   ? std::numeric_limits<T>::min()
            : kind == 1 ? std::numeric_limits<T>::max()
                        : static_cast<T>(random_());
    } else if constexpr (is_uuid<T>) {
      for (auto& byte : uuid_bytes(out)) byte = static_cast<std::uint8_t>(random_());
    } else if constexpr (Described<T>) {
      fill(out);
    } else if constexpr (is_optional<T>) {
      out.reset();
      if (nullable && below(3) == 0) return;
      out.emplace();
      value(*out, false);
    } else if constexpr (is_array<T>) {
      out.resize(below(4));
      for (auto& element : out) value(element, false);
    } else if constexpr (std::is_same_v<T, Records>) {
      out = Records();
      for (auto i = below(4); i > 0; --i) out.add(Bytes::copy(text(3000)));
    } else if constexpr (std::is_same_v<T, Bytes>) {
      out = Bytes::copy(text(below(8) ? 40 : 5000));
    } else {
      out = T(text(below(8) ? 12 : 300));
    }
  }

  std::mt19937_64 random_;
  std::int16_t version_;
};

}  // namespace braid::kafka::test
