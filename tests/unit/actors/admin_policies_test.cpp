// Braid, Apache-2.0.
//
// Virtual hosts and policies over HTTP, as RabbitMQ's management API answers.
#include <catch2/catch.hpp>

#include "actors/admin/rabbitmq_routes.hpp"
#include "support/fake_admin.hpp"

using namespace braid;

namespace {

struct PolicyAdmin {
  test::FakeAdmin api;
  /// Status and body.
  std::string operator()(std::string method, std::string raw_path, std::string body = "") {
    const auto response = answer(api, {std::move(method), raw_path, {}, std::move(body), raw_path});
    return std::to_string(response.status) + " " + to_json(response.body);
  }
};

}  // namespace

TEST_CASE("admin: a policy is set, read, changed and deleted") {
  PolicyAdmin admin;
  CHECK(admin("GET", "/api/policies") == "200 []");
  CHECK(admin("PUT", "/api/policies/%2F/limits",
              R"({"pattern":"^jobs","definition":{"max-length":5,"overflow":"drop-head"},"priority":7,)"
              R"("apply-to":"queues"})") == "201 null");
  const std::string object = R"({"vhost":"/","name":"limits","pattern":"^jobs","apply-to":"queues",)"
                             R"("definition":{"max-length":5,"overflow":"drop-head"},"priority":7})";
  CHECK(admin("GET", "/api/policies/%2f/limits") == "200 " + object);
  CHECK(admin("GET", "/api/policies") == "200 [" + object + "]");
  CHECK(admin("GET", "/api/policies/%2F") == "200 [" + object + "]");
  CHECK(admin("GET", "/api/policies/other") == "200 []");
  CHECK(admin("PUT", "/api/policies/%2F/limits", R"({"pattern":"x","definition":{"expires":5}})") == "204 null");
  CHECK(admin.api.policies.at({"/", "limits"}).apply_to == "all");
  CHECK(admin.api.policies.at({"/", "limits"}).priority == 0);
  CHECK(admin("DELETE", "/api/policies/%2F/limits") == "204 null");
  CHECK(admin("DELETE", "/api/policies/%2F/limits") == R"(404 {"error":"Object Not Found","reason":"Not Found"})");
  CHECK(admin("GET", "/api/policies/%2F/limits").starts_with("404"));
}

TEST_CASE("admin: operator policies have paths and names of their own") {
  PolicyAdmin admin;
  CHECK(admin("PUT", "/api/policies/%2F/p", R"({"pattern":"x","definition":{"expires":5}})") == "201 null");
  CHECK(admin("PUT", "/api/operator-policies/%2F/p", R"({"pattern":"y","definition":{"expires":6}})") == "201 null");
  const std::string object = R"({"vhost":"/","name":"p","pattern":"y","apply-to":"all",)"
                             R"("definition":{"expires":6},"priority":0})";
  CHECK(admin("GET", "/api/operator-policies") == "200 [" + object + "]");
  CHECK(admin("GET", "/api/operator-policies/%2F") == "200 [" + object + "]");
  CHECK(admin("GET", "/api/operator-policies/%2F/p") == "200 " + object);
  CHECK(admin("DELETE", "/api/operator-policies/%2F/p") == "204 null");
  CHECK(admin("DELETE", "/api/operator-policies/%2F/p").starts_with("404"));
  CHECK(admin.api.policies.contains({"/", "p"}));
  CHECK(admin("POST", "/api/operator-policies").starts_with("405"));
  CHECK(admin("GET", "/api/operator-policiesx").starts_with("404"));
}

