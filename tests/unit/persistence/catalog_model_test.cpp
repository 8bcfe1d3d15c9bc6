// Braid, Apache-2.0.
//
// Random commands against a plain reference, in random batches, with restarts in between. A second catalog applies the
// same commands in batches of its own and must end in the same state: what replication will rest on.
#include <iostream>
#include <random>

#include "catalog_support.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {

/// The catalog as one would write it in an afternoon.
struct Reference {
  struct Entry {
    TopicId id;
    std::size_t partitions;
    TopicConfig config;
  };
  std::map<std::string, Entry> topics;
  std::int64_t next_producer = 0;
  ClientQuotas quotas;
  std::map<std::string, std::string> definitions;

  bool create(const NewTopic& topic) {
    if (topics.contains(topic.name) || topic.partitions < 1) return false;
    topics[topic.name] = {topic.id, static_cast<std::size_t>(topic.partitions), topic.config};
    return true;
  }
  bool grow(const MorePartitions& wanted) {
    const auto at = topics.find(wanted.name);
    if (at == topics.end() || wanted.partitions <= static_cast<std::int64_t>(at->second.partitions)) return false;
    at->second.partitions = static_cast<std::size_t>(wanted.partitions);
    return true;
  }
  bool alter(const TopicConfigChange& change) {
    const auto at = topics.find(change.name);
    if (at == topics.end()) return false;
    if (change.replace) at->second.config.clear();
    for (const auto& edit : change.edits) {
      at->second.config.erase(edit.key);
      if (edit.value) at->second.config[edit.key] = *edit.value;
    }
    return true;
  }
};

struct Step {
  Bytes command;
  bool accepted = true;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  Step next(Reference& reference) {
    const auto name = "topic-" + std::to_string(below(60));
    switch (below(10)) {
      case 0:
      case 1:
      case 2: {
        auto command = catalog_test::create(name, ++topics_, static_cast<std::int32_t>(below(5)));
        if (below(2)) command.topics[0].config["retention.ms"] = std::to_string(below(1000));
        return {encode(command), reference.create(command.topics[0])};
      }
      case 3:
        return {encode(drop(name)), reference.topics.erase(name) == 1};
      case 4: {
        const MorePartitions wanted{name, static_cast<std::int32_t>(below(9)), {}};
        return {encode(CreatePartitions{{wanted}, false}), reference.grow(wanted)};
      }
      case 5: {
        TopicConfigChange change{name, {{"retention.bytes", std::to_string(below(1000))}}, below(2) == 0};
        if (below(2)) change.edits.push_back({"retention.ms", std::nullopt});
        return {encode(AlterTopicConfig{{change}, false}), reference.alter(change)};
      }
      case 6: {
        const auto count = static_cast<std::int32_t>(1 + below(100));
        reference.next_producer += count;
        return {encode(AllocateProducerIds{count}), true};
      }
      case 7: {
        const QuotaEntity entity{{"client-id", name}};
        const auto value = below(3) ? std::optional(static_cast<double>(1 + below(1000))) : std::nullopt;
        set_quota(reference.quotas, entity, "producer_byte_rate", value);
        return {encode(AlterClientQuotas{{{entity, {{"producer_byte_rate", value}}}}, false}), true};
      }
      case 8: {
        DefinitionEdit edit{DefinitionKind::amqp_exchange, Bytes::copy(name), std::nullopt};
        reference.definitions.erase(name);
        if (below(3)) {
          edit.value = Bytes::copy(std::to_string(below(1000)));
          reference.definitions[name] = edit.value->str();
        }
        return {encode(AlterDefinitions{{edit}}), true};
      }
      default:
        return {encode(SetClusterSettings{{{"catalog.max_topics", std::to_string(100 + below(100))}}}), true};
    }
  }

 private:
  std::mt19937_64 random_;
  std::uint64_t topics_ = 0;
};

void compare(const Reference& reference, CatalogStore& store) {
  const auto topics = load(store);
  REQUIRE(topics.size() == reference.topics.size());
  std::map<PartitionId, int> seen;
  for (const auto& topic : topics) {
    const auto& expected = reference.topics.at(topic->name);
    REQUIRE(topic->id == expected.id);
    REQUIRE(topic->config == expected.config);
    REQUIRE(topic->partitions.size() == expected.partitions);
    for (const auto& partition : topic->partitions) REQUIRE(++seen[partition.id] == 1);
  }
  REQUIRE(store.state().next_producer_id == reference.next_producer);
  REQUIRE(*store.quotas() == reference.quotas);
  const auto definitions = store.load_definitions();
  REQUIRE(definitions);
  std::map<std::string, std::string> by_key;
  for (const auto& each : *definitions) by_key.emplace(each.key.str(), each.value.str());
  REQUIRE(by_key == reference.definitions);
}

}  // namespace

TEST_CASE("random commands leave what a plain reference holds, over restarts and on a replica") {
  const auto seed = test_seed();
  CAPTURE(seed);
  Generator generator(seed);
  TemporaryDirectory directory;
  Reference reference;
  auto store = initialized(directory.file());
  auto replica = initialized(":memory:");
  std::vector<Bytes> behind;  // of the replica
  for (int round = 0; round < 200; ++round) {
    std::vector<Bytes> commands;
    std::vector<bool> accepted;
    const auto count = 1 + generator.below(100);
    for (std::uint64_t i = 0; i < count; ++i) {
      auto step = generator.next(reference);
      commands.push_back(step.command);
      behind.push_back(step.command);
      accepted.push_back(step.accepted);
    }
    const auto applied = apply_all(*store, commands);
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const auto& result = applied.results[i];
      const bool taken = result.error == Errc::none && (result.topics.empty() || result.topics[0].error == Errc::none);
      REQUIRE(taken == accepted[i]);
    }
    if (generator.below(10) == 0) {
      store.reset();
      store = open_store(directory.file());
    }
    if (generator.below(5) == 0) {
      compare(reference, *store);
      apply_all(*replica, behind);
      behind.clear();
      REQUIRE(replica->state() == store->state());
    }
  }
  compare(reference, *store);
  apply_all(*replica, behind);
  CHECK(replica->state() == store->state());
  CHECK(describe(load(*replica)) == describe(load(*store)));
}
