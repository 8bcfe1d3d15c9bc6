// Braid, Apache-2.0.
//
// What belongs to no single topic: the cluster's defaults for topics, and the quotas of clients.
#include "catalog_support.hpp"
#include "persistence/catalog/sqlite.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {

QuotaChange quota(QuotaEntity entity, std::string key, std::optional<double> value) {
  return {std::move(entity), {{std::move(key), value}}};
}
Errc outcome(CatalogStore& store, QuotaChange change) {
  const auto result = run(store, AlterClientQuotas{{std::move(change)}, false});
  REQUIRE(result.error == Errc::none);
  REQUIRE(result.changes.size() == 1);
  return result.changes[0].error;
}
const QuotaEntity client = {{"client-id", "c"}}, everybody = {{"client-id", std::nullopt}};

}  // namespace

TEST_CASE("a default of the cluster changes the topics that say nothing, and is there after a restart") {
  TemporaryDirectory directory;
  auto store = initialized(directory.file());
  run(*store, create("silent", 1));
  run(*store, create("own", 2, 1, {{"retention.ms", "77"}}));
  const auto applied = apply_all(*store, {encode(SetClusterSettings{{{"topic.retention.ms", "5"}}})});
  CHECK(applied.results[0].error == Errc::none);
  REQUIRE(applied.change.settings);
  CHECK(applied.change.settings->topic_defaults == TopicConfig{{"retention.ms", "5"}});
  REQUIRE(applied.change.upserts.size() == 1);
  CHECK(applied.change.upserts[0]->name == "silent");
  CHECK(applied.change.upserts[0]->settings.retention_ms == 5);
  CHECK(applied.change.upserts[0]->config.empty());
  store.reset();
  store = open_store(directory.file());
  for (const auto& topic : load(*store)) CHECK(topic->settings.retention_ms == (topic->name == "silent" ? 5 : 77));
  CHECK(run_single(*store, create("later", 3)).topic->settings.retention_ms == 5);
  CHECK(run(*store, SetClusterSettings{{{"topic.retention.ms", "soon"}}}).error == Errc::invalid_setting);
  CHECK(run(*store, SetClusterSettings{{{"topic.no.such", "1"}}}).error == Errc::invalid_setting);
  CHECK(run(*store, SetClusterSettings{{{"topic.retention.ms", "9"}}, true}).error == Errc::none);
  CHECK(store->settings().topic_defaults.at("retention.ms") == "5");
  const auto back = apply_all(*store, {encode(SetClusterSettings{{{"topic.retention.ms", std::nullopt}}})});
  CHECK(back.change.upserts.size() == 2);
  CHECK(store->settings().topic_defaults.empty());
  load(*store);
}

TEST_CASE("quotas are set and removed, each entity on its own, and are there after a restart") {
  TemporaryDirectory directory;
  auto store = initialized(directory.file());
  const auto applied = apply_all(
      *store,
      {encode(AlterClientQuotas{{quota(client, "producer_byte_rate", 1000), quota(everybody, "consumer_byte_rate", 0.0),
                                 quota({{"user", "u"}}, "controller_mutation_rate", 0.1)},
                                false})});
  REQUIRE(applied.results[0].changes.size() == 3);
  CHECK(applied.results[0].changes[0].error == Errc::none);
  CHECK(applied.results[0].changes[1].error == Errc::invalid_setting);
  CHECK(applied.results[0].changes[2].error == Errc::none);
  REQUIRE(applied.change.quotas);
  CHECK(applied.change.quotas->size() == 2);
  store.reset();
  store = open_store(directory.file());
  load(*store);
  CHECK(store->quotas()->at(client).at("producer_byte_rate") == 1000);
  CHECK(store->quotas()->at({{"user", "u"}}).at("controller_mutation_rate") == 0.1);

  const auto state = store->state();
  CHECK(run(*store, AlterClientQuotas{{quota(client, "producer_byte_rate", 5)}, true}).changes[0].error == Errc::none);
  CHECK(store->state().digest == state.digest);
  CHECK(store->quotas()->at(client).at("producer_byte_rate") == 1000);
  CHECK(outcome(*store, quota(client, "producer_byte_rate", 2000)) == Errc::none);
  CHECK(outcome(*store, quota(client, "producer_byte_rate", std::nullopt)) == Errc::none);
  CHECK(outcome(*store, quota(client, "producer_byte_rate", std::nullopt)) == Errc::none);
  CHECK(store->quotas()->count(client) == 0);
  load(*store);
}

TEST_CASE("quotas that nobody would enforce are refused, and there is a limit to their number") {
  auto store = initialized(":memory:");
  CHECK(outcome(*store, quota({}, "producer_byte_rate", 1)) == Errc::invalid_setting);
  CHECK(outcome(*store, quota({{"ip", "::1"}}, "connection_creation_rate", 1)) == Errc::invalid_setting);
  CHECK(outcome(*store, quota({{"user", ""}}, "producer_byte_rate", 1)) == Errc::invalid_setting);
  CHECK(outcome(*store, quota({{"user", std::string(5000, 'u')}}, "producer_byte_rate", 1)) == Errc::invalid_setting);
  CHECK(outcome(*store, quota(client, "request_percentage", 1)) == Errc::invalid_setting);
  CHECK(outcome(*store, quota(client, "producer_byte_rate", 1.5)) == Errc::invalid_setting);
  CHECK(store->quotas()->empty());
  REQUIRE(run(*store, SetClusterSettings{{{"catalog.max_client_quotas", "1"}}}).error == Errc::none);
  CHECK(outcome(*store, quota(client, "producer_byte_rate", 1)) == Errc::none);
  CHECK(outcome(*store, quota(everybody, "producer_byte_rate", 1)) == Errc::invalid_setting);
  CHECK(outcome(*store, quota(client, "consumer_byte_rate", 1)) == Errc::none);
}

TEST_CASE("a quota that was changed behind the catalog's back is noticed") {
  TemporaryDirectory directory;
  auto store = initialized(directory.file());
  CHECK(outcome(*store, quota(client, "producer_byte_rate", 1000)) == Errc::none);
  store.reset();
  {
    sqlite::Database database;
    REQUIRE(database.open(directory.file()));
    REQUIRE(database.execute("UPDATE client_quotas SET value = '1001'"));
  }
  store = open_store(directory.file());
  CHECK_FALSE(store->load_topics());
}

TEST_CASE("the settings of the broker's own topics cannot be altered") {
  auto store = initialized(":memory:");
  auto internal = create("__internal", 1);
  internal.topics[0].internal = true;
  run(*store, internal);
  const AlterTopicConfig alter{{{"__internal", {{"retention.ms", "1"}}}}, false};
  CHECK(run_single(*store, alter).error == Errc::invalid_setting);
}
