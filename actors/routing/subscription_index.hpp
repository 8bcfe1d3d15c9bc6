// Braid, Apache-2.0.
//
// Who wants a message: topic name -> subscriptions, for the sessions of one event loop. A publish must not cost more
// because there are a million subscriptions that it does not match, and a subscription must not cost a kilobyte.
//
// Filters without wildcards, which are nine tenths of most fleets, are one hash from filter to posting list. Filters
// with wildcards are a trie whose edges all lie in one hash of (node, level); '+' and '#' are fields of a node, so a
// topic of L levels looks at no more than the nodes that its own levels and the '+'s beside them lead to. Where one
// filter alone goes on from a node its remaining levels are kept as text (a tail): most filters share their beginning
// with others and their end with all of their kind, so neither costs nodes of its own.
//
// A plain data structure: one owner, no locks. Shared subscriptions are to be taken apart before they come here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "actors/routing/index/edge_table.hpp"
#include "actors/routing/index/name_table.hpp"
#include "actors/routing/index/posting_lists.hpp"
#include "actors/routing/index/slot_pool.hpp"

namespace braid::routing {

/// What publishers elsewhere have to know about this index: whether any filter begins with a given level, and whether
/// any begins with a wildcard. True says that this changed with the call.
struct InterestChange {
  bool first_level = false;     ///< of the filter's own first level: the first came, or the last went
  bool wildcard_first = false;  ///< the same for filters whose first level is a wildcard
};

class SubscriptionIndex {
 public:
  /// Nodes that one match may look at: 2^levels of them can be reached when somebody subscribes to every mixture of
  /// names and '+'.
  static constexpr std::uint32_t default_max_visited = 100000;

  /// The seed keeps clients from choosing names that collide.
  explicit SubscriptionIndex(std::uint64_t seed = 0)
      : levels_(seed), tails_(seed), filters_(seed), first_levels_(seed), edges_(seed) {}

  struct Subscribed {
    bool replaced = false;  ///< the subscriber had the same filter: its options were replaced [MQTT-3.8.4-3]
    InterestChange interest;
  };
  /// `filter` must be valid. A subscriber is a number of the owner's choice.
  Subscribed subscribe(std::string_view filter, const Posting& posting);

  struct Unsubscribed {
    bool existed = false;
    InterestChange interest;
  };
  Unsubscribed unsubscribe(std::string_view filter, std::uint32_t subscriber);

  struct Matched {
    std::size_t subscriptions = 0;
    bool complete = true;  ///< false: the limit on nodes was met, and some subscriptions may be missing
  };
  /// Calls `each(std::span<const Posting>)` for every filter that matches the valid name `topic`. A subscriber comes up
  /// once per filter of its that matches. The index must not be changed meanwhile.
  template <class Each>
  Matched match(std::string_view topic, Each&& each, std::uint32_t max_visited = default_max_visited) {
    const bool complete = collect(topic, max_visited);
    Matched matched{0, complete};
    for (const PostingLists::List list : matching_) {
      const auto postings = postings_.view(list);
      matched.subscriptions += postings.size();
      each(postings);
    }
    return matched;
  }

  /// Could any filter match a name with this first level? May say yes in vain, never no.
  bool interested(std::string_view first_level) const;
  bool has_first_level(std::string_view first_level) const {
    return first_levels_.find(first_level) != NameTable::none;
  }
  bool has_wildcard_first() const { return wildcard_first_ > 0; }
  /// Calls `each(std::string_view)` for every literal first level.
  template <class Each>
  void each_first_level(Each&& each) const {
    first_levels_.each([&](std::string_view text) { each(text); });
  }

  std::size_t subscriptions() const { return subscriptions_; }
  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Node {
    std::uint32_t plus = none;                       ///< child of '+'
    std::uint32_t edges = 0;                         ///< children by name
    PostingLists::List here = PostingLists::empty;   ///< filters that end at this node
    PostingLists::List below = PostingLists::empty;  ///< filters that end with '#' behind it
    /// The one filter that goes on from here, while it is alone: there are no children then. Never at the root.
    NameTable::Name tail = NameTable::none;
    PostingLists::List tail_list = PostingLists::empty;
    bool no_children() const { return plus == none && edges == 0; }
    bool unused() const {
      return no_children() && here == PostingLists::empty && below == PostingLists::empty && tail == NameTable::none;
    }
  };
  struct Step {
    std::uint32_t node;
    std::uint32_t depth;
  };

  bool put_exact(std::string_view filter, const Posting&);
  bool remove_exact(std::string_view filter, std::uint32_t subscriber);
  bool put_wildcard(std::string_view filter, const Posting&);
  bool remove_wildcard(std::string_view filter, std::uint32_t subscriber);
  std::uint32_t child_of(std::uint32_t node, std::string_view level) const;
  std::uint32_t add_child(std::uint32_t node, std::string_view level);
  /// Another filter goes on from the node: the first level of its tail becomes a child.
  void split_tail(std::uint32_t node);
  void prune_path();
  InterestChange note_interest(std::string_view filter, bool gained);
  bool collect(std::string_view topic, std::uint32_t max_visited);
  bool collect_wildcards(std::string_view topic, std::uint32_t max_visited);

  NameTable levels_;                             ///< one reference per edge
  NameTable tails_;                              ///< one reference per node
  NameTable filters_;                            ///< exact ones, one reference each
  NameTable first_levels_;                       ///< one reference per subscription
  std::vector<PostingLists::List> exact_lists_;  ///< by the filter's number
  EdgeTable edges_;
  SlotPool<Node> nodes_;
  std::uint32_t root_ = none;
  PostingLists postings_;
  std::size_t subscriptions_ = 0;
  std::size_t wildcard_first_ = 0;

  /// A step down in the path of the filter that is being changed.
  struct PathStep {
    std::uint32_t parent;
    NameTable::Name level;  ///< none for '+'
    std::uint32_t child;
  };
  std::vector<PathStep> path_;
  struct TopicLevel {
    std::string_view text;
    NameTable::Name name;
    bool looked_up;
  };
  std::vector<TopicLevel> topic_levels_;
  std::vector<Step> pending_;
  std::vector<PostingLists::List> matching_;
};

}  // namespace braid::routing
