// Braid, Apache-2.0.
#include "persistence/queue/cursor.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace braid {

const QueueCursor::Slot* QueueCursor::slot_of(Offset offset) const {
  const std::int64_t number = offset.value / kPage - base_;
  if (number < 0 || number >= static_cast<std::int64_t>(slots_.size())) return nullptr;
  return &slots_[static_cast<std::size_t>(number)];
}

const QueueCursor::Page* QueueCursor::find(Offset offset) const {
  const Slot* slot = slot_of(offset);
  return slot ? slot->page.get() : nullptr;
}

QueueCursor::Page& QueueCursor::page_of(Offset offset) {
  const std::int64_t number = offset.value / kPage - base_;
  assert(number >= 0);
  while (static_cast<std::int64_t>(slots_.size()) <= number) slots_.emplace_back();
  Slot& slot = slots_[static_cast<std::size_t>(number)];
  assert(!slot.whole);
  if (!slot.page) slot.page = std::make_unique<Page>();
  return *slot.page;
}

bool QueueCursor::is_acknowledged(Offset offset) const {
  if (offset < first_) return true;
  const Slot* slot = slot_of(offset);
  if (!slot) return false;
  return slot->whole || (slot->page && test(slot->page->acknowledged, inside(offset)));
}

void QueueCursor::extend(Offset end) {
  end_ = std::max(end_, end);
  skip_acknowledged_ahead();
}

std::optional<QueueCursor::Ready> QueueCursor::peek() const {
  if (returned_ > 0) {
    for (std::int64_t number = std::max(returned_from_, base_);; ++number) {
      const Page* page = find(Offset(number * kPage));
      if (!page || page->returned_count == 0) continue;
      returned_from_ = number;
      std::size_t word = 0;
      while (page->returned[word] == 0) ++word;
      const std::size_t at = word * 64 + static_cast<std::size_t>(std::countr_zero(page->returned[word]));
      Ready ready{Offset(number * kPage + static_cast<std::int64_t>(at)), 1, true, 0};
      if (page->deliveries) ready.deliveries = (*page->deliveries)[at];
      for (std::size_t next = at + 1; next < kPageOffsets && test(page->returned, next); ++next, ++ready.count)
        if (page->deliveries && (*page->deliveries)[next] != ready.deliveries) break;
      return ready;
    }
  }
  if (next_ >= end_) return std::nullopt;
  // The place before the next page, end, or whatever was acknowledged before a restart.
  const std::size_t at = inside(next_);
  const auto limit = static_cast<std::uint32_t>(
      std::min<std::int64_t>(end_.value - next_.value, kPage - static_cast<std::int64_t>(at)));
  Ready ready{next_, limit, false, 0};
  const Page* page = find(next_);
  if (!page || (acknowledged_ahead_ == 0 && !page->deliveries)) return ready;
  if (page->deliveries) ready.deliveries = (*page->deliveries)[at];
  for (ready.count = 1; ready.count < limit; ++ready.count) {
    const std::size_t next = at + ready.count;
    if (test(page->acknowledged, next) || (page->deliveries && (*page->deliveries)[next] != ready.deliveries)) break;
  }
  return ready;
}

void QueueCursor::hold(Offset offset, Holder holder, std::uint32_t bytes) {
  Page& page = page_of(offset);
  const std::size_t at = inside(offset);
  assert(!test(page.acknowledged, at) && !test(page.held, at));
  if (offset == next_) {
    next_ = Offset(offset.value + 1);
  } else {
    assert(test(page.returned, at));
    clear(page.returned, at);
    --page.returned_count;
    --returned_;
  }
  set(page.held, at);
  ++page.held_count;
  ++held_;
  if (!page.holders) page.holders = std::make_unique_for_overwrite<Holders>();
  page.holders->holder[at] = holder;
  page.holders->bytes[at] = bytes;
  if (next_ == Offset(offset.value + 1)) skip_acknowledged_ahead();
}

