// Braid, Apache-2.0.
//
// The world: nodes come, crash and come back; time goes on.
#include "runtime/simulation/sim_world.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "persistence/testing/sim_disk.hpp"
#include "runtime/simulation/sim_core.hpp"
#include "runtime/simulation/sim_loop.hpp"
#include "runtime/simulation/sim_network.hpp"
#include "runtime/thread_sanitizer.hpp"

namespace braid {
namespace {

/// No threads at all: CAF's scheduler for tests only keeps a list, which stays empty, since every actor is pinned.
struct SystemConfig : caf::actor_system_config {
  SystemConfig() { set("scheduler.policy", caf::atom("testing")); }
};

class Node final : public SimNode {
 public:
  Node(caf::actor_system& system, SimCore& core, SimSwitch& network, std::string name, std::size_t loops)
      : system_(system), core_(core), network_(network), disk_(core.random.next()), count_(loops) {
    host_.name = std::move(name);
    host_.node = network.add_node(host_.name);
    restart();
  }
  ~Node() override { stop(); }

  const std::string& name() const override { return host_.name; }
  std::size_t number() const { return host_.node; }
  std::size_t loops() const override { return count_; }
  Loop& loop(std::size_t index) override { return *loops_.at(loops_.size() - count_ + index); }
  SimDisk& disk() override { return disk_; }
  bool running() const override { return running_; }

  void crash() override {
    if (!stop()) return;
    disk_.crash();
  }
  void kill() override {
    if (!stop()) return;
    disk_.kill();
  }
  void restart() override {
    if (std::exchange(running_, true)) return;
    host_.paused = false;
    for (std::size_t i = 0; i < count_; ++i) {
      loops_.push_back(std::make_unique<SimLoop>(system_, core_, network_, host_,
                                                 LoopIndex{static_cast<std::uint16_t>(i)},
                                                 host_.node << 8 ^ loops_.size(), disk_));
      core_.loops.push_back(loops_.back().get());
    }
    core_.fold(SimEvent::fault, host_.node, 1);
  }
  void pause(bool paused) override {
    host_.paused = paused;
    core_.fold(SimEvent::fault, host_.node, paused ? 2 : 3);
  }
  void jump_clock(std::int64_t ms) override {
    host_.clock_offset_ms += ms;
    core_.fold(SimEvent::fault, host_.node, static_cast<std::uint64_t>(ms));
  }

 private:
  bool stop() {
    if (!std::exchange(running_, false)) return false;
    core_.fold(SimEvent::fault, host_.node, 0);
    for (std::size_t i = 0; i < count_; ++i) static_cast<SimLoop&>(loop(i)).kill();
    std::erase_if(core_.loops, [](const SimLoop* loop) { return !loop->alive(); });
    return true;
  }

  caf::actor_system& system_;
  SimCore& core_;
  SimSwitch& network_;
  SimDisk disk_;
  const std::size_t count_;
  SimLoop::Host host_;
  std::vector<std::unique_ptr<SimLoop>> loops_;  ///< the last `count_` are the present ones
  bool running_ = false;
};

}  // namespace

struct SimWorld::Body {
  explicit Body(const SimOptions& options) : core(options), network(core), system(config) {
    system.await_actors_before_shutdown(false);
  }
  std::size_t number(const SimNode& node) const { return static_cast<const Node&>(node).number(); }

  SimCore core;
  SimSwitch network;
  SystemConfig config;
  caf::actor_system system;
  std::vector<std::unique_ptr<Node>> nodes;
};

SimWorld::SimWorld(SimOptions options) : body_(std::make_unique<Body>(options)) {}
SimWorld::~SimWorld() {
  const detail::SanitizerIgnores while_caf_ends_its_own_actors;
  body_.reset();
}

SimNode& SimWorld::add_node(std::string name, std::size_t loops) {
  body_->nodes.push_back(std::make_unique<Node>(body_->system, body_->core, body_->network, std::move(name), loops));
  return *body_->nodes.back();
}

caf::actor_system& SimWorld::system() {
  return body_->system;
}

void SimWorld::on(Loop& loop, const std::function<void()>& work) {
  static_cast<SimLoop&>(loop).run_turn(work);
}

void SimWorld::cut(const SimNode& a, const SimNode& b) {
  body_->network.block(body_->number(a), body_->number(b), SimSwitch::Blocked::cut);
}
void SimWorld::hold(const SimNode& a, const SimNode& b) {
  body_->network.block(body_->number(a), body_->number(b), SimSwitch::Blocked::held);
}
void SimWorld::heal(const SimNode& a, const SimNode& b) {
  body_->network.unblock(body_->number(a), body_->number(b));
}

std::int64_t SimWorld::now_us() const {
  return body_->core.now_us;
}
bool SimWorld::step() {
  return body_->core.step(INT64_MAX);
}

bool SimWorld::run_until(const std::function<bool()>& condition, std::int64_t at_most_ms) {
  SimCore& core = body_->core;
  const std::int64_t until_us = core.now_us + at_most_ms * 1000;
  while (!condition()) {
    if (core.now_us > until_us) return false;
    if (!core.step(until_us)) {
      core.now_us = std::max(core.now_us, until_us);
      return condition();
    }
  }
  return true;
}

void SimWorld::run_for(std::int64_t ms) {
  run_until([] { return false; }, ms);
}

std::uint64_t SimWorld::trace_hash() const {
  return body_->core.hash();
}
std::uint64_t SimWorld::steps() const {
  return body_->core.steps();
}
std::uint64_t SimWorld::random() {
  return body_->core.random.next();
}
void SimWorld::note(std::string_view text) {
  body_->core.fold(text);
}

}  // namespace braid
