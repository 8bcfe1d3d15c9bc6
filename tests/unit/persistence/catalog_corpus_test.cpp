// Braid, Apache-2.0.
//
// Writes the corpus of catalog_commands_fuzz, one command of each kind and some sequences of them. Run by hand when the
// commands change: test_persistence "[.corpus]".
#include <filesystem>
#include <fstream>

#include "catalog_support.hpp"
#include "model/byte_io.hpp"
#include "support/source_tree.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {

void write(const std::string& name, const std::vector<Bytes>& commands) {
  ByteWriter input;
  for (const auto& command : commands) {
    input.u16(static_cast<std::uint16_t>(command.size()));
    input.raw(command);
  }
  const auto directory = source_tree() / "tests/fuzz/corpus/catalog_commands_fuzz";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / name, std::ios::binary) << input.view();
}

}  // namespace

TEST_CASE("the corpus of catalog_commands_fuzz", "[.corpus]") {
  auto placed = create("placed", 2, 2, {{"retention.ms", "5"}});
  placed.topics[0].placement = {ShardId{0}, ShardId{2}};
  auto internal = create("__internal", 3);
  internal.topics[0].internal = true;
  const auto alter = AlterTopicConfig{{{"topic", {{"retention.ms", "9"}, {"durability", std::nullopt}}, true}}, false};
  const auto grow = CreatePartitions{{{"topic", 4, {ShardId{1}, ShardId{1}}}}, false};
  const auto settings = SetClusterSettings{{{"catalog.max_topics", "9"}, {"catalog.max_partitions", std::nullopt}}};
  const auto initialize = InitializeCatalog{"corpus", 5};
  const auto producers = AllocateProducerIds{1000};
  const auto both = CreateTopics{{topic_of("a.b", 4), topic_of("a_b", 5)}, true};
  const auto defaults = SetClusterSettings{{{"topic.retention.ms", "7"}, {"topic.durability", "os"}}};
  const auto quotas =
      AlterClientQuotas{{{{{"client-id", "c"}}, {{"producer_byte_rate", 9}, {"consumer_byte_rate", std::nullopt}}},
                         {{{"user", std::nullopt}}, {{"controller_mutation_rate", 0.5}}}},
                        false};
  write("topic-defaults", {encode(placed), encode(defaults)});
  write("quotas", {encode(quotas), encode(quotas)});
  const auto definitions =
      AlterDefinitions{{{DefinitionKind::amqp_exchange, Bytes::literal("x"), Bytes::literal("direct")},
                        {DefinitionKind::amqp_binding, Bytes::literal("b"), std::nullopt}}};
  write("definitions", {encode(definitions)});
  write("create", {encode(placed)});
  write("create-internal", {encode(internal), encode(drop("__internal"))});
  write("create-two", {encode(both)});
  write("delete", {encode(drop("topic")), encode(drop("", id_of(2)))});
  write("partitions", {encode(grow)});
  write("alter", {encode(alter)});
  write("settings", {encode(settings)});
  write("producers", {encode(producers)});
  write("initialize", {encode(initialize), encode(placed)});
  write("all", {encode(placed), encode(grow), encode(alter), encode(settings), encode(producers), encode(drop("topic")),
                encode(create("topic", 6)), Bytes()});
  SUCCEED();
}
