// Braid, Apache-2.0.
//
// The content header of a message: how long its body is, and its fourteen properties, each there or not. What a broker
// needs of them is decoded; what it hands on is the block as it came, byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "codecs/amqp/errors.hpp"
#include "codecs/amqp/table.hpp"

namespace braid::amqp {

/// The bits of the property flags, the first property in the highest (4.2.6.1).
enum class PropertyFlag : std::uint16_t {
  content_type = 1 << 15,
  content_encoding = 1 << 14,
  headers = 1 << 13,
  delivery_mode = 1 << 12,
  priority = 1 << 11,
  correlation_id = 1 << 10,
  reply_to = 1 << 9,
  expiration = 1 << 8,
  message_id = 1 << 7,
  timestamp = 1 << 6,
  type = 1 << 5,
  user_id = 1 << 4,
  app_id = 1 << 3,
  cluster_id = 1 << 2,
};

inline constexpr std::uint8_t transient_delivery = 1;
inline constexpr std::uint8_t persistent_delivery = 2;

struct BasicProperties {
  std::uint16_t flags = 0;  ///< of those that are there
  std::string_view content_type;
  std::string_view content_encoding;
  Table headers;
  std::uint8_t delivery_mode = 0;
  std::uint8_t priority = 0;
  std::string_view correlation_id;
  std::string_view reply_to;
  std::string_view expiration;
  std::string_view message_id;
  std::uint64_t timestamp = 0;  ///< seconds since 1970
  std::string_view type;
  std::string_view user_id;
  std::string_view app_id;
  std::string_view cluster_id;

  bool has(PropertyFlag flag) const { return flags & static_cast<std::uint16_t>(flag); }
  void set(PropertyFlag flag) { flags |= static_cast<std::uint16_t>(flag); }
  bool persistent() const { return delivery_mode == persistent_delivery; }

  template <class V>
  static constexpr void describe(V& v) {
    using P = BasicProperties;
    v(&P::content_type, "content-type", PropertyFlag::content_type);
    v(&P::content_encoding, "content-encoding", PropertyFlag::content_encoding);
    v(&P::headers, "headers", PropertyFlag::headers);
    v(&P::delivery_mode, "delivery-mode", PropertyFlag::delivery_mode);
    v(&P::priority, "priority", PropertyFlag::priority);
    v(&P::correlation_id, "correlation-id", PropertyFlag::correlation_id);
    v(&P::reply_to, "reply-to", PropertyFlag::reply_to);
    v(&P::expiration, "expiration", PropertyFlag::expiration);
    v(&P::message_id, "message-id", PropertyFlag::message_id);
    v(&P::timestamp, "timestamp", PropertyFlag::timestamp);
    v(&P::type, "type", PropertyFlag::type);
    v(&P::user_id, "user-id", PropertyFlag::user_id);
    v(&P::app_id, "app-id", PropertyFlag::app_id);
    v(&P::cluster_id, "cluster-id", PropertyFlag::cluster_id);
  }
};

struct ContentHeader {
  std::uint16_t class_id = 0;
  std::uint64_t body_bytes = 0;
  std::string_view encoded;  ///< the property flags and the properties, to hand on as they are
  BasicProperties properties;
};

/// No properties at all, encoded.
inline constexpr std::string_view no_properties{"\0\0", 2};

/// Flags and properties; views show `encoded`.
Check decode_properties(std::string_view encoded, const TableLimits&, BasicProperties& into);
/// The payload of a content header frame.
Check decode_content_header(std::string_view payload, const TableLimits&, ContentHeader& into);

/// Flags and properties, for a message that begins here or that changes on its way.
void encode_properties(ByteWriter&, const BasicProperties&);

std::string print(const BasicProperties&);

}  // namespace braid::amqp
