// Braid, Apache-2.0.
//
// The catalog service on real loops: who is answered finds the change on every loop, batches keep requests apart, and
// failures reach exactly those who asked.
#include "cluster/catalog_service.hpp"

#include <sqlite3.h>

#include <atomic>
#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/node_runtime.hpp"
#include "runtime/pinned.hpp"

using namespace braid;

namespace {

constexpr std::chrono::seconds deadline{30};
constexpr std::size_t loops = 3;

// Files whose writes fail while this is set: the real file layer with another xWrite.
std::atomic<bool> writes_fail{false};
int (*real_write)(sqlite3_file*, const void*, int, sqlite3_int64) = nullptr;
sqlite3_vfs* real_vfs = nullptr;

int write_or_fail(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  return writes_fail ? SQLITE_FULL : real_write(file, from, size, at);
}
int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK) return code;
  // Databases and logs have tables of their own; the function that writes is one.
  static std::mutex mutex;
  static std::map<const sqlite3_io_methods*, sqlite3_io_methods> tables;
  const std::lock_guard lock(mutex);
  const auto [table, is_new] = tables.try_emplace(file->pMethods, *file->pMethods);
  if (is_new) {
    real_write = table->second.xWrite;
    table->second.xWrite = write_or_fail;
  }
  file->pMethods = &table->second;
  return code;
}
const char* failing_vfs() {
  static sqlite3_vfs vfs = [] {
    real_vfs = sqlite3_vfs_find("unix");
    auto copy = *real_vfs;
    copy.zName = "braid-full-disk";
    copy.xOpen = open_file;
    return copy;
  }();
  sqlite3_vfs_register(&vfs, 0);
  return vfs.zName;
}

NewTopic topic_of(const std::string& name, std::int32_t partitions = 1) {
  return {.name = name, .id = {}, .partitions = partitions, .config = {}, .placement = {}};
}
CreateTopics create(const std::string& name) {
  return {{topic_of(name)}, false};
}

class Cluster {
 public:
  explicit Cluster(CatalogServiceOptions options = {}) : runtime_({.loops = loops, .seed = 1}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "braid-service-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    auto store = open();
    REQUIRE(store->apply(std::vector<Bytes>{encode(InitializeCatalog{"test", 2})}));
    for (std::size_t i = 0; i < loops; ++i)
      updaters_.push_back(spawn_directory_actor(runtime_.loop(i), directories_[i]));
    catalog_ = spawn_catalog_service(runtime_.loop(0), std::move(store), updaters_, options);
    runtime_.start();
  }
  ~Cluster() {
    runtime_.stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::unique_ptr<CatalogStore> open() const {
    auto store = CatalogStore::open({.path = directory_ + "/catalog.db", .defaults = {}, .vfs = failing_vfs()});
    REQUIRE(store);
    return std::move(*store);
  }

  /// Asks from a thread that is no loop. From any thread.
  template <class Reply, class Request>
  std::optional<Reply> ask(const Request& request) {
    std::optional<Reply> answer;
    caf::scoped_actor self(runtime_.system());
    self->request(catalog_, deadline, request)
        .receive([&](const Reply& reply) { answer = reply; }, [](const caf::error&) {});
    return answer;
  }
  TopicOutcome ask_one(const auto& request) {
    const auto reply = ask<TopicsApplied>(request);
    REQUIRE(reply);
    REQUIRE(reply->error == Errc::none);
    REQUIRE(reply->topics.size() == 1);
    return reply->topics[0];
  }

  /// On how many loops `condition` holds now.
  int loops_where(const std::function<bool(Directory&)>& condition) {
    int count = 0;
    for (std::size_t i = 0; i < loops; ++i) runtime_.run_on(i, [&] { count += condition(directories_[i]); });
    return count;
  }

  NodeRuntime& runtime() { return runtime_; }
  const CatalogActor& catalog() const { return catalog_; }
  const std::vector<DirectoryActor>& updaters() const { return updaters_; }
  Directory& directory(std::size_t loop) { return directories_[loop]; }

 private:
  std::string directory_;
  Directory directories_[loops];
  NodeRuntime runtime_;
  std::vector<DirectoryActor> updaters_;
  CatalogActor catalog_;
};

/// Sends several requests within one turn of the service's own loop.
struct Go {};
class Burst : public Pinned<caf::event_based_actor> {
 public:
  Burst(caf::actor_config& config, Loop& at, CatalogActor catalog, int count, std::function<void(int, Errc)> answered)
      : Pinned(config, at), catalog_(std::move(catalog)), count_(count), answered_(std::move(answered)) {}
  caf::behavior make_behavior() override {
    return {[this](const Go&) {
      for (int i = 0; i < count_; ++i)
        braid::ask(
            this, catalog_, create("burst-" + std::to_string(i)),
            [this, i](const TopicsApplied& reply) { answered_(i, reply.error); },
            [this, i](const caf::error&) { answered_(i, Errc::unknown_outcome); });
    }};
  }

