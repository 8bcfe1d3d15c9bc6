// Braid, Apache-2.0.
//
// `braid topic ...` and `braid health`: a request to the broker's admin port, and its answer printed.
#include "apps/braid/ask.hpp"
#include "apps/braid/commands.hpp"
#include "apps/braid/exit_codes.hpp"
#include "apps/braid/output.hpp"

namespace braid {
namespace {

constexpr const char* topics_path = "/api/v1/topics";

const Json::Array& items_of(const Json& object, std::string_view name) {
  static const Json::Array none;
  const auto* member = object.find(name);
  const auto* items = member ? member->get<Json::Array>() : nullptr;
  return items ? *items : none;
}

std::string path_of(const std::string& topic) {
  return std::string(topics_path) + "/" + escape_path(topic);
}

}  // namespace

int health(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "GET", "/healthz", {}, out, err,
                       [&](const Json& answer) { out << text_of(answer, "status") << '\n'; });
}

int topic_create(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  Json::Object body{{"name", Json(arguments.topic)}};
  if (arguments.partitions) body.emplace_back("partitions", Json(*arguments.partitions));
  Json::Object config;
  for (const auto& entry : arguments.topic_config) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) {
      err << "braid: --config: expected NAME=VALUE, such as retention.ms=3600000, not '" << entry << "'\n";
      return exit_code::usage;
    }
    config.emplace_back(entry.substr(0, equals), Json(entry.substr(equals + 1)));
  }
  if (!config.empty()) body.emplace_back("config", Json(std::move(config)));
  return ask_and_print(arguments, "POST", topics_path, to_json(Json(std::move(body))), out, err,
                       [&](const Json& topic) {
                         out << "created topic " << text_of(topic, "name") << " with " << text_of(topic, "partitions")
                             << " partition" << (text_of(topic, "partitions") == "1" ? "" : "s") << '\n';
                       });
}

int topic_list(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  const auto client = AdminClient::to(arguments.broker);
  if (!client) return complain(err, client.error());
  Json::Array topics;
  std::string after;
  do {
    const auto page = client->request("GET", topics_path + (after.empty() ? "" : "?after=" + escape_path(after)));
    if (!page) return complain(err, page.error());
    for (const auto& topic : items_of(*page, "topics")) topics.push_back(topic);
    const auto next = text_of(*page, "next");
    if (!next.empty() && next <= after) return complain(err, {exit_code::error, "the broker's list does not end"});
    after = next;
  } while (!after.empty());
  if (arguments.output != OutputForm::table) {
    print_json(out, arguments.output, Json(std::move(topics)));
    return exit_code::ok;
  }
  std::vector<Row> rows{{"TOPIC", "PARTITIONS", "CONFIG"}};
  for (const auto& topic : topics)
    rows.push_back({text_of(topic, "name"), text_of(topic, "partitions"), pairs_of(topic, "config")});
  print_table(out, rows);
  return exit_code::ok;
}

int topic_describe(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "GET", path_of(arguments.topic), {}, out, err, [&](const Json& answer) {
    const Json none;
    const auto* topic = answer.find("topic") ? answer.find("topic") : &none;
    print_table(out, {{"topic", text_of(*topic, "name")},
                      {"id", text_of(*topic, "id")},
                      {"partitions", text_of(*topic, "partitions")},
                      {"internal", text_of(*topic, "internal")}});
    std::vector<Row> settings{{"SETTING", "VALUE", ""}};
    if (const auto* all = answer.find("settings"); all && all->get<Json::Object>())
      for (const auto& [name, entry] : *all->get<Json::Object>())
        settings.push_back({name, text_of(entry, "value"), text_of(entry, "default") == "true" ? "default" : "set"});
    out << '\n';
    print_table(out, settings);
    std::vector<Row> partitions{{"PARTITION", "LOG START", "END", "BYTES"}};
    for (const auto& partition : items_of(answer, "partitions"))
      partitions.push_back({text_of(partition, "partition"), text_of(partition, "log_start"), text_of(partition, "end"),
                            text_of(partition, "bytes")});
    out << '\n';
    print_table(out, partitions);
  });
}

int topic_delete(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "DELETE", path_of(arguments.topic), {}, out, err,
                       [&](const Json& answer) { out << "deleted topic " << text_of(answer, "deleted") << '\n'; });
}

}  // namespace braid
