// Braid, Apache-2.0.
//
// Files that are not what they should be: whatever is in them, the catalog opens with exactly what was written, or says
// what is wrong.
#include <sqlite3.h>

#include <fstream>
#include <random>

#include "catalog_support.hpp"
#include "support/seed.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// What goes wrong when the file is opened and read; nothing if nothing does.
std::string problem_of(const std::string& path, std::vector<TopicRef>* topics = nullptr) {
  auto store = CatalogStore::open({.path = path, .defaults = {}, .vfs = nullptr});
  if (!store) return store.error().what;
  auto loaded = (*store)->load_topics();
  if (!loaded) return loaded.error().what;
  if (topics) *topics = std::move(*loaded);
  return {};
}

void sql(const std::string& path, const char* statements) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, statements, nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_close(database) == SQLITE_OK);
}

void fill(const std::string& path) {
  auto store = initialized(path);
  run(*store, SetClusterSettings{{{"catalog.max_topics", "5000"}}});
  for (std::uint64_t i = 1; i <= 40; ++i)
    run(*store,
        create("topic-" + std::to_string(i), i, static_cast<std::int32_t>(i % 5 + 1), {{"retention.ms", "77"}}));
  run(*store, drop("topic-7"));
}

}  // namespace

TEST_CASE("a file that is not a catalog is named and left as it is") {
  TemporaryDirectory directory;
  const auto path = directory.file();
  SECTION("text") {
    write_file(path, std::string(5000, 'x'));
    CHECK_THAT(problem_of(path), Catch::Contains("damaged") && Catch::Contains(path));
    CHECK(read_file(path) == std::string(5000, 'x'));
  }
  SECTION("somebody else's database") {
    sql(path, "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')");
    CHECK_THAT(problem_of(path), Catch::Contains("not a catalog of Braid"));
  }
  SECTION("a newer version's catalog") {
    fill(path);
    sql(path, "PRAGMA user_version = 4");
    CHECK_THAT(problem_of(path), Catch::Contains("newer version") && Catch::Contains("schema 4"));
  }
  SECTION("a directory that does not exist") {
    CHECK_THAT(problem_of(directory.file("no/such/catalog.db")), Catch::Contains("No such file"));
  }
  SECTION("a directory") {
    CHECK_THAT(problem_of(directory.path().string()), Catch::Contains("catalog"));
  }
}

TEST_CASE("an empty file becomes a catalog, readable by its owner only") {
  TemporaryDirectory directory;
  initialized(directory.file()).reset();
  CHECK(problem_of(directory.file()).empty());
  namespace fs = std::filesystem;
  CHECK((fs::status(directory.file()).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("two processes cannot have one catalog") {
  TemporaryDirectory directory;
  auto store = initialized(directory.file());
  CHECK_THAT(problem_of(directory.file()), Catch::Contains("in use by another process"));
  store.reset();
  CHECK(problem_of(directory.file()).empty());
}

TEST_CASE("rows that were changed, lost or added behind the catalog's back are noticed") {
  TemporaryDirectory directory;
  const auto path = directory.file();
  fill(path);
  REQUIRE(problem_of(path).empty());
  const char* changes[] = {
      "UPDATE topics SET name = 'topic-99' WHERE name = 'topic-9'",
      "UPDATE topics SET internal = 1 WHERE name = 'topic-9'",
      "UPDATE topic_config SET value = '78' WHERE topic = 3",
      "DELETE FROM topic_config WHERE topic = 3",
      "UPDATE topic_config SET key = 'retention.bytes' WHERE topic = 3",
      "UPDATE partitions SET shard = shard + 1 WHERE topic = 3 AND position = 0",
      "UPDATE partitions SET id = id + 1 WHERE topic = 3 AND position = 0",
      "DELETE FROM partitions WHERE topic = 4 AND position = 0",
      "DELETE FROM partitions WHERE topic = 4 AND position = 4",
      "INSERT INTO partitions VALUES (1000, 0, 1000, 0, 0)",
      ("DELETE FROM topics WHERE number = 40; DELETE FROM partitions WHERE topic = 40;"
       "DELETE FROM topic_config WHERE topic = 40"),
      "UPDATE settings SET value = '5001'",
      "DELETE FROM settings",
      "UPDATE state SET next_partition_id = 1",
      "UPDATE state SET digest = digest + 1",
      "DELETE FROM state",
  };
  const auto whole = read_file(path);
  for (const char* change : changes) {
    INFO(change);
    write_file(path, whole);
    sql(path, change);
    CHECK_THAT(problem_of(path), Catch::Contains("damaged"));
  }
}

TEST_CASE("a flipped bit is noticed, or was where nothing is stored") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  TemporaryDirectory directory;
  const auto path = directory.file();
  fill(path);
  std::vector<TopicRef> topics;
  REQUIRE(problem_of(path, &topics).empty());
  const auto expected = describe(topics);
  const auto whole = read_file(path);
  REQUIRE(whole.size() > 10000);
  int noticed = 0;
  for (int round = 0; round < 400; ++round) {
    auto damaged = whole;
    const auto at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    CAPTURE(at);
    const auto flipped = directory.file("flipped-" + std::to_string(round));
    write_file(flipped, damaged);
    const auto problem = problem_of(flipped, &topics);
    if (problem.empty()) REQUIRE(describe(topics) == expected);
    noticed += !problem.empty();
    std::filesystem::remove(flipped);
  }
  CHECK(noticed > 20);
}

TEST_CASE("what was answered is there after a kill at any moment") {
  TemporaryDirectory directory;
  const auto path = directory.file();
  auto store = initialized(path);
  for (std::uint64_t i = 1; i <= 30; ++i) {
    const auto before = store->state();
    run(*store, create("topic-" + std::to_string(i), i, 3));
    // The files as a killed process leaves them: the write-ahead log is not written back.
    const auto copy = directory.file("copy");
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(path + "-wal", copy + "-wal", std::filesystem::copy_options::overwrite_existing);
    if (i % 3 == 0) {
      auto found = open_store(copy);
      CHECK(found->state() == store->state());
      CHECK(describe(load(*found)) == describe(load(*store)));
    }
    if (i % 3 == 1) {  // the last command was being written and not answered yet
      const auto log = read_file(copy + "-wal");
      write_file(copy + "-wal", log.substr(0, log.size() - 100));
      auto found = open_store(copy);
      CHECK(found->state() == before);
      CHECK(load(*found).size() == i - 1);
    }
    std::filesystem::remove(copy);
    std::filesystem::remove(copy + "-wal");
  }
}
