// Braid, Apache-2.0.
//
// Every method: compared with RabbitMQ's machine-readable specification when that is at hand (BRAID_AMQP_SPECS, or a
// folder beside the source tree), and encoded and decoded with random fields.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "support/seed.hpp"
#include "support/source_tree.hpp"
#include "unit/codecs/amqp_support.hpp"

using namespace braid;
using namespace braid::amqp;
using namespace braid::amqp::testing;

namespace {

using nlohmann::json;

std::filesystem::path specification() {
  constexpr auto name = "amqp-rabbitmq-0.9.1.json";
  if (const char* given = std::getenv("BRAID_AMQP_SPECS")) return std::filesystem::path(given) / name;
  return source_tree() / ".." / "shared" / "specs" / "amqp" / name;
}

std::string default_of(const json& argument) {
  if (!argument.contains("default-value")) return {};
  const json& value = argument["default-value"];
  if (value.is_string()) return value.get<std::string>();
  return value.is_object() ? std::string() : value.dump();
}

void compare_fields(const std::vector<FieldSchema>& ours, const json& theirs,
                    const std::map<std::string, std::string>& domains) {
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t at = 0; at < ours.size(); ++at) {
    const json& field = theirs[at];
    INFO(ours[at].name);
    CHECK(ours[at].name == field["name"].get<std::string>());
    std::string type =
        field.contains("type") ? field["type"].get<std::string>() : domains.at(field["domain"].get<std::string>());
    if (type == "timestamp") type = "longlong";  // which it is on the wire
    CHECK(ours[at].type == type);
    if (field.contains("default-value")) CHECK(ours[at].default_value == default_of(field));
  }
}

/// Sets every field of a method at random. What views show lives in the filler.
class Filler {
 public:
  explicit Filler(std::mt19937_64& random) : random_(random) {}
  template <class T>
  T fill() {
    T method;
    Each<T> each{*this, method};
    T::describe(each);
    return method;
  }

 private:
  template <class T>
  struct Each {
    Filler& filler;
    T& self;
    template <class M>
    void operator()(M T::*member, std::string_view) {
      filler.set(self.*member);
    }
  };
  template <std::unsigned_integral Integer>
  void set(Integer& into) {
    into = static_cast<Integer>(random_());
  }
  void set(bool& into) { into = random_() & 1; }
  void set(ReplyCode& into) { into = static_cast<ReplyCode>(random_()); }
  void set(DeliveryTag& into) { into.value = random_(); }
  void set(std::string_view& into) { into = text(256); }
  void set(LongString& into) { into.text = text(2000); }
  void set(Table& into) {
    auto& writer = *tables_.emplace_back(std::make_unique<TableWriter>());
    for (auto count = random_() % 4; count > 0; --count) writer.put(text(10), text(100));
    into = writer.table();
  }
  std::string_view text(std::size_t below) {
    auto& made = *texts_.emplace_back(std::make_unique<std::string>(random_() % below, ' '));
    for (char& c : made) c = static_cast<char>(random_());
    return made;
  }
  std::mt19937_64& random_;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<TableWriter>> tables_;
};

std::string encoded(const Method& method) {
  ByteWriter writer;
  encode_method(writer, 7, method);
  return std::string(writer.view());
}

void comes_back(const Method& method, std::mt19937_64& random) {
  const MethodInfo& info = info_of(method);
  INFO(info.name);
  const auto bytes = encoded(method);
  const auto frames = frames_of(bytes);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].channel == 7);
  const auto payload = frames[0].payload;
  Method decoded;
  REQUIRE_FALSE(decode_method(payload, {}, decoded));
  CHECK(decoded.index() == method.index());
  CHECK(encoded(decoded) == bytes);
  CHECK(find_method(info.id) == &info);
  CHECK(print(decoded) == print(method));
  CHECK(print(decoded).starts_with(std::string(info.name) + "{"));
  // Cut anywhere, it is refused; so is a byte too many.
  const auto cut = payload.substr(0, random() % payload.size());
  const auto error = decode_method(cut, {}, decoded);
  REQUIRE(error);
  CHECK(error->code == (cut.size() < 4 ? ReplyCode::frame_error : ReplyCode::syntax_error));
  const auto longer = decode_method(std::string(payload) + "x", {}, decoded);
  REQUIRE(longer);
  CHECK(longer->method == info.id);
}

}  // namespace

