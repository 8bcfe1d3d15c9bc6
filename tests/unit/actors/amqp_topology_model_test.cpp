// Braid, Apache-2.0.
//
// The routing of a virtual host against a naive model: lists that are searched from end to end, for random exchanges,
// queues and bindings that come and go, cycles and alternate exchanges included.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "actors/amqp/topology/vhost.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& text) {
  Words words;
  if (text.empty()) return words;
  std::size_t begin = 0;
  for (std::size_t dot; (dot = text.find('.', begin)) != std::string::npos; begin = dot + 1)
    words.push_back(text.substr(begin, dot - begin));
  words.push_back(text.substr(begin));
  return words;
}

bool topic_matches(const Words& pattern, std::size_t p, const Words& key, std::size_t k) {
  if (p == pattern.size()) return k == key.size();
  if (pattern[p] == "#") {
    for (std::size_t rest = k; rest <= key.size(); ++rest)
      if (topic_matches(pattern, p + 1, key, rest)) return true;
    return false;
  }
  return k < key.size() && (pattern[p] == "*" || pattern[p] == key[k]) && topic_matches(pattern, p + 1, key, k + 1);
}

struct Model {
  struct Exchange {
    std::string type;
    std::string alternate;
    bool auto_delete = false;
  };
  struct Binding {
    std::string source;
    bool to_exchange = false;
    std::string destination;
    std::string key;
    std::string arguments;
    friend bool operator==(const Binding&, const Binding&) = default;
  };
  std::map<std::string, Exchange> exchanges{{"amq.direct", {"direct", "", false}},
                                            {"amq.fanout", {"fanout", "", false}},
                                            {"amq.topic", {"topic", "", false}},
                                            {"amq.headers", {"headers", "", false}}};
  std::set<std::string> queues;
  std::vector<Binding> bindings;

  bool matches(const Binding& binding, const std::vector<std::string>& keys, const Table& headers) const {
    const std::string& type = exchanges.at(binding.source).type;
    if (type == "fanout") return true;
    if (type == "headers") return headers_match(Table(binding.arguments), headers);
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
      return type == "direct" ? key == binding.key : topic_matches(words_of(binding.key), 0, words_of(key), 0);
    });
  }
  std::set<std::string> route(const std::string& from, const std::vector<std::string>& keys,
                              const Table& headers) const {
    std::set<std::string> found;
    std::set<std::string> seen;
    std::vector<std::string> pending{from};
    while (!pending.empty()) {
      const std::string at = pending.back();
      pending.pop_back();
      if (!exchanges.contains(at) || !seen.insert(at).second) continue;
      bool any = false;
      for (const Binding& binding : bindings) {
        if (binding.source != at || !matches(binding, keys, headers)) continue;
        any = true;
        if (binding.to_exchange)
          pending.push_back(binding.destination);
        else
          found.insert(binding.destination);
      }
      if (!any) pending.push_back(exchanges.at(at).alternate);
    }
    return found;
  }
  template <class Goes>
  void drop_bindings(Goes goes) {
    std::set<std::string> touched;
    std::erase_if(bindings, [&](const Binding& binding) {
      if (!goes(binding)) return false;
      touched.insert(binding.source);
      return true;
    });
    for (const std::string& source : touched) {
      const auto at = exchanges.find(source);
      if (at == exchanges.end() || !at->second.auto_delete) continue;
      if (std::none_of(bindings.begin(), bindings.end(), [&](const Binding& one) { return one.source == source; }))
        drop_exchange(source);
    }
  }
  void drop_exchange(const std::string& name) {
    exchanges.erase(name);
    drop_bindings([&](const Binding& binding) {
      return binding.source == name || (binding.to_exchange && binding.destination == name);
    });
  }
};

class ModelWorld {
 public:
  explicit ModelWorld(std::uint64_t seed) : random_(seed), vhost_("/", seed) {}

