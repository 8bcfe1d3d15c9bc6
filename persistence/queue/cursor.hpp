// Braid, Apache-2.0.
//
// What has become of each message of a log that is read as a queue: delivered, acknowledged, returned. A plain offset
// would do if consumers acknowledged in order; they do not, so past an offset before which everything is acknowledged
// there is a window of pages, a few bits a message:
//
//            first                          next                 end
//   acknowledged | held, acknowledged, returned | never delivered |
//
// A page covers 1024 offsets: 256 bytes of bits, and 6 KiB more (who holds it, how large it is) only while something of
// it is held. A page that is acknowledged as a whole shrinks to 16 bytes. So ten million ready messages cost nothing, a
// million held ones about 7 bytes each, and a million acknowledgements out of order a quarter of a byte each.
//
// Messages that come back are ready again at their old place, before all that was never delivered.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "model/byte_io.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid {

class QueueCursor {
 public:
  static constexpr std::uint32_t kPageOffsets = 1024;
  /// Number of whoever holds a message, given by the owner of the cursor.
  using Holder = std::uint16_t;

  explicit QueueCursor(Offset first = Offset(0))
      : first_(first), next_(first), end_(first), base_(first.value / kPage) {}

  Offset first() const { return first_; }
  Offset next() const { return next_; }
  Offset end() const { return end_; }
  std::uint64_t ready() const { return returned_ + fresh(); }
  std::uint64_t held() const { return held_; }
  std::uint64_t returned() const { return returned_; }

  /// Messages up to here are in the log.
  void extend(Offset end);

  struct Ready {
    Offset first;
    std::uint32_t count = 0;  ///< in one piece, with the same flags; not more than a page
    bool returned = false;    ///< was delivered and came back
    std::uint16_t deliveries = 0;
  };
  /// The messages that are to be delivered next.
  std::optional<Ready> peek() const;

  /// Of what peek() shows: a consumer gets the first of them.
  void hold(Offset offset, Holder holder, std::uint32_t bytes);
  /// Of what peek() shows: the first `count` leave the queue, delivered without acknowledgement, dropped or lost.
  void discard(Offset first, std::uint32_t count);
  /// Everything that is ready leaves; returns how many.
  std::uint64_t discard_ready();

  /// Who holds it, if somebody does.
  std::optional<Holder> holder(Offset offset) const;
  std::uint32_t bytes(Offset offset) const;  ///< as told to hold(); 0 when nobody holds it
  std::uint16_t deliveries(Offset offset) const;
  /// Gives a message that is held to another holder.
  void pass_on(Offset offset, Holder to);

  struct Settled {
    std::uint32_t messages = 0;
    std::uint64_t bytes = 0;
  };
  /// Of the range, what this holder has.
  Settled acknowledge(Offset first, std::uint32_t count, Holder holder);
  /// A held message is ready again; `counted`: it is one more try of the delivery limit.
  void give_back(Offset offset, bool counted);
  /// Calls visit(offset) for everything that `holder` has, ascending. The visitor may settle what it is called with.
  template <class Visit>
  void each_held(Holder holder, Visit visit);

  std::uint64_t memory_bytes() const;

  // -- durable form: the position, and per page with something in it the acknowledged offsets and delivery counts
  // ------

  /// A page's part of the durable form, from what restore() understands; empty when there is nothing to keep.
  Bytes encode_page(std::uint64_t page) const;
  /// Before anything was delivered. False if the bytes are impossible, or speak of messages that the log does not have;
  /// these are left out.
  bool restore_page(std::uint64_t page, const Bytes& value);
  /// Calls visit(page) for the pages that changed since the last call, and forgets that they did. Pages before first()
  /// are among them when they were kept before.
  template <class Visit>
  void each_changed(Visit visit);
  /// Pages from first() on that have something to keep.
  std::vector<std::uint64_t> kept_pages() const;

 private:
  static constexpr std::int64_t kPage = kPageOffsets;
  static constexpr std::size_t kWords = kPageOffsets / 64;
  using Bits = std::array<std::uint64_t, kWords>;
  struct Holders {
    std::array<Holder, kPageOffsets> holder;
    std::array<std::uint32_t, kPageOffsets> bytes;
  };
  struct Page {
    Bits acknowledged{}, returned{}, held{};
    std::uint16_t acknowledged_count = 0, returned_count = 0, held_count = 0;
    bool changed = false;
    std::unique_ptr<Holders> holders;
    std::unique_ptr<std::array<std::uint16_t, kPageOffsets>> deliveries;
  };
  /// Without a page: nothing has happened there, or, when `whole`, all of it is acknowledged.
  struct Slot {
    std::unique_ptr<Page> page;
    bool whole = false;
  };

  std::uint64_t fresh() const { return static_cast<std::uint64_t>(end_.value - next_.value) - acknowledged_ahead_; }
  static std::size_t inside(Offset offset) { return static_cast<std::size_t>(offset.value % kPage); }
  static bool test(const Bits& bits, std::size_t at) { return bits[at / 64] >> (at % 64) & 1; }
  static void set(Bits& bits, std::size_t at) { bits[at / 64] |= 1ull << (at % 64); }
  static void clear(Bits& bits, std::size_t at) { bits[at / 64] &= ~(1ull << (at % 64)); }

  const Slot* slot_of(Offset offset) const;
  Page& page_of(Offset offset);
  const Page* find(Offset offset) const;
  bool is_acknowledged(Offset offset) const;
  void mark_acknowledged(Page& page, Offset offset);
  void change(Page& page, Offset offset);
  void release_holders(Page& page, Offset offset);
  void fold(Offset offset);
  /// Moves `first` over what is acknowledged, and `next` over what was acknowledged before it was delivered.
  void advance();
  void skip_acknowledged_ahead();

  Offset first_, next_, end_;
  std::int64_t base_;  ///< number of the first slot's page
  std::vector<Slot> slots_;
  std::uint64_t held_ = 0, returned_ = 0;
  std::uint64_t acknowledged_ahead_ = 0;    ///< at or behind `next`: known from before a restart
  mutable std::int64_t returned_from_ = 0;  ///< no page before this one has anything returned
  std::vector<std::uint64_t> changed_;
};

template <class Visit>
void QueueCursor::each_held(Holder holder, Visit visit) {
  if (held_ == 0) return;
  for (std::int64_t number = base_; number < base_ + static_cast<std::int64_t>(slots_.size()); ++number) {
    // A visitor may free pages at the front.
    if (number < base_) continue;
    for (std::size_t word = 0; word < kWords; ++word) {
      const Page* page = find(Offset(number * kPage));
      if (!page || !page->holders) break;
      std::uint64_t bits = page->held[word];
      while (bits != 0) {
        const std::size_t at = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
        bits &= bits - 1;
        page = find(Offset(number * kPage));
        if (!page || !page->holders) break;
        if (page->holders->holder[at] == holder) visit(Offset(number * kPage + static_cast<std::int64_t>(at)));
      }
    }
  }
}

template <class Visit>
void QueueCursor::each_changed(Visit visit) {
  for (const std::uint64_t page : std::exchange(changed_, {})) {
    if (const Slot* slot = slot_of(Offset(static_cast<std::int64_t>(page) * kPage)); slot && slot->page)
      slot->page->changed = false;
    visit(page);
  }
}

}  // namespace braid
