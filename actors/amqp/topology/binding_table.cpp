// Braid, Apache-2.0.
#include "actors/amqp/topology/binding_table.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/routing/index/hash.hpp"

namespace braid::amqp {

namespace {

template <auto Previous, auto Next>
void append(routing::SlotPool<Binding>& bindings, BindingList& list, std::uint32_t at) {
  bindings[at].*Previous = list.last;
  (list.last == Binding::none ? list.first : bindings[list.last].*Next) = at;
  list.last = at;
  ++list.count;
}

template <auto Previous, auto Next>
void unlink(routing::SlotPool<Binding>& bindings, BindingList& list, std::uint32_t at) {
  const std::uint32_t previous = bindings[at].*Previous;
  const std::uint32_t next = bindings[at].*Next;
  (previous == Binding::none ? list.first : bindings[previous].*Next) = next;
  (next == Binding::none ? list.last : bindings[next].*Previous) = previous;
  --list.count;
}

}  // namespace

std::string in_order(const Table& table) {
  if (table.empty()) return {};
  std::vector<Field> fields;
  for (const Field& field : table) fields.push_back(field);
  std::stable_sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) { return a.name < b.name; });
  TableWriter writer;
  for (const Field& field : fields) writer.put(field.name, field.value);
  return std::string(writer.table().encoded());
}

std::uint64_t BindingTable::hash_of(ExchangeNumber source, Destination destination, std::string_view key,
                                    std::string_view arguments) const {
  const std::uint64_t ends = routing::hash_pair(static_cast<std::uint32_t>(source), destination.word(), seed_);
  return routing::hash_text(arguments, routing::hash_text(key, ends));
}

std::uint32_t BindingTable::find(ExchangeNumber source, Destination destination, std::string_view key,
                                 std::string_view arguments) const {
  const auto found = by_hash_.find(hash_of(source, destination, key, arguments));
  std::uint32_t at = found == by_hash_.end() ? Binding::none : found->second;
  for (; at != Binding::none; at = bindings_[at].next_of_hash) {
    const Binding& binding = bindings_[at];
    if (binding.source == source && binding.destination == destination && binding.key == key &&
        binding.arguments == arguments)
      break;
  }
  return at;
}

std::uint32_t BindingTable::add(ExchangeNumber source, Destination destination, std::string_view key,
                                std::string arguments, BindingList& of_source, BindingList& of_destination) {
  const std::uint32_t at = bindings_.take();
  Binding& binding = bindings_[at];
  binding.source = source;
  binding.destination = destination;
  binding.key = key;
  binding.arguments = std::move(arguments);
  binding.hash = hash_of(source, destination, key, binding.arguments);
  const auto [first, is_first] = by_hash_.try_emplace(binding.hash, at);
  if (!is_first) binding.next_of_hash = std::exchange(first->second, at);
  append<&Binding::previous_of_source, &Binding::next_of_source>(bindings_, of_source, at);
  append<&Binding::previous_of_destination, &Binding::next_of_destination>(bindings_, of_destination, at);
  return at;
}

void BindingTable::remove(std::uint32_t at, BindingList& of_source, BindingList& of_destination) {
  const auto first = by_hash_.find(bindings_[at].hash);
  std::uint32_t* link = &first->second;
  while (*link != at) link = &bindings_[*link].next_of_hash;
  *link = bindings_[at].next_of_hash;
  if (first->second == Binding::none) by_hash_.erase(first);
  unlink<&Binding::previous_of_source, &Binding::next_of_source>(bindings_, of_source, at);
  unlink<&Binding::previous_of_destination, &Binding::next_of_destination>(bindings_, of_destination, at);
  bindings_.give(at);
}

}  // namespace braid::amqp
