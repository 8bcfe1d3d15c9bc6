// Braid, Apache-2.0.
//
// Exchanges and bindings: what each request is refused with, in RabbitMQ's words, and where messages go.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/amqp/topology/vhost.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

constexpr auto nobody = ConnectionNumber::none;
const Table no_arguments;

std::string said(const Refusal& refusal) {
  return refusal ? reply_text(refusal->code, refusal->text) : "ok";
}

struct Fixture {
  Vhost vhost{"/", 7};

  std::string declare(std::string_view name, std::string_view type, const Table& arguments = {}, bool durable = false) {
    return said(vhost.declare_exchange({.name = name, .type = type, .durable = durable, .arguments = arguments}));
  }
  void queue(std::string_view name) { vhost.add_queue(name, true); }
  std::string bind(std::string_view queue, std::string_view exchange, std::string_view key,
                   const Table& arguments = {}) {
    return said(vhost.bind_queue(queue, exchange, key, arguments, nobody));
  }
  std::string unbind(std::string_view queue, std::string_view exchange, std::string_view key,
                     const Table& arguments = {}) {
    return said(vhost.unbind_queue(queue, exchange, key, arguments, nobody));
  }
  /// The queues, sorted, with a space between.
  std::string route(std::string_view exchange, std::string_view key, const BasicProperties& properties = {}) {
    const auto from = vhost.publishable(exchange);
    REQUIRE(from);
    return names(vhost.route(*from, {key, properties}));
  }
  std::string names(const Routed& routed) const {
    std::multiset<std::string> sorted;
    for (const auto number : routed.queues) sorted.emplace(vhost.queue_name(number));
    std::string text;
    for (const auto& name : sorted) text += (text.empty() ? "" : " ") + name;
    return text;
  }
};

