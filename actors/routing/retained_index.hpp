// Braid, Apache-2.0.
//
// Retained messages by topic name, and the look-up that a new subscription causes [MQTT-3.3.1-9]. The index owns the
// values and counts their bytes; how names are found is the business of TopicTree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/routing/index/slot_pool.hpp"
#include "actors/routing/index/topic_tree.hpp"

namespace braid::routing {

/// `Value` is cheap to move and has an empty state (a shared pointer).
template <class Value>
class RetainedIndex {
 public:
  using Limits = TopicTree::Limits;
  using Page = TopicTree::Page;

  /// The seed keeps clients from choosing names that collide.
  explicit RetainedIndex(std::uint64_t seed = 0) : tree_(seed) {}

  /// Stores the message of a valid topic name in place of the one there was; true when there was one [MQTT-3.3.1-5].
  /// `bytes` is what it counts for.
  bool put(std::string_view topic, Value value, std::size_t bytes) {
    auto& slot = tree_.slot(topic);
    const bool replaced = slot != TopicTree::none;
    if (!replaced) slot = entries_.take();
    Entry& entry = entries_[slot];
    bytes_ += bytes - entry.bytes;
    entry = {std::move(value), bytes};
    return replaced;
  }
  bool erase(std::string_view topic) {
    const auto slot = tree_.erase(topic);
    if (slot == TopicTree::none) return false;
    bytes_ -= entries_[slot].bytes;
    entries_.give(slot);
    return true;
  }
  const Value* find(std::string_view topic) const {
    const auto slot = tree_.find(topic);
    return slot == TopicTree::none ? nullptr : &entries_[slot].value;
  }
  /// Calls `each(const Value&)` for the next messages that a valid filter matches; see TopicTree for position and
  /// limits. A page may hold nothing and still have more behind it.
  template <class Each>
  Page collect(std::string_view filter, std::string_view position, const Limits& limits, Each&& each) {
    found_.clear();
    auto page = tree_.collect(filter, position, limits, found_);
    for (const auto slot : found_) each(std::as_const(entries_[slot].value));
    return page;
  }

  /// Calls `each(const Value&)` for every message, in no particular order.
  template <class Each>
  void each(Each&& each_one) const {
    entries_.each([&](const Entry& entry) {
      if (entry.value) each_one(entry.value);
    });
  }

  std::size_t size() const { return tree_.size(); }
  /// Sum of the bytes given with the messages.
  std::size_t bytes() const { return bytes_; }
  /// What the index takes besides.
  std::size_t memory_bytes() const { return tree_.memory_bytes() + entries_.memory_bytes(); }

 private:
  struct Entry {
    Value value{};
    std::size_t bytes = 0;
  };
  TopicTree tree_;
  SlotPool<Entry> entries_;
  std::size_t bytes_ = 0;
  std::vector<TopicTree::Value> found_;
};

}  // namespace braid::routing
