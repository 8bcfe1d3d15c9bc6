// Braid, Apache-2.0.
//
// What can be asked of a running broker over the admin port, as plain C++: the HTTP server knows nothing of actors, and
// whoever implements this knows nothing of HTTP. Calls block their thread and come from several of the server's
// threads at once; an implementation gives up after a few seconds with Errc::timed_out rather than hold one for ever.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/topic_settings.hpp"
#include "model/errors.hpp"
#include "model/ids.hpp"
#include "model/result.hpp"

namespace braid {

struct AdminError {
  Errc code = Errc::none;
  std::string text;  ///< a sentence for the operator
};

struct NewTopicRequest {
  std::string name;
  std::optional<std::int32_t> partitions;  ///< none: the setting kafka.default_partitions
  TopicConfig config;
};

struct TopicInfo {
  std::string name;
  TopicId id;
  std::int32_t partitions = 0;
  bool internal = false;
  TopicConfig config;  ///< what was set on the topic, not the defaults
};

struct PartitionInfo {
  PartitionIndex index;
  Offset log_start;
  Offset end;  ///< the offset that the next record gets
  std::uint64_t bytes = 0;
};

struct TopicDescription {
  TopicInfo topic;
  std::vector<PartitionInfo> partitions;
  std::vector<TopicConfigEntry> settings;  ///< all of them, with the values in force
};

/// A policy of AMQP's queues and exchanges, in RabbitMQ's words.
struct PolicyInfo {
  using Value = std::variant<std::int64_t, std::string>;
  std::string vhost, name, pattern;
  std::string apply_to = "all";
  std::int32_t priority = 0;
  std::map<std::string, Value> definition;
  bool of_operator = false;  ///< an operator policy; each kind has names of its own
};

struct Policies {
  std::vector<std::string> vhosts;   ///< all there are, sorted
  std::vector<PolicyInfo> policies;  ///< of all of them, sorted
};

struct Health {
  std::vector<std::string> problems;  ///< one sentence each; none: healthy
};

class AdminApi {
 public:
  virtual ~AdminApi() = default;
  virtual Result<TopicInfo, AdminError> create_topic(const NewTopicRequest& request) = 0;
  virtual Outcome<AdminError> delete_topic(const std::string& name) = 0;
  /// At most `limit` topics whose names come after `after`, sorted by name.
  virtual Result<std::vector<TopicInfo>, AdminError> list_topics(const std::string& after, std::size_t limit) = 0;
  virtual Result<TopicDescription, AdminError> describe_topic(const std::string& name) = 0;
  /// AMQP's virtual hosts. True when there was none of that name.
  virtual Result<bool, AdminError> create_vhost(const std::string& name) = 0;
  /// With all that is in it; false when there was none.
  virtual Result<bool, AdminError> delete_vhost(const std::string& name) = 0;
  virtual Result<Policies, AdminError> list_policies(bool of_operator) = 0;
  /// True when there was none of that name.
  virtual Result<bool, AdminError> set_policy(const PolicyInfo& policy) = 0;
  /// False when there was none.
  virtual Result<bool, AdminError> delete_policy(const std::string& vhost, const std::string& name,
                                                 bool of_operator) = 0;
  virtual Health health() = 0;
};

}  // namespace braid
