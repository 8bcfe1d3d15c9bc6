// Braid, Apache-2.0.
//
// Compares every description with Apache Kafka's own definition of the message, when a folder of those is given by
// BRAID_KAFKA_SPECS or lies beside the source tree. Field by field: name, type, versions, nullable versions, tag,
// default; message by message: key, versions, first flexible version.
#include <catch2/catch.hpp>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "codecs/kafka/api_keys.hpp"
#include "support/source_tree.hpp"
#include "unit/codecs/kafka_messages.hpp"

namespace braid::kafka {
namespace {

using nlohmann::json;

/// Versions older than those of Kafka's definitions that we read and write on purpose, and why. Anything else outside
/// of Kafka's range is a mistake.
const std::map<std::string_view, Versions> wider_on_purpose{
    // librdkafka's feature check asks for OffsetCommit 1; kafka-notes section 2b.
    {"OffsetCommitRequest", {1, 10}},
    {"OffsetCommitResponse", {1, 10}},
};

std::filesystem::path specifications() {
  if (const char* given = std::getenv("BRAID_KAFKA_SPECS")) return given;
  return source_tree() / ".." / "shared" / "specs" / "kafka";
}

/// TopicId -> topic_id, SSLPort -> ssl_port.
std::string snake_case(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto upper = [&](std::size_t at) {
      return at < name.size() && std::isupper(static_cast<unsigned char>(name[at])) != 0;
    };
    if (i > 0 && upper(i) && (!upper(i - 1) || (i + 1 < name.size() && !upper(i + 1)))) result += '_';
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return result;
}

Versions parse_versions(const std::string& text) {
  if (text.empty() || text == "none") return no_versions;
  std::size_t end = 0;
  const auto first = static_cast<std::int16_t>(std::stoi(text, &end));
  if (end == text.size()) return {first, first};
  if (text[end] == '+') return {first, Versions{}.last};
  return {first, static_cast<std::int16_t>(std::stoi(text.substr(end + 1)))};
}
Versions intersect(Versions a, Versions b) {
  const Versions both{std::max(a.first, b.first), std::min(a.last, b.last)};
  return both.empty() ? no_versions : both;
}
std::string show(Versions versions) {
  return versions.empty() ? "none" : std::to_string(versions.first) + "-" + std::to_string(versions.last);
}

std::string default_of(const json& field, const std::string& type) {
  if (!field.contains("default")) {
    if (type == "bool") return "false";
    return type.starts_with("int") || type.starts_with("uint") ? "0" : "";
  }
  const json& value = field["default"];
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.starts_with("0x")) text = std::to_string(std::stoll(text, nullptr, 16));
  return text;
}

class Comparison {
 public:
  Comparison(const json& definition, Versions versions) : definition_(definition), versions_(versions) {}

  void fields(const std::vector<FieldSchema>& ours, const json& theirs, const std::string& path) {
    std::size_t next = 0;
    for (const json& field : theirs) {
      const std::string name = snake_case(field["name"].get<std::string>());
      const std::string where = path + "." + name;
      const Versions present = intersect(parse_versions(field["versions"]), versions_);
      if (present.empty()) continue;
      while (next < ours.size() && intersect(ours[next].field.versions, versions_).empty()) ++next;
      if (next == ours.size() || ours[next].name != name) {
        differ(where, "order or presence", next < ours.size() ? ours[next].name : "nothing", name);
        return;
      }
      one(ours[next++], field, present, where);
    }
    while (next < ours.size() && intersect(ours[next].field.versions, versions_).empty()) ++next;
    if (next != ours.size()) differ(path, "field that Kafka lacks", ours[next].name, "nothing");
  }
  const std::string& differences() const { return differences_; }

