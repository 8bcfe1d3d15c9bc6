// Braid, Apache-2.0.
//
// What other threads want a loop to do: actors to resume and functions to run. Any number of producers, one consumer;
// nobody waits for anybody: a producer that is preempted while it pushes holds up nothing. The consumer takes all that
// is there at once and restores its order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "runtime/loop.hpp"

namespace braid {

class RemoteQueue {
 public:
  struct Item {
    caf::resumable* job = nullptr;  ///< with a reference, or
    std::function<void()> work;
    Item* next = nullptr;
  };

  RemoteQueue() = default;
  RemoteQueue(const RemoteQueue&) = delete;
  RemoteQueue& operator=(const RemoteQueue&) = delete;
  ~RemoteQueue() { close(); }

  /// False when the queue is closed; then the item is destroyed, and a job discarded.
  bool push(std::unique_ptr<Item> item) {
    Item* head = head_.load(std::memory_order_relaxed);
    do {
      if (head == closed()) {
        if (item->job) discard_job(item->job);
        return false;
      }
      item->next = head;
    } while (!head_.compare_exchange_weak(head, item.get(), std::memory_order_seq_cst, std::memory_order_relaxed));
    item.release();
    return true;
  }
  bool empty() const {
    Item* const head = head_.load(std::memory_order_seq_cst);
    return head == nullptr || head == closed();
  }
  /// Everything, oldest first; the caller owns the chain.
  Item* take_all() {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return reversed(head_.exchange(nullptr, std::memory_order_acquire));
  }
  /// Refuses what comes from now on, and drops what is there.
  void close() {
    Item* item = head_.exchange(closed(), std::memory_order_acq_rel);
    if (item == closed()) return;
    for (item = reversed(item); item;) {
      const std::unique_ptr<Item> dropped(std::exchange(item, item->next));
      if (dropped->job) discard_job(dropped->job);
    }
  }

 private:
  static Item* reversed(Item* item) {
    Item* first = nullptr;
    while (item) first = std::exchange(item, std::exchange(item->next, first));
    return first;
  }
  Item* closed() const { return const_cast<Item*>(&closed_mark_); }

  Item closed_mark_;
  std::atomic<Item*> head_{nullptr};
};

}  // namespace braid
