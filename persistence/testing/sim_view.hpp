// Braid, Apache-2.0.
//
// What one loop holds of a simulated disk: a Disk, and the files opened through it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "persistence/testing/sim_disk.hpp"

namespace braid {

class SimView final : public Disk {
 public:
  SimView(SimDisk& disk, SimDisk::Scheduler complete, SimDisk::Scheduler at_turn_end);

  IoResult<std::shared_ptr<File>> open(const std::string& path, Open mode) override;
  IoResult<std::vector<std::string>> list(const std::string& directory) override;
  Outcome<IoError> make_directories(const std::string& path) override;
  Outcome<IoError> remove(const std::string& path) override;
  Outcome<IoError> rename(const std::string& from, const std::string& to) override;
  Outcome<IoError> sync_directory(const std::string& path) override;
  void create(const std::string& path, std::function<void(IoResult<std::shared_ptr<File>>)> done) override;
  void remove_later(const std::string& path, IoDone done) override;
  void rename_later(const std::string& from, const std::string& to, IoDone done) override;
  void measure_volume(const std::string& path, std::function<void(IoResult<VolumeSize>)> done) override;
  void at_turn_end(std::function<void()> work) override;

 private:
  bool is_stale() const { return epoch_ != disk_.epoch_; }
  void complete(std::function<void()> task);

  SimDisk& disk_;
  std::uint64_t epoch_;
  SimDisk::Scheduler complete_;
  SimDisk::Scheduler at_turn_end_;
};

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, SimDisk::NodeRef node, std::string path, SimDisk::Scheduler complete);

  void write(std::uint64_t position, std::vector<Bytes> chunks, IoDone done) override;
  void sync(IoDone done) override;
  void read(std::uint64_t position, std::size_t length, std::function<void(IoResult<Bytes>)> done) override;
  IoResult<std::uint64_t> size_now() override;
  IoResult<Bytes> read_now(std::uint64_t position, std::size_t length) override;
  Outcome<IoError> write_now(std::uint64_t position, const Bytes& bytes) override;
  Outcome<IoError> truncate_now(std::uint64_t size) override;
  Outcome<IoError> sync_now() override;

 private:
  bool is_stale() const { return epoch_ != disk_.epoch_; }
  void complete(std::function<void()> task);
  Outcome<IoError> write_bytes(std::uint64_t position, std::string bytes);

  SimDisk& disk_;
  std::uint64_t epoch_;
  SimDisk::NodeRef node_;
  std::string path_;
  SimDisk::Scheduler complete_;
};

}  // namespace braid
