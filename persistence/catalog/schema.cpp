// Braid, Apache-2.0.
//
// One migration per schema version, all of them run in one transaction, so that a start that fails half way leaves the
// file as it was.
#include "persistence/catalog/schema.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace braid {
namespace {

// "BRDC", in SQLite's file header.
constexpr std::int64_t application_id = 0x42524443;

// Topic names that differ in '.' and '_' only collide (model/names.hpp), so the index on names folds them.
constexpr std::array<const char*, kCatalogSchemaVersion> migrations{R"sql(
  CREATE TABLE state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), applied_index INTEGER NOT NULL, cluster_id TEXT NOT NULL,
    shards INTEGER NOT NULL, next_partition_id INTEGER NOT NULL, next_producer_id INTEGER NOT NULL,
    topics INTEGER NOT NULL, partitions INTEGER NOT NULL, digest INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL, changed_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE topics (
    number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE CHECK (length(id) = 16), name TEXT NOT NULL,
    internal INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
  CREATE UNIQUE INDEX topics_by_folded_name ON topics (replace(name, '.', '_'));
  CREATE TABLE topic_config (
    topic INTEGER NOT NULL REFERENCES topics ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (topic, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE partitions (
    topic INTEGER NOT NULL REFERENCES topics ON DELETE CASCADE, position INTEGER NOT NULL, id INTEGER NOT NULL,
    shard INTEGER NOT NULL, leader_epoch INTEGER NOT NULL, PRIMARY KEY (topic, position)) STRICT, WITHOUT ROWID;
)sql",
                                                                    R"sql(
  CREATE TABLE client_quotas (
    entity TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (entity, key)) STRICT, WITHOUT ROWID;
)sql",
                                                                    R"sql(
  CREATE TABLE definitions (
    number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    UNIQUE (kind, key)) STRICT;
)sql"};

// The first access fixes the locking mode, so it comes first; with it the write-ahead log needs no shared memory file.
// FULL syncs the write-ahead log before COMMIT returns: an answered command survives a power failure.
constexpr const char* pragmas = R"sql(
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;
  PRAGMA journal_size_limit = 16777216;
)sql";

CatalogError damaged(const std::string& path, std::string_view what) {
  return {Errc::damaged,
          "the catalog " + path + " is damaged: " + std::string(what) + "; restore the data directory from a copy"};
}

std::optional<CatalogError> create_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0)
    return CatalogError{Errc::storage_failed, "the catalog " + path + " cannot be opened: " + std::strerror(errno)};
  ::close(file);
  return std::nullopt;
}

std::int64_t pragma_value(sqlite::Database& database, const char* sql) {
  sqlite::Statement statement(database, sql);
  const std::int64_t value = statement.step() ? statement.integer(0) : 0;
  statement.reset();
  return value;
}

std::optional<CatalogError> migrate(sqlite::Database& database, std::int64_t version, const std::string& path) {
  database.execute("BEGIN IMMEDIATE");
  for (auto step = static_cast<std::size_t>(version); step < migrations.size(); ++step)
    database.execute(migrations[step]);
  const std::string stamp = "PRAGMA application_id = " + std::to_string(application_id) +
                            "; PRAGMA user_version = " + std::to_string(kCatalogSchemaVersion);
  database.execute(stamp.c_str());
  if (database.execute("COMMIT")) return std::nullopt;
  return catalog_error(database.error(), path);
}

}  // namespace

CatalogError catalog_error(const sqlite::Error& error, const std::string& path) {
  switch (error.code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_SCHEMA:
      return damaged(path, error.what);
    case SQLITE_BUSY:
      return {Errc::storage_failed, "the catalog " + path + " is in use by another process"};
    default:
      return {Errc::storage_failed, "the catalog " + path + " failed: " + error.what};
  }
}

std::optional<CatalogError> open_catalog_file(sqlite::Database& database, const std::string& path, const char* vfs) {
  const bool in_memory = path == ":memory:";
  if (!in_memory) {
    if (auto error = create_private(path)) return error;
  }
  database.open(path, vfs);
  database.execute(pragmas);
  const auto stored_application = pragma_value(database, "PRAGMA application_id");
  const auto version = pragma_value(database, "PRAGMA user_version");
  const auto tables = pragma_value(database, "SELECT count(*) FROM sqlite_schema");
  if (database.failed()) return catalog_error(database.error(), path);
  const bool fresh = stored_application == 0 && version == 0 && tables == 0;
  if (!fresh && stored_application != application_id)
    return CatalogError{Errc::damaged, path + " is an SQLite database, but not a catalog of Braid"};
  if (version > kCatalogSchemaVersion)
    return CatalogError{Errc::damaged, "the catalog " + path + " was written by a newer version of Braid (schema " +
                                           std::to_string(version) + ", this one knows up to " +
                                           std::to_string(kCatalogSchemaVersion) + ")"};
  if (!fresh && version < 1) return damaged(path, "it has no schema version");
  {
    sqlite::Statement mode(database, "PRAGMA journal_mode = WAL");
    const bool answered = mode.step();
    if (answered && !in_memory && mode.text(0) != "wal")
      database.fail(SQLITE_CANTOPEN, "the file system does not allow a write-ahead log");
    mode.reset();
  }
  if (!fresh) {
    sqlite::Statement check(database, "PRAGMA quick_check(1)");
    if (check.step() && check.text(0) != "ok") return damaged(path, check.text(0));
    check.reset();
  }
  if (database.failed()) return catalog_error(database.error(), path);
  return version < kCatalogSchemaVersion ? migrate(database, version, path) : std::nullopt;
}

}  // namespace braid
