// Braid, Apache-2.0.
//
// The control packets as structs. They own nothing: text, payloads and lists are views into the buffer that the packet
// was decoded from, so that decoding never allocates. Whoever keeps something beyond the buffer shares it with
// `slice_of` (no copy) or copies it. Lists were checked when the packet was decoded and are walked in place.
#pragma once

#include <cassert>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include "codecs/mqtt/properties.hpp"
#include "codecs/mqtt/topic.hpp"
#include "codecs/mqtt/types.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid::mqtt {

/// The part of `source` that a decoded view shows, sharing its block.
inline Bytes slice_of(const Bytes& source, std::string_view part) {
  if (part.empty()) return {};
  const auto* at = reinterpret_cast<const std::uint8_t*>(part.data());
  assert(!std::less<>{}(at, source.data()) && !std::less<>{}(source.data() + source.size(), at + part.size()));
  return source.slice(static_cast<std::size_t>(at - source.data()), part.size());
}

struct Will {
  std::string_view topic;
  std::string_view payload;
  QoS qos = QoS::at_most_once;
  bool retain = false;
  Properties properties;
};

struct Connect {
  ProtocolLevel level = ProtocolLevel::v5;
  bool clean_start = true;
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id;  ///< empty: the server assigns one
  std::optional<Will> will;
  std::optional<std::string_view> user_name;
  std::optional<std::string_view> password;
  Properties properties;
};

struct Connack {
  bool session_present = false;
  ReasonCode reason = ReasonCode::success;  ///< on the wire a return code for MQTT 3
  Properties properties;
};

struct Publish {
  std::string_view topic;  ///< may be empty when a topic alias stands for it
  std::string_view payload;
  PacketId packet_id;  ///< 0 for QoS 0
  QoS qos = QoS::at_most_once;
  bool duplicate = false;
  bool retain = false;
  Properties properties;
};

/// PUBACK, PUBREC, PUBREL and PUBCOMP differ in their type alone.
template <PacketType Type>
struct Acknowledgement {
  static constexpr PacketType type = Type;
  PacketId packet_id;
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};
using Puback = Acknowledgement<PacketType::puback>;
using Pubrec = Acknowledgement<PacketType::pubrec>;
using Pubrel = Acknowledgement<PacketType::pubrel>;
using Pubcomp = Acknowledgement<PacketType::pubcomp>;

enum class RetainHandling : std::uint8_t { send = 0, send_if_new = 1, do_not_send = 2 };

struct SubscriptionOptions {
  QoS maximum_qos = QoS::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::send;

  constexpr std::uint8_t encoded() const {
    return static_cast<std::uint8_t>(static_cast<unsigned>(maximum_qos) | (no_local ? 4u : 0u) |
                                     (retain_as_published ? 8u : 0u) | static_cast<unsigned>(retain_handling) << 4);
  }
  static constexpr SubscriptionOptions from(std::uint8_t byte) {
    return {static_cast<QoS>(byte & 3), (byte & 4) != 0, (byte & 8) != 0, static_cast<RetainHandling>((byte >> 4) & 3)};
  }
  friend constexpr bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

/// One line of a SUBSCRIBE. A filter that breaks the rules of section 4.7 does not spoil the packet: its own answer
/// is Topic Filter Invalid, the others are served [MQTT-3.8.4-6].
struct SubscriptionRequest {
  std::string_view filter;
  SubscriptionOptions options;
  TopicFault fault = TopicFault::none;
};
/// One line of an UNSUBSCRIBE.
struct UnsubscriptionRequest {
  std::string_view filter;
  TopicFault fault = TopicFault::none;
};

/// A range over the lines of a SUBSCRIBE or UNSUBSCRIBE as they lie in the packet.
template <class Request>
class RequestList {
 public:
  RequestList() = default;
  RequestList(std::string_view encoded, std::uint32_t count, std::uint32_t max_levels)
      : encoded_(encoded), count_(count), max_levels_(max_levels) {}

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Request;
    using difference_type = std::ptrdiff_t;
    using pointer = const Request*;
    using reference = Request;

    Iterator(std::string_view rest, std::uint32_t max_levels) : rest_(rest), max_levels_(max_levels) {}
    Request operator*() const {
      Request request;
      request.filter = rest_.substr(2, length());
      request.fault = check_topic_filter(request.filter, max_levels_);
      if constexpr (has_options)
        request.options = SubscriptionOptions::from(static_cast<std::uint8_t>(rest_[2 + length()]));
      return request;
    }
    Iterator& operator++() {
      rest_.remove_prefix(2 + length() + (has_options ? 1 : 0));
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return a.rest_.empty(); }

   private:
    std::size_t length() const { return load_big<std::uint16_t>(reinterpret_cast<const std::uint8_t*>(rest_.data())); }
    std::string_view rest_;
    std::uint32_t max_levels_;
  };

  Iterator begin() const { return {encoded_, max_levels_}; }
  std::default_sentinel_t end() const { return {}; }
  std::uint32_t size() const { return count_; }
  std::string_view encoded() const { return encoded_; }

  static constexpr bool has_options = requires(Request request) { request.options; };

 private:
  std::string_view encoded_;
  std::uint32_t count_ = 0;
  std::uint32_t max_levels_ = default_max_topic_levels;
};

struct Subscribe {
  PacketId packet_id;
  RequestList<SubscriptionRequest> requests;
  Properties properties;
};
struct Unsubscribe {
  PacketId packet_id;
  RequestList<UnsubscriptionRequest> requests;
  Properties properties;
};

/// One byte per request, in the order of the requests.
struct ReasonList {
  std::string_view encoded;
  std::size_t size() const { return encoded.size(); }
  ReasonCode operator[](std::size_t index) const {
    return static_cast<ReasonCode>(static_cast<std::uint8_t>(encoded[index]));
  }
};
struct Suback {
  PacketId packet_id;
  ReasonList reasons;
  Properties properties;
};
struct Unsuback {
  PacketId packet_id;
  ReasonList reasons;  ///< empty before MQTT 5
  Properties properties;
};

struct Pingreq {};
struct Pingresp {};
struct Disconnect {
  ReasonCode reason = ReasonCode::normal_disconnection;
  Properties properties;
};
struct Auth {
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};

/// In the order of the packet types: a packet's index is its type less one.
using Packet = std::variant<Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback, Unsubscribe,
                            Unsuback, Pingreq, Pingresp, Disconnect, Auth>;
static_assert(std::is_trivially_destructible_v<Packet>, "packets own nothing");

inline PacketType type_of(const Packet& packet) {
  return static_cast<PacketType>(packet.index() + 1);
}

}  // namespace braid::mqtt
