// Braid, Apache-2.0.
//
// A queue that costs nothing while it is empty. std::deque takes half a kilobyte as soon as it exists, which a hundred
// thousand idle sessions with three of them each would notice. Elements lie in a vector behind a moving front; the
// space before the front is closed when it is the larger half.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace braid {

template <class T>
class Fifo {
 public:
  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  T& front() { return items_[first_]; }
  const T& front() const { return items_[first_]; }
  T& back() { return items_.back(); }
  T& operator[](std::size_t index) { return items_[first_ + index]; }
  const T& operator[](std::size_t index) const { return items_[first_ + index]; }

  void push_back(T item) { items_.push_back(std::move(item)); }
  template <class... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    return items_.emplace_back(std::forward<Arguments>(arguments)...);
  }
  T pop_front() {
    T item = std::move(items_[first_++]);
    if (empty()) {
      clear();
    } else if (first_ >= kTidyAt && first_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    return item;
  }
  T pop_back() {
    T item = std::move(items_.back());
    items_.pop_back();
    if (empty()) clear();
    return item;
  }
  void clear() {
    items_.clear();
    first_ = 0;
    if (items_.capacity() > kKeptCapacity) items_ = std::vector<T>();
  }
  /// Removes what `unwanted(const T&)` says, keeping the order of the rest.
  template <class Unwanted>
  void erase_if(Unwanted unwanted) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
    std::erase_if(items_, unwanted);
    if (empty()) clear();
  }

  auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }

 private:
  static constexpr std::size_t kTidyAt = 32, kKeptCapacity = 256;
  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace braid
