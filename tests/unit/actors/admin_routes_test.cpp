// Braid, Apache-2.0.
#include <catch2/catch.hpp>

#include "actors/admin/routes.hpp"
#include "support/fake_admin.hpp"

using namespace braid;

namespace {

struct Admin {
  test::FakeAdmin api;

  AdminResponse request(std::string method, std::string path, std::string body = "",
                        std::map<std::string, std::string> query = {}) {
    return answer(api, {std::move(method), std::move(path), std::move(query), std::move(body)});
  }
  AdminResponse post(std::string body) { return request("POST", "/api/v1/topics", std::move(body)); }

  /// Status and message of a refused request.
  static std::string refusal(const AdminResponse& response) {
    const auto* error = response.body.find("error");
    if (!error || !error->find("message")) return "no error";
    return std::to_string(response.status) + " " + *error->find("code")->get<std::string>() + ": " +
           *error->find("message")->get<std::string>();
  }
};

}  // namespace

TEST_CASE("admin: a topic is created, listed, described and deleted") {
  Admin admin;
  const auto created =
      admin.post(R"({"name":"sensors","partitions":3,"config":{"retention.ms":60000,"durability":"os"}})");
  CHECK(created.status == 201);
  CHECK(to_json(created.body) == R"({"name":"sensors","id":"AAAAAAAAAAAAAAAAAAAAAQ","partitions":3,"internal":false,)"
                                 R"("config":{"durability":"os","retention.ms":"60000"}})");
  const auto listed = admin.request("GET", "/api/v1/topics");
  CHECK(listed.status == 200);
  CHECK(to_json(listed.body) == R"({"topics":[)" + to_json(created.body) + "]}");
  const auto described = admin.request("GET", "/api/v1/topics/sensors");
  CHECK(described.status == 200);
  REQUIRE(described.body.find("partitions"));
  CHECK(to_json(*described.body.find("partitions")) ==
        R"([{"partition":0,"log_start":10,"end":20,"bytes":300},{"partition":1,"log_start":10,"end":21,"bytes":300},)"
        R"({"partition":2,"log_start":10,"end":22,"bytes":300}])");
  REQUIRE(described.body.find("settings"));
  CHECK(to_json(*described.body.find("settings")->find("retention.ms")) == R"({"value":"60000","default":false})");
  CHECK(to_json(*described.body.find("settings")->find("retention.bytes")) == R"({"value":"-1","default":true})");
  const auto deleted = admin.request("DELETE", "/api/v1/topics/sensors");
  CHECK(deleted.status == 200);
  CHECK(to_json(deleted.body) == R"({"deleted":"sensors"})");
  CHECK(admin.api.topics.empty());
}

TEST_CASE("admin: a topic needs no more than its name") {
  Admin admin;
  CHECK(admin.post(R"({"name":"t"})").status == 201);
  CHECK(admin.api.topics.at("t").partitions == 1);
}

TEST_CASE("admin: what the broker refuses becomes a status and its sentence") {
  Admin admin;
  admin.post(R"({"name":"t"})");
  CHECK(Admin::refusal(admin.post(R"({"name":"t"})")) == "409 topic_exists: the topic 't' exists");
  CHECK(Admin::refusal(admin.request("GET", "/api/v1/topics/u")) == "404 unknown_topic: there is no topic 'u'");
  CHECK(Admin::refusal(admin.request("DELETE", "/api/v1/topics/u")) == "404 unknown_topic: there is no topic 'u'");
  CHECK(Admin::refusal(admin.post(R"({"name":"u","config":{"retention.sm":"1"}})")) ==
        "400 invalid_setting: unknown topic setting 'retention.sm', did you mean 'retention.ms'?");
  admin.api.failing = true;
  CHECK(Admin::refusal(admin.request("GET", "/api/v1/topics")) == "503 shutting_down: the broker is stopping");
}

