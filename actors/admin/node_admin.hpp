// Braid, Apache-2.0.
//
// The admin API over a running node. The callers are threads of the HTTP server; an agent, an actor on the first loop,
// asks the catalog and the partitions for them.
#pragma once

#include "actors/admin/admin_api.hpp"
#include "actors/services.hpp"

namespace braid {

class AdminAgent;

class NodeAdmin : public AdminApi {
 public:
  /// `services` of a loop that runs; outlives this.
  explicit NodeAdmin(Services& services);

  Result<TopicInfo, AdminError> create_topic(const NewTopicRequest& request) override;
  Outcome<AdminError> delete_topic(const std::string& name) override;
  Result<std::vector<TopicInfo>, AdminError> list_topics(const std::string& after, std::size_t limit) override;
  Result<TopicDescription, AdminError> describe_topic(const std::string& name) override;
  Result<bool, AdminError> create_vhost(const std::string& name) override;
  Result<bool, AdminError> delete_vhost(const std::string& name) override;
  Result<Policies, AdminError> list_policies(bool of_operator) override;
  Result<bool, AdminError> set_policy(const PolicyInfo& policy) override;
  Result<bool, AdminError> delete_policy(const std::string& vhost, const std::string& name, bool of_operator) override;
  Health health() override;

 private:
  template <class Answer, class Ask>
  Result<Answer, AdminError> call(Ask ask_agent);

  Services& services_;
  caf::actor agent_;
  std::uint64_t failed_writes_ = 0;  ///< at the last look; the agent's loop only
};

}  // namespace braid
