// Braid, Apache-2.0.
//
// Messages and interfaces of the actors in these tests.
#pragma once

#include <string>

#include "runtime/spelling.hpp"

namespace braid::test {

struct Ping {
  int number = 0;
};
struct Pong {
  int number = 0;
  bool on_own_loop = false;
};
struct Fail {};
struct Begin {};
using EchoActor = Interface<Answers<Ping, Pong>, Takes<Fail>>;

}  // namespace braid::test

BRAID_MESSAGE(braid::test::Ping)
BRAID_MESSAGE(braid::test::Pong)
BRAID_MESSAGE(braid::test::Fail)
BRAID_MESSAGE(braid::test::Begin)
