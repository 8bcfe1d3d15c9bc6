// Braid, Apache-2.0.
//
// The actor that most tests of the runtime talk to.
#pragma once

#include <stdexcept>

#include "runtime/pinned.hpp"
#include "unit/runtime/messages.hpp"

namespace braid::test {

class Echo final : public Pinned<EchoActor::base> {
 public:
  using Pinned::Pinned;
  behavior_type make_behavior() override {
    return {[this](const Ping& ping) {
              return Pong{ping.number, loop().is_current()};
            },
            [](const Fail&) { throw std::runtime_error("asked to fail"); }};
  }
};

}  // namespace braid::test