 private:
  CatalogActor catalog_;
  int count_;
  std::function<void(int, Errc)> answered_;
};

}  // namespace

BRAID_MESSAGE(Go)

TEST_CASE("who creates or deletes a topic finds that on every loop") {
  Cluster cluster;
  std::set<TopicId> ids;
  for (int i = 0; i < 20; ++i) {
    const auto name = "t" + std::to_string(i % 4);
    const auto created = cluster.ask_one(create(name));
    CHECK(created.error == Errc::none);
    CHECK(ids.insert(created.id).second);
    CHECK_FALSE(created.id.is_zero());
    CHECK(cluster.loops_where([&](Directory& d) { return d.find(name) == created.topic && d.find(created.id); }) == 3);
    CHECK(cluster.ask_one(create(name)).error == Errc::topic_exists);

    const auto altered = cluster.ask_one(AlterTopicConfig{{{name, {{"retention.ms", "7"}}, false}}, false});
    CHECK(cluster.loops_where([&](Directory& d) { return d.find(name)->settings.retention_ms == 7; }) == 3);
    const auto grown = cluster.ask_one(CreatePartitions{{{name, 3, {}}}, false});
    REQUIRE(grown.topic);
    CHECK(cluster.loops_where([&](Directory& d) {
      const auto place = d.find_partition(grown.topic->partitions[2].id);
      return place && place->topic == grown.topic && place->index.value == 2;
    }) == 3);

    CHECK(cluster.ask_one(DeleteTopics{{{name, {}}}}).error == Errc::none);
    CHECK(cluster.loops_where([&](Directory& d) { return d.find(name) || d.size() != 0; }) == 0);
  }
}

TEST_CASE("many who ask at once are answered each for itself") {
  Cluster cluster;
  constexpr int threads = 8, each = 30;
  std::atomic<int> created{0}, existed{0}, other{0};
  std::mutex mutex;
  std::set<std::int64_t> producer_ids;
  std::vector<std::thread> askers;
  for (int t = 0; t < threads; ++t)
    askers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        // Everybody wants the shared names, nobody else the own ones.
        const auto name = i % 2 ? "shared-" + std::to_string(i) : "own-" + std::to_string(t) + "-" + std::to_string(i);
        const auto reply = cluster.ask<TopicsApplied>(create(name));
        const bool answered = reply && reply->topics.size() == 1 && reply->topics[0].name == name;
        const auto error = answered ? reply->topics[0].error : Errc::timed_out;
        (error == Errc::none ? created : error == Errc::topic_exists ? existed : other) += 1;
        const auto block = cluster.ask<ProducerIdsAllocated>(AllocateProducerIds{10});
        const std::lock_guard lock(mutex);
        if (block && block->count == 10) producer_ids.insert(block->first.value);
      }
    });
  for (auto& asker : askers) asker.join();
  CHECK(created == threads * each / 2 + each / 2);
  CHECK(existed == (threads - 1) * each / 2);
  CHECK(other == 0);
  CHECK(producer_ids.size() == threads * each);
  CHECK(cluster.loops_where([&](Directory& d) { return d.size() == static_cast<std::size_t>(created); }) == 3);
}

