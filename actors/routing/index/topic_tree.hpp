// Braid, Apache-2.0.
//
// The reverse of a subscription index: many concrete topic names are stored, and a filter asks which of them it
// matches. What does not match must cost nothing, and the answer must come in pages, because a client that subscribes
// to
// '#' cannot be sent ten million messages at once.
//
// Names lie in a tree of levels. The children of all nodes are one ordered set of (parent, hash of the level), so '#'
// walks a range, '+' goes from sibling to sibling, and a name is a look-up. A filter such as '+/+/alarm' would look at
// every device to find the few that have an alarm; therefore a second ordered set leads from (level, depth) to the
// nodes that are called so, and a look-up begins with the rarer end.
//
// A page ends with a position, which is made of names and not of places in memory: names may come and go between two
// pages. What is there all the time is found exactly once.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/routing/index/name_table.hpp"
#include "actors/routing/index/ordered_set.hpp"
#include "actors/routing/index/slot_pool.hpp"

namespace braid::routing {

class TopicTree {
 public:
  using Value = std::uint32_t;
  static constexpr Value none = UINT32_MAX;

  explicit TopicTree(std::uint64_t seed) : seed_(seed), levels_(seed) {}

  Value find(std::string_view topic) const;
  /// Where the value of a topic stands; `none` in it when the topic is new. The caller puts one there at once.
  Value& slot(std::string_view topic);
  /// The value that was there, or none.
  Value erase(std::string_view topic);

  struct Limits {
    std::size_t values = 100;
    std::size_t visited = 10000;  ///< nodes looked at: bounds the time of a page that finds little
  };
  struct Page {
    std::string position;  ///< to go on from
    bool more = false;     ///< false: there is nothing behind this page
  };
  /// Appends values whose topics match the valid filter; an empty position begins. A position that is not one of this
  /// filter's leads to a wrong page, never out of bounds.
  Page collect(std::string_view filter, std::string_view position, const Limits& limits,
               std::vector<Value>& into) const;

  std::size_t size() const { return values_; }
  std::size_t memory_bytes() const;

 private:
  using NodeIndex = std::uint32_t;
  static constexpr NodeIndex root = 0;

  struct Node {
    NodeIndex parent = 0;
    NameTable::Name level = NameTable::none;
    Value value = none;
    std::uint32_t children = 0;
  };
  /// Children in the order in which every walk meets them.
  struct ChildKey {
    NodeIndex parent;
    std::uint32_t hash;
    NodeIndex node;
    friend auto operator<=>(const ChildKey&, const ChildKey&) = default;
  };
  /// All nodes of one name and depth, ordered by a hash of their whole path.
  struct NamesakeKey {
    NameTable::Name level;
    std::uint32_t depth;
    std::uint32_t path_hash;
    NodeIndex node;
    friend auto operator<=>(const NamesakeKey&, const NamesakeKey&) = default;
  };
  using Children = OrderedSet<ChildKey>;
  using Namesakes = OrderedSet<NamesakeKey>;

  class Walk;

  std::uint32_t hash_of(std::string_view text) const;
  NodeIndex child(NodeIndex parent, std::string_view level) const;
  NodeIndex child(NodeIndex parent, std::uint32_t hash, NameTable::Name level) const;
  NodeIndex find_node(std::string_view topic) const;
  NodeIndex add_child(NodeIndex parent, std::string_view level, std::string_view path, std::uint32_t depth);
  void remove_leaf(NodeIndex node, std::string_view path, std::uint32_t depth);
  std::string path_of(NodeIndex node) const;

  std::uint64_t seed_;
  NameTable levels_;  ///< one reference per node
  SlotPool<Node> nodes_;
  Children children_;
  Namesakes namesakes_;
  std::size_t values_ = 0;
};

}  // namespace braid::routing
