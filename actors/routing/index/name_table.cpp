// Braid, Apache-2.0.
//
// See name_table.hpp. A slot holds the name's hash beside its number: most probes that miss never touch a record, and
// growing the table reads no text.
#include "actors/routing/index/name_table.hpp"

#include <cassert>
#include <cstring>

#include "actors/routing/index/open_addressing.hpp"

namespace braid::routing {

NameTable::Record& NameTable::Record::operator=(Record&& other) noexcept {
  if (this != &other) {
    reset();
    references = std::exchange(other.references, 0);
    length = std::exchange(other.length, 0);
    storage = other.storage;
  }
  return *this;
}

void NameTable::Record::assign(std::string_view text) {
  reset();
  length = static_cast<std::uint32_t>(text.size());
  char* to = is_inline() ? storage.text : (storage.heap = new char[text.size()]);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
}

void NameTable::Record::reset() {
  if (!is_inline()) delete[] storage.heap;
  length = 0;
  references = 0;
}

std::uint32_t NameTable::hash_of(std::string_view text) const {
  return static_cast<std::uint32_t>(hash_text(text, seed_) >> 32);
}

/// Where the name is, or where it belongs.
std::size_t NameTable::locate(std::string_view text, std::uint32_t hash) const {
  std::size_t at = position_of(hash, slots_.size());
  while (slots_[at].name != none) {
    if (slots_[at].hash == hash && records_[slots_[at].name].view() == text) break;
    if (++at == slots_.size()) at = 0;
  }
  return at;
}

NameTable::Name NameTable::find(std::string_view text) const {
  if (slots_.empty()) return none;
  return slots_[locate(text, hash_of(text))].name;
}

NameTable::Name NameTable::retain(std::string_view text) {
  const std::uint32_t hash = hash_of(text);
  if (!slots_.empty()) {
    const Name name = slots_[locate(text, hash)].name;
    if (name != none) {
      ++records_[name].references;
      return name;
    }
  }
  if (must_grow(records_.used() + 1, slots_.size())) resize(grown(slots_.size()));
  const Name name = records_.take();
  Record& record = records_[name];
  record.assign(text);
  record.references = 1;
  if (!record.is_inline()) heap_bytes_ += text.size() + 16;
  slots_[locate(text, hash)] = {hash, name};
  return name;
}

void NameTable::release(Name name, std::uint32_t count) {
  Record& record = records_[name];
  assert(record.references >= count);
  record.references -= count;
  if (record.references > 0) return;
  const auto text = record.view();
  erase_slot(locate(text, hash_of(text)));
  if (!record.is_inline()) heap_bytes_ -= text.size() + 16;
  records_.give(name);
  if (must_shrink(records_.used(), slots_.size())) resize(shrunk(records_.used()));
}

void NameTable::erase_slot(std::size_t position) {
  close_gap(
      slots_, position, [](const Slot& slot) { return slot.name == none; },
      [this](const Slot& slot) { return position_of(slot.hash, slots_.size()); });
}

void NameTable::resize(std::size_t capacity) {
  std::vector<Slot> old(capacity);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.name == none) continue;
    std::size_t at = position_of(slot.hash, slots_.size());
    while (slots_[at].name != none)
      if (++at == slots_.size()) at = 0;
    slots_[at] = slot;
  }
}

std::size_t NameTable::memory_bytes() const {
  return records_.memory_bytes() + slots_.capacity() * sizeof(Slot) + heap_bytes_;
}

}  // namespace braid::routing
