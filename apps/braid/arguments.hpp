// Braid, Apache-2.0.
//
// The command line, read: which command, and its options. The library that reads it stays in one source file.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace braid {

enum class Command {
  serve,
  health,
  topic_create,
  topic_list,
  topic_describe,
  topic_delete,
  vhost_create,
  vhost_list,
  vhost_delete,
  policy_set,
  policy_list,
  policy_delete,
  settings_show,
  settings_reference,
  version,
};

enum class OutputForm { table, json, yaml };

struct Arguments {
  Command command = Command::version;
  OutputForm output = OutputForm::table;
  std::string broker = "127.0.0.1:8080";  ///< its admin port

  std::string settings_file;  ///< empty: none
  std::vector<std::string> settings;
  bool check_only = false;

  std::string topic;
  std::optional<std::int32_t> partitions;
  std::vector<std::string> topic_config;  ///< name=value

  std::string vhost = "/";
  std::string policy, policy_pattern, policy_target = "all";
  std::int32_t policy_priority = 0;
  bool policy_of_operator = false;
  std::vector<std::string> policy_definition;  ///< name=value
};

struct ParsedArguments {
  Arguments arguments;
  std::optional<int> exit_code;  ///< set when there is nothing to run: help was printed, or the usage was wrong
};

ParsedArguments parse_arguments(int count, const char* const* words, std::ostream& out, std::ostream& err);

}  // namespace braid
