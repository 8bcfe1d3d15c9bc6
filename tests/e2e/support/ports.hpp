// Braid, Apache-2.0.
//
// Ports that a broker under test keeps over its restarts, so that clients find it again. Tests run side by side, and a
// port that is only looked at may be another test's a moment later, or while the broker is down; so a test takes a
// block of ports under a name that only one process on the machine can hold (an abstract Unix socket; the kernel gives
// it back when the process ends, however it ends). tests/clients/launch.py takes its blocks under the same names.
#pragma once

#include <cstdint>

namespace braid::e2e {

class Ports {
 public:
  static constexpr int count = 4;

  Ports();
  ~Ports();
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  /// `index` is below `count`.
  std::uint16_t operator[](int index) const { return static_cast<std::uint16_t>(first_ + index); }

 private:
  int name_ = -1;
  int first_ = 0;
};

}  // namespace braid::e2e
