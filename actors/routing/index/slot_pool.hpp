// Braid, Apache-2.0.
//
// Millions of small records that name each other by number instead of by pointer: half the size, and no allocator
// header each. Records live in chunks, so that growing moves nothing and wastes at most one chunk; freed records are
// reused first, and the chunks go when the last record does.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace braid::routing {

template <class T>
class SlotPool {
 public:
  using Index = std::uint32_t;
  static constexpr Index none = UINT32_MAX;

  Index take() {
    ++used_;
    if (!free_.empty()) {
      const Index index = free_.back();
      free_.pop_back();
      return index;
    }
    assert(size_ < none);
    if (size_ == chunks_.size() * chunk_records) chunks_.push_back(std::make_unique<T[]>(chunk_records));
    return static_cast<Index>(size_++);
  }
  void give(Index index) {
    (*this)[index] = T{};
    free_.push_back(index);
    if (--used_ == 0) clear();
  }
  T& operator[](Index index) { return chunks_[index / chunk_records][index % chunk_records]; }
  const T& operator[](Index index) const { return chunks_[index / chunk_records][index % chunk_records]; }

  /// Every record, those that were given back (empty ones) included.
  template <class Each>
  void each(Each&& visit) const {
    for (std::size_t i = 0; i < size_; ++i) visit((*this)[static_cast<Index>(i)]);
  }
  std::size_t used() const { return used_; }
  std::size_t memory_bytes() const {
    return chunks_.size() * (chunk_records * sizeof(T) + sizeof(void*)) + free_.capacity() * sizeof(Index);
  }
  void clear() {
    chunks_ = decltype(chunks_)();
    free_ = decltype(free_)();
    size_ = used_ = 0;
  }

 private:
  static constexpr std::size_t chunk_records = 1024;
  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<Index> free_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

}  // namespace braid::routing
