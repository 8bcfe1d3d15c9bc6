// Braid, Apache-2.0.
//
// Starting and stopping a node's threads.
#include "runtime/node_runtime.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <csignal>
#include <cstdlib>
#include <future>
#include <random>
#include <thread>

#include "runtime/random.hpp"
#include "runtime/thread_sanitizer.hpp"
#include "runtime/uv/uv_loop.hpp"

namespace braid {
namespace {

/// Each loop may have a write and a sync of its journal under way, and reads beside them.
constexpr unsigned kPoolPerLoop = 4, kPoolLeast = 8, kPoolMost = 128;

void size_pool(std::size_t loops) {
  const auto threads = std::clamp(static_cast<unsigned>(loops) * kPoolPerLoop, kPoolLeast, kPoolMost);
  ::setenv("UV_THREADPOOL_SIZE", std::to_string(threads).c_str(), 0);  // whoever set it keeps it
}

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// CAF's own threads serve only what is not pinned, which is next to nothing.
struct SystemConfig : caf::actor_system_config {
  SystemConfig() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
    set("scheduler.max-throughput", std::size_t{128});
  }
};

}  // namespace

struct NodeRuntime::Body {
  SystemConfig config;
  std::unique_ptr<caf::actor_system> system;
  std::vector<std::unique_ptr<UvLoop>> loops;
  bool started = false, stopped = false;
};

NodeRuntime::NodeRuntime(NodeRuntimeOptions options) : body_(std::make_unique<Body>()) {
  // Cores that this process may run on: two loops on one core would only take turns, with a wake-up for each.
  const std::size_t loops = options.loops ? options.loops : uv_available_parallelism();
  std::signal(SIGPIPE, SIG_IGN);
  size_pool(loops);
  raise_file_limit();
  body_->system = std::make_unique<caf::actor_system>(body_->config);
  body_->system->await_actors_before_shutdown(false);
  Random seeds(options.seed ? options.seed
                            : (static_cast<std::uint64_t>(std::random_device{}()) << 32) ^ std::random_device{}());
  auto listening = std::make_shared<ListenTable>();
  for (std::size_t i = 0; i < loops; ++i)
    body_->loops.push_back(
        std::make_unique<UvLoop>(*body_->system, LoopIndex{static_cast<std::uint16_t>(i)}, seeds.next(), listening));
}

NodeRuntime::~NodeRuntime() {
  stop();
  // The system first: what is left of actors in its registry still names the loops.
  const detail::SanitizerIgnores while_caf_ends_its_own_actors;
  body_->system.reset();
}

void NodeRuntime::start() {
  if (std::exchange(body_->started, true)) return;
  for (const auto& loop : body_->loops) loop->start();
}

std::size_t NodeRuntime::loops() const {
  return body_->loops.size();
}
Loop& NodeRuntime::loop(std::size_t index) {
  return *body_->loops.at(index);
}
caf::actor_system& NodeRuntime::system() {
  return *body_->system;
}

void NodeRuntime::run_on(std::size_t index, const std::function<void()>& work) {
  auto finished = std::make_shared<std::promise<void>>();
  const auto waiting = finished->get_future();
  loop(index).post([&work, finished] {
    work();
    finished->set_value();
  });
  finished.reset();
  waiting.wait();
}

void NodeRuntime::stop() {
  if (std::exchange(body_->stopped, true)) return;
  for (const auto& loop : body_->loops) loop->request_stop();
  for (const auto& loop : body_->loops) loop->join();
}

}  // namespace braid
