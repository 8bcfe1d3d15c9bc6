// Braid, Apache-2.0.
#include "e2e/support/command.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace braid::e2e {

namespace {

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A process group of its own, so that what the shell started can be ended with it.
pid_t launch(const std::string& command, const std::string& in, const std::string& out, const std::string& err) {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  const auto redirect = [](const std::string& path, int flags, int to) {
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd >= 0) ::dup2(fd, to);
  };
  redirect(in, O_RDONLY, 0);
  redirect(out, O_WRONLY | O_CREAT | O_TRUNC, 1);
  redirect(err, O_WRONLY | O_CREAT | O_TRUNC, 2);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

bool reaped(pid_t pid, int& status) {
  return ::waitpid(pid, &status, WNOHANG) == pid;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::string temporary_directory() {
  struct Holder {
    std::string path;
    int next = 0;
    Holder() {
      std::string name = (std::filesystem::temp_directory_path() / "braid-e2e-XXXXXX").string();
      if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
      path = name;
    }
    ~Holder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static Holder holder;
  const std::string path = holder.path + "/" + std::to_string(holder.next++);
  std::filesystem::create_directories(path);
  return path;
}

CommandResult run(const std::string& command, int timeout_ms, const std::string& input) {
  const std::string directory = temporary_directory();
  std::ofstream(directory + "/in", std::ios::binary) << input;
  const pid_t pid = launch(command, directory + "/in", directory + "/out", directory + "/err");
  int status = 0;
  CommandResult result;
  if (eventually([&] { return reaped(pid, status); }, timeout_ms)) {
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    result.exit_code = 124;
  }
  result.out = slurp(directory + "/out");
  result.err = slurp(directory + "/err");
  return result;
}

Background::Background(const std::string& command) {
  const std::string directory = temporary_directory();
  file_ = directory + "/out";
  pid_ = launch(command, "/dev/null", file_, directory + "/err");
}

Background::~Background() {
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

std::string Background::out() const {
  return slurp(file_);
}

bool Background::prints(const std::string& text, int timeout_ms) const {
  return eventually([&] { return out().find(text) != std::string::npos; }, timeout_ms);
}

bool Background::ended(int timeout_ms) {
  int status = 0;
  if (pid_ >= 0 && eventually([&] { return reaped(pid_, status); }, timeout_ms)) pid_ = -1;
  return pid_ < 0;
}

void Background::kill(int signal) {
  if (pid_ >= 0) ::kill(-pid_, signal);
}

}  // namespace braid::e2e
