// Braid, Apache-2.0.
//
// Other programs, run by the shell as a user would: kcat, mosquitto_pub, the braid command itself.
#pragma once

#include <functional>
#include <string>

namespace braid::e2e {

struct CommandResult {
  int exit_code = -1;
  std::string out;  ///< standard output
  std::string err;
};
/// Runs until it ends, or is killed after `timeout_ms` (exit code 124).
CommandResult run(const std::string& command, int timeout_ms = 30000, const std::string& input = {});

/// A command that goes on beside the test; killed at the end of its scope.
class Background {
 public:
  explicit Background(const std::string& command);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  std::string out() const;
  /// Waits until standard output holds `text`.
  bool prints(const std::string& text, int timeout_ms = 10000) const;
  bool ended(int timeout_ms);
  void kill(int signal);

 private:
  int pid_ = -1;
  std::string file_;
};

/// Waits for a condition; no test sleeps for a fixed time.
bool eventually(const std::function<bool()>& condition, int timeout_ms = 10000);

/// A directory that is removed at the end of the process.
std::string temporary_directory();

}  // namespace braid::e2e
