// Braid, Apache-2.0.
//
// The filters of one session, as text: for UNSUBSCRIBE, for the session's end, for the next connection. A client may
// have a hundred thousand, and a tree of strings takes a hundred bytes for each beside its text. Here all texts lie one
// behind the other in one block, and from a handful on an open hash leads to them: four bytes a slot. A session without
// subscriptions holds a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace braid::mqtt {

class FilterSet {
 public:
  bool contains(std::string_view filter) const;
  /// Places are numbers of 32 bits.
  bool has_room_for(std::string_view filter) const;
  /// False when it is there already. The filter is not empty and there is room for it. `seed`, of which the first one
  /// counts, keeps clients from choosing filters that collide.
  bool insert(std::string_view filter, std::uint64_t seed);
  bool erase(std::string_view filter);
  void clear() { kept_.reset(); }

  std::size_t size() const { return kept_ ? kept_->count : 0; }
  bool empty() const { return size() == 0; }
  /// Calls `each(std::string_view)` for every filter, in no particular order, until it says false; whether none did.
  template <class Each>
  bool all_of(Each each) const {
    for (std::size_t at = 0; kept_ && at < kept_->texts.size();) {
      const Text text = kept_->text_at(at);
      if (!text.erased && !each(text.view)) return false;
      at = text.next;
    }
    return true;
  }
  std::size_t memory_bytes() const;

 private:
  using Place = std::uint32_t;  ///< where a text begins, and one more: 0 is a free slot
  struct Text {
    std::string_view view;
    std::size_t next;  ///< behind it
    bool erased;
  };
  struct Kept {
    std::vector<char> texts;    ///< each behind twice its length, a varint; odd: it is erased
    std::vector<Place> places;  ///< empty for a few filters, which are just looked through
    std::uint32_t count = 0;
    std::uint32_t erased_bytes = 0;
    std::uint64_t seed = 0;

    Text text_at(std::size_t at) const;
    std::size_t home(std::string_view filter) const;
    std::size_t home(Place place) const { return home(text_at(place - 1).view); }
    /// The slot of the filter, or the free one where it belongs.
    std::size_t locate(std::string_view filter) const;
    /// Where the filter's text begins; npos when it is not there.
    std::size_t find(std::string_view filter) const;
    void append(std::string_view filter);
    void make_places(std::size_t capacity);
    void close_gaps();
  };
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  std::unique_ptr<Kept> kept_;
};

}  // namespace braid::mqtt
