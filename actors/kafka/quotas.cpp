// Braid, Apache-2.0.
#include "actors/kafka/quotas.hpp"

namespace braid::kafka {

namespace {

struct Level {
  bool of_user, of_client;
  bool every_user, every_client;
};
constexpr Level levels[] = {
    {true, true, false, false}, {true, true, false, true},  {true, false, false, false}, {true, true, true, false},
    {true, true, true, true},   {true, false, true, false}, {false, true, false, false}, {false, true, false, true},
};

}  // namespace

std::optional<QuotaChoice> choose_quota(const ClientQuotas& quotas, std::string_view user, std::string_view client_id,
                                        std::string_view key) {
  for (const Level& level : levels) {
    QuotaEntity entity;
    const auto add = [&](std::string_view type, std::string_view name, bool every) {
      entity.emplace(type, every ? std::nullopt : std::optional<std::string>(name));
    };
    if (level.of_user) add(kQuotaUser, user, level.every_user);
    if (level.of_client) add(kQuotaClientId, client_id, level.every_client);
    const auto values = quotas.find(entity);
    if (values == quotas.end()) continue;
    const auto value = values->second.find(key);
    if (value == values->second.end()) continue;
    QuotaEntity sharing;
    if (level.of_user) sharing.emplace(kQuotaUser, std::string(user));
    if (level.of_client) sharing.emplace(kQuotaClientId, std::string(client_id));
    return QuotaChoice{value->second, std::string(key) + ' ' + encode_quota_entity(sharing)};
  }
  return std::nullopt;
}

std::shared_ptr<QuotaBucket> QuotaBuckets::open(const QuotaChoice& choice) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= tidy_at_) {
    std::erase_if(buckets_, [](const auto& entry) { return entry.second.expired(); });
    tidy_at_ = std::max<std::size_t>(64, buckets_.size() * 2);
  }
  std::weak_ptr<QuotaBucket>& known = buckets_[choice.bucket];
  std::shared_ptr<QuotaBucket> bucket = known.lock();
  if (bucket)
    bucket->set_rate(choice.rate);
  else
    known = bucket = std::make_shared<QuotaBucket>(choice.rate, window_us_);
  return bucket;
}

void SessionQuotas::update(QuotaBuckets& buckets, const ClientQuotasRef& quotas, std::string_view user,
                           std::string_view client_id) {
  if (quotas_ == quotas && client_id_ == client_id) return;
  quotas_ = quotas;
  client_id_ = client_id;
  const auto open = [&](std::string_view key) {
    const auto choice = choose_quota(*quotas, user, client_id, key);
    return choice ? buckets.open(*choice) : nullptr;
  };
  produce_ = open("producer_byte_rate");
  consume_ = open("consumer_byte_rate");
  mutate_ = open("controller_mutation_rate");
}

}  // namespace braid::kafka