void QueueCursor::discard(Offset first, std::uint32_t count) {
  if (first == next_ && first_ == next_ && acknowledged_ahead_ == 0) {  // in order, with nothing held: no page
    next_ = Offset(first.value + count);
    first_ = next_;
    advance();
    return;
  }
  if (first == next_ && count == kPageOffsets && acknowledged_ahead_ == 0 && !find(first)) {  // likewise: no bits
    const auto number = static_cast<std::size_t>(first.value / kPage - base_);
    if (slots_.size() <= number) slots_.resize(number + 1);
    slots_[number].whole = true;
    changed_.push_back(static_cast<std::uint64_t>(first.value / kPage));
    next_ = Offset(first.value + count);
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const Offset offset(first.value + i);
    Page& page = page_of(offset);
    const std::size_t at = inside(offset);
    if (offset == next_) {
      next_ = Offset(offset.value + 1);
    } else {
      assert(test(page.returned, at));
      clear(page.returned, at);
      --page.returned_count;
      --returned_;
    }
    mark_acknowledged(page, offset);
    fold(offset);
    skip_acknowledged_ahead();
  }
  advance();
}

std::uint64_t QueueCursor::discard_ready() {
  const std::uint64_t discarded = ready();
  while (const auto ready = peek()) discard(ready->first, ready->count);
  return discarded;
}

std::optional<QueueCursor::Holder> QueueCursor::holder(Offset offset) const {
  const Page* page = offset < first_ ? nullptr : find(offset);
  if (!page || !page->holders || !test(page->held, inside(offset))) return std::nullopt;
  return page->holders->holder[inside(offset)];
}

std::uint32_t QueueCursor::bytes(Offset offset) const {
  return holder(offset) ? find(offset)->holders->bytes[inside(offset)] : 0;
}

std::uint16_t QueueCursor::deliveries(Offset offset) const {
  const Page* page = find(offset);
  return page && page->deliveries ? (*page->deliveries)[inside(offset)] : std::uint16_t{0};
}

void QueueCursor::pass_on(Offset offset, Holder to) {
  assert(holder(offset));
  page_of(offset).holders->holder[inside(offset)] = to;
}

QueueCursor::Settled QueueCursor::acknowledge(Offset first, std::uint32_t count, Holder holder) {
  Settled settled;
  std::int64_t at = std::max(first.value, first_.value);
  const std::int64_t behind = std::min(first.value + static_cast<std::int64_t>(count), next_.value);
  while (at < behind) {
    const std::int64_t page_end = std::min((at / kPage + 1) * kPage, behind);
    const Slot* slot = slot_of(Offset(at));
    if (!slot || !slot->page || !slot->page->holders) {
      at = page_end;
      continue;
    }
    Page& page = *slot->page;
    for (; at < page_end; ++at) {
      const std::size_t place = inside(Offset(at));
      if (!test(page.held, place) || page.holders->holder[place] != holder) continue;
      ++settled.messages;
      settled.bytes += page.holders->bytes[place];
      clear(page.held, place);
      --page.held_count;
      mark_acknowledged(page, Offset(at));
    }
    release_holders(page, Offset(page_end - 1));
    fold(Offset(page_end - 1));
  }
  held_ -= settled.messages;
  if (settled.messages > 0) advance();
  return settled;
}

void QueueCursor::give_back(Offset offset, bool counted) {
  assert(holder(offset));
  Page& page = page_of(offset);
  const std::size_t at = inside(offset);
  clear(page.held, at);
  --page.held_count;
  --held_;
  release_holders(page, offset);
  set(page.returned, at);
  ++page.returned_count;
  ++returned_;
  returned_from_ = std::min(returned_from_, offset.value / kPage);
  if (returned_ == 1) returned_from_ = offset.value / kPage;
  if (!counted) return;
  if (!page.deliveries) {
    page.deliveries = std::make_unique<std::array<std::uint16_t, kPageOffsets>>();
    page.deliveries->fill(0);
  }
  auto& count = (*page.deliveries)[at];
  if (count < UINT16_MAX) ++count;
  change(page, offset);
}

void QueueCursor::mark_acknowledged(Page& page, Offset offset) {
  set(page.acknowledged, inside(offset));
  ++page.acknowledged_count;
  change(page, offset);
}