TEST_CASE("every AMQP method is described as the specification defines it") {
  if (!std::filesystem::exists(specification())) {
    WARN("no specification at " << specification() << ": set BRAID_AMQP_SPECS to compare");
    return;
  }
  std::ifstream file(specification());
  const json definition = json::parse(file);
  std::map<std::string, std::string> domains;
  for (const json& domain : definition["domains"]) domains[domain[0]] = domain[1];
  std::map<std::string, const json*> theirs;
  std::map<std::string, int> classes;
  for (const json& one : definition["classes"]) {
    classes[one["name"]] = one["id"];
    for (const json& method : one["methods"])
      theirs[one["name"].get<std::string>() + "." + method["name"].get<std::string>()] = &method;
    if (one["name"] == "basic") compare_fields(schema_of<BasicProperties>(), one["properties"], domains);
  }
  CHECK(theirs.size() == Methods::size);
  // What differs by type is gathered first: a CHECK in code that is compiled once per method costs a minute.
  std::vector<std::pair<MethodInfo, std::vector<FieldSchema>>> ours;
  Methods::for_each([&]<class T>(T) { ours.emplace_back(T::info, schema_of<T>()); });
  for (const auto& [info, fields] : ours) {
    INFO(info.name);
    const auto found = theirs.find(std::string(info.name));
    REQUIRE(found != theirs.end());
    const json& method = *found->second;
    CHECK(info.id.class_id == classes[std::string(info.name.substr(0, info.name.find('.')))]);
    CHECK(info.id.method_id == method["id"].get<int>());
    CHECK((info.kind == MethodKind::synchronous) == method.value("synchronous", false));
    CHECK((info.kind == MethodKind::content) == method.value("content", false));
    compare_fields(fields, method["arguments"], domains);
  }
  for (const json& constant : definition["constants"]) {
    if (!constant.contains("class")) continue;
    const auto code = static_cast<ReplyCode>(constant["value"].get<int>());
    std::string name = constant["name"];
    std::replace(name.begin(), name.end(), '-', '_');
    CHECK(name_of(code) == name);
    CHECK(closes_connection(code) == (constant["class"] == "hard-error"));
  }
}

TEST_CASE("every AMQP method comes back from its encoding with all fields") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    Filler filler(random);
    std::vector<Method> methods;
    Methods::for_each([&]<class T>(T) { methods.push_back(filler.fill<T>()); });
    REQUIRE(methods.size() == Methods::size);
    for (const Method& method : methods) comes_back(method, random);
  }
}

TEST_CASE("neighbouring bits share an octet, the first in its lowest bit") {
  QueueDeclare declare;
  declare.queue = "q";
  declare.durable = true;
  declare.auto_delete = true;
  CHECK(method_frame(1, declare) ==
        frame(1, 1, raw({0, 50, 0, 10, 0, 0, 1}) + "q" + raw({0b01010}) + raw({0, 0, 0, 0})));
  Method decoded;  // bits that no field has are ignored
  REQUIRE_FALSE(decode_method(raw({0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 9, 0xff}), {}, decoded));
  CHECK(std::get<BasicAck>(decoded).delivery_tag == DeliveryTag{9});
  CHECK(std::get<BasicAck>(decoded).multiple);
}

TEST_CASE("a method that does not exist is not implemented, and says which it was") {
  Method decoded;
  for (const MethodId id : {MethodId{60, 121}, MethodId{60, 12}, MethodId{61, 10}, MethodId{65535, 65535},
                            MethodId{0, 0}, MethodId{95, 10}}) {
    const auto payload = raw({id.class_id >> 8, id.class_id & 255, id.method_id >> 8, id.method_id & 255});
    const auto error = decode_method(payload, {}, decoded);
    REQUIRE(error);
    CHECK(error->code == ReplyCode::not_implemented);
    CHECK(error->method == id);
    CHECK(find_method(id) == nullptr);
  }
}

TEST_CASE("methods are printed on one line, escaped and cut") {
  BasicPublish publish;
  publish.exchange = "a\nb";
  publish.routing_key = "key";
  CHECK(print(Method(publish)) ==
        "basic.publish{ticket=0, exchange='a\\x0ab', routing-key='key', mandatory=false, immediate=false}");
  const std::string long_text(5000, 'x');
  ConnectionStartOk start;
  start.response.text = long_text;
  CHECK(print(Method(start)).size() < 400);
}

TEST_CASE("a reply text begins with the name of its code and never grows beyond a short string") {
  CHECK(reply_text(ReplyCode::not_found, "no queue 'q' in vhost '/'") == "NOT_FOUND - no queue 'q' in vhost '/'");
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "\xc3\xa4";
  const auto text = reply_text(ReplyCode::not_found, umlauts);
  CHECK(text.size() <= 255);
  CHECK(text.ends_with("\xa4..."));
}
