// Braid, Apache-2.0.
//
// The directory against plain maps, and what its listeners are told.
#include "cluster/directory.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "support/seed.hpp"

using namespace braid;

namespace {

TopicId id_of(std::uint64_t number) {
  TopicId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

std::shared_ptr<Topic> topic(const std::string& name, std::uint64_t id, std::vector<std::uint64_t> partitions) {
  auto made = std::make_shared<Topic>();
  made->name = name;
  made->id = id_of(id);
  for (const auto partition : partitions)
    made->partitions.push_back({PartitionId{partition}, ShardId{0}, LeaderEpoch{0}});
  return made;
}

}  // namespace

TEST_CASE("a topic is found by name, id and partition, and not any more once it is removed") {
  Directory directory;
  directory.apply({{topic("a", 1, {1, 2, 3}), topic("b", 2, {4})}, {}, {}, {}, 1});
  CHECK(directory.size() == 2);
  CHECK(directory.find("a")->id == id_of(1));
  CHECK(directory.find(id_of(2))->name == "b");
  CHECK(directory.find("c") == nullptr);
  CHECK(directory.find(id_of(3)) == nullptr);
  REQUIRE(directory.find_partition(PartitionId{3}));
  CHECK(directory.find_partition(PartitionId{3})->topic->name == "a");
  CHECK(directory.find_partition(PartitionId{3})->index == PartitionIndex{2});
  CHECK_FALSE(directory.find_partition(PartitionId{0}));
  CHECK_FALSE(directory.find_partition(PartitionId{5}));

  directory.apply({{}, {{id_of(1), "a"}, {id_of(9), "never was"}}, {}, {}, 2});
  CHECK(directory.size() == 1);
  CHECK(directory.find("a") == nullptr);
  CHECK_FALSE(directory.find_partition(PartitionId{2}));
  CHECK(directory.find_partition(PartitionId{4}));
  CHECK(directory.version() == 2);
}

TEST_CASE("a topic deleted and created again in one change is the new one") {
  Directory directory;
  directory.apply({{topic("a", 1, {1})}, {}, {}, {}, 1});
  directory.apply({{topic("a", 2, {2})}, {{id_of(1), "a"}}, {}, {}, 2});
  CHECK(directory.size() == 1);
  CHECK(directory.find("a")->id == id_of(2));
  CHECK(directory.find(id_of(1)) == nullptr);
  CHECK_FALSE(directory.find_partition(PartitionId{1}));
}

TEST_CASE("listeners are told what changed, after it changed, and may add others") {
  Directory directory;
  std::vector<std::string> heard;
  directory.on_change([&](const DirectoryChange& change) {
    for (const auto& gone : change.removed) heard.push_back("-" + gone->name + (directory.find(gone->name) ? "!" : ""));
    for (const auto& there : change.upserted) heard.push_back("+" + directory.find(there->id)->name);
    directory.on_change([&](const DirectoryChange&) { heard.push_back("second"); });
  });
  directory.apply({{topic("a", 1, {1})}, {}, {}, {}, 1});
  CHECK(heard == std::vector<std::string>{"+a"});
  heard.clear();
  directory.apply({{topic("b", 2, {2})}, {{id_of(1), "a"}}, {}, {}, 2});
  CHECK(heard == std::vector<std::string>{"-a", "+b", "second"});
  heard.clear();
  directory.apply({{}, {}, {}, {}, 3});
  CHECK(heard.empty());
}

TEST_CASE("random changes leave what plain maps hold") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Directory directory;
  std::map<std::string, std::shared_ptr<Topic>> names;
  std::map<std::uint64_t, std::pair<std::string, std::int32_t>> partitions;
  std::uint64_t next_topic = 1, next_partition = 1;
  for (int round = 0; round < 3000; ++round) {
    CatalogChange change;
    change.version = static_cast<std::uint64_t>(round);
    std::map<std::string, bool> touched;
    for (std::uint64_t i = 0, count = random() % 8; i < count; ++i) {
      const auto name = "t" + std::to_string(random() % 200);
      if (!touched.emplace(name, true).second) continue;
      auto& now = names[name];
      const bool grow = now && random() % 2;
      if (now && !grow) {
        change.removed.push_back({now->id, name});
        for (const auto& partition : now->partitions) partitions.erase(partition.id.value);
      }
      if (now && !grow && random() % 2) {
        names.erase(name);
        continue;
      }
      auto next = grow ? std::make_shared<Topic>(*now) : topic(name, next_topic++, {});
      for (std::uint64_t p = 0, more = random() % 4 + !grow; p < more; ++p) {
        next_partition += random() % 5 == 0;  // a gap: others were created in between
        partitions[next_partition] = {name, static_cast<std::int32_t>(next->partitions.size())};
        next->partitions.push_back({PartitionId{next_partition++}, ShardId{0}, LeaderEpoch{0}});
      }
      now = next;
      change.upserts.push_back(next);
    }
    std::shuffle(change.upserts.begin(), change.upserts.end(), random);
    directory.apply(change);
    REQUIRE(directory.size() == names.size());
  }
  for (const auto& [name, expected] : names) {
    REQUIRE(directory.find(name) == expected);
    REQUIRE(directory.find(expected->id) == expected);
  }
  for (std::uint64_t id = 0; id <= next_partition; ++id) {
    const auto place = directory.find_partition(PartitionId{id});
    const auto expected = partitions.find(id);
    REQUIRE(place.has_value() == (expected != partitions.end()));
    if (!place) continue;
    REQUIRE(place->topic->name == expected->second.first);
    REQUIRE(place->index.value == expected->second.second);
  }
  std::size_t visited = 0;
  directory.for_each([&](const TopicRef& each) { visited += names.at(each->name) == each; });
  CHECK(visited == names.size());
}
