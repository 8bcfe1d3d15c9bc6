// Braid, Apache-2.0.
//
// Who subscribed to a filter. Nearly every filter has one subscriber and a few have a million, and both must be cheap:
// one subscriber takes eight bytes; up to 64 lie in a small array; more have a hash beside the array, so that adding
// and removing one stays quick. A list is one 32-bit number in the hands of its owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "actors/routing/index/slot_pool.hpp"

namespace braid::routing {

/// One subscription as a match yields it. Eight bytes: options share a word with the subscription identifier, which
/// MQTT limits to 28 bits.
class Posting {
 public:
  Posting() = default;
  Posting(std::uint32_t subscriber, std::uint8_t qos, bool no_local, bool retain_as_published,
          std::uint32_t subscription_identifier)
      : subscriber_(subscriber),
        bits_(subscription_identifier << 4 | (retain_as_published ? 8u : 0u) | (no_local ? 4u : 0u) | (qos & 3u)) {}

  std::uint32_t subscriber() const { return subscriber_; }
  std::uint8_t qos() const { return bits_ & 3; }
  bool no_local() const { return bits_ & 4; }
  bool retain_as_published() const { return bits_ & 8; }
  std::uint32_t subscription_identifier() const { return bits_ >> 4; }
  friend bool operator==(const Posting&, const Posting&) = default;

 private:
  std::uint32_t subscriber_ = 0;
  std::uint32_t bits_ = 0;
};
static_assert(sizeof(Posting) == 8);

class PostingLists {
 public:
  using List = std::uint32_t;
  static constexpr List empty = UINT32_MAX;

  /// Adds or, for a subscriber that is there, replaces; true when it replaced. `list` may become another number.
  bool put(List& list, const Posting& posting);
  /// False when the subscriber was not there. The list is `empty` again after the last one.
  bool remove(List& list, std::uint32_t subscriber);
  /// Good until the next change of any list.
  std::span<const Posting> view(List list) const;
  std::size_t memory_bytes() const;

 private:
  static constexpr unsigned large_class = 7;  ///< classes 0 to 6 hold 1, 2, 4 ... 64 postings
  static constexpr std::size_t large_shrinks_at = 32;

  /// Arrays of one capacity. Those of more than one posting have a posting in front whose subscriber is their count.
  class Slab {
   public:
    explicit Slab(std::size_t stride) : stride_(stride) {}
    std::uint32_t take();
    void give(std::uint32_t index);
    Posting* at(std::uint32_t index) { return chunks_[index / chunk_arrays].get() + index % chunk_arrays * stride_; }
    const Posting* at(std::uint32_t index) const {
      return chunks_[index / chunk_arrays].get() + index % chunk_arrays * stride_;
    }
    std::size_t memory_bytes() const;

   private:
    static constexpr std::size_t chunk_arrays = 512;
    std::size_t stride_;
    std::vector<std::unique_ptr<Posting[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t size_ = 0;
    std::uint32_t used_ = 0;
  };

  /// An array and a hash from subscriber to position in it.
  class Large {
   public:
    const std::vector<Posting>& postings() const { return postings_; }
    void reserve(std::size_t count);
    bool put(const Posting& posting);
    bool remove(std::uint32_t subscriber);
    std::size_t memory_bytes() const;

   private:
    static constexpr std::uint32_t vacant = UINT32_MAX;
    std::size_t home(std::uint32_t subscriber) const;
    std::size_t locate(std::uint32_t subscriber) const;
    void resize(std::size_t capacity);
    std::vector<Posting> postings_;
    std::vector<std::uint32_t> positions_;
  };

  static unsigned class_of(List list) { return list >> 29; }
  static std::uint32_t index_of(List list) { return list & 0x1fffffff; }
  static List make(unsigned size_class, std::uint32_t index) { return size_class << 29 | index; }
  List allocate(std::span<const Posting> postings, unsigned size_class);
  void free(List list);
  std::span<Posting> small(List list);

  std::array<Slab, large_class> slabs_{Slab(1), Slab(3), Slab(5), Slab(9), Slab(17), Slab(33), Slab(65)};
  SlotPool<std::unique_ptr<Large>> large_;
  std::size_t large_bytes_ = 0;
};

}  // namespace braid::routing
