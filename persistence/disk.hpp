// Braid, Apache-2.0.
//
// The disk as the journal sees it. It has two bodies, both in `runtime/`: libuv's thread pool on real files, and a
// simulated disk that loses what was not synced, tears writes and fails on demand.
//
// Calls with a callback never block: the callback runs later, on the loop that made the call, never inside the call.
// Calls without one block; they are for start-up, recovery and shutdown only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/bytes.hpp"
#include "model/result.hpp"

namespace braid {

enum class IoErrc : std::uint8_t { failed, no_space, not_found, too_short };
struct IoError {
  IoErrc code = IoErrc::failed;
  int system_error = 0;  ///< errno, 0 if there is none
  std::string what;      ///< operation and path, for the log
};
template <class T>
using IoResult = Result<T, IoError>;
using IoDone = std::function<void(Outcome<IoError>)>;

/// Of the volume that a path lies on.
struct VolumeSize {
  std::uint64_t total_bytes = 0;
  std::uint64_t usable_bytes = 0;  ///< by us, who are not root
};

class File {
 public:
  virtual ~File() = default;

  /// Writes all chunks one behind the other at `position`. A failure may leave any part of them written.
  virtual void write(std::uint64_t position, std::vector<Bytes> chunks, IoDone done) = 0;
  /// Makes all writes that completed before this call durable (fdatasync). After a failure it is unknown which of
  /// the writes since the last good sync are on the disk.
  virtual void sync(IoDone done) = 0;
  /// Reads exactly `length` bytes; fewer is IoErrc::too_short.
  virtual void read(std::uint64_t position, std::size_t length, std::function<void(IoResult<Bytes>)> done) = 0;

  virtual IoResult<std::uint64_t> size_now() = 0;
  /// Up to `length` bytes; fewer only at the end of the file.
  virtual IoResult<Bytes> read_now(std::uint64_t position, std::size_t length) = 0;
  virtual Outcome<IoError> write_now(std::uint64_t position, const Bytes& bytes) = 0;
  virtual Outcome<IoError> truncate_now(std::uint64_t size) = 0;
  virtual Outcome<IoError> sync_now() = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;

  enum class Open { existing, create_new };
  /// Files are private to the owner (0600), directories 0700.
  virtual IoResult<std::shared_ptr<File>> open(const std::string& path, Open mode) = 0;
  /// Names of the files of a directory, sorted; an absent directory is IoErrc::not_found.
  virtual IoResult<std::vector<std::string>> list(const std::string& directory) = 0;
  virtual Outcome<IoError> make_directories(const std::string& path) = 0;
  virtual Outcome<IoError> remove(const std::string& path) = 0;
  /// Atomic replacement.
  virtual Outcome<IoError> rename(const std::string& from, const std::string& to) = 0;
  /// Makes creations, removals and renames in a directory durable.
  virtual Outcome<IoError> sync_directory(const std::string& path) = 0;

  /// `create_new` and a synced directory, off the loop: how the journal prepares its next file.
  virtual void create(const std::string& path, std::function<void(IoResult<std::shared_ptr<File>>)> done) = 0;
  virtual void remove_later(const std::string& path, IoDone done) = 0;
  /// `rename` and a synced directory, off the loop: how a checkpoint takes its name.
  virtual void rename_later(const std::string& from, const std::string& to, IoDone done) = 0;

  virtual void measure_volume(const std::string& path, std::function<void(IoResult<VolumeSize>)> done) = 0;

  /// Runs `work` once, on the loop, at the end of the turn that is under way (Loop::at_turn_end): the journal gathers
  /// what a turn appends into one write, and answers what needs no disk.
  virtual void at_turn_end(std::function<void()> work) = 0;
};

}  // namespace braid
