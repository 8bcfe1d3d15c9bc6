// Braid, Apache-2.0.
//
// The real disk: files of a temporary directory.
#include "persistence/disk.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "unit/runtime/support.hpp"

using namespace braid;
using namespace braid::test;

namespace {

struct DiskTest {
  NodeRuntime runtime{options(1)};
  std::string root;
  DiskTest() {
    char name[] = "/tmp/braid-disk-XXXXXX";
    root = ::mkdtemp(name);
    runtime.start();
  }
  ~DiskTest() {
    runtime.stop();
    std::filesystem::remove_all(root);
  }
  Disk& disk() { return runtime.loop(0).disk(); }

  /// Makes a call with a callback on the loop and waits for what it answers.
  template <class Answer>
  Answer wait(const std::function<void(std::function<void(Answer)>)>& call) {
    Inbox<std::shared_ptr<Answer>> answers;
    runtime.run_on(0, [&] {
      const auto returned = std::make_shared<bool>(false);
      call([&answers, returned, on_loop = &runtime.loop(0)](Answer answer) {
        CHECK(*returned);
        CHECK(on_loop->is_current());
        answers.put(std::make_shared<Answer>(std::move(answer)));
      });
      *returned = true;
    });
    auto answer = answers.take();
    REQUIRE(answer);
    return std::move(**answer);
  }
  Outcome<IoError> write(File& file, std::uint64_t position, std::vector<Bytes> chunks) {
    return wait<Outcome<IoError>>([&](auto done) { file.write(position, chunks, done); });
  }
};

mode_t mode_of(const std::string& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return status.st_mode & 0777;
}

}  // namespace

TEST_CASE_METHOD(DiskTest, "What is written in many chunks is read back, and files are private") {
  REQUIRE(disk().make_directories(root + "/a/b/c"));
  REQUIRE(disk().make_directories(root + "/a/b/c"));
  CHECK(mode_of(root + "/a/b") == 0700);
  auto created = wait<IoResult<std::shared_ptr<File>>>([&](auto done) { disk().create(root + "/a/b/c/file", done); });
  REQUIRE(created);
  const auto file = *created;
  CHECK(mode_of(root + "/a/b/c/file") == 0600);

  // More chunks than one system call takes, empty ones among them.
  std::vector<Bytes> chunks;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string text =
        i % 7 == 0 ? "" : std::string(static_cast<std::size_t>(i % 50), static_cast<char>('a' + i % 26));
    expected += text;
    chunks.push_back(Bytes::copy(text));
  }
  REQUIRE(write(*file, 100, chunks));
  REQUIRE(write(*file, 0, {}));
  REQUIRE(wait<Outcome<IoError>>([&](auto done) { file->sync(done); }));
  const auto size = file->size_now();
  REQUIRE(size);
  CHECK(*size == 100 + expected.size());
  auto read = wait<IoResult<Bytes>>([&](auto done) { file->read(100, expected.size(), done); });
  REQUIRE(read);
  CHECK(read->view() == expected);
  read = wait<IoResult<Bytes>>([&](auto done) { file->read(101, expected.size(), done); });
  REQUIRE_FALSE(read);
  CHECK(read.error().code == IoErrc::too_short);
  const auto part = file->read_now(101, expected.size());
  REQUIRE(part);
  CHECK(part->view() == expected.substr(1));
  CHECK(file->read_now(1'000'000, 10)->empty());
}

TEST_CASE_METHOD(DiskTest, "Blocking calls and errors") {
  auto file = disk().open(root + "/one", Disk::Open::create_new);
  REQUIRE(file);
  REQUIRE((*file)->write_now(0, Bytes::copy("hello")));
  REQUIRE((*file)->truncate_now(4));
  REQUIRE((*file)->sync_now());
  CHECK((*file)->read_now(0, 100)->view() == "hell");

  const auto again = disk().open(root + "/one", Disk::Open::create_new);
  REQUIRE_FALSE(again);
  CHECK(again.error().system_error == EEXIST);
  CHECK(again.error().what == "creating " + root + "/one: File exists");
  CHECK(disk().open(root + "/none", Disk::Open::existing).error().code == IoErrc::not_found);
  CHECK(disk().list(root + "/none").error().code == IoErrc::not_found);
  CHECK(disk().make_directories(root + "/one/two").error().code == IoErrc::failed);

  REQUIRE(disk().open(root + "/zero", Disk::Open::create_new));
  REQUIRE(disk().make_directories(root + "/directory"));
  CHECK(*disk().list(root) == std::vector<std::string>{"one", "zero"});
  REQUIRE(disk().rename(root + "/zero", root + "/one"));
  REQUIRE(disk().sync_directory(root));
  CHECK((*disk().open(root + "/one", Disk::Open::existing))->size_now().value() == 0);
  REQUIRE(disk().remove(root + "/one"));
  CHECK(disk().remove(root + "/one").error().code == IoErrc::not_found);
  CHECK(disk().list(root)->empty());
}

TEST_CASE_METHOD(DiskTest, "Files are renamed and removed off the loop") {
  REQUIRE(disk().open(root + "/new", Disk::Open::create_new));
  REQUIRE(wait<Outcome<IoError>>([&](auto done) { disk().rename_later(root + "/new", root + "/current", done); }));
  CHECK(*disk().list(root) == std::vector<std::string>{"current"});
  REQUIRE(wait<Outcome<IoError>>([&](auto done) { disk().remove_later(root + "/current", done); }));
  const auto gone = wait<Outcome<IoError>>([&](auto done) { disk().remove_later(root + "/current", done); });
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == IoErrc::not_found);
  const auto nowhere =
      wait<IoResult<std::shared_ptr<File>>>([&](auto done) { disk().create(root + "/none/file", done); });
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == IoErrc::not_found);
}

TEST_CASE_METHOD(DiskTest, "The volume of a path is measured off the loop") {
  const auto volume = wait<IoResult<VolumeSize>>([&](auto done) { disk().measure_volume(root, done); });
  REQUIRE(volume);
  CHECK(volume->total_bytes >= volume->usable_bytes);
  CHECK(volume->total_bytes > 0);
  const auto nowhere = wait<IoResult<VolumeSize>>([&](auto done) { disk().measure_volume(root + "/none", done); });
  REQUIRE_FALSE(nowhere);
  CHECK_FALSE(nowhere.error().what.empty());
}

TEST_CASE_METHOD(DiskTest, "A file that may not grow fails the write as a full disk does") {
  auto file = disk().open(root + "/small", Disk::Open::create_new);
  REQUIRE(file);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 5000;
  const auto old = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto outcome = write(**file, 0, {Bytes::copy(std::string(4000, 'a')), Bytes::copy(std::string(4000, 'b'))});
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == IoErrc::no_space);
}

TEST_CASE_METHOD(DiskTest, "Work that is under way when the runtime stops is finished and not answered") {
  auto file = disk().open(root + "/last", Disk::Open::create_new);
  REQUIRE(file);
  bool answered = false;
  runtime.run_on(0, [&] {
    (*file)->write(0, {Bytes::copy("written")}, [&](Outcome<IoError>) { answered = true; });
    // The loop ends before the completion can be looked at.
    runtime.loop(0).post([] {});
  });
  runtime.stop();
  if (!answered) CHECK((*file)->read_now(0, 100)->view() == "written");
}
