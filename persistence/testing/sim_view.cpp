// Braid, Apache-2.0.
//
// Operations act on the page cache when they are called and report through the view's scheduler. A view or file from
// before a crash does nothing and reports nothing: its loop is gone.
#include "persistence/testing/sim_view.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace braid {
namespace {

constexpr std::uint64_t kSimulatedVolumeBytes = 1ull << 40;

IoError io_error(const std::string& what) {
  return {IoErrc::failed, EIO, what};
}
std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

std::unique_ptr<Disk> SimDisk::attach(Scheduler complete, Scheduler at_turn_end) {
  return std::make_unique<SimView>(*this, std::move(complete), std::move(at_turn_end));
}

SimView::SimView(SimDisk& disk, SimDisk::Scheduler complete, SimDisk::Scheduler at_turn_end)
    : disk_(disk), epoch_(disk.epoch_), complete_(std::move(complete)), at_turn_end_(std::move(at_turn_end)) {}

void SimView::complete(std::function<void()> task) {
  complete_([&disk = disk_, epoch = epoch_, task = std::move(task)] {
    if (disk.epoch_ == epoch) task();
  });
}

IoResult<std::shared_ptr<File>> SimView::open(const std::string& path, Open mode) {
  if (is_stale() || disk_.fails(SimDisk::Operation::name)) return Unexpected{io_error("open " + path)};
  const auto found = disk_.names_.find(path);
  SimDisk::NodeRef node;
  if (mode == Open::existing) {
    if (found == disk_.names_.end()) return Unexpected{IoError{IoErrc::not_found, ENOENT, "open " + path}};
    node = found->second;
  } else {
    if (found != disk_.names_.end()) return Unexpected{IoError{IoErrc::failed, EEXIST, "create " + path}};
    if (!disk_.directories_.contains(parent_of(path)))
      return Unexpected{IoError{IoErrc::not_found, ENOENT, "create " + path}};
    node = std::make_shared<SimDisk::Node>();
    disk_.change_name(path, node);
  }
  return std::shared_ptr<File>(std::make_shared<SimFile>(disk_, std::move(node), path, complete_));
}

IoResult<std::vector<std::string>> SimView::list(const std::string& directory) {
  if (is_stale() || disk_.fails(SimDisk::Operation::name)) return Unexpected{io_error("list " + directory)};
  if (!disk_.directories_.contains(directory))
    return Unexpected{IoError{IoErrc::not_found, ENOENT, "list " + directory}};
  std::vector<std::string> names;
  for (const auto& [path, node] : disk_.names_)
    if (path.size() > directory.size() + 1 && parent_of(path) == directory)
      names.push_back(path.substr(directory.size() + 1));
  return names;
}

Outcome<IoError> SimView::make_directories(const std::string& path) {
  if (is_stale() || disk_.fails(SimDisk::Operation::name)) return Unexpected{io_error("mkdir " + path)};
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    disk_.directories_.insert(path.substr(0, slash));
  disk_.directories_.insert(path);
  return ok;
}

Outcome<IoError> SimView::remove(const std::string& path) {
  if (is_stale() || disk_.fails(SimDisk::Operation::name)) return Unexpected{io_error("remove " + path)};
  if (!disk_.names_.contains(path)) return Unexpected{IoError{IoErrc::not_found, ENOENT, "remove " + path}};
  disk_.change_name(path, nullptr);
  return ok;
}

Outcome<IoError> SimView::rename(const std::string& from, const std::string& to) {
  if (is_stale() || disk_.fails(SimDisk::Operation::name)) return Unexpected{io_error("rename " + from)};
  const auto found = disk_.names_.find(from);
  if (found == disk_.names_.end()) return Unexpected{IoError{IoErrc::not_found, ENOENT, "rename " + from}};
  const SimDisk::NodeRef node = found->second;
  // One change for both names would be exact; the new name first loses nothing when only it survives a crash.
  disk_.change_name(to, node);
  disk_.change_name(from, nullptr);
  return ok;
}

Outcome<IoError> SimView::sync_directory(const std::string& path) {
  if (is_stale() || disk_.fails(SimDisk::Operation::sync)) return Unexpected{io_error("sync " + path)};
  disk_.sync_names(path);
  return ok;
}

void SimView::create(const std::string& path, std::function<void(IoResult<std::shared_ptr<File>>)> done) {
  if (is_stale()) return;
  auto file = open(path, Open::create_new);
  if (file) {
    if (auto synced = sync_directory(parent_of(path)); !synced) file = Unexpected{synced.error()};
  }
  complete([file = std::move(file), done = std::move(done)] { done(file); });
}

void SimView::remove_later(const std::string& path, IoDone done) {
  if (is_stale()) return;
  complete([outcome = remove(path), done = std::move(done)] { done(outcome); });
}

void SimView::rename_later(const std::string& from, const std::string& to, IoDone done) {
  if (is_stale()) return;
  auto outcome = rename(from, to);
  if (outcome) outcome = sync_directory(parent_of(to));
  complete([outcome = std::move(outcome), done = std::move(done)] { done(outcome); });
}

void SimView::measure_volume(const std::string&, std::function<void(IoResult<VolumeSize>)> done) {
  if (is_stale()) return;
  VolumeSize size{kSimulatedVolumeBytes, kSimulatedVolumeBytes / 2};
  if (disk_.limit_bytes_ != UINT64_MAX)
    size = {disk_.limit_bytes_, disk_.limit_bytes_ - std::min(disk_.limit_bytes_, disk_.used_bytes())};
  complete([size, done = std::move(done)] { done(size); });
}

void SimView::at_turn_end(std::function<void()> work) {
  if (is_stale()) return;
  at_turn_end_([&disk = disk_, epoch = epoch_, work = std::move(work)] {
    if (disk.epoch_ == epoch) work();
  });
}

SimFile::SimFile(SimDisk& disk, SimDisk::NodeRef node, std::string path, SimDisk::Scheduler complete)
    : disk_(disk),
      epoch_(disk.epoch_),
      node_(std::move(node)),
      path_(std::move(path)),
      complete_(std::move(complete)) {}

void SimFile::complete(std::function<void()> task) {
  complete_([&disk = disk_, epoch = epoch_, task = std::move(task)] {
    if (disk.epoch_ == epoch) task();
  });
}

Outcome<IoError> SimFile::write_bytes(std::uint64_t position, std::string bytes) {
  if (disk_.fails(SimDisk::Operation::write)) {
    bytes.resize(disk_.below(bytes.size() + 1));
    if (!bytes.empty()) disk_.apply(*node_, {false, position, std::move(bytes)});
    return Unexpected{io_error("write " + path_)};
  }
  const std::uint64_t room = disk_.room_for(*node_, position, bytes.size());
  const bool fits = room == bytes.size();
  bytes.resize(room);
  if (!bytes.empty()) disk_.apply(*node_, {false, position, std::move(bytes)});
  if (!fits) return Unexpected{IoError{IoErrc::no_space, ENOSPC, "write " + path_}};
  return ok;
}

void SimFile::write(std::uint64_t position, std::vector<Bytes> chunks, IoDone done) {
  if (is_stale()) return;
  std::string bytes;
  for (const Bytes& chunk : chunks) bytes.append(chunk.view());
  complete([outcome = write_bytes(position, std::move(bytes)), done = std::move(done)] { done(outcome); });
}

void SimFile::sync(IoDone done) {
  if (is_stale()) return;
  // What is in the cache now gets to the platter until the completion runs; a crash before it may lose any of it.
  const bool failing = disk_.fails(SimDisk::Operation::sync);
  complete(
      [node = node_, &disk = disk_, changes = node_->changes_so_far(), failing, path = path_, done = std::move(done)] {
        if (failing) {
          disk.lose_pages(*node, changes);
          return done(Unexpected{io_error("sync " + path)});
        }
        disk.sync_node(*node, changes);
        done(ok);
      });
}

void SimFile::read(std::uint64_t position, std::size_t length, std::function<void(IoResult<Bytes>)> done) {
  if (is_stale()) return;
  IoResult<Bytes> result = read_now(position, length);
  if (result && result->size() < length) result = Unexpected{IoError{IoErrc::too_short, 0, "read " + path_}};
  complete([result = std::move(result), done = std::move(done)] { done(result); });
}

IoResult<std::uint64_t> SimFile::size_now() {
  if (is_stale() || disk_.fails(SimDisk::Operation::read)) return Unexpected{io_error("stat " + path_)};
  return node_->cached.size();
}
IoResult<Bytes> SimFile::read_now(std::uint64_t position, std::size_t length) {
  if (is_stale() || disk_.fails(SimDisk::Operation::read)) return Unexpected{io_error("read " + path_)};
  if (position >= node_->cached.size()) return Bytes{};
  return Bytes::copy(std::string_view(node_->cached).substr(position, length));
}
Outcome<IoError> SimFile::write_now(std::uint64_t position, const Bytes& bytes) {
  if (is_stale()) return Unexpected{io_error("write " + path_)};
  return write_bytes(position, bytes.str());
}
Outcome<IoError> SimFile::truncate_now(std::uint64_t size) {
  if (is_stale() || disk_.fails(SimDisk::Operation::write)) return Unexpected{io_error("truncate " + path_)};
  disk_.apply(*node_, {true, size, {}});
  return ok;
}
Outcome<IoError> SimFile::sync_now() {
  if (is_stale()) return Unexpected{io_error("sync " + path_)};
  if (disk_.fails(SimDisk::Operation::sync)) {
    disk_.lose_pages(*node_, node_->changes_so_far());
    return Unexpected{io_error("sync " + path_)};
  }
  disk_.sync_node(*node_, node_->changes_so_far());
  return ok;
}

}  // namespace braid