  void step() {
    switch (random_() % 12) {
      case 0:
        return declare();
      case 1:
        return remove_exchange();
      case 2:
        return add_queue();
      case 3:
        return remove_queue();
      case 4:
      case 5:
        return unbind();
      default:
        return bind();
    }
  }
  void compare() {
    const std::string from = exchange();
    if (!model_.exchanges.contains(from)) {
      CHECK_FALSE(vhost_.publishable(from));
      return;
    }
    std::vector<std::string> keys{key()};
    TableWriter headers;
    fill(headers, 3);
    if (random_() % 4 == 0) {
      headers.open_array("CC");
      keys.push_back(key());
      headers.add(FieldValue::text(keys.back())).close();
    }
    BasicProperties properties;
    properties.set(PropertyFlag::headers);
    properties.headers = headers.table();
    const auto routed = vhost_.route(*vhost_.publishable(from), {keys.front(), properties});
    std::set<std::string> found;
    for (const auto number : routed.queues) CHECK(found.emplace(vhost_.queue_name(number)).second);
    CAPTURE(from, keys.front());
    CHECK(found == model_.route(from, keys, headers.table()));
    CHECK(vhost_.bindings() == model_.bindings.size());
  }
  /// Everything goes, and nothing stays behind.
  void clear() {
    for (const auto& name : std::set<std::string>(model_.queues)) vhost_.remove_queue(*vhost_.find_queue(name));
    std::vector<std::string> own;
    vhost_.each_exchange([&](const Vhost::ExchangeInfo& one) {
      if (!one.name.empty() && !one.name.starts_with("amq.")) own.emplace_back(one.name);
    });
    for (const auto& name : own) CHECK_FALSE(vhost_.delete_exchange(name, false));
    vhost_.each_exchange([&](const Vhost::ExchangeInfo& one) {
      const auto number = *vhost_.find_exchange(one.name);
      std::vector<Binding> left;
      vhost_.each_binding(number, [&](const Binding& binding) { left.push_back(binding); });
      for (const Binding& binding : left)
        CHECK_FALSE(vhost_.unbind_exchange(vhost_.exchange_name(binding.destination.exchange()), one.name, binding.key,
                                           Table(binding.arguments)));
    });
    CHECK(vhost_.bindings() == 0);
  }

 private:
  template <class Of>
  const Of& pick(const std::vector<Of>& from) {
    return from[random_() % from.size()];
  }
  std::string exchange() {
    static const std::vector<std::string> names{"amq.direct", "amq.fanout", "amq.topic", "amq.headers",
                                                "x1",         "x2",         "x3",        "x4"};
    return pick(names);
  }
  std::string queue() { return "q" + std::to_string(random_() % 6); }
  std::string text(const std::vector<std::string>& words) {
    std::string made;
    for (auto count = random_() % 5; count > 0; --count) made += (made.empty() ? "" : ".") + pick(words);
    return made;
  }
  std::string key() {
    static const std::vector<std::string> words{"a", "b", "c", ""};
    return text(words);
  }
  std::string pattern() {
    static const std::vector<std::string> words{"a", "b", "*", "#", "#", ""};
    return text(words);
  }
  void fill(TableWriter& table, std::uint64_t most) {
    static const std::vector<std::string> names{"h1", "h2", "h3", "x-h"};
    for (const std::string& name : names) {
      if (random_() % 4 >= most) continue;
      switch (random_() % 4) {
        case 0:
          table.put(name, static_cast<std::int32_t>(random_() % 2));
          break;
        case 1:
          table.put(name, FieldValue());
          break;
        default:
          table.put(name, random_() % 2 ? "text" : "other");
      }
    }
  }
  TableWriter arguments(const std::string& source) {
    TableWriter table;
    const auto at = model_.exchanges.find(source);
    if (at == model_.exchanges.end() || at->second.type != "headers") {
      if (random_() % 4 == 0) table.put("n", static_cast<std::int32_t>(random_() % 2));
      return table;
    }
    static const std::vector<std::string> modes{"all", "any", "all-with-x", "any-with-x"};
    fill(table, 2);
    if (random_() % 4) table.put("x-match", pick(modes));
    return table;
  }

