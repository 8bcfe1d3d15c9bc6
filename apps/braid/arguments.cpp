// Braid, Apache-2.0.
//
// The one source that includes CLI11.
#include "apps/braid/arguments.hpp"

#include <CLI/CLI.hpp>
#include <limits>
#include <map>

#include "apps/braid/exit_codes.hpp"

namespace braid {
namespace {

const std::map<std::string, OutputForm> output_forms{
    {"table", OutputForm::table}, {"json", OutputForm::json}, {"yaml", OutputForm::yaml}};

class Parser {
 public:
  explicit Parser(Arguments& arguments) : arguments_(arguments) {
    app_.require_subcommand(1);
    app_.footer(
        "Examples:\n"
        "  braid serve\n"
        "  braid serve --config braid.yaml --set listeners.mqtt.port=1884\n"
        "  braid topic create sensors --partitions 3\n"
        "  braid topic list -o json\n\n"
        "Exit codes: 0 ok, 1 error, 2 usage, 3 unhealthy, 4 not found.");
    add_serve();
    add_health();
    add_topic();
    add_vhost();
    add_policy();
    add_settings();
    command(app_, "version", "Print the version", Command::version, "");
  }

  CLI::App& app() { return app_; }

 private:
  CLI::App* command(CLI::App& parent, const std::string& name, const std::string& text, Command which,
                    const std::string& examples) {
    auto* sub = parent.add_subcommand(name, text);
    sub->callback([this, which] { arguments_.command = which; });
    if (!examples.empty()) sub->footer("Examples:\n" + examples);
    return sub;
  }
  CLI::App* group(const std::string& name, const std::string& text) {
    auto* sub = app_.add_subcommand(name, text);
    sub->require_subcommand(1);
    return sub;
  }

  void add_settings_sources(CLI::App* sub) {
    sub->add_option("-c,--config", arguments_.settings_file, "A YAML file of settings")->type_name("FILE");
    // Not add_option()'s own splitting: a value may hold commas and brackets.
    sub->add_option("--set", arguments_.settings, "One setting; over the environment, which is over the file")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
  }
  void add_output(CLI::App* sub) {
    sub->add_option("-o,--output", arguments_.output, "How to print: table, json or yaml")
        ->transform(CLI::Transformer(output_forms, CLI::ignore_case))
        ->type_name("FORM")
        ->option_text("FORM");
  }
  void add_broker(CLI::App* sub) {
    sub->add_option("--broker", arguments_.broker, "The broker's admin address (default " + arguments_.broker + ")")
        ->type_name("HOST:PORT");
  }
  void add_topic_name(CLI::App* sub) {
    sub->add_option("NAME", arguments_.topic, "The topic's name")->required()->type_name("");
  }

  void add_serve() {
    auto* serve = command(app_, "serve", "Run the broker until SIGTERM or SIGINT", Command::serve,
                          "  braid serve\n"
                          "  braid serve --set storage.path=/var/lib/braid --set log.level=debug\n"
                          "  BRAID_LISTENERS__MQTT__PORT=1884 braid serve --config braid.yaml\n"
                          "  braid serve --config braid.yaml --check");
    add_settings_sources(serve);
    serve->add_flag("--check", arguments_.check_only, "Only look for mistakes in the settings");
  }

  void add_health() {
    auto* health = command(app_, "health", "Ask a running broker whether it is well", Command::health,
                           "  braid health --broker 127.0.0.1:8080");
    add_broker(health);
    add_output(health);
  }

  void add_topic() {
    auto* topic = group("topic", "Create, list, describe and delete topics of a running broker");
    auto* create = command(*topic, "create", "Create a topic", Command::topic_create,
                           "  braid topic create sensors\n"
                           "  braid topic create sensors --partitions 6 --config retention.ms=3600000 "
                           "--config durability=os");
    add_topic_name(create);
    create->add_option("-p,--partitions", arguments_.partitions, "How many (default: kafka.default_partitions)")
        ->type_name("N")
        ->check(CLI::Range(std::int32_t{1}, std::numeric_limits<std::int32_t>::max()));
    create->add_option("--config", arguments_.topic_config, "A setting of the topic, under Kafka's name")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    auto* list = command(*topic, "list", "List the topics", Command::topic_list, "  braid topic list -o yaml");
    auto* describe = command(*topic, "describe", "Show a topic's partitions and settings", Command::topic_describe,
                             "  braid topic describe sensors");
    add_topic_name(describe);
    auto* remove = command(*topic, "delete", "Delete a topic and everything in it", Command::topic_delete,
                           "  braid topic delete sensors");
    add_topic_name(remove);
    for (auto* sub : {create, list, describe, remove}) {
      add_broker(sub);
      add_output(sub);
    }
  }

