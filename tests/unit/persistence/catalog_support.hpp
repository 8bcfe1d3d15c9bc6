// Braid, Apache-2.0.
//
// What the catalog's tests share: a directory that goes away with the test, and short ways to write commands.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "persistence/catalog/commands.hpp"
#include "persistence/catalog/store.hpp"

namespace braid::catalog_test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "braid-catalog-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name = "catalog.db") const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline TopicId id_of(std::uint64_t number) {
  TopicId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.bytes[15] = 1;
  return id;
}

inline std::unique_ptr<CatalogStore> open_store(const std::string& path, const char* vfs = nullptr) {
  auto store = CatalogStore::open({.path = path, .defaults = {}, .vfs = vfs});
  INFO((store ? "" : store.error().what));
  REQUIRE(store);
  return std::move(*store);
}

inline AppliedCommands apply_all(CatalogStore& store, const std::vector<Bytes>& commands) {
  auto applied = store.apply(commands);
  INFO((applied ? "" : applied.error().what));
  REQUIRE(applied);
  REQUIRE(applied->results.size() == commands.size());
  return std::move(*applied);
}
inline ApplyResult apply_one(CatalogStore& store, const Bytes& command) {
  return apply_all(store, {command}).results.front();
}
template <class Command>
ApplyResult run(CatalogStore& store, const Command& command) {
  return apply_one(store, encode(command));
}
/// The outcome of a command about one topic.
template <class Command>
TopicOutcome run_single(CatalogStore& store, const Command& command) {
  auto result = run(store, command);
  REQUIRE(result.error == Errc::none);
  REQUIRE(result.topics.size() == 1);
  return result.topics.front();
}

inline std::unique_ptr<CatalogStore> initialized(const std::string& path, std::uint32_t shards = 4,
                                                 const char* vfs = nullptr) {
  auto store = open_store(path, vfs);
  REQUIRE(run(*store, InitializeCatalog{"test-cluster", shards}).error == Errc::none);
  return store;
}

inline NewTopic topic_of(const std::string& name, std::uint64_t number, std::int32_t partitions = 1,
                         TopicConfig config = {}) {
  return {.name = name, .id = id_of(number), .partitions = partitions, .config = std::move(config), .placement = {}};
}
inline CreateTopics create(const std::string& name, std::uint64_t number, std::int32_t partitions = 1,
                           TopicConfig config = {}) {
  return {{topic_of(name, number, partitions, std::move(config))}, false};
}
inline DeleteTopics drop(const std::string& name, TopicId id = {}) {
  return {{{name, id}}};
}

inline std::vector<TopicRef> load(CatalogStore& store) {
  auto topics = store.load_topics();
  INFO((topics ? "" : topics.error().what));
  REQUIRE(topics);
  return std::move(*topics);
}

/// Everything that is stored of a topic, as text to compare.
inline std::string describe(const Topic& topic) {
  std::string text = topic.name + (topic.internal ? " internal" : "");
  for (const auto byte : topic.id.bytes) text += " " + std::to_string(byte);
  for (const auto& [key, value] : topic.config) text += " " + key + "=" + value;
  for (const auto& partition : topic.partitions)
    text += " " + std::to_string(partition.id.value) + "@" + std::to_string(partition.shard.value) + "/" +
            std::to_string(partition.epoch.value);
  return text;
}
inline std::map<std::string, std::string> describe(const std::vector<TopicRef>& topics) {
  std::map<std::string, std::string> all;
  for (const auto& topic : topics) all.emplace(topic->name, describe(*topic));
  return all;
}

}  // namespace braid::catalog_test