  void declare() {
    static const std::vector<std::string> types{"direct", "fanout", "topic", "headers"};
    const std::string name = "x" + std::to_string(1 + random_() % 4);
    const Model::Exchange made{pick(types), random_() % 3 ? "" : exchange(), random_() % 3 == 0};
    TableWriter table;
    if (!made.alternate.empty()) table.put("alternate-exchange", made.alternate);
    const auto refused = vhost_.declare_exchange(
        {.name = name, .type = made.type, .auto_delete = made.auto_delete, .arguments = table.table()});
    const auto [at, is_new] = model_.exchanges.try_emplace(name, made);
    const bool same = at->second.type == made.type && at->second.alternate == made.alternate &&
                      at->second.auto_delete == made.auto_delete;
    CHECK(refused.has_value() == !(is_new || same));
  }
  void remove_exchange() {
    const std::string name = "x" + std::to_string(1 + random_() % 4);
    const bool if_unused = random_() % 2;
    const bool used = std::any_of(model_.bindings.begin(), model_.bindings.end(),
                                  [&](const Model::Binding& one) { return one.source == name; });
    CHECK(vhost_.delete_exchange(name, if_unused).has_value() == (if_unused && used));
    if (!(if_unused && used) && model_.exchanges.contains(name)) model_.drop_exchange(name);
  }
  void add_queue() {
    const std::string name = queue();
    if (model_.queues.insert(name).second) vhost_.add_queue(name, true);
  }
  void remove_queue() {
    const std::string name = queue();
    if (model_.queues.erase(name) == 0) return;
    vhost_.remove_queue(*vhost_.find_queue(name));
    model_.drop_bindings([&](const Model::Binding& one) { return !one.to_exchange && one.destination == name; });
  }
  Model::Binding binding() {
    Model::Binding made;
    made.source = exchange();
    made.to_exchange = random_() % 4 == 0;
    made.destination = made.to_exchange ? exchange() : queue();
    made.key = random_() % 2 ? key() : pattern();
    made.arguments = in_order(arguments(made.source).table());
    return made;
  }
  bool both_ends(const Model::Binding& one) const {
    return model_.exchanges.contains(one.source) &&
           (one.to_exchange ? model_.exchanges.contains(one.destination) : model_.queues.contains(one.destination));
  }
  void bind() {
    const auto made = binding();
    const Table table(made.arguments);
    const auto refused =
        made.to_exchange ? vhost_.bind_exchange(made.destination, made.source, made.key, table)
                         : vhost_.bind_queue(made.destination, made.source, made.key, table, ConnectionNumber::none);
    CHECK(refused.has_value() == !both_ends(made));
    if (refused || std::find(model_.bindings.begin(), model_.bindings.end(), made) != model_.bindings.end()) return;
    model_.bindings.push_back(made);
  }
  void unbind() {
    const auto gone = model_.bindings.empty() || random_() % 8 == 0 ? binding() : pick(model_.bindings);
    const Table table(gone.arguments);
    const auto refused =
        gone.to_exchange ? vhost_.unbind_exchange(gone.destination, gone.source, gone.key, table)
                         : vhost_.unbind_queue(gone.destination, gone.source, gone.key, table, ConnectionNumber::none);
    CHECK(refused.has_value() == !both_ends(gone));
    model_.drop_bindings([&](const Model::Binding& one) { return one == gone; });
  }

  std::mt19937_64 random_;
  Vhost vhost_;
  Model model_;
};

}  // namespace

TEST_CASE("a virtual host routes as a search of all its bindings would") {
  const auto seed = test_seed();
  CAPTURE(seed);
  for (std::uint64_t round = 0; round < 20; ++round) {
    ModelWorld world(seed + round);
    for (int step = 0; step < 400; ++step) {
      world.step();
      world.compare();
    }
    world.clear();
  }
}

TEST_CASE("a topic index with many bindings comes and goes without leaving anything") {
  Vhost vhost("/", 1);
  std::vector<QueueNumber> queues;
  for (int i = 0; i < 100; ++i) queues.push_back(vhost.add_queue("q" + std::to_string(i), true));
  for (int i = 0; i < 20000; ++i) {
    const auto name = std::to_string(i);
    REQUIRE_FALSE(vhost.bind_queue("q" + std::to_string(i % 100), "amq.topic",
                                   i % 3 == 0 ? "site." + name + ".#" : "site." + name + ".*.temperature", Table(),
                                   ConnectionNumber::none));
  }
  CHECK(vhost.bindings() == 20000);
  const BasicProperties none;
  const auto topic = *vhost.publishable("amq.topic");
  CHECK(vhost.route(topic, {"site.7.room.temperature", none}).queues.size() == 1);
  CHECK(vhost.route(topic, {"site.9.room.temperature", none}).queues.size() == 1);
  CHECK(vhost.route(topic, {"site.20001.room.temperature", none}).queues.empty());
  for (const auto number : queues) vhost.remove_queue(number);
  CHECK(vhost.bindings() == 0);
  CHECK(vhost.route(topic, {"site.7.room.temperature", none}).queues.empty());
}
