// Braid, Apache-2.0.
#include "unit/codecs/kafka_messages.hpp"

#include <catch2/catch.hpp>

#include "codecs/kafka/header.hpp"
#include "codecs/kafka/messages/consumer_protocol.hpp"
#include "codecs/kafka/registry.hpp"

namespace braid::kafka::test {

namespace {

Bytes join(FrameWriter& writer) {
  const std::size_t size = writer.size();
  ByteWriter whole(size + 1);
  for (const Bytes& part : writer.finish()) whole.raw(part);
  REQUIRE(whole.size() == size);
  return whole.finish();
}

template <class Message>
Result<Bytes, DecodeError> decode_encode(const Bytes& bytes, std::int16_t version, std::string& printed) {
  ByteReader reader(bytes);
  const auto message = decode<Message>(reader, version);
  if (!message) return Unexpected{message.error()};
  printed = print(*message, version);
  FrameWriter writer;
  if (const auto outcome = encode(writer, *message, version); !outcome) FAIL(to_string(outcome.error()));
  return join(writer);
}

template <class Message>
void add(std::vector<MessageUnderTest>& messages) {
  messages.push_back({Message::info, schema_of<Message>(), decode_encode<Message>});
}

class Sampler {
 public:
  Sampler(std::int16_t version, bool flexible, std::mt19937_64& random)
      : version_(version), flexible_(flexible), random_(random) {}

  Sample structure(const std::vector<FieldSchema>& fields) {
    Sample sample;
    std::string tagged;
    std::uint64_t tags = 0;
    sample.printed = "{";
    for (const FieldSchema& field : fields) {
      if (!field.field.versions.contains(version_)) continue;
      const bool is_tagged = field.field.tag != untagged;
      if (is_tagged && below(2) == 0) continue;
      const Sample value = is_tagged ? other_than_default(field) : any(field);
      if (sample.printed.size() > 1) sample.printed += ", ";
      sample.printed += std::string(field.name) + "=" + value.printed;
      if (is_tagged) {
        tagged += varint(static_cast<std::uint64_t>(field.field.tag)) + varint(value.bytes.size()) + value.bytes;
        ++tags;
      } else {
        sample.bytes += value.bytes;
      }
    }
    sample.printed += '}';
    if (flexible_) sample.bytes += varint(tags) + tagged;
    return sample;
  }

 private:
  /// A tagged field is sent only when it differs from its default.
  Sample other_than_default(const FieldSchema& field) {
    for (;;) {
      Sample sample = any(field);
      const bool empty = sample.printed == "[]" || sample.printed == "\"\"" || sample.printed.starts_with("00000000-");
      if (!empty && sample.printed != field.default_value) return sample;
    }
  }

  Sample any(const FieldSchema& field) {
    const bool compact = flexible_ && !field.field.rigid;
    const bool nullable = field.field.nullable.contains(version_);
    const bool array = field.type.starts_with("[]");
    const std::string element = array ? field.type.substr(2) : field.type;
    if (nullable && below(3) == 0) {
      const bool structure = !array && element == "struct";
      return {structure                       ? "\xff"
              : compact                       ? std::string(1, '\0')
              : !array && element == "string" ? integer(-1, 2)
                                              : integer(-1, 4),
              "null"};
    }
    if (array) {
      const std::uint64_t count = below(4);
      Sample sample{compact ? varint(count + 1) : integer(static_cast<std::int64_t>(count), 4), "["};
      for (std::uint64_t i = 0; i < count; ++i) {
        const Sample one = single(field, element, compact);
        sample.bytes += one.bytes;
        sample.printed += (i ? ", " : "") + one.printed;
      }
      sample.printed += ']';
      return sample;
    }
    Sample sample = single(field, element, compact);
    if (element == "struct" && nullable) sample.bytes.insert(0, 1, '\1');
    return sample;
  }

  Sample single(const FieldSchema& field, const std::string& type, bool compact) {
    if (type == "struct") return structure(field.fields);
    if (type == "bool") return below(2) ? Sample{"\1", "true"} : Sample{std::string(1, '\0'), "false"};
    if (type == "int8") return number<std::int8_t>();
    if (type == "int16") return number<std::int16_t>();
    if (type == "uint16") return number<std::uint16_t>();
    if (type == "int32") return number<std::int32_t>();
    if (type == "int64") return number<std::int64_t>();
    if (type == "float64") {
      const double value = static_cast<double>(below(1'000'000)) / 8;
      return {integer(std::bit_cast<std::int64_t>(value), 8), std::to_string(value)};
    }
    if (type == "uuid") {
      std::string bytes = letters(16);
      bytes.resize(16, 'z');
      static constexpr char hex[] = "0123456789abcdef";
      std::string printed;
      for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) printed += '-';
        printed += {hex[bytes[i] >> 4], hex[bytes[i] & 15]};
      }
      return {bytes, printed};
    }
    if (type == "string") {
      const std::string text = letters(40);
      return {(compact ? varint(text.size() + 1) : integer(static_cast<std::int64_t>(text.size()), 2)) + text,
              '"' + text + '"'};
    }
    REQUIRE((type == "bytes" || type == "records"));
    const std::string payload(below(8) ? below(40) : below(5000), static_cast<char>(below(256)));
    return {(compact ? varint(payload.size() + 1) : integer(static_cast<std::int64_t>(payload.size()), 4)) + payload,
            "<" + std::to_string(payload.size()) + " bytes>"};
  }

  template <class T>
  Sample number() {
    const auto kind = below(4);
    const T value = kind == 0   ? std::numeric_limits<T>::min()
                    : kind == 1 ? std::numeric_limits<T>::max()
                                : static_cast<T>(random_());
    return {integer(value, sizeof(T)), std::to_string(value)};
  }
  static std::string integer(std::int64_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = size; i > 0; --i) bytes += static_cast<char>(value >> (8 * (i - 1)));
    return bytes;
  }
  static std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 128; value /= 128) bytes += static_cast<char>(value % 128 + 128);
    return bytes += static_cast<char>(value);
  }
  std::string letters(std::size_t longest) {
    std::string text(below(longest + 1), ' ');
    for (char& c : text) c = static_cast<char>('a' + below(26));
    return text;
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::int16_t version_;
  bool flexible_;
  std::mt19937_64& random_;
};

}  // namespace

const std::vector<MessageUnderTest>& all_messages() {
  static const std::vector<MessageUnderTest> messages = [] {
    std::vector<MessageUnderTest> all;
    add<RequestHeader>(all);
    add<ResponseHeader>(all);
    add<ConsumerProtocolSubscription>(all);
    add<ConsumerProtocolAssignment>(all);
    Apis::for_each([&](auto api) {
      add<typename decltype(api)::Request>(all);
      add<typename decltype(api)::Response>(all);
    });
    return all;
  }();
  return messages;
}

Sample make_sample(const MessageUnderTest& message, std::int16_t version, std::mt19937_64& random) {
  return Sampler(version, message.info.flexible(version), random).structure(message.fields);
}

}  // namespace braid::kafka::test
