// Braid, Apache-2.0.
//
// The calls of a real disk. A write that the system takes only in part is gone on with, and an interrupted call is
// made again, so callers see all or an error.
#include "runtime/uv/uv_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "runtime/uv/uv_loop.hpp"

namespace braid {
namespace {

IoError io_error(const char* operation, const std::string& path, int error) {
  IoErrc code = IoErrc::failed;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) code = IoErrc::no_space;
  if (error == ENOENT) code = IoErrc::not_found;
  return {code, error, std::string(operation) + ' ' + path + ": " + std::strerror(error)};
}

/// A descriptor with its file's name; closed with the last user.
struct Descriptor {
  int number;
  std::string path;
  Descriptor(int n, std::string p) : number(n), path(std::move(p)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(number); }

  Outcome<IoError> write(std::uint64_t position, const std::vector<Bytes>& chunks) const {
    constexpr std::size_t kMost = std::min<std::size_t>(IOV_MAX, 256);
    std::size_t chunk = 0, offset = 0;
    while (true) {
      std::array<iovec, kMost> vectors;
      std::size_t count = 0;
      for (std::size_t i = chunk; i < chunks.size() && count < kMost; ++i) {
        const std::size_t skip = i == chunk ? offset : 0;
        if (chunks[i].size() == skip) continue;
        vectors[count++] = {const_cast<std::uint8_t*>(chunks[i].data()) + skip, chunks[i].size() - skip};
      }
      if (count == 0) return ok;
      const ssize_t written = ::pwritev(number, vectors.data(), static_cast<int>(count), static_cast<off_t>(position));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return Unexpected{io_error("writing", path, written < 0 ? errno : ENOSPC)};
      position += static_cast<std::uint64_t>(written);
      auto left = static_cast<std::size_t>(written);
      while (chunk < chunks.size() && left >= chunks[chunk].size() - offset) {
        left -= chunks[chunk++].size() - offset;
        offset = 0;
      }
      offset += left;
    }
  }
  Outcome<IoError> sync() const {
    // Not repeated when it fails: the system may have dropped what it could not write, and would then say all is well.
    if (::fdatasync(number) != 0) return Unexpected{io_error("syncing", path, errno)};
    return ok;
  }
  IoResult<Bytes> read(std::uint64_t position, std::size_t length) const {
    auto block = BlockRef::make(length);
    std::size_t got = 0;
    while (got < length) {
      const ssize_t count = ::pread(number, block->data() + got, length - got, static_cast<off_t>(position + got));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Unexpected{io_error("reading", path, errno)};
      if (count == 0) break;
      got += static_cast<std::size_t>(count);
    }
    const auto* data = block->data();
    return Bytes(std::move(block), data, got);
  }
};

Outcome<IoError> sync_directory_now(const std::string& path) {
  const int number = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return Unexpected{io_error("opening", path, errno)};
  const int result = ::fsync(number);
  const int error = errno;
  ::close(number);
  if (result != 0) return Unexpected{io_error("syncing", path, error)};
  return ok;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Outcome<IoError> remove_now(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return Unexpected{io_error("removing", path, errno)};
  return ok;
}

Outcome<IoError> rename_now(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return Unexpected{io_error("renaming", from, errno)};
  return ok;
}

IoResult<std::shared_ptr<Descriptor>> open_now(const std::string& path, Disk::Open mode) {
  const int flags = O_RDWR | O_CLOEXEC | (mode == Disk::Open::create_new ? O_CREAT | O_EXCL : 0);
  int number;
  do number = ::open(path.c_str(), flags, 0600);
  while (number < 0 && errno == EINTR);
  if (number < 0) return Unexpected{io_error(mode == Disk::Open::existing ? "opening" : "creating", path, errno)};
  return std::make_shared<Descriptor>(number, path);
}

class UvFile final : public File {
 public:
  UvFile(UvLoop& loop, std::shared_ptr<Descriptor> descriptor) : loop_(loop), descriptor_(std::move(descriptor)) {}
  ~UvFile() override {
    // The last close of a removed file frees its blocks, which takes a file system its time.
    if (loop_.is_current() && !loop_.stopped()) loop_.offload([last = std::move(descriptor_)] {}, nullptr);
  }

  void write(std::uint64_t position, std::vector<Bytes> chunks, IoDone done) override {
    later<Outcome<IoError>>(
        [position, chunks = std::move(chunks)](const Descriptor& file) { return file.write(position, chunks); },
        std::move(done));
  }
  void sync(IoDone done) override {
    later<Outcome<IoError>>([](const Descriptor& file) { return file.sync(); }, std::move(done));
  }
  void read(std::uint64_t position, std::size_t length, std::function<void(IoResult<Bytes>)> done) override {
    later<IoResult<Bytes>>(
        [position, length](const Descriptor& file) -> IoResult<Bytes> {
          auto bytes = file.read(position, length);
          if (bytes && bytes->size() < length)
            return Unexpected{IoError{IoErrc::too_short, 0, "reading " + file.path + ": the file ends before"}};
          return bytes;
        },
        std::move(done));
  }

  IoResult<std::uint64_t> size_now() override {
    struct stat status {};
    if (::fstat(descriptor_->number, &status) != 0) return Unexpected{io_error("looking at", descriptor_->path, errno)};
    return static_cast<std::uint64_t>(status.st_size);
  }
  IoResult<Bytes> read_now(std::uint64_t position, std::size_t length) override {
    const auto size = size_now();
    if (!size) return Unexpected{size.error()};
    if (position >= *size) return Bytes{};
    return descriptor_->read(position, static_cast<std::size_t>(std::min<std::uint64_t>(length, *size - position)));
  }
  Outcome<IoError> write_now(std::uint64_t position, const Bytes& bytes) override {
    return descriptor_->write(position, {bytes});
  }
  Outcome<IoError> truncate_now(std::uint64_t size) override {
    if (::ftruncate(descriptor_->number, static_cast<off_t>(size)) != 0)
      return Unexpected{io_error("cutting", descriptor_->path, errno)};
    return ok;
  }
  Outcome<IoError> sync_now() override { return descriptor_->sync(); }

 private:
  template <class Answer, class Work, class Done>
  void later(Work work, Done done) {
    auto answer = std::make_shared<std::optional<Answer>>();
    loop_.offload([file = descriptor_, answer, work = std::move(work)] { answer->emplace(work(*file)); },
                  [answer, done = std::move(done)] { done(std::move(**answer)); });
  }
  UvLoop& loop_;
  std::shared_ptr<Descriptor> descriptor_;
};

}  // namespace

IoResult<std::shared_ptr<File>> UvDisk::open(const std::string& path, Open mode) {
  auto opened = open_now(path, mode);
  if (!opened) return Unexpected{opened.error()};
  return std::shared_ptr<File>(std::make_shared<UvFile>(loop_, *opened));
}

IoResult<std::vector<std::string>> UvDisk::list(const std::string& directory) {
  DIR* const opened = ::opendir(directory.c_str());
  if (!opened) return Unexpected{io_error("listing", directory, errno)};
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(opened)) {
    bool file = entry->d_type == DT_REG;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status {};
      file = ::stat((directory + '/' + entry->d_name).c_str(), &status) == 0 && S_ISREG(status.st_mode);
    }
    if (file) names.emplace_back(entry->d_name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(opened);
  if (error != 0) return Unexpected{io_error("listing", directory, error)};
  std::sort(names.begin(), names.end());
  return names;
}

Outcome<IoError> UvDisk::make_directories(const std::string& path) {
  for (std::size_t end = 1; end <= path.size(); ++end) {
    if (end < path.size() && path[end] != '/') continue;
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST) continue;
    return Unexpected{io_error("creating directory", part, errno)};
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Unexpected{io_error("creating directory", path, errno)};
  if (!S_ISDIR(status.st_mode)) return Unexpected{io_error("creating directory", path, ENOTDIR)};
  return ok;
}

Outcome<IoError> UvDisk::remove(const std::string& path) {
  return remove_now(path);
}
Outcome<IoError> UvDisk::rename(const std::string& from, const std::string& to) {
  return rename_now(from, to);
}
Outcome<IoError> UvDisk::sync_directory(const std::string& path) {
  return sync_directory_now(path);
}

void UvDisk::create(const std::string& path, std::function<void(IoResult<std::shared_ptr<File>>)> done) {
  auto answer = std::make_shared<std::optional<IoResult<std::shared_ptr<Descriptor>>>>();
  loop_.offload(
      [path, answer] {
        answer->emplace(open_now(path, Open::create_new));
        if (!**answer) return;
        if (auto synced = sync_directory_now(parent_of(path)); !synced) answer->emplace(Unexpected{synced.error()});
      },
      [this, answer, done = std::move(done)] {
        if (!**answer) return done(Unexpected{(*answer)->error()});
        done(std::shared_ptr<File>(std::make_shared<UvFile>(loop_, ***answer)));
      });
}

void UvDisk::remove_later(const std::string& path, IoDone done) {
  auto answer = std::make_shared<Outcome<IoError>>(ok);
  loop_.offload([path, answer] { *answer = remove_now(path); }, [answer, done = std::move(done)] { done(*answer); });
}

void UvDisk::rename_later(const std::string& from, const std::string& to, IoDone done) {
  auto answer = std::make_shared<Outcome<IoError>>(ok);
  loop_.offload(
      [from, to, answer] {
        *answer = rename_now(from, to);
        if (*answer) *answer = sync_directory_now(parent_of(to));
      },
      [answer, done = std::move(done)] { done(*answer); });
}

void UvDisk::measure_volume(const std::string& path, std::function<void(IoResult<VolumeSize>)> done) {
  auto answer = std::make_shared<IoResult<VolumeSize>>(VolumeSize{});
  loop_.offload(
      [path, answer] {
        struct statvfs volume {};
        if (::statvfs(path.c_str(), &volume) == 0)
          *answer = VolumeSize{std::uint64_t{volume.f_blocks} * volume.f_frsize,
                               std::uint64_t{volume.f_bavail} * volume.f_frsize};
        else
          *answer = Unexpected{io_error("measuring the volume of", path, errno)};
      },
      [answer, done = std::move(done)] { done(*answer); });
}

void UvDisk::at_turn_end(std::function<void()> work) {
  loop_.at_turn_end(std::move(work));
}

}  // namespace braid
