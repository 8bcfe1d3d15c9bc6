// Braid, Apache-2.0.
//
// `braid policy ...`: rules for AMQP's queues and exchanges, over the paths that RabbitMQ's management API has for
// them.
#include <algorithm>
#include <array>
#include <charconv>

#include "apps/braid/ask.hpp"
#include "apps/braid/commands.hpp"
#include "apps/braid/exit_codes.hpp"
#include "apps/braid/output.hpp"

namespace braid {
namespace {

/// Of a policy's definition, what is a number.
constexpr std::array<std::string_view, 6> numbers{"message-ttl",      "expires",        "max-length",
                                                  "max-length-bytes", "delivery-limit", "consumer-timeout"};

std::string path_of_policies(const Arguments& arguments) {
  return (arguments.policy_of_operator ? "/api/operator-policies/" : "/api/policies/") + escape_path(arguments.vhost);
}
std::string path_of_policy(const Arguments& arguments) {
  return path_of_policies(arguments) + "/" + escape_path(arguments.policy);
}

std::string_view kind_of(const Arguments& arguments) {
  return arguments.policy_of_operator ? "operator policy" : "policy";
}

/// What is no number where one is due goes as it is: the broker says what is wrong with it.
Json definition_value(std::string_view name, const std::string& text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const bool is_number = std::find(numbers.begin(), numbers.end(), name) != numbers.end();
  if (is_number && std::from_chars(text.data(), end, number).ptr == end && !text.empty()) return Json(number);
  return Json(text);
}

}  // namespace

int policy_set(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  Json::Object definition;
  for (const auto& entry : arguments.policy_definition) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) {
      err << "braid: --define: expected NAME=VALUE, such as max-length=1000, not '" << entry << "'\n";
      return exit_code::usage;
    }
    const std::string name = entry.substr(0, equals);
    definition.emplace_back(name, definition_value(name, entry.substr(equals + 1)));
  }
  const Json body(Json::Object{{"pattern", Json(arguments.policy_pattern)},
                               {"definition", Json(std::move(definition))},
                               {"priority", Json(arguments.policy_priority)},
                               {"apply-to", Json(arguments.policy_target)}});
  return ask_and_print(arguments, "PUT", path_of_policy(arguments), to_json(body), out, err,
                       [&](const Json&) { out << "set " << kind_of(arguments) << ' ' << arguments.policy << '\n'; });
}

int policy_list(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "GET", path_of_policies(arguments), {}, out, err, [&](const Json& answer) {
    std::vector<Row> rows{{"POLICY", "PATTERN", "APPLY TO", "PRIORITY", "DEFINITION"}};
    if (const auto* policies = answer.get<Json::Array>())
      for (const Json& policy : *policies)
        rows.push_back({text_of(policy, "name"), text_of(policy, "pattern"), text_of(policy, "apply-to"),
                        text_of(policy, "priority"), pairs_of(policy, "definition")});
    print_table(out, rows);
  });
}

int policy_delete(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "DELETE", path_of_policy(arguments), {}, out, err, [&](const Json&) {
    out << "deleted " << kind_of(arguments) << ' ' << arguments.policy << '\n';
  });
}

}  // namespace braid
