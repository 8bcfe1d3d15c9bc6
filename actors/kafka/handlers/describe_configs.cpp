// Braid, Apache-2.0.
//
// DescribeConfigs: settings under Kafka's names, with the place that each value comes from and what it would be without
// it. Resources succeed and fail one by one.
#include <algorithm>

#include "actors/kafka/handlers/config_resources.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "config/broker_config.hpp"

namespace braid::kafka {

namespace {

using DescribedConfigs = DescribeConfigsResponse;

/// What a client wants to know of each setting.
class Describer {
 public:
  Describer(const Session& session, const DescribeConfigsRequest& request) : session_(session), request_(request) {}

  DescribedConfigs::Result describe(const DescribeConfigsRequest::Resource& wanted) const {
    DescribedConfigs::Result result;
    result.resource_type = wanted.resource_type;
    result.resource_name = wanted.resource_name;
    if (auto refused = check_config_resource(session_, wanted.resource_type, wanted.resource_name.view())) {
      result.error_code = refused.error;
      result.error_message = Text(refused.reason);
      return result;
    }
    const auto type = static_cast<ConfigResource>(wanted.resource_type);
    if (type == ConfigResource::topic)
      add_topic(result, *session_.services().directory.find(wanted.resource_name.view()));
    else if (type == ConfigResource::broker && wanted.resource_name.empty())
      add_topic_defaults(result, true);
    else if (type == ConfigResource::broker)
      add_broker(result);
    // Kafka takes an empty list for "all" too.
    if (wanted.configuration_keys && !wanted.configuration_keys->empty())
      std::erase_if(result.configs, [&](const DescribedConfigs::Config& config) {
        return std::find(wanted.configuration_keys->begin(), wanted.configuration_keys->end(), config.name) ==
               wanted.configuration_keys->end();
      });
    return result;
  }

 private:
  using Origin = TopicConfigEntry::Origin;

  const Settings& settings() const { return session_.services().settings; }
  const TopicConfig& cluster_defaults() const { return session_.services().directory.settings()->topic_defaults; }

  /// `origins`: at least one, the one in force first.
  DescribedConfigs::Config describe(std::string_view name, ConfigType type, bool read_only,
                                    const std::vector<Origin>& origins, std::string_view text) const {
    DescribedConfigs::Config config;
    config.name = Text(name);
    config.value = Text(origins.front().value);
    config.read_only = read_only;
    config.config_source = static_cast<std::int8_t>(origins.front().source);
    config.config_type = static_cast<std::int8_t>(type);
    config.documentation.reset();
    if (request_.include_documentation) config.documentation = Text(text);
    if (request_.include_synonyms)
      for (const Origin& origin : origins)
        config.synonyms.push_back({Text(origin.name), Text(origin.value), static_cast<std::int8_t>(origin.source)});
    return config;
  }

  void add_topic(DescribedConfigs::Result& result, const Topic& topic) const {
    for (const TopicConfigEntry& entry :
         describe_topic_config(topic.config, settings().topic_defaults, cluster_defaults()))
      result.configs.push_back(describe(entry.info->name, entry.info->type, false, entry.origins, entry.info->text));
  }
  /// What topics have that say nothing, under the broker's names of it.
  void add_topic_defaults(DescribedConfigs::Result& result, bool only_of_cluster) const {
    for (TopicConfigEntry& entry : describe_topic_config({}, settings().topic_defaults, cluster_defaults())) {
      if (only_of_cluster) {
        if (entry.source() != ConfigSource::cluster) continue;
        entry.origins.resize(1);
      }
      result.configs.push_back(
          describe(broker_name_of(entry.info->name), entry.info->type, false, entry.origins, entry.info->text));
    }
  }
  void add_broker(DescribedConfigs::Result& result) const {
    for (const BrokerConfigInfo& info : broker_config_table()) {
      std::vector<Origin> origins;
      const std::string value = info.value(settings()), built_in = info.value(Settings{});
      if (value != built_in) origins.push_back({info.name, value, ConfigSource::node});
      origins.push_back({info.name, built_in, ConfigSource::built_in});
      result.configs.push_back(describe(info.name, info.type, true, origins, broker_config_text(info)));
    }
    add_topic_defaults(result, false);
  }

  const Session& session_;
  const DescribeConfigsRequest& request_;
};

}  // namespace

void describe_configs(Session& session, const Call& call, DescribeConfigsRequest request) {
  DescribeConfigsResponse response;
  const Describer describer(session, request);
  for (const DescribeConfigsRequest::Resource& resource : request.resources)
    response.results.push_back(describer.describe(resource));
  session.respond(call, response);
}

}  // namespace braid::kafka
