// Braid, Apache-2.0.
//
// Which addresses the loops of one node listen at. Loops share a port by SO_REUSEPORT, which would also let a second
// broker of the same user take half of the connections in silence; so the first socket of a node binds without it, and
// only sockets of loops that join an address of this table bind with it.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace braid {

class ListenTable {
 public:
  /// Holds off other loops while one decides whether it is the first; see UvNetwork::listen.
  std::mutex& mutex() { return mutex_; }
  bool has(const std::string& address) const { return sockets_.count(address) > 0; }
  void add(const std::string& address) { ++sockets_[address]; }
  void remove(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto found = sockets_.find(address);
    if (found != sockets_.end() && --found->second == 0) sockets_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> sockets_;
};

}  // namespace braid
