// Braid, Apache-2.0.
//
// A disk that fails: SQLite runs on a file layer whose n-th write or sync fails, for n = 1, 2, 3, ..., once as an I/O
// error and once as a full disk. Nothing that was answered may be missing afterwards, and work goes on when the disk
// does.
#include <sqlite3.h>

#include <cstring>

#include "catalog_support.hpp"

using namespace braid;
using namespace braid::catalog_test;

namespace {

constexpr const char* vfs_name = "braid-failing";

struct Faults {
  int countdown = -1;  ///< calls until the failure; -1: never
  int code = SQLITE_IOERR;
  bool happened = false;

  bool due() {
    if (countdown < 0 || countdown-- > 0) return false;
    happened = true;
    return true;
  }
};
Faults faults;
sqlite3_vfs* real_vfs = nullptr;

/// SQLite's file with the real one behind it, in the space that SQLite allocates for both.
struct FailingFile {
  sqlite3_file base;
  sqlite3_file* real;
};
sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<FailingFile*>(file)->real;
}

int close_file(sqlite3_file* f) {
  return real(f)->pMethods->xClose(real(f));
}
int read_file(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), to, n, at);
}
int write_file(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  if (!faults.due()) return real(f)->pMethods->xWrite(real(f), from, n, at);
  if (n > 1) real(f)->pMethods->xWrite(real(f), from, n / 2, at);  // torn
  return faults.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}
int truncate_file(sqlite3_file* f, sqlite3_int64 size) {
  return real(f)->pMethods->xTruncate(real(f), size);
}
int sync_file(sqlite3_file* f, int flags) {
  if (faults.due()) return SQLITE_IOERR_FSYNC;
  return real(f)->pMethods->xSync(real(f), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
int lock_file(sqlite3_file* f, int level) {
  return real(f)->pMethods->xLock(real(f), level);
}
int unlock_file(sqlite3_file* f, int level) {
  return real(f)->pMethods->xUnlock(real(f), level);
}
int check_lock(sqlite3_file* f, int* held) {
  return real(f)->pMethods->xCheckReservedLock(real(f), held);
}
int control_file(sqlite3_file* f, int what, void* value) {
  return real(f)->pMethods->xFileControl(real(f), what, value);
}
int sector_size(sqlite3_file* f) {
  return real(f)->pMethods->xSectorSize(real(f));
}
int characteristics(sqlite3_file* f) {
  return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

const sqlite3_io_methods methods{
    2,         close_file,  read_file,  write_file,   truncate_file, sync_file,       file_size,
    lock_file, unlock_file, check_lock, control_file, sector_size,   characteristics, nullptr,
    nullptr,   nullptr,     nullptr,    nullptr,      nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* failing = reinterpret_cast<FailingFile*>(file);
  failing->real = reinterpret_cast<sqlite3_file*>(failing + 1);
  const int code = real_vfs->xOpen(real_vfs, name, failing->real, flags, out_flags);
  failing->base.pMethods = code == SQLITE_OK ? &methods : nullptr;
  return code;
}

void register_failing_vfs() {
  static sqlite3_vfs vfs = [] {
    real_vfs = sqlite3_vfs_find(nullptr);
    sqlite3_vfs copy = *real_vfs;
    copy.zName = vfs_name;
    copy.szOsFile = static_cast<int>(sizeof(FailingFile)) + real_vfs->szOsFile;
    copy.xOpen = open_file;
    return copy;
  }();
  sqlite3_vfs_register(&vfs, 0);
}

/// Applies one command with the n-th call failing; true when there was such a call.
bool try_with_fault(int countdown, int code) {
  TemporaryDirectory directory;
  auto store = initialized(directory.file(), 4, vfs_name);
  run(*store, create("before", 1, 3));
  const auto state_before = store->state();

  faults = {countdown, code, false};
  CreateTopics command;
  for (std::uint64_t i = 2; i < 60; ++i) command.topics.push_back(topic_of("t" + std::to_string(i), i, 20));
  const auto applied = store->apply(std::vector<Bytes>{encode(command)});
  const bool happened = faults.happened;
  faults = {};
  CAPTURE(countdown, code);
  if (applied) {
    CHECK(load(*store).size() == 59);
  } else {
    CHECK((applied.error().code == Errc::storage_failed || applied.error().code == Errc::unknown_outcome));
    CHECK_FALSE(applied.error().what.empty());
    CHECK(store->state() == state_before);
    CHECK(load(*store).size() == 1);
  }
  if (!applied && applied.error().code == Errc::storage_failed) {
    // A restart agrees: the files as they are now.
    const auto copy = directory.file("copy");
    std::filesystem::copy_file(directory.file(), copy);
    std::filesystem::copy_file(directory.file() + "-wal", copy + "-wal");
    CHECK(open_store(copy)->state() == state_before);
  }
  // The disk works again, and so does the catalog; the ids that were not given out are given out now.
  const auto after = run_single(*store, create("after", 100));
  REQUIRE(after.topic);
  CHECK(after.topic->partitions[0].id.value == (applied ? state_before.next_partition_id + 58 * 20 : 4));
  const auto expected = describe(load(*store));
  store.reset();
  CHECK(describe(load(*open_store(directory.file()))) == expected);
  return happened;
}

}  // namespace

TEST_CASE("a write or sync that fails loses nothing that was answered") {
  register_failing_vfs();
  for (const int code : {SQLITE_IOERR, SQLITE_FULL}) {
    int calls = 0;
    while (try_with_fault(calls, code)) ++calls;
    CHECK(calls > 5);
  }
}

TEST_CASE("a catalog that cannot be written when it is created is no catalog, and can be created later") {
  register_failing_vfs();
  for (int countdown = 0;; ++countdown) {
    TemporaryDirectory directory;
    faults = {countdown, SQLITE_FULL, false};
    auto opened = CatalogStore::open({.path = directory.file(), .defaults = {}, .vfs = vfs_name});
    const bool happened = faults.happened;
    faults = {};
    if (!happened) break;
    CAPTURE(countdown);
    if (opened) {
      opened->reset();
    } else {
      CHECK_THAT(opened.error().what, Catch::Contains(directory.file()));
    }
    CHECK(initialized(directory.file())->state().initialized());
  }
}
