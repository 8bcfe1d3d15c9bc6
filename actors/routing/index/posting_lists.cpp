// Braid, Apache-2.0.
//
// See posting_lists.hpp. A list moves to the next class when its array is full, and back when half of the class below
// would do, so that a list at the edge does not move with every change.
#include "actors/routing/index/posting_lists.hpp"

#include <algorithm>
#include <cassert>

#include "actors/routing/index/open_addressing.hpp"

namespace braid::routing {

std::uint32_t PostingLists::Slab::take() {
  ++used_;
  if (!free_.empty()) {
    const auto index = free_.back();
    free_.pop_back();
    return index;
  }
  if (size_ == chunks_.size() * chunk_arrays) chunks_.push_back(std::make_unique<Posting[]>(chunk_arrays * stride_));
  return size_++;
}

void PostingLists::Slab::give(std::uint32_t index) {
  free_.push_back(index);
  if (--used_ > 0) return;
  chunks_ = decltype(chunks_)();
  free_ = decltype(free_)();
  size_ = 0;
}

std::size_t PostingLists::Slab::memory_bytes() const {
  return chunks_.size() * (chunk_arrays * stride_ * sizeof(Posting) + sizeof(void*)) +
         free_.capacity() * sizeof(std::uint32_t);
}

std::size_t PostingLists::Large::home(std::uint32_t subscriber) const {
  return position_of(static_cast<std::uint32_t>(hash_pair(subscriber, 0, 0) >> 32), positions_.size());
}

std::size_t PostingLists::Large::locate(std::uint32_t subscriber) const {
  std::size_t at = home(subscriber);
  while (positions_[at] != vacant && postings_[positions_[at]].subscriber() != subscriber)
    if (++at == positions_.size()) at = 0;
  return at;
}

void PostingLists::Large::resize(std::size_t capacity) {
  positions_.assign(capacity, vacant);
  for (std::size_t index = 0; index < postings_.size(); ++index)
    positions_[locate(postings_[index].subscriber())] = static_cast<std::uint32_t>(index);
}

void PostingLists::Large::reserve(std::size_t count) {
  postings_.reserve(count);
  resize(count * 3 / 2 + min_table_slots);
}

bool PostingLists::Large::put(const Posting& posting) {
  if (must_grow(postings_.size() + 1, positions_.size())) resize(grown(positions_.size()));
  const std::size_t at = locate(posting.subscriber());
  if (positions_[at] != vacant) {
    postings_[positions_[at]] = posting;
    return true;
  }
  positions_[at] = static_cast<std::uint32_t>(postings_.size());
  postings_.push_back(posting);
  return false;
}

bool PostingLists::Large::remove(std::uint32_t subscriber) {
  const std::size_t at = locate(subscriber);
  const std::uint32_t position = positions_[at];
  if (position == vacant) return false;
  const auto last = static_cast<std::uint32_t>(postings_.size() - 1);
  positions_[locate(postings_[last].subscriber())] = position;  // the last posting takes the freed place
  // Close the gap while every position still leads to its subscriber: the removed one stays readable until then.
  const Posting moved = postings_[last];
  struct Home {
    std::size_t home;
    std::uint32_t value;
  };
  std::size_t gap = at;
  const auto after = [this](std::size_t index) { return index + 1 == positions_.size() ? 0 : index + 1; };
  postings_[position] = moved;
  for (std::size_t next = after(gap); positions_[next] != vacant; next = after(next)) {
    const std::size_t wanted = home(postings_[positions_[next]].subscriber());
    const bool stays = gap <= next ? (gap < wanted && wanted <= next) : (gap < wanted || wanted <= next);
    if (stays) continue;
    positions_[gap] = positions_[next];
    gap = next;
  }
  positions_[gap] = vacant;
  postings_.pop_back();
  if (must_shrink(postings_.size(), positions_.size())) {
    postings_.shrink_to_fit();
    resize(shrunk(postings_.size()));
  }
  return true;
}

std::size_t PostingLists::Large::memory_bytes() const {
  return sizeof(Large) + postings_.capacity() * sizeof(Posting) + positions_.capacity() * sizeof(std::uint32_t);
}

std::span<Posting> PostingLists::small(List list) {
  Posting* array = slabs_[class_of(list)].at(index_of(list));
  return class_of(list) == 0 ? std::span(array, 1) : std::span(array + 1, array->subscriber());
}

std::span<const Posting> PostingLists::view(List list) const {
  if (list == empty) return {};
  if (class_of(list) == large_class) return large_[index_of(list)]->postings();
  const Posting* array = slabs_[class_of(list)].at(index_of(list));
  return class_of(list) == 0 ? std::span(array, 1) : std::span(array + 1, array->subscriber());
}

PostingLists::List PostingLists::allocate(std::span<const Posting> postings, unsigned size_class) {
  if (size_class == large_class) {
    const auto index = large_.take();
    auto& large = *(large_[index] = std::make_unique<Large>());
    large.reserve(2 * postings.size());
    for (const Posting& posting : postings) large.put(posting);
    large_bytes_ += large.memory_bytes();
    return make(size_class, index);
  }
  const auto index = slabs_[size_class].take();
  assert(index < (1u << 29));
  Posting* array = slabs_[size_class].at(index);
  if (size_class > 0) *array++ = Posting(static_cast<std::uint32_t>(postings.size()), 0, false, false, 0);
  std::copy(postings.begin(), postings.end(), array);
  return make(size_class, index);
}

void PostingLists::free(List list) {
  if (class_of(list) == large_class) {
    large_bytes_ -= large_[index_of(list)]->memory_bytes();
    large_.give(index_of(list));
  } else {
    slabs_[class_of(list)].give(index_of(list));
  }
}

bool PostingLists::put(List& list, const Posting& posting) {
  if (list == empty) {
    list = allocate(std::span(&posting, 1), 0);
    return false;
  }
  if (class_of(list) == large_class) {
    Large& large = *large_[index_of(list)];
    large_bytes_ -= large.memory_bytes();
    const bool replaced = large.put(posting);
    large_bytes_ += large.memory_bytes();
    return replaced;
  }
  auto postings = small(list);
  for (Posting& there : postings) {
    if (there.subscriber() != posting.subscriber()) continue;
    there = posting;
    return true;
  }
  const std::size_t count = postings.size();
  if (count == std::size_t{1} << class_of(list)) {
    const List larger = allocate(postings, class_of(list) + 1);
    free(list);
    list = larger;
    if (class_of(list) == large_class) return put(list, posting);
  }
  Posting* array = slabs_[class_of(list)].at(index_of(list));
  array[0] = Posting(static_cast<std::uint32_t>(count + 1), 0, false, false, 0);
  array[1 + count] = posting;
  return false;
}

bool PostingLists::remove(List& list, std::uint32_t subscriber) {
  if (list == empty) return false;
  if (class_of(list) == large_class) {
    Large& large = *large_[index_of(list)];
    large_bytes_ -= large.memory_bytes();
    const bool removed = large.remove(subscriber);
    large_bytes_ += large.memory_bytes();
    if (large.postings().size() <= large_shrinks_at) {
      const List smaller = allocate(large.postings(), large_class - 1);
      free(list);
      list = smaller;
    }
    return removed;
  }
  auto postings = small(list);
  const auto found = std::find_if(postings.begin(), postings.end(),
                                  [subscriber](const Posting& posting) { return posting.subscriber() == subscriber; });
  if (found == postings.end()) return false;
  if (postings.size() == 1) {
    free(list);
    list = empty;
    return true;
  }
  *found = postings.back();
  const auto left = postings.first(postings.size() - 1);
  const unsigned size_class = class_of(list);
  slabs_[size_class].at(index_of(list))[0] = Posting(static_cast<std::uint32_t>(left.size()), 0, false, false, 0);
  const bool much_too_large = left.size() == 1 || left.size() * 4 <= std::size_t{1} << size_class;
  if (much_too_large) {
    const List smaller = allocate(left, size_class - 1 - (left.size() == 1 ? size_class - 1 : 0));
    free(list);
    list = smaller;
  }
  return true;
}

std::size_t PostingLists::memory_bytes() const {
  std::size_t bytes = large_.memory_bytes() + large_bytes_;
  for (const Slab& slab : slabs_) bytes += slab.memory_bytes();
  return bytes;
}

}  // namespace braid::routing
