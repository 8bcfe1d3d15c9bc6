// Braid, Apache-2.0.
//
// Every binding of a virtual host: found by what it is made of (source, destination, key, arguments), and walked from
// its source and from its destination, so that deleting a queue with ten bindings among a hundred thousand touches ten.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "actors/amqp/topology/types.hpp"
#include "actors/routing/index/slot_pool.hpp"

namespace braid::amqp {

struct Binding {
  static constexpr std::uint32_t none = UINT32_MAX;
  ExchangeNumber source{};
  Destination destination;
  std::string key;
  std::string arguments;  ///< encoded, by name

  std::uint64_t hash = 0;
  std::uint32_t next_of_hash = none;
  std::uint32_t previous_of_source = none;
  std::uint32_t next_of_source = none;
  std::uint32_t previous_of_destination = none;
  std::uint32_t next_of_destination = none;
};

/// The bindings of one end, in the order they were made; whoever is the end holds it.
struct BindingList {
  std::uint32_t first = Binding::none;
  std::uint32_t last = Binding::none;
  std::uint32_t count = 0;
};

/// The same table with its fields by name: which order a client wrote them in makes no other binding.
std::string in_order(const Table&);

class BindingTable {
 public:
  explicit BindingTable(std::uint64_t seed) : seed_(seed) {}

  /// Binding::none when there is no such. `arguments` are in order.
  std::uint32_t find(ExchangeNumber, Destination, std::string_view key, std::string_view arguments) const;
  /// It must not be there. Its text stays where it is until it is removed.
  std::uint32_t add(ExchangeNumber, Destination, std::string_view key, std::string arguments, BindingList& of_source,
                    BindingList& of_destination);
  void remove(std::uint32_t binding, BindingList& of_source, BindingList& of_destination);

  const Binding& operator[](std::uint32_t binding) const { return bindings_[binding]; }
  std::size_t size() const { return bindings_.used(); }

 private:
  std::uint64_t hash_of(ExchangeNumber, Destination, std::string_view key, std::string_view arguments) const;
  std::uint64_t seed_;
  routing::SlotPool<Binding> bindings_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_hash_;  ///< the first; others follow by next_of_hash
};

}  // namespace braid::amqp
