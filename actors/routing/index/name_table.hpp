// Braid, Apache-2.0.
//
// Each distinct level of a topic filter (or each exact filter) is kept once and has a number while somebody refers to
// it. An index then stores and compares numbers. Short names lie in the record itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "actors/routing/index/slot_pool.hpp"

namespace braid::routing {

class NameTable {
 public:
  using Name = std::uint32_t;
  static constexpr Name none = UINT32_MAX;

  explicit NameTable(std::uint64_t seed) : seed_(seed) {}
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  /// The number of a name that somebody refers to, else none.
  Name find(std::string_view text) const;
  /// The same with one more reference; a new name begins with one.
  Name retain(std::string_view text);
  /// Takes `count` references away; the last one frees name and number.
  void release(Name name, std::uint32_t count = 1);
  std::uint32_t references(Name name) const { return records_[name].references; }
  std::string_view text(Name name) const { return records_[name].view(); }

  /// Calls `each(std::string_view)` for every name.
  template <class Each>
  void each(Each&& call) const {
    for (const Slot& slot : slots_)
      if (slot.name != none) call(text(slot.name));
  }
  std::size_t size() const { return records_.used(); }
  std::size_t memory_bytes() const;

 private:
  struct Record {
    static constexpr std::size_t inline_bytes = 16;
    Record() = default;
    ~Record() { reset(); }
    Record(Record&&) = delete;
    Record& operator=(Record&& other) noexcept;
    void assign(std::string_view text);
    void reset();
    bool is_inline() const { return length <= inline_bytes; }
    std::string_view view() const { return {is_inline() ? storage.text : storage.heap, length}; }

    std::uint32_t references = 0;
    std::uint32_t length = 0;
    union {
      char text[inline_bytes];
      char* heap;
    } storage{};
  };
  struct Slot {
    std::uint32_t hash = 0;
    Name name = none;
  };
  std::uint32_t hash_of(std::string_view text) const;
  std::size_t locate(std::string_view text, std::uint32_t hash) const;
  void resize(std::size_t capacity);
  void erase_slot(std::size_t position);

  std::uint64_t seed_;
  SlotPool<Record> records_;
  std::vector<Slot> slots_;
  std::size_t heap_bytes_ = 0;
};

}  // namespace braid::routing
