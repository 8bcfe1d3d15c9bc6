// Braid, Apache-2.0.
//
// One request that a session is working on, as handlers pass it around: small, copied freely, and useless once the
// connection is gone (answers to it are dropped then).
#pragma once

#include <cstdint>

#include "codecs/kafka/api_keys.hpp"

namespace braid::kafka {

struct Call {
  ApiKey key = ApiKey::api_versions;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
  /// Place in the order of the connection's requests, in which they have to be answered.
  std::uint64_t number = 0;
  std::size_t request_bytes = 0;
};

}  // namespace braid::kafka
