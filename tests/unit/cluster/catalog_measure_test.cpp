// Braid, Apache-2.0.
//
// How long 100,000 partitions take to create and to load, and what they take of memory and disk, with the directories
// of two loops. Run by hand: test_cluster "[.measure]".
#include <malloc.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>

#include "cluster/directory.hpp"
#include "persistence/catalog/commands.hpp"
#include "persistence/catalog/store.hpp"

using namespace braid;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
std::size_t allocated() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

void measure(const char* title, int topics, std::int32_t partitions) {
  std::string directory = (std::filesystem::temp_directory_path() / "braid-measure-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const CatalogOptions options{.path = directory + "/catalog.db", .defaults = {}, .vfs = nullptr};
  std::mt19937_64 random(1);
  std::vector<Bytes> commands{encode(InitializeCatalog{"measure", 2})};
  for (int done = 0; done < topics;) {
    CreateTopics command;
    for (int i = 0; i < 1000 && done < topics; ++i, ++done) {
      NewTopic topic{.name = "plant-7.line-" + std::to_string(done),
                     .id = {},
                     .partitions = partitions,
                     .config = {},
                     .placement = {}};
      for (auto& byte : topic.id.bytes) byte = static_cast<std::uint8_t>(random());
      command.topics.push_back(std::move(topic));
    }
    commands.push_back(encode(command));
  }
  double creation = 0;
  {
    auto store = CatalogStore::open(options);
    REQUIRE(store);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE((*store)->apply(commands));
    creation = seconds_since(start);
  }
  ::malloc_trim(0);
  const auto before = allocated();
  auto start = std::chrono::steady_clock::now();
  auto store = CatalogStore::open(options);
  REQUIRE(store);
  const auto opening = seconds_since(start);
  start = std::chrono::steady_clock::now();
  auto loaded = (*store)->load_topics();
  REQUIRE(loaded);
  const auto loading = seconds_since(start);
  CatalogChange everything{std::move(*loaded), {}, {}, {}, 1};
  const auto with_topics = allocated();
  Directory directories[2];
  start = std::chrono::steady_clock::now();
  for (auto& each : directories) each.apply(everything);
  const auto filling = seconds_since(start);
  const auto count = static_cast<std::size_t>(topics) * static_cast<std::size_t>(partitions);
  everything = {};
  const auto after = allocated();
  REQUIRE(directories[1].size() == static_cast<std::size_t>(topics));

  start = std::chrono::steady_clock::now();
  const auto one =
      encode(CreateTopics{{{.name = "one-more", .id = {{1}}, .partitions = 1, .config = {}, .placement = {}}}, false});
  REQUIRE((*store)->apply(std::vector<Bytes>{one}));
  const auto single = seconds_since(start);
  std::cout << title << ": created in " << creation << " s, opened and checked in " << opening << " s, loaded in "
            << loading << " s, two directories filled in " << filling << " s; file "
            << std::filesystem::file_size(options.path) / count << " B/partition; memory " << (after - before) / count
            << " B/partition, " << (with_topics - before) / count << " of them the list of topics, "
            << directories[0].memory_bytes() / count << " each directory; one more topic in " << single * 1000 << " ms"
            << std::endl;
  std::filesystem::remove_all(directory);
}

}  // namespace

TEST_CASE("many topics of one partition", "[.measure]") {
  measure("100,000 topics x 1", 100'000, 1);
}
TEST_CASE("one topic of many partitions", "[.measure]") {
  measure("1 topic x 100,000", 1, 100'000);
}
TEST_CASE("topics of ten partitions", "[.measure]") {
  measure("10,000 topics x 10", 10'000, 10);
}
