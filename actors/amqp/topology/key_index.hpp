// Braid, Apache-2.0.
//
// Routing key -> destinations, for all direct, fanout and topic exchanges of a virtual host at once. Each exchange is a
// root of one trie whose edges lie in one hash of (node, word), so that an exchange with one binding costs a node and
// an edge, and a publish looks only at nodes that its own words lead to. A direct exchange has whole keys for words; a
// fanout exchange has its destinations at the root.
//
// '*' and '#' are fields of a node, as '+' is in the index of MQTT's subscriptions (actors/routing/index, whose tables
// are used here). But AMQP's '#' stands for any number of words in the middle too, so a match is a walk over sets of
// nodes, one set per word: a node is looked at once per word however many ways lead to it, and no pattern that somebody
// binds makes a publish cost more than words times nodes reached.
//
// A plain data structure: one owner, no locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/amqp/topology/types.hpp"
#include "actors/routing/index/edge_table.hpp"
#include "actors/routing/index/name_table.hpp"
#include "actors/routing/index/posting_lists.hpp"
#include "actors/routing/index/slot_pool.hpp"

namespace braid::amqp {

class KeyIndex {
 public:
  using Root = std::uint32_t;

  /// The seed keeps clients from choosing keys that collide.
  explicit KeyIndex(std::uint64_t seed) : words_(seed), edges_(seed) {}

  Root make_root() { return nodes_.take(); }
  /// Nothing may be bound to it any more.
  void drop_root(Root root) { nodes_.give(root); }

  /// A destination may be bound several times by one key: it goes when it was unbound as often.
  void bind_key(Root root, std::string_view key, Destination);
  void unbind_key(Root root, std::string_view key, Destination);
  void bind_pattern(Root root, std::string_view pattern, Destination);
  void unbind_pattern(Root root, std::string_view pattern, Destination);
  void bind_all(Root root, Destination to) { put(root, to); }
  void unbind_all(Root root, Destination to) { remove(root, to); }

  /// Each calls `each(Destination)`, for a topic pattern match perhaps several times with the same. The index must not
  /// be changed meanwhile.
  template <class Each>
  void match_key(Root root, std::string_view key, Each&& each) const {
    const std::uint32_t node = child(root, key);
    if (node != none) visit(node, each);
  }
  template <class Each>
  void match_pattern(Root root, std::string_view key, Each&& each) {
    collect(root, key);
    for (const std::uint32_t node : frontier_) visit(node, each);
  }
  template <class Each>
  void match_all(Root root, Each&& each) const {
    visit(root, each);
  }

  std::size_t memory_bytes() const;

 private:
  using List = routing::PostingLists::List;
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Node {
    std::uint32_t star = none;
    std::uint32_t hash = none;
    std::uint32_t edges = 0;    ///< children by word
    bool is_hash = false;       ///< stands for any number of words
    std::uint64_t visited = 0;  ///< the step of the walk that met it last
    List here = routing::PostingLists::empty;
    bool unused() const { return star == none && hash == none && edges == 0 && here == routing::PostingLists::empty; }
  };
  /// One step down the path of the pattern that is being changed.
  struct PathStep {
    std::uint32_t parent;
    std::uint32_t child;
    routing::NameTable::Name word;  ///< none for '*' and '#'
  };

  template <class Each>
  void visit(std::uint32_t node, Each&& each) const {
    const List list = nodes_[node].here;
    if (list == routing::PostingLists::empty) return;
    for (const routing::Posting& posting : postings_.view(list)) each(Destination::from_word(posting.subscriber()));
  }
  std::uint32_t child(std::uint32_t node, std::string_view word) const;
  std::uint32_t make_child(std::uint32_t node, std::string_view word);
  std::uint32_t make_wildcard(std::uint32_t node, std::string_view wildcard);
  void put(std::uint32_t node, Destination);
  void remove(std::uint32_t node, Destination);
  void prune_path();
  void normalize(std::string_view pattern);
  void collect(Root root, std::string_view key);
  void enter(std::vector<std::uint32_t>& set, std::uint32_t node);

  routing::NameTable words_;  ///< one reference per edge
  routing::EdgeTable edges_;
  routing::SlotPool<Node> nodes_;
  routing::PostingLists postings_;
  /// (node, destination) that are bound more than once, and how often more.
  std::unordered_map<std::uint64_t, std::uint32_t> more_;

  std::uint64_t step_ = 0;
  std::vector<std::uint32_t> frontier_;
  std::vector<std::uint32_t> next_;
  std::vector<std::string_view> pattern_;
  std::vector<PathStep> path_;
};

}  // namespace braid::amqp