TEST_CASE("more requests than may wait are refused as overload, and the others are served") {
  Cluster cluster({.max_queued = 4, .max_queued_bytes = 1 << 20});
  std::mutex mutex;
  std::condition_variable changed;
  std::map<int, Errc> answers;
  const auto burst = spawn_on<Burst>(cluster.runtime().loop(0), cluster.catalog(), 10, [&](int i, Errc error) {
    const std::lock_guard lock(mutex);
    answers[i] = error;
    changed.notify_all();
  });
  tell_from_outside(burst, Go{});
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, deadline, [&] { return answers.size() == 10; }));
  for (const auto& [i, error] : answers) CHECK(error == (i < 4 ? Errc::none : Errc::overloaded));
  lock.unlock();
  const auto large = std::string(2 << 20, 'x');
  const auto refused = cluster.ask<TopicsApplied>(create(large));
  REQUIRE(refused);
  CHECK(refused->error == Errc::overloaded);
}

TEST_CASE("a full disk refuses changes with an error that says so, and nothing else happens") {
  Cluster cluster;
  CHECK(cluster.ask_one(create("before")).error == Errc::none);
  writes_fail = true;
  const auto refused = cluster.ask<TopicsApplied>(create("lost"));
  writes_fail = false;
  REQUIRE(refused);
  CHECK(refused->error == Errc::storage_failed);
  CHECK(refused->topics.empty());
  CHECK_THAT(refused->reason, Catch::Contains("full"));
  CHECK(cluster.loops_where([](Directory& d) { return d.size() == 1 && d.find("before"); }) == 3);
  CHECK(cluster.ask_one(create("lost")).error == Errc::none);
}

TEST_CASE("the cluster describes itself, its settings as they are in force") {
  Cluster cluster;
  cluster.ask_one(create("a"));
  const auto changed = cluster.ask<ClusterSettingsApplied>(SetClusterSettings{{{"catalog.max_topics", "1"}}});
  REQUIRE(changed);
  CHECK(changed->error == Errc::none);
  CHECK(cluster.ask_one(create("b")).error == Errc::invalid_partitions);
  const auto refused = cluster.ask<ClusterSettingsApplied>(SetClusterSettings{{{"catalog.max_topics", "none"}}});
  REQUIRE(refused);
  CHECK(refused->error == Errc::invalid_setting);
  CHECK_FALSE(refused->reason.empty());
  const auto described = cluster.ask<ClusterDescription>(DescribeCluster{});
  REQUIRE(described);
  CHECK(described->cluster_id == "test");
  CHECK(described->shards == 2);
  CHECK(described->topics == 1);
  CHECK(described->partitions == 1);
  CHECK(described->version == 5);
  CHECK(described->settings.at("catalog.max_topics") == "1");
  CHECK(described->settings.at("catalog.max_partitions") == "1000000");
}

TEST_CASE("a closed catalog refuses, and its file can be opened by another") {
  Cluster cluster;
  cluster.ask_one(create("kept"));
  CHECK(cluster.ask<CatalogClosed>(CloseCatalog{}));
  CHECK(cluster.ask<CatalogClosed>(CloseCatalog{}));
  const auto refused = cluster.ask<TopicsApplied>(create("late"));
  REQUIRE(refused);
  CHECK(refused->error == Errc::shutting_down);
  CHECK(cluster.ask<ClusterDescription>(DescribeCluster{})->topics == 1);
  const auto store = cluster.open();
  CHECK(store->load_topics()->size() == 1);
}

TEST_CASE("a loop that is gone holds nobody up") {
  Cluster cluster;
  caf::anon_send_exit(cluster.updaters()[1], caf::exit_reason::kill);
  CHECK(cluster.ask_one(create("a")).error == Errc::none);
  CHECK(cluster.ask_one(create("b")).error == Errc::none);
  CHECK(cluster.loops_where([](Directory& d) { return d.find("b") != nullptr; }) >= 2);
}

TEST_CASE("who waits when the service ends gets an error") {
  Cluster cluster;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<int, Errc> answers;
  // On another loop, so that the service may end at any moment of it.
  const auto burst = spawn_on<Burst>(cluster.runtime().loop(1), cluster.catalog(), 50, [&](int i, Errc error) {
    const std::lock_guard lock(mutex);
    answers[i] = error;
    changed.notify_all();
  });
  tell_from_outside(burst, Go{});
  caf::anon_send_exit(cluster.catalog(), caf::exit_reason::kill);
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, deadline, [&] { return answers.size() == 50; }));
  for (const auto& [i, error] : answers) CHECK((error == Errc::none || error == Errc::unknown_outcome));
}