void QueueCursor::change(Page& page, Offset offset) {
  if (page.changed) return;
  page.changed = true;
  changed_.push_back(static_cast<std::uint64_t>(offset.value / kPage));
}

void QueueCursor::release_holders(Page& page, Offset offset) {
  // The page in which deliveries go on is about to need them again.
  if (page.held_count == 0 && offset.value / kPage != next_.value / kPage) page.holders.reset();
}

void QueueCursor::fold(Offset offset) {
  // The page with `first` in it lacks what came before; it goes when `first` leaves it.
  const std::int64_t number = offset.value / kPage - base_;
  if (number < 0 || number >= static_cast<std::int64_t>(slots_.size())) return;
  Slot& slot = slots_[static_cast<std::size_t>(number)];
  if (!slot.page || slot.page->acknowledged_count != kPageOffsets) return;
  slot.page.reset();
  slot.whole = true;
}

void QueueCursor::advance() {
  while (first_ < next_) {
    const Slot* slot = slot_of(first_);
    if (!slot) break;
    if (slot->whole) {
      first_ = Offset((first_.value / kPage + 1) * kPage);
      continue;
    }
    if (!slot->page) break;
    const std::size_t at = inside(first_);
    const std::uint64_t left = ~(slot->page->acknowledged[at / 64] >> (at % 64));
    const int run = std::min<int>(std::countr_zero(left), 64 - static_cast<int>(at % 64));
    if (run == 0) break;
    first_ = Offset(first_.value + run);
  }
  const auto gone = std::min(static_cast<std::int64_t>(slots_.size()), first_.value / kPage - base_);
  if (gone > 0) {
    slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(gone));
    base_ += gone;
  }
  if (slots_.empty()) base_ = first_.value / kPage;
}

void QueueCursor::skip_acknowledged_ahead() {
  while (acknowledged_ahead_ > 0 && next_ < end_ && is_acknowledged(next_)) {
    next_ = Offset(next_.value + 1);
    --acknowledged_ahead_;
  }
}

std::uint64_t QueueCursor::memory_bytes() const {
  std::uint64_t bytes = sizeof *this + slots_.size() * sizeof(Slot) + changed_.capacity() * sizeof(std::uint64_t);
  for (const Slot& slot : slots_) {
    if (!slot.page) continue;
    bytes += sizeof(Page);
    if (slot.page->holders) bytes += sizeof(Holders);
    if (slot.page->deliveries) bytes += sizeof *slot.page->deliveries;
  }
  return bytes;
}

// -- durable form -----------------------------------------------------------------------------------------------------
//
//   form u8: 0 nothing acknowledged, 1 all of it, 2 runs, 3 a bit for each
//   2: count, and per run its distance from the end of the one before and its length (varints)
//   3: 128 bytes
//   count of delivery counts, and per message its distance from the one before and the count (varints)

namespace {
enum class Form : std::uint8_t { none = 0, whole = 1, runs = 2, bits = 3 };
}

Bytes QueueCursor::encode_page(std::uint64_t number) const {
  const Offset begin(static_cast<std::int64_t>(number) * kPage);
  const Slot* slot = slot_of(begin);
  if (!slot || begin.value + kPage <= first_.value || (!slot->whole && !slot->page)) return {};
  ByteWriter out(160);
  if (slot->whole) {
    out.u8(static_cast<std::uint8_t>(Form::whole));
    out.varint(0);
    return out.finish();
  }
  const Page& page = *slot->page;
  if (page.acknowledged_count == 0 && !page.deliveries) return {};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> runs;
  for (std::uint32_t at = 0; at < kPageOffsets; ++at) {
    if (!test(page.acknowledged, at)) continue;
    if (!runs.empty() && runs.back().first + runs.back().second == at)
      ++runs.back().second;
    else
      runs.emplace_back(at, 1);
  }
  if (runs.empty()) {
    out.u8(static_cast<std::uint8_t>(Form::none));
  } else if (runs.size() < 40) {
    out.u8(static_cast<std::uint8_t>(Form::runs));
    out.varint(runs.size());
    std::uint32_t expected = 0;
    for (const auto& [at, length] : runs) {
      out.varint(at - expected);
      out.varint(length);
      expected = at + length;
    }
  } else {
    out.u8(static_cast<std::uint8_t>(Form::bits));
    for (const std::uint64_t word : page.acknowledged) out.u64(word);
  }
  std::vector<std::uint32_t> counted;
  if (page.deliveries)
    for (std::uint32_t at = 0; at < kPageOffsets; ++at)
      if ((*page.deliveries)[at] > 0 && !test(page.acknowledged, at)) counted.push_back(at);
  out.varint(counted.size());
  std::uint32_t expected = 0;
  for (const std::uint32_t at : counted) {
    out.varint(at - expected);
    out.varint((*page.deliveries)[at]);
    expected = at + 1;
  }
  return out.finish();
}