 private:
  void one(const FieldSchema& ours, const json& theirs, Versions present, const std::string& where) {
    const std::string declared = theirs["type"];
    const bool array = declared.starts_with("[]");
    const std::string element = array ? declared.substr(2) : declared;
    const bool structure = std::isupper(static_cast<unsigned char>(element[0])) != 0;
    const std::string type = (array ? "[]" : "") + (structure ? "struct" : element);
    same(where, "type", ours.type, type);
    same(where, "versions", show(intersect(ours.field.versions, versions_)), show(present));
    same(where, "nullable versions", show(intersect(ours.field.nullable, present)),
         show(intersect(parse_versions(theirs.value("nullableVersions", "none")), present)));
    same(where, "tag", std::to_string(ours.field.tag), std::to_string(theirs.value("tag", untagged)));
    if (theirs.contains("taggedVersions"))
      same(where, "tagged versions", show(intersect(parse_versions(theirs["taggedVersions"]), versions_)),
           show(present));
    const json ignorable = theirs.value("ignorable", json(false));
    same(where, "ignorable", ours.field.may_be_dropped ? "true" : "false",
         ignorable.is_string() ? ignorable.get<std::string>() : ignorable.dump());
    same(where, "compact", ours.field.rigid ? "none" : "as the message",
         theirs.value("flexibleVersions", "as the message"));
    // An error message that nobody set is null with us. Kafka's generated classes start with an empty one, and its
    // handlers then set null by hand.
    if (ours.name != "error_message") same(where, "default", ours.default_value, default_of(theirs, type));
    if (!structure) return;
    if (theirs.contains("fields")) return fields(ours.fields, theirs["fields"], where);
    for (const json& common : definition_["commonStructs"])
      if (common["name"] == element) return fields(ours.fields, common["fields"], where);
    differ(where, "struct", "described", "not defined");
  }
  void same(const std::string& where, std::string_view what, const std::string& ours, const std::string& theirs) {
    if (ours != theirs) differ(where, what, ours, theirs);
  }
  void differ(const std::string& where, std::string_view what, std::string_view ours, std::string_view theirs) {
    differences_ +=
        where + ": " + std::string(what) + " is " + std::string(ours) + ", Kafka has " + std::string(theirs) + "\n";
  }

  const json& definition_;
  Versions versions_;
  std::string differences_;
};

void compare_with_definition(const test::MessageUnderTest& message) {
  const std::string name(message.info.name);
  INFO(name);
  std::ifstream file(specifications() / (name + ".json"));
  REQUIRE(file.good());
  const json definition = json::parse(file, nullptr, true, /* ignore_comments */ true);
  const Versions valid = parse_versions(definition["validVersions"]);
  const auto wider = wider_on_purpose.find(name);
  const Versions expected = wider == wider_on_purpose.end() ? valid : wider->second;

  CHECK(show(message.info.versions) == show(expected));
  CHECK(message.info.key == definition.value("apiKey", no_key));
  const Versions flexible = parse_versions(definition["flexibleVersions"]);
  CHECK(message.info.first_flexible == (flexible.empty() ? never_flexible : flexible.first));

  Comparison comparison(definition, intersect(message.info.versions, valid));
  comparison.fields(message.fields, definition["fields"], name);
  CHECK(comparison.differences() == "");
}

void check_tags_ascend(const std::vector<FieldSchema>& fields) {
  std::int32_t last = untagged;
  for (const FieldSchema& field : fields) {
    if (field.field.tag != untagged) {
      CHECK(field.field.tag > last);
      last = field.field.tag;
    }
    check_tags_ascend(field.fields);
  }
}

TEST_CASE("Every message is described as Apache Kafka defines it") {
  if (!std::filesystem::is_directory(specifications())) {
    WARN("no Kafka message definitions at " << specifications() << ": set BRAID_KAFKA_SPECS to compare with them");
    return;
  }
  for (const test::MessageUnderTest& message : test::all_messages()) compare_with_definition(message);
}

TEST_CASE("Tagged fields are described in the order in which they are sent") {
  for (const test::MessageUnderTest& message : test::all_messages()) check_tags_ascend(message.fields);
}

TEST_CASE("Kafka's names of requests match their numbers") {
  for (const ApiInfo& api : all_apis()) {
    CHECK(to_string(api.key) == api.name);
    CHECK(find_api(api.key) == &api);
  }
  CHECK(find_api(static_cast<ApiKey>(-1)) == nullptr);
  CHECK(find_api(static_cast<ApiKey>(999)) == nullptr);
  CHECK(to_string(static_cast<ApiKey>(999)) == "unknown");
}

}  // namespace
}  // namespace braid::kafka
