// Braid, Apache-2.0.
//
// SQLite behind two small classes. A failure sticks to the database until it is cleared, and statements of a failed
// database do nothing: a sequence of statements may run to its end and ask once whether all of it worked, the way
// ByteReader does for bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace braid::sqlite {

struct Error {
  int code = 0;  ///< SQLite's extended result code
  std::string what;
};

class Database {
 public:
  Database() = default;
  Database(Database&&) = delete;
  ~Database();

  /// `vfs`: name of a registered SQLite VFS, or null for the default one.
  bool open(const std::string& path, const char* vfs = nullptr);
  /// Runs statements that yield nothing of interest.
  bool execute(const char* sql);

  bool failed() const { return failed_; }
  const Error& error() const { return error_; }
  void clear_error() { failed_ = false; }
  void fail(int code, std::string what);
  std::int64_t last_insert_id() const;
  bool in_transaction() const;
  /// Gives back page cache that no open statement uses.
  void release_memory();
  sqlite3* handle() { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  bool failed_ = false;
  Error error_;
};

/// A prepared statement, kept for the life of its database. Bound text and blobs must live until the statement is
/// reset; texts that it yields until it steps again.
class Statement {
 public:
  Statement() = default;
  Statement(Database& database, std::string_view sql) { prepare(database, sql); }
  Statement(Statement&&) = delete;
  ~Statement();
  void prepare(Database& database, std::string_view sql);

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::span<const std::uint8_t> blob);

  /// True: a row is there. False: no more rows, or a failure; either way the statement is reset.
  bool step();
  /// For statements that yield no rows.
  void run();
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  std::span<const std::uint8_t> blob(int column) const;

 private:
  Database* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace braid::sqlite
