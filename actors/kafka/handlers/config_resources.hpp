// Braid, Apache-2.0.
//
// What has settings over Kafka's protocol: the kinds of resources, and what may be said about one before its settings
// are looked at. Topics have settings; so has the cluster, as the broker without a name; a broker by its number tells
// what its node was started with. Groups and client metrics have none here, broker loggers neither.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/kafka/session.hpp"
#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

/// Kafka's numbers.
enum class ConfigResource : std::int8_t { topic = 2, broker = 4, broker_logger = 8, client_metrics = 16, group = 32 };

struct ConfigRefusal {
  ErrorCode error = ErrorCode::none;
  std::string reason;
  explicit operator bool() const { return error != ErrorCode::none; }
};

/// Is there such a resource? The type is a peer's and may be no ConfigResource.
ConfigRefusal check_config_resource(const Session&, std::int8_t type, std::string_view name);

/// The broker without a name: the defaults of the whole cluster.
inline bool is_whole_cluster(std::int8_t type, std::string_view name) {
  return type == static_cast<std::int8_t>(ConfigResource::broker) && name.empty();
}

}  // namespace braid::kafka
