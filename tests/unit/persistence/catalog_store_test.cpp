// Braid, Apache-2.0.
//
// What each command does, and what it refuses.
#include "catalog_support.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {
const std::string memory = ":memory:";
}

TEST_CASE("a new catalog is empty until it is initialized, and only once") {
  auto store = open_store(memory);
  CHECK_FALSE(store->state().initialized());
  CHECK(load(*store).empty());
  CHECK(run(*store, create("a", 1)).error != Errc::none);

  CHECK(run(*store, InitializeCatalog{"", 1}).error == Errc::invalid_setting);
  CHECK(run(*store, InitializeCatalog{"a b", 1}).error == Errc::invalid_setting);
  CHECK(run(*store, InitializeCatalog{std::string(65, 'x'), 1}).error == Errc::invalid_setting);
  CHECK(run(*store, InitializeCatalog{"first", 0}).error == Errc::invalid_setting);
  CHECK_FALSE(store->state().initialized());

  CHECK(run(*store, InitializeCatalog{"first", 3}).error == Errc::none);
  CHECK(run(*store, InitializeCatalog{"second", 5}).error == Errc::none);
  CHECK(store->state().cluster_id == "first");
  CHECK(store->state().shards == 3);
}

TEST_CASE("a created topic has its settings, and partitions that go round the shards") {
  auto store = initialized(memory, 3);
  const auto first = run_single(*store, create("sensors", 1, 4, {{"retention.ms", "1000"}, {"durability", "os"}}));
  REQUIRE(first.error == Errc::none);
  REQUIRE(first.topic);
  CHECK(first.event == TopicEvent::created);
  CHECK(first.topic->id == id_of(1));
  CHECK(first.topic->settings.retention_ms == 1000);
  CHECK(first.topic->settings.durability == Durability::os);
  const auto second = run_single(*store, create("orders", 2, 2));

  std::vector<std::uint64_t> ids;
  std::map<std::uint32_t, int> per_shard;
  for (const auto& topic : {first.topic, second.topic})
    for (const auto& partition : topic->partitions) {
      ids.push_back(partition.id.value);
      per_shard[partition.shard.value] += 1;
    }
  CHECK(ids == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  CHECK(per_shard == std::map<std::uint32_t, int>{{0, 2}, {1, 2}, {2, 2}});
  CHECK(store->state().topics == 2);
  CHECK(store->state().partitions == 6);
  CHECK(describe(load(*store)) == describe({first.topic, second.topic}));
}

TEST_CASE("topics of one request succeed or fail one by one") {
  auto store = initialized(memory);
  CreateTopics command;
  command.topics = {topic_of("good", 1),
                    topic_of("good", 2),  // the same name again
                    topic_of("bad/name", 3),
                    topic_of("a.b", 4),
                    topic_of("a_b", 5),  // the same to Kafka's metrics
                    topic_of("none", 6, 0),
                    topic_of("many", 7, 100001),
                    topic_of("unknown-key", 8, 1, {{"retention", "1"}}),
                    topic_of("bad-value", 9, 1, {{"retention.ms", "soon"}}),
                    topic_of("same-id", 1),
                    topic_of("no-id", 0),
                    topic_of("last", 10)};
  command.topics[10].id = TopicId{};
  const auto result = run(*store, command);
  std::vector<Errc> errors;
  for (const auto& outcome : result.topics) {
    errors.push_back(outcome.error);
    CHECK(outcome.reason.empty() == (outcome.error == Errc::none));
    CHECK((outcome.topic != nullptr) == (outcome.error == Errc::none));
  }
  CHECK(errors == std::vector<Errc>{Errc::none, Errc::topic_exists, Errc::invalid_topic_name, Errc::none,
                                    Errc::invalid_topic_name, Errc::invalid_partitions, Errc::invalid_partitions,
                                    Errc::invalid_setting, Errc::invalid_setting, Errc::topic_exists,
                                    Errc::topic_exists, Errc::none});
  CHECK(load(*store).size() == 3);
  CHECK(store->state().next_partition_id == 4);  // refused topics use no ids up
}

TEST_CASE("a placement names one existing shard per partition") {
  auto store = initialized(memory, 4);
  auto command = create("placed", 1, 3);
  const auto with = [&](std::vector<ShardId> placement) {
    command.topics[0].placement = std::move(placement);
    return run_single(*store, command);
  };
  CHECK(with({ShardId{0}, ShardId{1}}).error == Errc::invalid_partitions);
  CHECK(with({ShardId{0}, ShardId{1}, ShardId{4}}).error == Errc::invalid_partitions);
  CHECK(with({ShardId{0}, ShardId{1}, ShardId{2}, ShardId{3}}).error == Errc::invalid_partitions);
  const auto placed = with({ShardId{3}, ShardId{3}, ShardId{1}});
  REQUIRE(placed.topic);
  CHECK(placed.topic->partition(PartitionIndex{0})->shard == ShardId{3});
  CHECK(placed.topic->partition(PartitionIndex{2})->shard == ShardId{1});
  CHECK(placed.topic->partition(PartitionIndex{3}) == nullptr);
  CHECK(placed.topic->partition(PartitionIndex{-1}) == nullptr);
}

TEST_CASE("a topic is deleted by name, by id, or by both if they belong together") {
  auto store = initialized(memory);
  for (std::uint64_t i = 1; i <= 3; ++i) run(*store, create("t" + std::to_string(i), i, 2));
  run(*store, create("a.b", 4));
  CHECK(run_single(*store, drop("t9")).error == Errc::unknown_topic);
  CHECK(run_single(*store, drop("a_b")).error == Errc::unknown_topic);
  CHECK(run_single(*store, drop("", id_of(9))).error == Errc::unknown_topic);
  CHECK(run_single(*store, drop("t1", id_of(2))).error == Errc::unknown_topic);
  CHECK(run_single(*store, drop("")).error == Errc::unknown_topic);

  const auto by_name = run_single(*store, drop("t1"));
  CHECK(by_name.error == Errc::none);
  CHECK(by_name.id == id_of(1));
  CHECK(by_name.event == TopicEvent::deleted);
  CHECK(run_single(*store, drop("", id_of(2))).name == "t2");
  CHECK(run_single(*store, drop("t3", id_of(3))).error == Errc::none);
  CHECK(run_single(*store, drop("t3")).error == Errc::unknown_topic);
  CHECK(load(*store).size() == 1);
  CHECK(store->state().partitions == 1);
}

TEST_CASE("a topic created anew under an old name has new ids") {
  auto store = initialized(memory);
  const auto before = run_single(*store, create("again", 1, 2)).topic;
  const auto applied = apply_all(*store, {encode(drop("again")), encode(create("again", 2, 2))});
  const auto after = applied.results[1].topics[0].topic;
  CHECK(after->id != before->id);
  CHECK(after->partitions[0].id.value > before->partitions[1].id.value);
  REQUIRE(applied.change.removed.size() == 1);
  CHECK(applied.change.removed[0].id == before->id);
  REQUIRE(applied.change.upserts.size() == 1);
  CHECK(applied.change.upserts[0]->id == after->id);
}

TEST_CASE("the change of a batch is what the batch leaves behind") {
  auto store = initialized(memory);
  run(*store, create("old", 1));
  const auto applied =
      apply_all(*store, {encode(create("passing", 2)), encode(drop("passing")), encode(create("stays", 3)),
                         encode(AlterTopicConfig{{{"stays", {{"retention.ms", "5"}}, false}}, false}),
                         encode(drop("old")), encode(create("stays", 4))});
  CHECK(applied.change.version == store->state().applied_index);
  REQUIRE(applied.change.upserts.size() == 1);
  CHECK(applied.change.upserts[0]->name == "stays");
  CHECK(applied.change.upserts[0]->settings.retention_ms == 5);
  REQUIRE(applied.change.removed.size() == 1);
  CHECK(applied.change.removed[0].name == "old");
}

TEST_CASE("topics of the broker itself are neither deleted nor grown") {
  auto store = initialized(memory);
  auto command = create("__consumer_offsets", 1, 8);
  command.topics[0].internal = true;
  CHECK(run_single(*store, command).topic->internal);
  CHECK(run_single(*store, drop("__consumer_offsets")).error == Errc::invalid_topic_name);
  CHECK(run_single(*store, CreatePartitions{{{"__consumer_offsets", 9, {}}}, false}).error == Errc::invalid_partitions);
  CHECK(load(*store).front()->internal);
}

TEST_CASE("configuration is edited, replaced, and left alone when one edit is wrong") {
  auto store = initialized(memory);
  run(*store, create("t", 1, 1, {{"retention.ms", "1000"}, {"durability", "os"}}));
  const auto alter = [&](std::vector<ConfigEdit> edits, bool replace = false) {
    return run_single(*store, AlterTopicConfig{{{"t", std::move(edits), replace}}, false});
  };
  CHECK(alter({{"retention.ms", "2000"}, {"durability", std::nullopt}}).topic->config ==
        TopicConfig{{"retention.ms", "2000"}});
  const auto refused = alter({{"retention.ms", "3000"}, {"no.such.key", "1"}});
  CHECK(refused.error == Errc::invalid_setting);
  CHECK_THAT(refused.reason, Catch::Contains("no.such.key"));
  CHECK(load(*store).front()->config == TopicConfig{{"retention.ms", "2000"}});
  CHECK(alter({{"max.message.bytes", "5000"}}, true).topic->config == TopicConfig{{"max.message.bytes", "5000"}});
  CHECK(alter({{"max.message.bytes", std::string(5000, '1')}}).error == Errc::invalid_setting);
  CHECK(alter(std::vector<ConfigEdit>(65, {"max.message.bytes", "1"})).error == Errc::invalid_setting);
  CHECK(run_single(*store, AlterTopicConfig{{{"other", {}, false}}, false}).error == Errc::unknown_topic);
  CHECK(load(*store).front()->settings.max_message_bytes == 5000);
}

TEST_CASE("partitions are added at the end, and never taken away") {
  auto store = initialized(memory, 2);
  const auto before = run_single(*store, create("t", 1, 2)).topic;
  run(*store, create("between", 2));
  const auto grow = [&](std::int32_t to, std::vector<ShardId> placement = {}) {
    return run_single(*store, CreatePartitions{{{"t", to, std::move(placement)}}, false});
  };
  CHECK(grow(2).error == Errc::invalid_partitions);
  CHECK(grow(1).error == Errc::invalid_partitions);
  CHECK(grow(-5).error == Errc::invalid_partitions);
  CHECK(grow(100001).error == Errc::invalid_partitions);
  CHECK(grow(4, {ShardId{0}}).error == Errc::invalid_partitions);
  const auto after = grow(4, {ShardId{1}, ShardId{1}}).topic;
  REQUIRE(after);
  REQUIRE(after->partitions.size() == 4);
  CHECK(after->partitions[1] == before->partitions[1]);
  CHECK(after->partitions[3].shard == ShardId{1});
  CHECK(after->partitions[2].id.value == 4);
  CHECK(describe(load(*store)).at("t") == describe(*after));
}

TEST_CASE("what is only tried leaves nothing behind") {
  auto store = initialized(memory);
  run(*store, create("t", 1));
  const auto before = store->state();
  auto creation = create("u", 2, 5);
  creation.validate_only = true;
  const auto applied = apply_all(*store, {encode(creation), encode(CreatePartitions{{{"t", 3, {}}}, true}),
                                          encode(AlterTopicConfig{{{"t", {{"retention.ms", "1"}}, false}}, true})});
  CHECK(applied.results[0].topics[0].topic->partitions.size() == 5);
  CHECK(applied.results[1].topics[0].error == Errc::none);
  CHECK(applied.results[2].topics[0].error == Errc::none);
  CHECK(applied.change.empty());
  auto after = store->state();
  after.applied_index = before.applied_index;
  CHECK(after == before);
  CHECK(load(*store).size() == 1);
}

TEST_CASE("producer ids are given out once") {
  auto store = initialized(memory);
  const auto first = run(*store, AllocateProducerIds{1000});
  const auto second = run(*store, AllocateProducerIds{10});
  CHECK(second.first_producer_id.value == first.first_producer_id.value + 1000);
  CHECK(second.producer_ids == 10);
  CHECK(run(*store, AllocateProducerIds{0}).error == Errc::invalid_setting);
  CHECK(run(*store, AllocateProducerIds{-1}).error == Errc::invalid_setting);
  CHECK(run(*store, AllocateProducerIds{1000001}).error == Errc::invalid_setting);
  CHECK(run(*store, AllocateProducerIds{1}).first_producer_id.value == second.first_producer_id.value + 10);
}

TEST_CASE("cluster settings limit what clients may create") {
  auto store = initialized(memory);
  const auto set = [&](std::vector<ConfigEdit> edits) { return run(*store, SetClusterSettings{std::move(edits)}); };
  CHECK(set({{"catalog.max_topics", "2"}, {"catalog.max_partitions", "6"}}).error == Errc::none);
  CHECK(set({{"catalog.max_partitions_per_topic", "4"}}).error == Errc::none);
  CHECK(run_single(*store, create("a", 1, 5)).error == Errc::invalid_partitions);
  CHECK(run_single(*store, create("a", 1, 4)).error == Errc::none);
  CHECK(run_single(*store, create("b", 2, 3)).error == Errc::invalid_partitions);
  CHECK(run_single(*store, create("b", 2, 2)).error == Errc::none);
  CHECK(run_single(*store, create("c", 3)).error == Errc::invalid_partitions);

  // All or nothing, and named.
  const auto refused = set({{"catalog.max_topics", "9"}, {"catalog.max_topcis", "9"}});
  CHECK(refused.error == Errc::invalid_setting);
  CHECK_THAT(refused.reason, Catch::Contains("catalog.max_topcis"));
  CHECK(store->settings().max_topics == 2);
  for (const char* wrong : {"0", "-1", "x", "", "5 ", "99999999999999999999"})
    CHECK(set({{"catalog.max_topics", wrong}}).error == Errc::invalid_setting);
  CHECK(set({{"catalog.max_topics", std::nullopt}}).error == Errc::none);
  CHECK(store->settings().max_topics == ClusterSettings{}.max_topics);
}

TEST_CASE("a malformed command is refused, and the others of its batch are applied") {
  auto store = initialized(memory);
  const auto whole = encode(create("b", 2));
  const auto index = store->state().applied_index;
  const auto applied = apply_all(*store, {encode(create("a", 1)), Bytes::literal("no command at all"),
                                          whole.slice(0, whole.size() - 9), Bytes(), whole});
  std::vector<Errc> errors;
  for (const auto& result : applied.results) errors.push_back(result.error);
  CHECK(errors == std::vector<Errc>{Errc::none, Errc::damaged, Errc::damaged, Errc::none, Errc::none});
  CHECK(store->state().applied_index == index + 5);
  CHECK(load(*store).size() == 2);
}

TEST_CASE("a command is read wherever it lies in a receive block") {
  auto store = initialized(memory);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const auto command = encode(create("t" + std::to_string(shift), shift + 1));
    const auto block = Bytes::copy(std::string(shift, 'x') + command.str());
    CHECK(apply_one(*store, block.slice(shift)).error == Errc::none);
  }
  CHECK(load(*store).size() == 8);
}
