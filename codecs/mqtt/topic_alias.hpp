// Braid, Apache-2.0.
//
// Topic aliases of one connection, section 3.3.2.3.4: numbers that stand for topic names, one map for each direction,
// gone with the connection [MQTT-3.3.2-7]. Both maps are bounded by the maximum that their receiver announced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codecs/mqtt/packets.hpp"

namespace braid::mqtt {

/// What the peer's aliases stand for.
class InboundAliases {
 public:
  /// `maximum` is the Topic Alias Maximum that we announced; the decoder refuses aliases above it.
  explicit InboundAliases(std::uint16_t maximum) : maximum_(maximum) {}

  /// Learns from a packet with topic name and alias, and fills in the topic name of one that has the alias alone; that
  /// view then shows this map and is good until the alias is given another name.
  Check resolve(Publish& packet) {
    const auto alias = packet.properties.topic_alias;
    if (alias == 0) return {};
    if (alias > maximum_)
      return DecodeError{ReasonCode::topic_alias_invalid, "a Topic Alias above the maximum [MQTT-3.3.2-9]"};
    if (!packet.topic.empty()) {
      if (names_.size() < alias) names_.resize(alias);
      names_[alias - 1] = packet.topic;
      return {};
    }
    if (alias > names_.size() || names_[alias - 1].empty())
      return protocol_error("a Topic Alias that stands for nothing yet (3.3.2.3.4)");
    packet.topic = names_[alias - 1];
    return {};
  }

 private:
  std::uint16_t maximum_;
  std::vector<std::string> names_;
};

/// Aliases that we give to topic names, first come, first served: they are worth most for the names that a connection
/// sees all the time, and those come early.
class OutboundAliases {
 public:
  /// `maximum` is the client's Topic Alias Maximum; 0 when it gave none [MQTT-3.3.2-11].
  explicit OutboundAliases(std::uint16_t maximum) : maximum_(maximum) {}

  struct Use {
    std::uint16_t alias = 0;  ///< 0: none, send the name
    bool known = false;       ///< the client knows it: send an empty name
  };
  /// What to send for a name. The alias is not known to the client before `sent` says so, since a packet that is
  /// dropped between the two would leave the client without the name.
  Use use(std::string_view topic) const {
    const auto found = aliases_.find(topic);
    if (found != aliases_.end()) return {found->second, true};
    if (aliases_.size() >= maximum_) return {};
    return {static_cast<std::uint16_t>(aliases_.size() + 1), false};
  }
  void sent(std::string_view topic, Use use) {
    if (use.alias != 0 && !use.known) aliases_.emplace(topic, use.alias);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::uint16_t maximum_;
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> aliases_;
};

}  // namespace braid::mqtt
