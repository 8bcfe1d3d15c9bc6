// Braid, Apache-2.0.
//
// The only source that calls SQLite's C interface for statements and connections.
#include "persistence/catalog/sqlite.hpp"

#include <sqlite3.h>

#include <utility>

namespace braid::sqlite {

Database::~Database() {
  sqlite3_close(handle_);
}

bool Database::open(const std::string& path, const char* vfs) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, vfs);
  if (code != SQLITE_OK) fail(code, handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code));
  return !failed_;
}

bool Database::execute(const char* sql) {
  if (failed_) return false;
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, sqlite3_errmsg(handle_));
  return !failed_;
}

std::int64_t Database::last_insert_id() const {
  return sqlite3_last_insert_rowid(handle_);
}
bool Database::in_transaction() const {
  return handle_ && !sqlite3_get_autocommit(handle_);
}
void Database::release_memory() {
  sqlite3_db_release_memory(handle_);
}

void Database::fail(int code, std::string what) {
  if (failed_) return;
  failed_ = true;
  error_ = {code, std::move(what)};
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::prepare(Database& database, std::string_view sql) {
  database_ = &database;
  if (database.failed()) return;
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) database.fail(code, sqlite3_errmsg(database.handle()));
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  if (!database_->failed()) sqlite3_bind_int64(statement_, parameter, value);
  return *this;
}
Statement& Statement::bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL.
  if (!database_->failed())
    sqlite3_bind_text64(statement_, parameter, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int parameter, std::span<const std::uint8_t> blob) {
  if (!database_->failed()) sqlite3_bind_blob64(statement_, parameter, blob.data(), blob.size(), SQLITE_STATIC);
  return *this;
}

bool Statement::step() {
  if (database_->failed()) {
    reset();
    return false;
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->fail(code, sqlite3_errmsg(database_->handle()));
  reset();
  return false;
}
void Statement::run() {
  while (step()) {
  }
}
void Statement::reset() {
  if (statement_) sqlite3_reset(statement_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text ? std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)))
              : std::string_view();
}
std::span<const std::uint8_t> Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return {data, data ? static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)) : 0};
}

}  // namespace braid::sqlite
