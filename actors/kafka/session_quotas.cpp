// Braid, Apache-2.0.
//
// Quotas in a session: what requests and answers draw from the client's buckets, and the pause of who drew too much
// (KIP-219): the answer goes out at once and says how long, and until then nothing else of the connection is started.
#include <algorithm>
#include <limits>

#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {
/// Until clients say who they are they all are this user, as in Kafka.
constexpr std::string_view kAnonymous = "ANONYMOUS";
}  // namespace

/// Nothing is looked up while the cluster has no quotas.
bool Session::has_quotas() {
  const ClientQuotasRef& quotas = services_.directory.quotas();
  if (quotas->empty()) return false;
  quotas_.update(*services_.quota_buckets, quotas, kAnonymous, client_id_);
  return true;
}

void Session::charge_produce(const Call& call) {
  if (call.key != ApiKey::produce || !has_quotas() || !quotas_.produce()) return;
  mute(quotas_.produce()->draw_us(static_cast<double>(call.request_bytes), loop().now_us()));
}

void Session::charge_fetch(const FetchResponse& response) {
  if (!has_quotas() || !quotas_.consume()) return;
  std::size_t bytes = 0;
  for (const auto& topic : response.responses)
    for (const auto& partition : topic.partitions) bytes += partition.records ? partition.records->size() : 0;
  if (bytes > 0) mute(quotas_.consume()->draw_us(static_cast<double>(bytes), loop().now_us()));
}

bool Session::take_mutations(std::size_t partitions, bool strict) {
  if (!has_quotas() || !quotas_.mutate()) return true;
  const std::int64_t now_us = loop().now_us();
  const std::int64_t wait_us = quotas_.mutate()->wait_us(now_us);
  if (strict && wait_us > 0) {
    mute(wait_us);
    return false;
  }
  const std::int64_t pause_us = quotas_.mutate()->draw_us(static_cast<double>(partitions), now_us);
  // A strict client learns of it by its next request's code.
  if (!strict) mute(pause_us);
  return true;
}

std::int32_t Session::muted_for_ms() const {
  if (muted_until_us_ == 0) return 0;
  const std::int64_t left_us = muted_until_us_ - loop().now_us();
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>((left_us + 999) / 1000, 0, std::numeric_limits<std::int32_t>::max()));
}

void Session::mute(std::int64_t pause_us) {
  const std::int64_t until_us = loop().now_us() + pause_us;
  if (pause_us <= 0 || until_us <= muted_until_us_) return;
  muted_until_us_ = until_us;
  mute_timer_ = after(muted_for_ms(), [this] {
    muted_until_us_ = 0;
    if (ended_ || !has_stream()) return;
    start_fetch();
    put_back_pressure();
  });
}

}  // namespace braid::kafka
