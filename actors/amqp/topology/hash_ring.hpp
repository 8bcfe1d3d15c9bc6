// Braid, Apache-2.0.
//
// The consistent-hash exchange: a message goes to one of its destinations, chosen by a hash, each with a share that its
// binding key names. Jump consistent hashing (Lamping and Veach, 2014) over as many buckets as all shares together:
// when a destination comes or goes at the end, only the messages of its own buckets move.
//
// Which destination a hash means depends on the order of the bindings, and on nothing else: the hash has no seed, so
// that a restart, and another node, choose the same.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "actors/amqp/topology/types.hpp"

namespace braid::amqp {

class HashRing {
 public:
  static constexpr std::uint32_t max_weight = 10000;  ///< RabbitMQ's

  /// Why a binding key is no weight.
  static Refusal check_weight(std::string_view binding_key);
  /// A destination that is there already keeps its share.
  void add(Destination destination, std::string_view binding_key);
  void clear();

  bool empty() const { return shares_.empty(); }
  Destination choose(std::uint64_t hash) const;

 private:
  struct Share {
    std::uint64_t end;  ///< behind its last bucket
    Destination destination;
  };
  std::vector<Share> shares_;
  std::unordered_set<std::uint32_t> members_;
};

/// Of what a message is distributed by.
std::uint64_t stable_hash(std::string_view);

}  // namespace braid::amqp
