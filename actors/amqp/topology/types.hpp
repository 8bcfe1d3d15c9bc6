// Braid, Apache-2.0.
//
// The words of routing: exchanges and queues by number, what an exchange is declared with, and why a request is
// refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codecs/amqp/errors.hpp"
#include "codecs/amqp/table.hpp"
#include "model/result.hpp"

namespace braid::amqp {

enum class ExchangeType : std::uint8_t { direct, fanout, topic, headers, consistent_hash, delayed };

std::string_view name_of(ExchangeType);
std::optional<ExchangeType> exchange_type(std::string_view name);

/// Numbers are good while what they name exists, and are used again afterwards.
enum class QueueNumber : std::uint32_t {};
enum class ExchangeNumber : std::uint32_t {};

/// Where a binding leads: a queue or an exchange, in one word.
class Destination {
 public:
  Destination() = default;
  Destination(QueueNumber number) : word_(static_cast<std::uint32_t>(number)) {}
  Destination(ExchangeNumber number) : word_(static_cast<std::uint32_t>(number) | exchange_bit) {}
  static Destination from_word(std::uint32_t word) {
    Destination made;
    made.word_ = word;
    return made;
  }
  bool is_exchange() const { return word_ & exchange_bit; }
  QueueNumber queue() const { return static_cast<QueueNumber>(word_); }
  ExchangeNumber exchange() const { return static_cast<ExchangeNumber>(word_ & ~exchange_bit); }
  std::uint32_t word() const { return word_; }
  friend bool operator==(const Destination&, const Destination&) = default;

 private:
  static constexpr std::uint32_t exchange_bit = 0x80000000;
  std::uint32_t word_ = 0;
};

/// The reply code and the text behind it, without the code's name: what `reply_text` takes.
struct TopologyError {
  ReplyCode code = ReplyCode::internal_error;
  std::string text;
};
using Refusal = std::optional<TopologyError>;
inline TopologyError no_vhost(const std::string& name) {
  return {ReplyCode::not_allowed, "vhost " + name + " not found"};
}

struct ExchangeDeclaration {
  std::string_view name;
  std::string_view type;
  bool durable = false;
  bool auto_delete = false;
  bool internal = false;
  Table arguments = {};
};

/// Who asks, for what only the connection that declared a queue may do. 0 is nobody.
enum class ConnectionNumber : std::uint64_t { none = 0 };

}  // namespace braid::amqp