  void add_vhost() {
    auto* vhost = group("vhost", "Create, list and delete AMQP's virtual hosts");
    auto* create =
        command(*vhost, "create", "Create a virtual host", Command::vhost_create, "  braid vhost create tests");
    auto* list = command(*vhost, "list", "List the virtual hosts", Command::vhost_list, "  braid vhost list -o yaml");
    auto* remove = command(*vhost, "delete", "Delete a virtual host and everything in it", Command::vhost_delete,
                           "  braid vhost delete tests");
    for (auto* sub : {create, remove})
      sub->add_option("NAME", arguments_.vhost, "The virtual host's name")->required()->type_name("");
    for (auto* sub : {create, list, remove}) {
      add_broker(sub);
      add_output(sub);
    }
  }

  void add_policy() {
    auto* policy =
        group("policy", "Set, list and delete policies: rules for AMQP's queues and exchanges by their names");
    auto* set = command(*policy, "set", "Set a policy, or change the one of that name", Command::policy_set,
                        "  braid policy set limits --pattern '^jobs' --define max-length=100000 "
                        "--define overflow=reject-publish\n"
                        "  braid policy set dead --pattern . --apply-to queues --define dead-letter-exchange=dead "
                        "--priority 1");
    set->add_option("--pattern", arguments_.policy_pattern, "A regular expression that is looked for in the names")
        ->required()
        ->type_name("PATTERN");
    set->add_option("--define", arguments_.policy_definition, "A rule, under RabbitMQ's name")
        ->required()
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    set->add_option("--apply-to", arguments_.policy_target,
                    "queues, classic_queues, quorum_queues, exchanges or all (default)")
        ->type_name("WHAT");
    set->add_option("--priority", arguments_.policy_priority, "Of all that match the highest counts (default 0)")
        ->type_name("N");
    auto* list = command(*policy, "list", "List the policies", Command::policy_list, "  braid policy list -o yaml");
    auto* remove =
        command(*policy, "delete", "Delete a policy", Command::policy_delete, "  braid policy delete limits");
    for (auto* sub : {set, remove})
      sub->add_option("NAME", arguments_.policy, "The policy's name")->required()->type_name("");
    for (auto* sub : {set, list, remove}) {
      sub->add_option("--vhost", arguments_.vhost, "The virtual host (default /)")->type_name("NAME");
      sub->add_flag("--operator", arguments_.policy_of_operator,
                    "Operator policies: limits that other policies and arguments cannot go beyond");
      add_broker(sub);
      add_output(sub);
    }
  }

  void add_settings() {
    auto* settings = group("settings", "Show what can be set, and what is set");
    auto* show = command(*settings, "show", "Print every setting, its value, and where that comes from",
                         Command::settings_show, "  braid settings show --config braid.yaml");
    add_settings_sources(show);
    add_output(show);
    command(*settings, "reference", "Print the reference page of all settings", Command::settings_reference,
            "  braid settings reference > docs/settings.md");
  }

  Arguments& arguments_;
  CLI::App app_{"Braid: one broker that MQTT, Kafka and AMQP clients share.", "braid"};
};

}  // namespace

ParsedArguments parse_arguments(int count, const char* const* words, std::ostream& out, std::ostream& err) {
  ParsedArguments parsed;
  Parser parser(parsed.arguments);
  try {
    parser.app().parse(count, words);
  } catch (const CLI::ParseError& error) {
    // CLI11's way to say "help was asked for" as well as "this makes no sense".
    const bool is_help = parser.app().exit(error, out, err) == static_cast<int>(CLI::ExitCodes::Success);
    parsed.exit_code = is_help ? exit_code::ok : exit_code::usage;
  }
  return parsed;
}

}  // namespace braid
