// Braid, Apache-2.0.
//
// Message headers -> destinations, for one headers exchange. RabbitMQ compares every binding with every message. Here a
// binding hangs at one of the fields that it asks for ("all": the one at which fewest hang; "any": each of them), and a
// message looks only at the bindings that hang at its own headers, so bindings that ask for something else cost
// nothing.
//
// What a binding asks for are its arguments without x-match, and without those that begin with "x-" unless x-match
// says "-with-x". A field without a value asks only that the header is there; any other must be equal, numbers of
// different width but the same value included.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/amqp/topology/types.hpp"

namespace braid::amqp {

/// Whether two values are the same to RabbitMQ: integers by value, texts and byte arrays by bytes.
bool same_value(const FieldValue&, const FieldValue&);

/// Why a binding with these arguments is refused.
Refusal check_header_arguments(const Table& arguments);

/// How the arguments of a binding are compared; the reference that the index is tested against.
bool headers_match(const Table& arguments, const Table& headers);

class HeaderIndex {
 public:
  explicit HeaderIndex(std::uint64_t seed) : seed_(seed) {}

  /// `binding` is a number of the owner's choice; `arguments` stay where they are until it is removed.
  void add(std::uint32_t binding, const Table& arguments);
  void remove(std::uint32_t binding, const Table& arguments);

  /// Calls `each(binding)` for candidates that match, perhaps several times with the same.
  template <class Each>
  void match(const Table& headers, Each&& each) const {
    for (const Entry& entry : unconditional_) each(entry.binding);
    for (const Field& field : headers) {
      visit(hash_of(field.name), headers, each);
      visit(hash_of(field), headers, each);
    }
  }

 private:
  struct Entry {
    std::uint32_t binding;
    Table arguments;
  };
  template <class Each>
  void visit(std::uint64_t hash, const Table& headers, Each&& each) const {
    const auto found = entries_.find(hash);
    if (found == entries_.end()) return;
    for (const Entry& entry : found->second)
      if (headers_match(entry.arguments, headers)) each(entry.binding);
  }
  std::uint64_t hash_of(std::string_view name) const;
  std::uint64_t hash_of(const Field& field) const;
  /// Calls `visit(hash)` for each field that the binding asks for.
  template <class Visit>
  void each_asked(const Table& arguments, Visit&& visit) const;
  std::size_t hanging_at(std::uint64_t hash) const;
  bool take_off(std::uint64_t hash, std::uint32_t binding);

  std::uint64_t seed_;
  std::unordered_map<std::uint64_t, std::vector<Entry>> entries_;
  std::vector<Entry> unconditional_;
};

}  // namespace braid::amqp
