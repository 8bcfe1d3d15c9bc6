// Braid, Apache-2.0.
//
// Checksums over what the catalog holds. SQLite notices a broken page structure, but not a flipped bit in a value.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "persistence/catalog/state.hpp"
#include "persistence/catalog/topic.hpp"

namespace braid {

/// Over everything of a topic that is stored. `scratch` saves an allocation per topic when many are loaded.
std::uint32_t checksum(const Topic& topic, std::string& scratch);
/// Over the state's own row.
std::uint32_t checksum(const CatalogState& state);

/// Shares of `CatalogState::digest`. The sum of them does not depend on order, so that a change costs what it touches.
std::uint64_t digest_of_topic(const Topic& topic, std::uint32_t checksum);
std::uint64_t digest_of_setting(std::string_view key, std::string_view value);
std::uint64_t digest_of_quota(std::string_view entity, std::string_view key, std::string_view value);
std::uint64_t digest_of_definition(std::uint8_t kind, std::span<const std::uint8_t> key,
                                   std::span<const std::uint8_t> value);

}  // namespace braid