TEST_CASE("admin: names of policies may have anything in them") {
  PolicyAdmin admin;
  CHECK(admin("PUT", "/api/policies/%2F/a%2Fb%20%C3%A9", R"({"pattern":"","definition":{"expires":5}})") == "201 null");
  CHECK(admin.api.policies.contains({"/", "a/b \xc3\xa9"}));
  for (const auto* path :
       {"/api/policies/nowhere", "/api/policies/nowhere/x", "/api/policies/%2F/a%", "/api/policies//x",
        "/api/policies/%2F/a%zz", "/api/policies/%2F/a/b", "/api/policies/%2F/a%2"})
    CHECK(admin("GET", path).starts_with("404"));
  CHECK(admin("PUT", "/api/policies/nowhere/x", R"({"pattern":"","definition":{"expires":5}})").starts_with("404"));
}

TEST_CASE("admin: a policy that makes no sense is refused with the reason") {
  PolicyAdmin admin;
  const auto refused = [&](const std::string& body) {
    const auto said = admin("PUT", "/api/policies/%2F/p", body);
    const std::string front = R"(400 {"error":"bad_request","reason":")";
    return said.starts_with(front) ? said.substr(front.size(), said.size() - front.size() - 2) : said;
  };
  CHECK(refused("nonsense").starts_with("the body is not JSON"));
  CHECK(refused("[]") == "expected an object, not a list");
  CHECK(refused(R"({"definition":{}})") == "the field 'pattern' is missing");
  CHECK(refused(R"({"pattern":"x"})") == "the field 'definition' is missing");
  CHECK(refused(R"({"pattern":5,"definition":{}})") == "'pattern': expected a text, not a number");
  CHECK(refused(R"({"pattern":"x","definition":[]})") == "'definition': expected an object, not a list");
  CHECK(refused(R"({"pattern":"x","definition":{"a":true}})") ==
        "'definition.a': expected a text or a whole number, not true or false");
  CHECK(refused(R"({"pattern":"x","definition":{},"priority":"high"})") ==
        "'priority': expected a whole number of 32 bits, not a text");
  CHECK(refused(R"({"pattern":"x","definition":{},"vhost":"other"})") == "'vhost' is not the one in the path");
  CHECK(refused(R"({"pattern":"x","definition":{},"apply_to":"all"})").starts_with("unknown field 'apply_to'"));
  CHECK(refused(R"({"pattern":"x","definition":{},"apply-to":"nothing"})") == "no such target");
  CHECK(admin.api.policies.empty());
  CHECK(admin("POST", "/api/policies").starts_with("405"));
  CHECK(admin("PUT", "/api/policies/%2F").starts_with("405"));
  CHECK(admin("GET", "/api/policiesx").starts_with("404"));
}

TEST_CASE("admin: a virtual host is made, listed and deleted") {
  PolicyAdmin admin;
  CHECK(admin("GET", "/api/vhosts") == R"(200 [{"name":"/"},{"name":"other"}])");
  CHECK(admin("PUT", "/api/vhosts/a%2Fb") == "201 null");
  CHECK(admin("PUT", "/api/vhosts/a%2Fb", R"({"description":"","default_queue_type":"classic","tracing":false})") ==
        "204 null");
  CHECK(admin("GET", "/api/vhosts/a%2Fb") == R"(200 {"name":"a/b"})");
  CHECK(admin("GET", "/api/policies/a%2Fb") == "200 []");
  CHECK(admin("DELETE", "/api/vhosts/a%2Fb") == "204 null");
  CHECK(admin("DELETE", "/api/vhosts/a%2Fb").starts_with("404"));
  CHECK(admin("GET", "/api/vhosts/a%2Fb").starts_with("404"));
  CHECK(admin("DELETE", "/api/vhosts/%2F") == R"(400 {"error":"bad_request","reason":"this one stays"})");
  CHECK(admin("PUT", "/api/vhosts/x", R"({"tracing":true})") ==
        R"(400 {"error":"bad_request","reason":"'tracing' of a virtual host is not served"})");
  CHECK(admin("PUT", "/api/vhosts/x", "nonsense").starts_with("400"));
  CHECK(admin("PUT", "/api/vhosts").starts_with("405"));
  CHECK(admin("GET", "/api/vhosts/a/b").starts_with("404"));
  CHECK(admin("GET", "/api/vhostsx").starts_with("404"));
}
