// Braid, Apache-2.0.
//
// What a Kafka client may take of the node, as the catalog's quotas say (persistence/catalog/client_quotas.hpp). All
// connections of a user, or of a client id, draw from one bucket, on whatever loops they are; a bucket is one atomic
// number, the time until which its rate has been used up, so drawing costs a session an addition per request and no
// lock. Who drew too much is answered at once and then not read until the time has come (KIP-219).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/catalog/client_quotas.hpp"

namespace braid::kafka {

class QuotaBucket {
 public:
  /// At most `window_us` of the rate can be drawn at once by who has drawn nothing for long.
  QuotaBucket(double rate, std::int64_t window_us) : rate_(rate), window_us_(window_us) {}

  void set_rate(double rate) { rate_.store(rate, std::memory_order_relaxed); }
  /// Draws; how long who did has to pause, 0 when not at all.
  std::int64_t draw_us(double amount, std::int64_t now_us) {
    const auto cost_us =
        static_cast<std::int64_t>(std::min(amount / rate_.load(std::memory_order_relaxed) * 1e6, 1e15));
    std::int64_t before = used_until_us_.load(std::memory_order_relaxed), after = 0;
    do after = std::max(before, now_us - window_us_) + cost_us;
    while (!used_until_us_.compare_exchange_weak(before, after, std::memory_order_relaxed));
    return std::max<std::int64_t>(after - now_us, 0);
  }
  /// How long until there is anything to draw; 0 when there is.
  std::int64_t wait_us(std::int64_t now_us) const {
    return std::max<std::int64_t>(used_until_us_.load(std::memory_order_relaxed) - now_us, 0);
  }

 private:
  std::atomic<double> rate_;
  const std::int64_t window_us_;
  std::atomic<std::int64_t> used_until_us_{INT64_MIN / 2};
};

/// The quota that holds for a client, and whose bucket it draws from.
struct QuotaChoice {
  double rate = 0;
  std::string bucket;  ///< the quota's key and the names of those who share it
};
/// Kafka's order: the user with the client id, the user, all users with the client id, all users, the client id, all
/// client ids; in each, a name before everybody.
std::optional<QuotaChoice> choose_quota(const ClientQuotas&, std::string_view user, std::string_view client_id,
                                        std::string_view key);

/// The buckets of the node, by name; they live as long as a session draws from them.
class QuotaBuckets {
 public:
  explicit QuotaBuckets(std::int64_t window_ms) : window_us_(window_ms * 1000) {}
  /// From any loop. A bucket that is known gets the rate.
  std::shared_ptr<QuotaBucket> open(const QuotaChoice&);

 private:
  const std::int64_t window_us_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<QuotaBucket>> buckets_;
  std::size_t tidy_at_ = 64;  ///< buckets at which those that are gone are dropped
};

/// What one session draws from, looked up again when the quotas or the client's name change.
class SessionQuotas {
 public:
  void update(QuotaBuckets&, const ClientQuotasRef&, std::string_view user, std::string_view client_id);
  QuotaBucket* produce() const { return produce_.get(); }
  QuotaBucket* consume() const { return consume_.get(); }
  QuotaBucket* mutate() const { return mutate_.get(); }

 private:
  ClientQuotasRef quotas_;
  std::string client_id_;
  std::shared_ptr<QuotaBucket> produce_, consume_, mutate_;
};

}  // namespace braid::kafka
