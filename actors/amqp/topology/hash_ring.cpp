// Braid, Apache-2.0.
//
// See hash_ring.hpp.
#include "actors/amqp/topology/hash_ring.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "actors/routing/index/hash.hpp"

namespace braid::amqp {

namespace {

std::uint64_t jump(std::uint64_t key, std::uint64_t buckets) {
  std::int64_t bucket = -1;
  for (std::int64_t next = 0; next < static_cast<std::int64_t>(buckets);) {
    bucket = next;
    key = key * 2862933555777941757u + 1;
    next = static_cast<std::int64_t>(static_cast<double>(bucket + 1) *
                                     (static_cast<double>(1ll << 31) / static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<std::uint64_t>(bucket);
}

/// As Erlang reads an integer: an optional sign, then digits.
std::optional<std::int64_t> integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return text.starts_with('-') ? -1 : INT64_MAX;
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace

Refusal HashRing::check_weight(std::string_view binding_key) {
  const auto weight = integer(binding_key);
  const auto refused = [](std::string text) { return TopologyError{ReplyCode::precondition_failed, std::move(text)}; };
  if (!weight) return refused("The binding key must be an integer: <<\"" + std::string(binding_key) + "\">>");
  if (*weight < 1) return refused("The binding key must be greater than 0");
  if (*weight > max_weight) return refused("The binding key must not exceed " + std::to_string(max_weight));
  return {};
}

void HashRing::add(Destination destination, std::string_view binding_key) {
  if (!members_.insert(destination.word()).second) return;
  const auto weight = integer(binding_key);
  assert(weight && *weight >= 1);
  shares_.push_back({(shares_.empty() ? 0 : shares_.back().end) + static_cast<std::uint64_t>(*weight), destination});
}

void HashRing::clear() {
  shares_.clear();
  members_.clear();
}

Destination HashRing::choose(std::uint64_t hash) const {
  const std::uint64_t bucket = jump(hash, shares_.back().end);
  return std::upper_bound(shares_.begin(), shares_.end(), bucket,
                          [](std::uint64_t at, const Share& share) { return at < share.end; })
      ->destination;
}

std::uint64_t stable_hash(std::string_view text) {
  return routing::hash_text(text, 0);
}

}  // namespace braid::amqp
