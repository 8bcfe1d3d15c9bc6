// Braid, Apache-2.0.
//
// Definitions of protocols in the catalog: kept in the order in which they were made, all edits or none, and damage to
// them is noticed.
#include "catalog_support.hpp"
#include "persistence/catalog/sqlite.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {

DefinitionEdit put(const std::string& key, const std::string& value,
                   DefinitionKind kind = DefinitionKind::amqp_binding) {
  return {kind, Bytes::copy(key), Bytes::copy(value)};
}
DefinitionEdit drop_definition(const std::string& key) {
  return {DefinitionKind::amqp_binding, Bytes::copy(key), std::nullopt};
}
std::string content(CatalogStore& store) {
  load(store);  // checks the digest
  const auto all = store.load_definitions();
  REQUIRE(all);
  std::string text;
  for (const auto& each : *all)
    text += std::to_string(static_cast<int>(each.kind)) + ":" + each.key.str() + "=" + each.value.str() + " ";
  return text;
}

}  // namespace

TEST_CASE("definitions keep their order, over changes and restarts") {
  TemporaryDirectory directory;
  {
    auto store = initialized(directory.file());
    REQUIRE(run(*store, AlterDefinitions{{put("b", "1"), put("a", "2"), put("c", ""),
                                          put("v", "", DefinitionKind::amqp_vhost)}})
                .error == Errc::none);
    REQUIRE(run(*store, AlterDefinitions{{put("b", "3"), drop_definition("a"), drop_definition("absent")}}).error ==
            Errc::none);
    REQUIRE(run(*store, AlterDefinitions{{put("a", "4")}}).error == Errc::none);
    CHECK(content(*store) == "0:v= 2:b=3 2:c= 2:a=4 ");
  }
  auto store = open_store(directory.file());
  CHECK(content(*store) == "0:v= 2:b=3 2:c= 2:a=4 ");
}

TEST_CASE("a definition of no known kind or without a key takes the whole command with it") {
  auto store = initialized(":memory:");
  REQUIRE(run(*store, AlterDefinitions{{put("a", "1")}}).error == Errc::none);
  const auto digest = store->state().digest;
  CHECK(run(*store, AlterDefinitions{{put("b", "1"), put("c", "1", static_cast<DefinitionKind>(kDefinitionKinds))}})
            .error == Errc::invalid_setting);
  CHECK(run(*store, AlterDefinitions{{drop_definition("a"), put("", "1")}}).error == Errc::invalid_setting);
  CHECK(store->state().digest == digest);
  CHECK(content(*store) == "2:a=1 ");
}

TEST_CASE("a definition that was changed behind the catalog's back is noticed at the start") {
  TemporaryDirectory directory;
  { REQUIRE(run(*initialized(directory.file()), AlterDefinitions{{put("a", "1")}}).error == Errc::none); }
  {
    sqlite::Database database;
    REQUIRE(database.open(directory.file()));
    REQUIRE(database.execute("UPDATE definitions SET value = x'32'"));
  }
  auto store = open_store(directory.file());
  CHECK_FALSE(store->load_topics());
}