BasicProperties with(const TableWriter& headers) {
  BasicProperties properties;
  properties.set(PropertyFlag::headers);
  properties.headers = headers.table();
  return properties;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "exchange.declare is refused with RabbitMQ's codes and words") {
  CHECK(declare("x", "nonsense") == "PRECONDITION_FAILED - unknown exchange type 'nonsense'");
  CHECK(declare("", "direct") == "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(declare("\r\n", "direct") == "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(declare("amq.mine", "direct") == "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'");
  CHECK(said(vhost.check_exchange("x")) == "NOT_FOUND - no exchange 'x' in vhost '/'");
  CHECK(said(vhost.check_exchange("")) == "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(declare("x", "direct") == "ok");
  CHECK(declare("x", "direct") == "ok");
  CHECK(declare("x\n", "direct") == "ok");
  CHECK(said(vhost.check_exchange("x")) == "ok");
  CHECK(declare("x", "fanout") ==
        "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '/': received 'fanout' but current is "
        "'direct'");
  CHECK(declare("x", "direct", {}, true) ==
        "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'x' in vhost '/': received 'true' but current "
        "is 'false'");
  CHECK(said(vhost.declare_exchange({.name = "x", .type = "direct", .auto_delete = true}))
            .find("inequivalent arg 'auto_delete'") != std::string::npos);
  CHECK(said(vhost.declare_exchange({.name = "x", .type = "direct", .internal = true}))
            .find("inequivalent arg 'internal'") != std::string::npos);
  // The exchanges that are there from the start can be declared again as they are, and no other way.
  CHECK(declare("amq.topic", "topic", {}, true) == "ok");
  CHECK(declare("amq.topic", "direct", {}, true).starts_with("PRECONDITION_FAILED"));
}

TEST_CASE_METHOD(Fixture, "an alternate exchange must be a string, and the same when it is declared again") {
  TableWriter number;
  number.put("alternate-exchange", 5);
  CHECK(declare("x", "direct", number.table()) ==
        "PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in exchange 'x' in vhost '/'");
  TableWriter first;
  first.put("alternate-exchange", "a").put("anything", 1);
  TableWriter second;
  second.put("alternate-exchange", "b");
  TableWriter other_arguments;
  other_arguments.put("alternate-exchange", "a").put("anything", 2);
  CHECK(declare("x", "direct", first.table()) == "ok");
  CHECK(declare("x", "direct", other_arguments.table()) == "ok");
  CHECK(declare("x", "direct", second.table()) ==
        "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received 'b' but "
        "current is 'a'");
  CHECK(declare("x", "direct") ==
        "PRECONDITION_FAILED - inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received none but "
        "current is the value 'a' of type 'longstr'");
}

TEST_CASE_METHOD(Fixture, "exchange.delete is refused with RabbitMQ's codes and words") {
  CHECK(said(vhost.delete_exchange("", false)) == "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(said(vhost.delete_exchange("amq.topic", false)) ==
        "ACCESS_REFUSED - deletion of system exchange 'amq.topic' in vhost '/' not allowed");
  CHECK(said(vhost.delete_exchange("missing", true)) == "ok");
  declare("x", "direct");
  queue("q");
  bind("q", "x", "k");
  CHECK(said(vhost.delete_exchange("x", true)) == "PRECONDITION_FAILED - exchange 'x' in vhost '/' in use");
  CHECK(said(vhost.delete_exchange("x", false)) == "ok");
  CHECK(said(vhost.check_exchange("x")) == "NOT_FOUND - no exchange 'x' in vhost '/'");
  CHECK(vhost.bindings() == 0);
}

TEST_CASE_METHOD(Fixture, "bindings are refused with RabbitMQ's codes and words") {
  queue("q");
  declare("x", "direct");
  CHECK(bind("q", "", "k") == "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(unbind("q", "", "k") == "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(bind("q", "nope", "k") == "NOT_FOUND - no exchange 'nope' in vhost '/'");
  CHECK(bind("nope", "x", "k") == "NOT_FOUND - no queue 'nope' in vhost '/'");
  CHECK(bind("nope", "neither", "k") == "NOT_FOUND - no exchange 'neither' in vhost '/'");
  CHECK(unbind("nope", "x", "k") == "NOT_FOUND - no queue 'nope' in vhost '/'");
  CHECK(unbind("q", "x", "never bound") == "ok");
  CHECK(said(vhost.bind_exchange("", "x", "k", no_arguments)) ==
        "ACCESS_REFUSED - operation not permitted on the default exchange");
  CHECK(said(vhost.bind_exchange("nope", "x", "k", no_arguments)) == "NOT_FOUND - no exchange 'nope' in vhost '/'");
  CHECK(said(vhost.unbind_exchange("x", "nope", "k", no_arguments)) == "NOT_FOUND - no exchange 'nope' in vhost '/'");

  declare("h", "headers");
  TableWriter wrong;
  wrong.put("x-match", "some");
  CHECK(bind("q", "h", "", wrong.table()) ==
        "PRECONDITION_FAILED - Invalid x-match field value <<\"some\">>; expected all, any, all-with-x, or any-with-x");
  TableWriter number;
  number.put("x-match", 5);
  CHECK(bind("q", "h", "", number.table()) ==
        "PRECONDITION_FAILED - Invalid x-match field type signedint (value 5); expected longstr");

  declare("c", "x-consistent-hash");
  CHECK(bind("q", "c", "0") == "PRECONDITION_FAILED - The binding key must be greater than 0");
  CHECK(bind("q", "c", "10001") == "PRECONDITION_FAILED - The binding key must not exceed 10000");
  CHECK(bind("q", "c", "99999999999999999999") == "PRECONDITION_FAILED - The binding key must not exceed 10000");
  CHECK(bind("q", "c", "ten") == "PRECONDITION_FAILED - The binding key must be an integer: <<\"ten\">>");
  CHECK(bind("q", "c", "10") == "ok");
}

TEST_CASE_METHOD(Fixture, "an exclusive queue is bound by its own connection only") {
  const auto owner = static_cast<ConnectionNumber>(5);
  vhost.add_queue("mine", false, owner);
  CHECK(said(vhost.bind_queue("mine", "amq.topic", "#", no_arguments, static_cast<ConnectionNumber>(6))) ==
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'. It could be originally "
        "declared on another connection or the exclusive property value does not match that of the original "
        "declaration.");
  CHECK(said(vhost.bind_queue("mine", "amq.topic", "#", no_arguments, owner)) == "ok");
  CHECK(vhost.bindings() == 1);
}

TEST_CASE_METHOD(Fixture, "publishing needs an exchange that is there and not internal") {
  const auto missing = vhost.publishable("nope");
  REQUIRE_FALSE(missing);
  CHECK(reply_text(missing.error().code, missing.error().text) == "NOT_FOUND - no exchange 'nope' in vhost '/'");
  vhost.declare_exchange({.name = "inside", .type = "fanout", .internal = true});
  const auto internal = vhost.publishable("inside");
  REQUIRE_FALSE(internal);
  CHECK(reply_text(internal.error().code, internal.error().text) ==
        "ACCESS_REFUSED - cannot publish to internal exchange 'inside' in vhost '/'");
}

TEST_CASE_METHOD(Fixture, "the default exchange goes to the queue of the key's name") {
  queue("q");
  CHECK(route("", "q") == "q");
  CHECK(route("", "other") == "");
  vhost.remove_queue(*vhost.find_queue("q"));
  CHECK(route("", "q") == "");
}

TEST_CASE_METHOD(Fixture, "topic patterns match words, '*' one of them and '#' any number, in the middle too") {
  const auto matches = [this](std::string_view pattern, std::string_view key) {
    queue("q");
    bind("q", "amq.topic", pattern);
    const bool matched = route("amq.topic", key) == "q";
    vhost.remove_queue(*vhost.find_queue("q"));
    CHECK(vhost.bindings() == 0);
    return matched;
  };
  CHECK(matches("a.b", "a.b"));
  CHECK_FALSE(matches("a.b", "a.b.c"));
  CHECK_FALSE(matches("a.b", "a"));
  CHECK(matches("*.b", "a.b"));
  CHECK_FALSE(matches("*", "a.b"));
  CHECK_FALSE(matches("*", ""));
  CHECK(matches("*", "a"));
  CHECK(matches("*.*", "."));
  CHECK(matches("#", ""));
  CHECK(matches("#", "a.b.c"));
  CHECK(matches("", ""));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("a.#", "a"));
  CHECK(matches("a.#", "a.b.c"));
  CHECK_FALSE(matches("a.#", "ab"));
  CHECK(matches("#.c", "c"));
  CHECK(matches("#.c", "a.b.c"));
  CHECK(matches("#.c", "c.c"));
  CHECK_FALSE(matches("#.c", "c.d"));
  CHECK(matches("a.#.z", "a.z"));
  CHECK(matches("a.#.z", "a.b.c.z"));
  CHECK(matches("a.#.z.#", "a.z.b"));
  CHECK(matches("#.*", "a"));
  CHECK_FALSE(matches("#.*", ""));
  CHECK(matches("#.#", ""));
  CHECK(matches("*.#.*", "a.b"));
  CHECK_FALSE(matches("*.#.*", "a"));
  CHECK(matches("a..b", "a..b"));
  CHECK_FALSE(matches("a.b", "a..b"));
  CHECK(matches("a*", "a*"));
  CHECK_FALSE(matches("a*", "ab"));
}

TEST_CASE_METHOD(Fixture, "patterns with many '#' cost a publish no more than its words times their nodes") {
  std::string pattern = "#";
  std::string key = "a";
  for (int i = 0; i < 60; ++i) {
    pattern += ".a.#";
    key += ".a";
  }
  queue("q");
  CHECK(bind("q", "amq.topic", pattern + ".b") == "ok");
  CHECK(bind("q", "amq.topic", pattern) == "ok");
  CHECK(route("amq.topic", key) == "q");
  CHECK(route("amq.topic", key + ".c") == "q");
}

TEST_CASE_METHOD(Fixture, "headers are compared by type and value, and 'x-' headers only when asked to") {
  const auto matches = [this](const TableWriter& arguments, const TableWriter& headers) {
    queue("q");
    REQUIRE(bind("q", "amq.headers", "", arguments.table()) == "ok");
    const bool matched = route("amq.headers", "", with(headers)) == "q";
    vhost.remove_queue(*vhost.find_queue("q"));
    return matched;
  };
  TableWriter message;
  message.put("a", 1).put("b", "two").put("x-c", 3).put("n", FieldValue::integer(7)).put("t", true);
  CHECK(matches(TableWriter().put("a", 1).put("b", "two"), message));
  CHECK_FALSE(matches(TableWriter().put("a", 1).put("b", "three"), message));
  CHECK(matches(TableWriter().put("x-match", "any").put("a", 1).put("b", "three"), message));
  CHECK_FALSE(matches(TableWriter().put("x-match", "any").put("a", 2), message));
  CHECK_FALSE(matches(TableWriter().put("a", "1"), message));
  CHECK_FALSE(matches(TableWriter().put("t", 1), message));
  CHECK(matches(TableWriter().put("n", 7), message));  // another width, the same number
  CHECK(matches(TableWriter().put("b", FieldValue()), message));
  CHECK_FALSE(matches(TableWriter().put("absent", FieldValue()), message));
  CHECK(matches(TableWriter().put("a", 1).put("x-c", 99), message));
  CHECK_FALSE(matches(TableWriter().put("x-match", "all-with-x").put("a", 1).put("x-c", 99), message));
  CHECK(matches(TableWriter().put("x-match", "any-with-x").put("a", 9).put("x-c", 3), message));
  CHECK(matches(TableWriter(), message));
  CHECK_FALSE(matches(TableWriter().put("x-match", "any"), message));
}

TEST_CASE_METHOD(Fixture, "bindings that differ only in their arguments are two, in whatever order they are written") {
  queue("q");
  CHECK(bind("q", "amq.direct", "k", TableWriter().put("a", 1).put("b", 2).table()) == "ok");
  CHECK(bind("q", "amq.direct", "k", TableWriter().put("b", 2).put("a", 1).table()) == "ok");
  CHECK(bind("q", "amq.direct", "k") == "ok");
  CHECK(vhost.bindings() == 2);
  CHECK(route("amq.direct", "k") == "q");
  CHECK(unbind("q", "amq.direct", "k") == "ok");
  CHECK(route("amq.direct", "k") == "q");
  CHECK(unbind("q", "amq.direct", "k", TableWriter().put("b", 2).put("a", 1).table()) == "ok");
  CHECK(route("amq.direct", "k") == "");
  CHECK(vhost.bindings() == 0);
}

TEST_CASE_METHOD(Fixture, "a queue gets one copy however many ways lead to it, and cycles end") {
  queue("q");
  declare("a", "fanout");
  declare("b", "fanout");
  declare("c", "topic");
  vhost.bind_exchange("b", "a", "", no_arguments);
  vhost.bind_exchange("c", "a", "#", no_arguments);
  vhost.bind_exchange("a", "b", "", no_arguments);
  vhost.bind_exchange("a", "a", "", no_arguments);
  bind("q", "a", "");
  bind("q", "b", "");
  bind("q", "c", "k.#");
  bind("q", "c", "*");
  CHECK(route("a", "k") == "q");
  CHECK(route("c", "k.l") == "q");
  CHECK(route("c", "l.k") == "");
}

TEST_CASE_METHOD(Fixture, "an alternate exchange takes what its exchange cannot route, and may be missing") {
  queue("q");
  queue("rest");
  TableWriter arguments;
  arguments.put("alternate-exchange", "later");
  declare("x", "direct", arguments.table());
  bind("q", "x", "k");
  CHECK(route("x", "other") == "");
  declare("later", "fanout");
  bind("rest", "later", "");
  CHECK(route("x", "other") == "rest");
  CHECK(route("x", "k") == "q");
}

TEST_CASE_METHOD(Fixture, "an auto-delete exchange goes with its last binding, and takes others along") {
  queue("q");
  vhost.declare_exchange({.name = "first", .type = "fanout", .auto_delete = true});
  vhost.declare_exchange({.name = "second", .type = "fanout", .auto_delete = true});
  vhost.bind_exchange("second", "first", "", no_arguments);
  bind("q", "second", "");
  CHECK(route("first", "") == "q");
  vhost.remove_queue(*vhost.find_queue("q"));
  CHECK_FALSE(vhost.find_exchange("second"));
  CHECK_FALSE(vhost.find_exchange("first"));
  CHECK(vhost.bindings() == 0);
}

TEST_CASE_METHOD(Fixture, "CC and BCC headers name more routing keys, and must be arrays") {
  queue("a");
  queue("b");
  queue("c");
  TableWriter headers;
  headers.open_array("CC").add(FieldValue::text("b")).add(FieldValue::integer(5)).close();
  headers.open_array("BCC").add(FieldValue::text("c")).add(FieldValue::text("a")).close();
  CHECK(route("", "a", with(headers)) == "a b c");
  CHECK(said(check_sender_selected(with(headers))) == "ok");
  CHECK(said(check_sender_selected(with(TableWriter().put("CC", "b")))) ==
        "PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\"CC\",longstr}");
}

TEST_CASE_METHOD(Fixture, "a consistent-hash exchange spreads by weight, and moves little when a queue comes") {
  declare("c", "x-consistent-hash");
  queue("one");
  queue("two");
  queue("three");
  bind("one", "c", "10");
  bind("two", "c", "30");
  bind("two", "c", "90");  // it has its share already
  std::map<std::string, int> counts;
  std::vector<std::string> before;
  for (int i = 0; i < 4000; ++i) {
    before.push_back(route("c", "key" + std::to_string(i)));
    ++counts[before.back()];
  }
  CHECK(counts["one"] + counts["two"] == 4000);
  CHECK(counts["two"] > 2 * counts["one"]);
  CHECK(counts["two"] < 4 * counts["one"]);
  bind("three", "c", "10");
  for (int i = 0; i < 4000; ++i) {
    const auto now = route("c", "key" + std::to_string(i));
    CHECK((now == before[static_cast<std::size_t>(i)] || now == "three"));
  }
  unbind("three", "c", "10");
  for (int i = 0; i < 100; ++i) CHECK(route("c", "key" + std::to_string(i)) == before[static_cast<std::size_t>(i)]);
}

TEST_CASE_METHOD(Fixture, "a consistent-hash exchange hashes what its arguments name") {
  CHECK(declare("bad", "x-consistent-hash",
                TableWriter().put("hash-header", "h").put("hash-property", "message_id").table()) ==
        "PRECONDITION_FAILED - hash-header and hash-property are mutually exclusive");
  CHECK(declare("bad", "x-consistent-hash", TableWriter().put("hash-property", "colour").table()) ==
        "PRECONDITION_FAILED - Unsupported property: colour");
  CHECK(declare("h", "x-consistent-hash", TableWriter().put("hash-header", "h").table()) == "ok");
  CHECK(declare("m", "x-consistent-hash", TableWriter().put("hash-property", "message_id").table()) == "ok");
  for (const char* exchange : {"h", "m"}) {
    std::set<std::string> used;
    for (int i = 0; i < 4; ++i) {
      const auto name = std::string(exchange) + std::to_string(i);
      queue(name);
      bind(name, exchange, "1");
    }
    for (int i = 0; i < 100; ++i) {
      const auto value = "value" + std::to_string(i);
      TableWriter headers;
      headers.put("h", value);
      BasicProperties properties = with(headers);
      properties.set(PropertyFlag::message_id);
      properties.message_id = value;
      const auto chosen = route(exchange, "always the same key", properties);
      CHECK(route(exchange, "another key", properties) == chosen);
      used.insert(chosen);
    }
    CHECK(used.size() == 4);
  }
}

TEST_CASE_METHOD(Fixture, "a message with a delay waits at a delayed exchange, and goes on from there") {
  CHECK(declare("d", "x-delayed-message") ==
        "PRECONDITION_FAILED - Invalid argument, 'x-delayed-type' must be an existing exchange type");
  CHECK(declare("d", "x-delayed-message", TableWriter().put("x-delayed-type", "topic").table()) == "ok");
  queue("q");
  bind("q", "d", "a.*");
  TableWriter headers;
  headers.put("x-delay", 5000);
  const auto properties = with(headers);
  CHECK(delay_ms(properties) == 5000);
  CHECK(route("d", "a.b") == "q");
  const auto from = *vhost.publishable("d");
  const auto waiting = vhost.route(from, {"a.b", properties});
  CHECK(waiting.queues.empty());
  REQUIRE(waiting.delayed.size() == 1);
  CHECK(waiting.delayed[0] == from);
  CHECK(names(vhost.route_after_delay(from, {"a.b", properties})) == "q");
  declare("front", "fanout");
  vhost.bind_exchange("d", "front", "", no_arguments);
  CHECK(vhost.route(*vhost.publishable("front"), {"a.b", properties}).delayed.size() == 1);
}

TEST_CASE_METHOD(Fixture, "exchanges and bindings can be listed, with what survives a restart") {
  declare("durable", "topic", {}, true);
  declare("passing", "topic");
  queue("q");
  vhost.add_queue("passing", false);
  bind("q", "durable", "a", TableWriter().put("x", 1).table());
  bind("passing", "durable", "b");
  bind("q", "passing", "c");
  std::string listed;
  vhost.each_exchange([&](const Vhost::ExchangeInfo& one) {
    if (one.name.empty() || one.name.starts_with("amq.")) return;
    listed += std::string(one.name) + (one.durable ? "!" : "") + ":";
    vhost.each_binding(*vhost.find_exchange(one.name), [&](const Binding& binding) {
      listed += " " + binding.key + (vhost.is_durable(binding) ? "!" : "") + print(Table(binding.arguments));
    });
    listed += "\n";
  });
  CHECK(listed == "durable!: a!{'x': 1} b{}\npassing: c{}\n");
}
