// Braid, Apache-2.0.
//
// The smallest thing that can be a loop for a simulated disk: completions wait in a queue until a test lets them run,
// in order or shuffled by a seed; what was asked for a turn's end runs after each.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "persistence/testing/sim_disk.hpp"

namespace braid {

class ManualLoop {
 public:
  explicit ManualLoop(std::uint64_t shuffle_seed = 0) : random_(shuffle_seed), shuffled_(shuffle_seed != 0) {}

  std::unique_ptr<Disk> attach(SimDisk& disk) {
    return disk.attach([this](std::function<void()> task) { completions_.push_back(std::move(task)); },
                       [this](std::function<void()> task) { turn_ends_.push_back(std::move(task)); });
  }

  /// Ends the turn, runs one completion if there is one, ends that turn. False when there was nothing at all.
  bool step() {
    bool did = end_turn();
    if (!completions_.empty()) {
      const std::size_t chosen = shuffled_ ? random_() % completions_.size() : 0;
      auto task = std::move(completions_[chosen]);
      completions_.erase(completions_.begin() + static_cast<std::ptrdiff_t>(chosen));
      task();
      end_turn();
      did = true;
    }
    return did;
  }
  void run() {
    while (step()) {
    }
  }
  void clear() {
    completions_.clear();
    turn_ends_.clear();
  }

 private:
  bool end_turn() {
    bool did = false;
    while (!turn_ends_.empty()) {
      auto tasks = std::exchange(turn_ends_, {});
      for (auto& task : tasks) task();
      did = true;
    }
    return did;
  }

  std::mt19937_64 random_;
  bool shuffled_;
  std::deque<std::function<void()>> completions_;
  std::vector<std::function<void()>> turn_ends_;
};

}  // namespace braid