TEST_CASE("admin: bad JSON, wrong types, unknown and missing fields are told in a sentence, and change nothing") {
  Admin admin;
  auto refusal = [&](std::string body) { return Admin::refusal(admin.post(std::move(body))); };
  CHECK(refusal("{\"name\":").starts_with("400 bad_request: the body is not JSON: line 1, column 9"));
  CHECK(refusal("") != "no error");
  CHECK(refusal("[]") ==
        "400 bad_request: expected an object such as {\"name\": \"sensors\", \"partitions\": 3}, not a list");
  CHECK(refusal("{}") == "400 bad_request: the field 'name' is missing");
  CHECK(refusal(R"({"name":5})") == "400 bad_request: 'name': expected a text, not a number");
  CHECK(refusal(R"({"name":"t","partitions":"3"})") ==
        "400 bad_request: 'partitions': expected a whole number, not a text");
  CHECK(refusal(R"({"name":"t","partitions":1.5})") ==
        "400 bad_request: 'partitions': expected a whole number, not a number");
  CHECK(refusal(R"({"name":"t","partitions":0})") == "400 bad_request: 'partitions': expected at least 1, not 0");
  CHECK(refusal(R"({"name":"t","partitions":2147483648})") ==
        "400 bad_request: 'partitions': expected at least 1, not 2147483648");
  CHECK(refusal(R"({"name":"t","config":[]})") == "400 bad_request: 'config': expected an object of texts, not a list");
  CHECK(refusal(R"({"name":"t","config":{"retention.ms":true}})") ==
        "400 bad_request: 'config.retention.ms': expected a text or a whole number, not true or false");
  CHECK(refusal(R"({"name":"t","partition":3})") ==
        "400 bad_request: unknown field 'partition', did you mean 'partitions'?");
  CHECK(refusal(R"({"name":"t","replicas":3})") == "400 bad_request: unknown field 'replicas'");
  CHECK(refusal(R"({"name":"a b"})").starts_with("400 bad_request: 'a b' is no topic name: "));
  CHECK(refusal(R"({"name":"t","name":"u"})") == "400 bad_request: the body is not JSON: the name 'name' comes twice");
  CHECK(admin.api.topics.empty());
}

TEST_CASE("admin: a list longer than its limit is read page by page") {
  Admin admin;
  for (const auto* name : {"a", "b", "c", "d", "e"}) admin.post(R"({"name":")" + std::string(name) + "\"}");
  std::string names, after;
  int pages = 0;
  do {
    const auto page = admin.request("GET", "/api/v1/topics", "", {{"after", after}, {"limit", "2"}});
    REQUIRE(page.status == 200);
    for (const auto& topic : *page.body.find("topics")->get<Json::Array>())
      names += *topic.find("name")->get<std::string>();
    const auto* next = page.body.find("next");
    after = next ? *next->get<std::string>() : "";
    ++pages;
  } while (!after.empty() && pages < 10);
  CHECK(names == "abcde");
  CHECK(pages == 3);
  CHECK(Admin::refusal(admin.request("GET", "/api/v1/topics", "", {{"limit", "0"}})) ==
        "400 bad_request: 'limit': expected a number from 1 to 10000");
  CHECK(Admin::refusal(admin.request("GET", "/api/v1/topics", "", {{"page", "2"}})) ==
        "400 bad_request: unknown parameter 'page'; there are 'after' and 'limit'");
}

TEST_CASE("admin: paths and methods that do not exist are told apart") {
  Admin admin;
  CHECK(admin.request("GET", "/").status == 404);
  CHECK(admin.request("GET", "/api/v1/topicsx").status == 404);
  CHECK(admin.request("PUT", "/api/v1/topics").status == 405);
  CHECK(admin.request("PUT", "/api/v1/topics").allow == "GET, POST");
  CHECK(admin.request("POST", "/api/v1/topics/t").allow == "GET, DELETE");
  CHECK(admin.request("DELETE", "/healthz").allow == "GET");
  CHECK(admin.request("GET", "/api/v1/topics/").status == 400);
  CHECK(admin.request("GET", "/api/v1/topics/a/b").status == 400);
}

TEST_CASE("admin: health is 200, or 503 with the problems") {
  Admin admin;
  const auto healthy = admin.request("GET", "/healthz");
  CHECK(healthy.status == 200);
  CHECK(to_json(healthy.body) == R"({"status":"ok"})");
  admin.api.failing = true;
  const auto unhealthy = admin.request("GET", "/healthz");
  CHECK(unhealthy.status == 503);
  CHECK(to_json(unhealthy.body) == R"({"status":"unhealthy","problems":["the disk is full"]})");
}

TEST_CASE("admin: a topic id is written as Kafka writes it") {
  TopicId id;
  CHECK(format_topic_id(id) == "AAAAAAAAAAAAAAAAAAAAAA");
  for (auto& byte : id.bytes) byte = 0xff;
  CHECK(format_topic_id(id) == "_____________________w");
}