bool QueueCursor::restore_page(std::uint64_t number, const Bytes& value) {
  if (number > static_cast<std::uint64_t>(INT64_MAX / kPage - 1)) return false;
  const Offset begin(static_cast<std::int64_t>(number) * kPage);
  ByteReader in(value);
  const auto form = static_cast<Form>(in.u8());
  Page restored;
  const auto mark = [&](std::uint64_t at, std::uint64_t length) {
    for (std::uint64_t i = at; i < at + length; ++i) set(restored.acknowledged, i);
  };
  switch (form) {
    case Form::none:
      break;
    case Form::whole:
      mark(0, kPageOffsets);
      break;
    case Form::runs: {
      const std::uint64_t runs = in.varint();
      std::uint64_t at = 0;
      for (std::uint64_t i = 0; i < runs && !in.failed(); ++i) {
        const std::uint64_t distance = in.varint(), length = in.varint();
        if (in.failed() || distance > kPageOffsets || length > kPageOffsets || at + distance + length > kPageOffsets)
          return false;
        mark(at + distance, length);
        at += distance + length;
      }
      break;
    }
    case Form::bits:
      for (std::uint64_t& word : restored.acknowledged) word = in.u64();
      break;
    default:
      return false;
  }
  const std::uint64_t counted = in.varint();
  if (in.failed() || counted > kPageOffsets) return false;
  if (counted > 0) {
    restored.deliveries = std::make_unique<std::array<std::uint16_t, kPageOffsets>>();
    restored.deliveries->fill(0);
  }
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < counted; ++i) {
    const std::uint64_t distance = in.varint(), count = in.varint();
    if (in.failed() || distance >= kPageOffsets || expected + distance >= kPageOffsets || count > UINT16_MAX)
      return false;
    (*restored.deliveries)[expected + distance] = static_cast<std::uint16_t>(count);
    expected += distance + 1;
  }
  if (in.failed() || in.remaining() != 0) return false;
  if (begin.value + kPage <= first_.value) return true;
  if (begin.value / kPage - base_ > (1 << 24)) return false;  // no queue has such a window: not ours
  bool complete = true;
  // Not what is behind the log's end: a torn tail took messages whose acknowledgements were known.
  for (std::size_t at = 0; at < kPageOffsets; ++at) {
    const std::int64_t offset = begin.value + static_cast<std::int64_t>(at);
    if (!test(restored.acknowledged, at)) continue;
    if (offset >= end_.value) {
      clear(restored.acknowledged, at);
      complete = false;
      continue;
    }
    ++restored.acknowledged_count;
    if (offset >= next_.value) ++acknowledged_ahead_;
  }
  if (restored.acknowledged_count == 0 && !restored.deliveries) return complete;
  Page& page = page_of(begin);
  if (page.acknowledged_count > 0 || page.deliveries) return false;
  page = std::move(restored);
  fold(begin);
  skip_acknowledged_ahead();
  advance();
  return complete;
}

std::vector<std::uint64_t> QueueCursor::kept_pages() const {
  std::vector<std::uint64_t> pages;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].whole || (slots_[i].page && (slots_[i].page->acknowledged_count > 0 || slots_[i].page->deliveries)))
      pages.push_back(static_cast<std::uint64_t>(base_) + i);
  return pages;
}

}  // namespace braid
