// Braid, Apache-2.0.
#include "actors/mqtt/filter_set.hpp"

#include <algorithm>
#include <utility>

#include "actors/routing/index/hash.hpp"
#include "actors/routing/index/open_addressing.hpp"

namespace braid::mqtt {

namespace {
/// Up to here a look through all texts is as quick as a hash.
constexpr std::size_t kFewFilters = 8;
/// Gaps are closed when they are the larger half of at least so much.
constexpr std::size_t kGapsFromBytes = 512;
constexpr std::size_t kMostLengthBytes = 3;
}  // namespace

FilterSet::Text FilterSet::Kept::text_at(std::size_t at) const {
  std::size_t length = 0;
  unsigned shift = 0;
  std::uint8_t byte;
  do {
    byte = static_cast<std::uint8_t>(texts[at++]);
    length |= static_cast<std::size_t>(byte & 0x7f) << shift;
    shift += 7;
  } while (byte & 0x80);
  return {{texts.data() + at, length >> 1}, at + (length >> 1), (length & 1) != 0};
}

std::size_t FilterSet::Kept::home(std::string_view filter) const {
  return routing::position_of(static_cast<std::uint32_t>(routing::hash_text(filter, seed) >> 32), places.size());
}

std::size_t FilterSet::Kept::locate(std::string_view filter) const {
  std::size_t slot = home(filter);
  while (places[slot] != 0 && text_at(places[slot] - 1).view != filter)
    if (++slot == places.size()) slot = 0;
  return slot;
}

std::size_t FilterSet::Kept::find(std::string_view filter) const {
  if (!places.empty()) {
    const Place place = places[locate(filter)];
    return place == 0 ? npos : place - 1;
  }
  for (std::size_t at = 0; at < texts.size();) {
    const Text text = text_at(at);
    if (!text.erased && text.view == filter) return at;
    at = text.next;
  }
  return npos;
}

void FilterSet::Kept::append(std::string_view filter) {
  // In steps of a quarter: there may be many of these sets, and some of them are large.
  const std::size_t needed = texts.size() + filter.size() + kMostLengthBytes;
  if (needed > texts.capacity()) texts.reserve(std::max(needed, texts.size() + texts.size() / 4));
  std::size_t length = filter.size() << 1;
  for (; length >= 0x80; length >>= 7) texts.push_back(static_cast<char>(length | 0x80));
  texts.push_back(static_cast<char>(length));
  texts.insert(texts.end(), filter.begin(), filter.end());
}

void FilterSet::Kept::make_places(std::size_t capacity) {
  places = std::vector<Place>(capacity);
  if (capacity == 0) return;
  for (std::size_t at = 0; at < texts.size();) {
    const Text text = text_at(at);
    if (!text.erased) places[locate(text.view)] = static_cast<Place>(at + 1);
    at = text.next;
  }
}

void FilterSet::Kept::close_gaps() {
  std::vector<char> dense;
  dense.reserve(texts.size() - erased_bytes);
  for (std::size_t at = 0; at < texts.size();) {
    const Text text = text_at(at);
    if (!text.erased) dense.insert(dense.end(), texts.data() + at, texts.data() + text.next);
    at = text.next;
  }
  texts = std::move(dense);
  erased_bytes = 0;
  if (!places.empty()) make_places(count <= kFewFilters ? 0 : routing::shrunk(count));
}

bool FilterSet::contains(std::string_view filter) const {
  return kept_ && kept_->find(filter) != npos;
}

bool FilterSet::has_room_for(std::string_view filter) const {
  return !kept_ || kept_->texts.size() + filter.size() + kMostLengthBytes < UINT32_MAX;
}

bool FilterSet::insert(std::string_view filter, std::uint64_t seed) {
  if (contains(filter)) return false;
  if (!kept_) {
    kept_ = std::make_unique<Kept>();
    kept_->seed = seed;
  }
  Kept& kept = *kept_;
  const std::size_t at = kept.texts.size();
  kept.append(filter);
  ++kept.count;
  if (kept.places.empty() ? kept.count > kFewFilters : routing::must_grow(kept.count, kept.places.size()))
    kept.make_places(routing::grown(kept.places.size()));
  else if (!kept.places.empty())
    kept.places[kept.locate(filter)] = static_cast<Place>(at + 1);
  return true;
}

bool FilterSet::erase(std::string_view filter) {
  if (!kept_) return false;
  Kept& kept = *kept_;
  const std::size_t at = kept.find(filter);
  if (at == npos) return false;
  if (!kept.places.empty())
    routing::close_gap(
        kept.places, kept.locate(filter), [](Place place) { return place == 0; },
        [&kept](Place place) { return kept.home(place); });
  kept.erased_bytes += static_cast<std::uint32_t>(kept.text_at(at).next - at);
  kept.texts[at] = static_cast<char>(kept.texts[at] | 1);
  if (--kept.count == 0)
    kept_.reset();
  else if (kept.erased_bytes >= kGapsFromBytes && kept.erased_bytes > kept.texts.size() / 2)
    kept.close_gaps();
  return true;
}

std::size_t FilterSet::memory_bytes() const {
  return kept_ ? sizeof(Kept) + kept_->texts.capacity() + kept_->places.capacity() * sizeof(Place) : 0;
}

}  // namespace braid::mqtt
