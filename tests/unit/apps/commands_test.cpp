// Braid, Apache-2.0.
//
// The command line from its words to what it prints and returns, against the real admin port in front of a fake broker.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "actors/admin/http_server.hpp"
#include "apps/braid/client.hpp"
#include "apps/braid/commands.hpp"
#include "support/fake_admin.hpp"

using namespace braid;

namespace {

struct CommandResult {
  int code;
  std::string out, err;
};

CommandResult braid_command(std::vector<std::string> words) {
  words.insert(words.begin(), "braid");
  std::vector<const char*> pointers;
  for (const auto& word : words) pointers.push_back(word.c_str());
  std::ostringstream out, err;
  const int code = run(static_cast<int>(pointers.size()), pointers.data(), out, err);
  return {code, out.str(), err.str()};
}

struct Broker {
  test::FakeAdmin api;
  std::unique_ptr<HttpServer> server;
  Broker() {
    auto started = HttpServer::start(api, {});
    REQUIRE(started);
    server = std::move(*started);
  }
  CommandResult operator()(std::vector<std::string> words) const {
    words.push_back("--broker");
    words.push_back("127.0.0.1:" + std::to_string(server->port()));
    return braid_command(std::move(words));
  }
};

struct TemporaryFile {
  std::filesystem::path path;
  explicit TemporaryFile(const std::string& text) {
    char name[] = "/tmp/braid-settings-XXXXXX";
    const int file = ::mkstemp(name);
    REQUIRE(file >= 0);
    ::close(file);
    path = name;
    std::ofstream(path) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
};

}  // namespace

TEST_CASE("braid topic create, list, describe and delete work against a running broker") {
  Broker broker;
  const auto created = broker({"topic", "create", "sensors", "--partitions", "2", "--config", "retention.ms=60000",
                               "--config", "durability=os"});
  CHECK(created.code == 0);
  CHECK(created.out == "created topic sensors with 2 partitions\n");
  CHECK(broker({"topic", "create", "a"}).out == "created topic a with 1 partition\n");
  CHECK(broker.api.topics.at("sensors").config == TopicConfig{{"retention.ms", "60000"}, {"durability", "os"}});

  CHECK(broker({"topic", "list"}).out ==
        "TOPIC    PARTITIONS  CONFIG\n"
        "a        1\n"
        "sensors  2           durability=os retention.ms=60000\n");
  CHECK(broker({"topic", "list", "-o", "yaml"})
            .out.starts_with("- name: a\n  id: AAAAAAAAAAAAAAAAAAAAAg\n  partitions: 1\n"));

  const auto described = broker({"topic", "describe", "sensors"});
  CHECK(described.code == 0);
  CHECK(described.out.starts_with(
      "topic       sensors\nid          AAAAAAAAAAAAAAAAAAAAAQ\npartitions  2\ninternal    false\n"));
  CHECK(std::regex_search(described.out, std::regex("\nretention\\.ms +60000 +set\n")));
  CHECK(described.out.find(
            "PARTITION  LOG START  END  BYTES\n0          10         20   300\n1          10         21   300\n") !=
        std::string::npos);

  CHECK(broker({"topic", "delete", "sensors"}).out == "deleted topic sensors\n");
  CHECK_FALSE(broker.api.topics.contains("sensors"));
}

TEST_CASE("braid policy set, list and delete work against a running broker") {
  Broker broker;
  const auto set = broker({"policy", "set", "limits", "--pattern", "^jobs/", "--define", "max-length=5", "--define",
                           "dead-letter-routing-key=5", "--priority", "-2", "--apply-to", "queues"});
  CHECK(set.err.empty());
  CHECK(set.out == "set policy limits\n");
  const auto& policy = broker.api.policies.at({"/", "limits"});
  CHECK(policy.definition == std::map<std::string, PolicyInfo::Value>{{"max-length", std::int64_t{5}},
                                                                      {"dead-letter-routing-key", std::string("5")}});
  CHECK(broker({"policy", "set", "limits", "--pattern", "^jobs/", "--define", "max-length=6"}).code == 0);
  CHECK(broker({"policy", "list"}).out ==
        "POLICY  PATTERN  APPLY TO  PRIORITY  DEFINITION\n"
        "limits  ^jobs/   all       0         max-length=6\n");
  CHECK(parse_json(broker({"policy", "list", "-o", "json"}).out));
  CHECK(broker({"policy", "list", "--vhost", "nowhere"}).code == 4);
  CHECK(broker({"policy", "set", "p", "--pattern", "x", "--define", "max-length"}).code == 2);
  CHECK(broker({"policy", "set", "p", "--define", "max-length=1"}).code == 2);
  const auto refused = broker({"policy", "set", "p", "--pattern", "x", "--define", "a=b", "--apply-to", "nothing"});
  CHECK(refused.code == 1);
  CHECK(refused.err == "braid: no such target\n");
  CHECK(broker({"policy", "set", "limits", "--operator", "--pattern", ".", "--define", "expires=9"}).out ==
        "set operator policy limits\n");
  CHECK(broker.api.operator_policies.at({"/", "limits"}).pattern == ".");
  CHECK(broker({"policy", "list", "--operator"}).out.find("expires=9") != std::string::npos);
  CHECK(broker({"policy", "list"}).out.find("expires=9") == std::string::npos);
  CHECK(broker({"policy", "delete", "limits", "--operator"}).out == "deleted operator policy limits\n");
  CHECK(broker({"policy", "delete", "limits"}).out == "deleted policy limits\n");
  CHECK(broker({"policy", "delete", "limits"}).code == 4);
  CHECK(broker.api.policies.empty());
}

TEST_CASE("braid vhost create, list and delete work against a running broker") {
  Broker broker;
  CHECK(broker({"vhost", "create", "a/b"}).out == "created vhost a/b\n");
  CHECK(broker({"vhost", "list"}).out == "VHOST\n/\na/b\nother\n");
  CHECK(parse_json(broker({"vhost", "list", "-o", "json"}).out));
  CHECK(broker({"vhost", "delete", "a/b"}).out == "deleted vhost a/b\n");
  CHECK(broker({"vhost", "delete", "a/b"}).code == 4);
  const auto refused = broker({"vhost", "delete", "/"});
  CHECK(refused.code == 1);
  CHECK(refused.err == "braid: this one stays\n");
  CHECK(broker({"vhost", "create"}).code == 2);
}

TEST_CASE("json output is one document that names what the table shows") {
  Broker broker;
  broker({"topic", "create", "t"});
  for (const auto* command : {"describe", "delete"}) {
    const auto result = broker({"topic", command, "t", "-o", "json"});
    CHECK(result.code == 0);
    CHECK(parse_json(result.out));
  }
  const auto list = parse_json(broker({"topic", "list", "-o", "json"}).out);
  REQUIRE(list);
  CHECK(list->get<Json::Array>() != nullptr);
}

TEST_CASE("a list of more topics than a page is complete") {
  Broker broker;
  for (int i = 0; i < 2500; ++i) {
    TopicInfo topic;
    topic.name = "t" + std::to_string(10000 + i);
    broker.api.topics.emplace(topic.name, topic);
  }
  const auto list = parse_json(broker({"topic", "list", "-o", "json"}).out);
  REQUIRE(list);
  CHECK(list->get<Json::Array>()->size() == 2500);
}

TEST_CASE("exit codes tell errors, usage, health and absence apart") {
  Broker broker;
  CHECK(broker({"topic", "create", "t"}).code == 0);
  const auto again = broker({"topic", "create", "t"});
  CHECK(again.code == 1);
  CHECK(again.err == "braid: the topic 't' exists\n");
  const auto wrong = broker({"topic", "create", "u", "--config", "retention.sm=5"});
  CHECK(wrong.code == 1);
  CHECK(wrong.err == "braid: unknown topic setting 'retention.sm', did you mean 'retention.ms'?\n");
  CHECK(broker({"topic", "create", "u", "--config", "x"}).code == 2);
  CHECK(broker({"topic", "describe", "u"}).code == 4);
  CHECK(broker({"topic", "delete", "u"}).err == "braid: there is no topic 'u'\n");
  CHECK(broker({"topic", "delete", "u"}).code == 4);
  CHECK(broker({"topic", "describe", "../topics"}).code == 1);
  CHECK(broker({"health"}).out == "ok\n");
  broker.api.failing = true;
  const auto unhealthy = broker({"health"});
  CHECK(unhealthy.code == 3);
  CHECK(unhealthy.err == "braid: the disk is full\n");
  CHECK(broker({"topic", "list"}).code == 3);
}

TEST_CASE("when no broker answers, the words say what to do") {
  std::uint16_t port = 0;
  {
    Broker broker;
    port = broker.server->port();
  }
  const auto result = braid_command({"topic", "list", "--broker", "127.0.0.1:" + std::to_string(port)});
  CHECK(result.code == 3);
  CHECK(result.err.starts_with("braid: no broker answers at 127.0.0.1:" + std::to_string(port)));
  CHECK(braid_command({"topic", "list", "--broker", "nonsense"}).code == 2);
}

TEST_CASE("wrong words are a usage error, and help is not") {
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"fly"},
                                                                 {"topic"},
                                                                 {"topic", "create"},
                                                                 {"topic", "create", "a", "b"},
                                                                 {"topic", "create", "a", "--partitions", "0"},
                                                                 {"topic", "create", "a", "--partitions", "x"},
                                                                 {"topic", "list", "-o", "xml"},
                                                                 {"serve", "--nonsense"},
                                                                 {"settings"}}) {
    CAPTURE(words);
    const auto result = braid_command(words);
    CHECK(result.code == 2);
    CHECK_FALSE(result.err.empty());
  }
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"serve", "--help"}, {"topic", "create", "--help"}, {"settings", "show", "-h"}}) {
    CAPTURE(words);
    const auto result = braid_command(words);
    CHECK(result.code == 0);
    CHECK(result.out.find("Examples:") != std::string::npos);
  }
  const auto version = braid_command({"version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("braid "));
}

TEST_CASE("settings come from file and flags, and are shown with their place") {
  const TemporaryFile file("listeners:\n  mqtt:\n    port: 1884\nroutes:\n  - {filter: 'a/#', topic: t}\n");
  const auto shown = braid_command(
      {"settings", "show", "--config", file.path, "--set", "log.level=debug", "--set", "storage.path=/a,b"});
  CHECK(shown.code == 0);
  CHECK(shown.out.find("listeners.mqtt.port ") != std::string::npos);
  CHECK(shown.out.find(file.path.string() + ":3:11") != std::string::npos);
  CHECK(shown.out.find("--set log.level") != std::string::npos);
  CHECK(shown.out.find("\"/a,b\"") != std::string::npos);
  const auto json = parse_json(braid_command({"settings", "show", "-o", "json", "--set",
                                              "routes=[{filter: a, topic: b}, {filter: c, topic: d}]"})
                                   .out);
  REQUIRE(json);
  CHECK(to_json(*json).find(
            R"({"setting":"routes","value":"[{filter: a, topic: b}, {filter: c, topic: d}]","from":"--set routes"})") !=
        std::string::npos);
}

TEST_CASE("serve --check says whether the settings are valid, and all mistakes at once") {
  CHECK(braid_command({"serve", "--check", "--set", "listeners.mqtt.port=0"}).out == "the settings are valid\n");
  const TemporaryFile file("listeners:\n  mqtt:\n    prot: 1884\n");
  const auto wrong = braid_command({"serve", "--check", "-c", file.path, "--set", "log.level=loud"});
  CHECK(wrong.code == 1);
  CHECK(wrong.err ==
        file.path.string() +
            ":3:5: unknown key 'listeners.mqtt.prot', did you mean 'port'?\n  3 |     prot: 1884\n    |     ^\n"
            "--set log.level: expected one of trace, debug, info, warn, error, off, not 'loud'\n"
            "braid: 2 mistakes in the settings; docs/settings.md or `braid settings reference` has them all\n");
  const auto missing = braid_command({"serve", "--check", "--config", "/nowhere/braid.yaml"});
  CHECK(missing.code == 1);
  CHECK(missing.err == "braid: cannot read the settings file '/nowhere/braid.yaml': No such file or directory\n");
  CHECK(braid_command({"serve", "--check", "--config", "/dev/zero"}).err ==
        "braid: cannot read the settings file '/dev/zero': it is larger than 1MiB\n");
  CHECK(braid_command({"serve", "--check", "--config", "/tmp"}).code == 1);
}

TEST_CASE("a reference to a file is read from it") {
  const TemporaryFile secret("cluster-7\n");
  const auto shown =
      braid_command({"settings", "show", "--set", "node.cluster_id=${file:" + secret.path.string() + "}"});
  CHECK(shown.code == 0);
  CHECK(shown.out.find("cluster-7") == std::string::npos);
  CHECK(shown.out.find("${file:" + secret.path.string() + "}") != std::string::npos);
}

TEST_CASE("names are escaped in paths") {
  CHECK(escape_path("a.b_c-D9") == "a.b_c-D9");
  CHECK(escape_path("a/b c?") == "a%2Fb%20c%3F");
  CHECK(escape_path("\xc3\xa4") == "%C3%A4");
}
