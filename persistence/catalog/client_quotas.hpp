// Braid, Apache-2.0.
//
// How much Kafka clients may ask of the cluster, by who they are: rates for a user, for a client id, for both together,
// or for all that have no rate of their own (KIP-13, KIP-546). Kept in the catalog, held to by every node's sessions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/result.hpp"

namespace braid {

/// Kafka's words for whom a quota is; an ip has none that is enforced here.
inline constexpr std::string_view kQuotaUser = "user", kQuotaClientId = "client-id";

/// Type to name; no name stands for everybody of that type who has no quota of their own.
using QuotaEntity = std::map<std::string, std::optional<std::string>, std::less<>>;
using QuotaValues = std::map<std::string, double, std::less<>>;
using ClientQuotas = std::map<QuotaEntity, QuotaValues>;
/// As it was at some moment: a change makes another.
using ClientQuotasRef = std::shared_ptr<const ClientQuotas>;

/// One rate that can be limited.
struct QuotaInfo {
  std::string_view key;
  std::string_view text;
};
std::span<const QuotaInfo> quota_table();

/// What is wrong with the entity, or with a value for it; empty when nothing is.
std::string quota_entity_problem(const QuotaEntity& entity);
std::string quota_value_problem(std::string_view key, double value);

/// "client-id=abc,user": how an entity is stored. Bytes beyond letters, digits, '.', '_' and '-' are escaped.
std::string encode_quota_entity(const QuotaEntity& entity);
std::optional<QuotaEntity> decode_quota_entity(std::string_view text);
/// The same number, exactly.
std::string encode_quota_value(double value);
std::optional<double> decode_quota_value(std::string_view text);

/// Applies one change: a value, or nothing to remove it.
void set_quota(ClientQuotas& quotas, const QuotaEntity& entity, std::string_view key, std::optional<double> value);

}  // namespace braid
