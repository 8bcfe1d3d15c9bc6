// Braid, Apache-2.0.
//
// A broker's admin side without a broker: topics in a map. For tests of the HTTP server and of the command line.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "actors/admin/admin_api.hpp"

namespace braid::test {

class FakeAdmin final : public AdminApi {
 public:
  Result<TopicInfo, AdminError> create_topic(const NewTopicRequest& request) override {
    const std::lock_guard lock(mutex);
    if (const auto settings = parse_topic_config(request.config, {}); !settings)
      return Unexpected{AdminError{Errc::invalid_setting, settings.error()}};
    TopicInfo topic;
    topic.name = request.name;
    topic.id.bytes[15] = static_cast<std::uint8_t>(topics.size() + 1);
    topic.partitions = request.partitions.value_or(1);
    topic.config = request.config;
    if (!topics.emplace(topic.name, topic).second)
      return Unexpected{AdminError{Errc::topic_exists, "the topic '" + topic.name + "' exists"}};
    return topic;
  }
  Outcome<AdminError> delete_topic(const std::string& name) override {
    const std::lock_guard lock(mutex);
    if (topics.erase(name) == 0) return Unexpected{unknown(name)};
    return ok;
  }
  Result<std::vector<TopicInfo>, AdminError> list_topics(const std::string& after, std::size_t limit) override {
    const std::lock_guard lock(mutex);
    if (failing) return Unexpected{AdminError{Errc::shutting_down, "the broker is stopping"}};
    std::vector<TopicInfo> list;
    for (auto at = topics.upper_bound(after); at != topics.end() && list.size() < limit; ++at)
      list.push_back(at->second);
    return list;
  }
  Result<TopicDescription, AdminError> describe_topic(const std::string& name) override {
    const std::lock_guard lock(mutex);
    const auto at = topics.find(name);
    if (at == topics.end()) return Unexpected{unknown(name)};
    TopicDescription description{at->second, {}, describe_topic_config(at->second.config, {})};
    for (std::int32_t i = 0; i < at->second.partitions; ++i)
      description.partitions.push_back({PartitionIndex(i), Offset(10), Offset(20 + i), 300});
    return description;
  }
  Result<bool, AdminError> create_vhost(const std::string& name) override {
    const std::lock_guard lock(mutex);
    return vhosts.insert(name).second;
  }
  Result<bool, AdminError> delete_vhost(const std::string& name) override {
    const std::lock_guard lock(mutex);
    if (name == "/") return Unexpected{AdminError{Errc::invalid_setting, "this one stays"}};
    return vhosts.erase(name) > 0;
  }
  Result<Policies, AdminError> list_policies(bool of_operator) override {
    const std::lock_guard lock(mutex);
    Policies all{{vhosts.begin(), vhosts.end()}, {}};
    for (const auto& [name, policy] : of_operator ? operator_policies : policies) all.policies.push_back(policy);
    return all;
  }
  Result<bool, AdminError> set_policy(const PolicyInfo& policy) override {
    const std::lock_guard lock(mutex);
    if (policy.apply_to == "nothing") return Unexpected{AdminError{Errc::invalid_setting, "no such target"}};
    auto& all = policy.of_operator ? operator_policies : policies;
    return all.insert_or_assign({policy.vhost, policy.name}, policy).second;
  }
  Result<bool, AdminError> delete_policy(const std::string& vhost, const std::string& name, bool of_operator) override {
    const std::lock_guard lock(mutex);
    return (of_operator ? operator_policies : policies).erase({vhost, name}) > 0;
  }
  Health health() override {
    const std::lock_guard lock(mutex);
    return failing ? Health{{"the disk is full"}} : Health{};
  }

  std::mutex mutex;
  std::map<std::string, TopicInfo> topics;
  std::set<std::string> vhosts{"/", "other"};
  std::map<std::pair<std::string, std::string>, PolicyInfo> policies, operator_policies;
  bool failing = false;

 private:
  static AdminError unknown(const std::string& name) {
    return {Errc::unknown_topic, "there is no topic '" + name + "'"};
  }
};

}  // namespace braid::test
