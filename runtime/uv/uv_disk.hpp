// Braid, Apache-2.0.
//
// Real files. What must not block a loop runs on libuv's pool, and the answer comes back to the loop that asked.
#pragma once

#include "persistence/disk.hpp"

namespace braid {

class UvLoop;

class UvDisk final : public Disk {
 public:
  explicit UvDisk(UvLoop& loop) : loop_(loop) {}

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
  UvLoop& loop_;
};

}  // namespace braid
