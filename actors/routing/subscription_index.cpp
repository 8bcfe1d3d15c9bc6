// Braid, Apache-2.0.
//
// See subscription_index.hpp.
#include "actors/routing/subscription_index.hpp"

#include <utility>

#include "codecs/mqtt/topic.hpp"

namespace braid::routing {

using mqtt::TopicLevels;

namespace {
/// What remains of `whole` from one of its levels on.
std::string_view from_level(std::string_view whole, std::string_view level) {
  return whole.substr(static_cast<std::size_t>(level.data() - whole.data()));
}

/// Like mqtt::matches, for what is not the beginning of a name: a '$' means nothing here.
bool matches_further(std::string_view filter, std::string_view name) {
  TopicLevels wanted(filter), given(name);
  for (; !wanted.done(); wanted.next(), given.next()) {
    if (wanted.level() == "#") return true;
    if (given.done() || (wanted.level() != "+" && wanted.level() != given.level())) return false;
  }
  return given.done();
}
}  // namespace

SubscriptionIndex::Subscribed SubscriptionIndex::subscribe(std::string_view filter, const Posting& posting) {
  const bool replaced = mqtt::has_wildcard(filter) ? put_wildcard(filter, posting) : put_exact(filter, posting);
  if (replaced) return {true, {}};
  ++subscriptions_;
  return {false, note_interest(filter, true)};
}

SubscriptionIndex::Unsubscribed SubscriptionIndex::unsubscribe(std::string_view filter, std::uint32_t subscriber) {
  const bool existed =
      mqtt::has_wildcard(filter) ? remove_wildcard(filter, subscriber) : remove_exact(filter, subscriber);
  if (!existed) return {};
  --subscriptions_;
  return {true, note_interest(filter, false)};
}

InterestChange SubscriptionIndex::note_interest(std::string_view filter, bool gained) {
  const auto first = mqtt::first_level(filter);
  if (first == "+" || first == "#") {
    const std::size_t before = wildcard_first_;
    wildcard_first_ = gained ? before + 1 : before - 1;
    return {false, before == 0 || wildcard_first_ == 0};
  }
  if (gained) return {first_levels_.references(first_levels_.retain(first)) == 1, false};
  const auto name = first_levels_.find(first);
  const bool last = first_levels_.references(name) == 1;
  first_levels_.release(name);
  return {last, false};
}

bool SubscriptionIndex::interested(std::string_view first_level) const {
  if (has_first_level(first_level)) return true;
  return has_wildcard_first() && !first_level.starts_with('$');  // [MQTT-4.7.2-1]
}

bool SubscriptionIndex::put_exact(std::string_view filter, const Posting& posting) {
  auto name = filters_.find(filter);
  if (name == NameTable::none) {
    name = filters_.retain(filter);
    if (name >= exact_lists_.size()) exact_lists_.resize(name + 1, PostingLists::empty);
  }
  return postings_.put(exact_lists_[name], posting);
}

bool SubscriptionIndex::remove_exact(std::string_view filter, std::uint32_t subscriber) {
  const auto name = filters_.find(filter);
  if (name == NameTable::none || !postings_.remove(exact_lists_[name], subscriber)) return false;
  if (exact_lists_[name] == PostingLists::empty) filters_.release(name);
  if (filters_.size() == 0) exact_lists_ = decltype(exact_lists_)();
  return true;
}

bool SubscriptionIndex::put_wildcard(std::string_view filter, const Posting& posting) {
  if (root_ == none) root_ = nodes_.take();
  std::uint32_t at = root_;
  for (TopicLevels levels(filter); !levels.done(); levels.next()) {
    const auto level = levels.level();
    if (level == "#") return postings_.put(nodes_[at].below, posting);
    if (nodes_[at].tail != NameTable::none) {
      if (tails_.text(nodes_[at].tail) == from_level(filter, level))
        return postings_.put(nodes_[at].tail_list, posting);
      split_tail(at);
    } else if (at != root_ && nodes_[at].no_children()) {
      nodes_[at].tail = tails_.retain(from_level(filter, level));
      return postings_.put(nodes_[at].tail_list, posting);
    }
    const auto child = child_of(at, level);
    at = child != none ? child : add_child(at, level);
  }
  return postings_.put(nodes_[at].here, posting);
}

std::uint32_t SubscriptionIndex::child_of(std::uint32_t node, std::string_view level) const {
  if (level == "+") return nodes_[node].plus;
  const auto name = levels_.find(level);
  return name == NameTable::none ? none : edges_.find(node, name);
}

std::uint32_t SubscriptionIndex::add_child(std::uint32_t node, std::string_view level) {
  const auto child = nodes_.take();
  if (level == "+") {
    nodes_[node].plus = child;
  } else {
    edges_.insert(node, levels_.retain(level), child);
    ++nodes_[node].edges;
  }
  return child;
}

void SubscriptionIndex::split_tail(std::uint32_t node) {
  const auto tail = std::exchange(nodes_[node].tail, NameTable::none);
  const auto list = std::exchange(nodes_[node].tail_list, PostingLists::empty);
  const auto text = tails_.text(tail);
  TopicLevels levels(text);
  Node& child = nodes_[add_child(node, levels.level())];
  levels.next();
  if (levels.done()) {
    child.here = list;
  } else if (levels.level() == "#") {
    child.below = list;
  } else {
    child.tail = tails_.retain(from_level(text, levels.level()));
    child.tail_list = list;
  }
  tails_.release(tail);
}

bool SubscriptionIndex::remove_wildcard(std::string_view filter, std::uint32_t subscriber) {
  path_.clear();
  if (root_ == none) return false;
  std::uint32_t at = root_;
  bool hash = false;
  for (TopicLevels levels(filter); !levels.done(); levels.next()) {
    const auto level = levels.level();
    if ((hash = level == "#")) break;
    Node& node = nodes_[at];
    if (node.tail != NameTable::none) {
      if (tails_.text(node.tail) != from_level(filter, level) || !postings_.remove(node.tail_list, subscriber))
        return false;
      if (node.tail_list == PostingLists::empty) tails_.release(std::exchange(node.tail, NameTable::none));
      prune_path();
      return true;
    }
    const auto child = child_of(at, level);
    if (child == none) return false;
    path_.push_back({at, level == "+" ? NameTable::none : levels_.find(level), child});
    at = child;
  }
  if (!postings_.remove(hash ? nodes_[at].below : nodes_[at].here, subscriber)) return false;
  prune_path();
  return true;
}

void SubscriptionIndex::prune_path() {
  for (; !path_.empty() && nodes_[path_.back().child].unused(); path_.pop_back()) {
    const PathStep& step = path_.back();
    if (step.level == NameTable::none) {
      nodes_[step.parent].plus = none;
    } else {
      edges_.erase(step.parent, step.level);
      levels_.release(step.level);
      --nodes_[step.parent].edges;
    }
    nodes_.give(step.child);
  }
  if (nodes_[root_].unused()) {
    nodes_.give(root_);
    root_ = none;
  }
}

bool SubscriptionIndex::collect(std::string_view topic, std::uint32_t max_visited) {
  matching_.clear();
  const auto name = filters_.find(topic);
  if (name != NameTable::none) matching_.push_back(exact_lists_[name]);
  return root_ == none || collect_wildcards(topic, max_visited);
}

bool SubscriptionIndex::collect_wildcards(std::string_view topic, std::uint32_t max_visited) {
  const bool dollar = topic.starts_with('$');
  // Levels are split as deep as the trie goes, and looked up where a node has children by name: often neither is all.
  TopicLevels rest(topic);
  topic_levels_.clear();
  pending_.clear();
  pending_.push_back({root_, 0});
  for (std::uint32_t visited = 0; !pending_.empty(); ++visited) {
    if (visited == max_visited) return false;
    const Step step = pending_.back();
    pending_.pop_back();
    const Node& node = nodes_[step.node];
    const bool wildcards_count = step.depth > 0 || !dollar;  // [MQTT-4.7.2-1]
    if (node.below != PostingLists::empty && wildcards_count) matching_.push_back(node.below);
    if (step.depth == topic_levels_.size()) {
      if (rest.done()) {
        if (node.here != PostingLists::empty) matching_.push_back(node.here);
        continue;
      }
      topic_levels_.push_back({rest.level(), NameTable::none, false});
      rest.next();
    }
    if (node.tail != NameTable::none) {
      if (matches_further(tails_.text(node.tail), from_level(topic, topic_levels_[step.depth].text)))
        matching_.push_back(node.tail_list);
      continue;
    }
    if (node.plus != none && wildcards_count) pending_.push_back({node.plus, step.depth + 1});
    if (node.edges == 0) continue;
    TopicLevel& level = topic_levels_[step.depth];
    if (!std::exchange(level.looked_up, true)) level.name = levels_.find(level.text);
    if (level.name == NameTable::none) continue;
    const auto child = edges_.find(step.node, level.name);
    if (child != none) pending_.push_back({child, step.depth + 1});
  }
  return true;
}

std::size_t SubscriptionIndex::memory_bytes() const {
  return levels_.memory_bytes() + tails_.memory_bytes() + filters_.memory_bytes() + first_levels_.memory_bytes() +
         exact_lists_.capacity() * sizeof(PostingLists::List) + edges_.memory_bytes() + nodes_.memory_bytes() +
         postings_.memory_bytes();
}

}  // namespace braid::routing
