// Braid, Apache-2.0.
#include "config/broker_config.hpp"

namespace braid {
namespace {

std::string_view type_name(ConfigType type) {
  switch (type) {
    case ConfigType::boolean:
      return "BOOLEAN";
    case ConfigType::text:
      return "STRING";
    case ConfigType::int32:
      return "INT";
    case ConfigType::int16:
      return "SHORT";
    case ConfigType::int64:
      return "LONG";
    case ConfigType::real:
      return "DOUBLE";
    case ConfigType::list:
      return "LIST";
    case ConfigType::unknown:
      break;
  }
  return "UNKNOWN";
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += ' ' + cell + " |";
  return line + '\n';
}
std::string in_backticks(std::string_view text) {
  return text.empty() ? std::string() : '`' + std::string(text) + '`';
}

}  // namespace

std::string kafka_config_reference() {
  std::string page = "### Of a topic\n\n" + row({"name", "type", "default", "takes", "the cluster's default"}) +
                     "|---|---|---|---|---|\n";
  for (const TopicConfigEntry& entry : describe_topic_config({}, TopicDefaults{}))
    page += row({in_backticks(entry.info->name), std::string(type_name(entry.info->type)), in_backticks(entry.value),
                 std::string(entry.info->takes), in_backticks(broker_name_of(entry.info->name))});
  page += "\n### Of a broker\n\n" + row({"name", "type", "default", "Braid's setting"}) + "|---|---|---|---|\n";
  for (const BrokerConfigInfo& info : broker_config_table())
    page += row({in_backticks(info.name), std::string(type_name(info.type)), in_backticks(info.value(Settings{})),
                 info.setting.empty() ? std::string(info.text) : in_backticks(info.setting)});
  return page;
}

}  // namespace braid
