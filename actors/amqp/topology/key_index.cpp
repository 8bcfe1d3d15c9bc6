// Braid, Apache-2.0.
//
// See key_index.hpp.
#include "actors/amqp/topology/key_index.hpp"

#include <cassert>

namespace braid::amqp {

using routing::NameTable;

namespace {

constexpr std::string_view any_word = "*";
constexpr std::string_view any_words = "#";

/// Calls `each(word)`; an empty text has no words, as RabbitMQ has it, but "." has two empty ones.
template <class Each>
void for_each_word(std::string_view text, Each&& each) {
  if (text.empty()) return;
  for (;;) {
    const std::size_t dot = text.find('.');
    each(text.substr(0, dot));
    if (dot == std::string_view::npos) return;
    text.remove_prefix(dot + 1);
  }
}

std::uint64_t pair_of(std::uint32_t node, Destination destination) {
  return static_cast<std::uint64_t>(node) << 32 | destination.word();
}

}  // namespace

std::uint32_t KeyIndex::child(std::uint32_t node, std::string_view word) const {
  if (nodes_[node].edges == 0) return none;
  const NameTable::Name name = words_.find(word);
  return name == NameTable::none ? none : edges_.find(node, name);
}

std::uint32_t KeyIndex::make_child(std::uint32_t node, std::string_view word) {
  const NameTable::Name known = words_.find(word);
  if (known != NameTable::none) {
    const std::uint32_t there = edges_.find(node, known);
    if (there != none) return there;
  }
  const std::uint32_t made = nodes_.take();
  edges_.insert(node, words_.retain(word), made);
  ++nodes_[node].edges;
  return made;
}

std::uint32_t KeyIndex::make_wildcard(std::uint32_t node, std::string_view wildcard) {
  const bool hash = wildcard == any_words;
  const std::uint32_t there = hash ? nodes_[node].hash : nodes_[node].star;
  if (there != none) return there;
  const std::uint32_t made = nodes_.take();
  nodes_[made].is_hash = hash;
  (hash ? nodes_[node].hash : nodes_[node].star) = made;
  return made;
}

void KeyIndex::put(std::uint32_t node, Destination destination) {
  if (postings_.put(nodes_[node].here, {destination.word(), 0, false, false, 0})) ++more_[pair_of(node, destination)];
}

void KeyIndex::remove(std::uint32_t node, Destination destination) {
  const auto more = more_.find(pair_of(node, destination));
  if (more == more_.end()) {
    [[maybe_unused]] const bool was_there = postings_.remove(nodes_[node].here, destination.word());
    assert(was_there);
  } else if (--more->second == 0) {
    more_.erase(more);
  }
}

void KeyIndex::bind_key(Root root, std::string_view key, Destination destination) {
  put(make_child(root, key), destination);
}

void KeyIndex::unbind_key(Root root, std::string_view key, Destination destination) {
  const std::uint32_t node = child(root, key);
  assert(node != none);
  remove(node, destination);
  path_.assign(1, {root, node, words_.find(key)});
  prune_path();
}

/// Takes a pattern apart. "#.#" means what "#" means, and "#.*" what "*.#" means: wildcards that follow each other are
/// put in one order, so that the trie has one node for them and a walk one way.
void KeyIndex::normalize(std::string_view pattern) {
  pattern_.clear();
  bool hash = false;
  for_each_word(pattern, [&](std::string_view word) {
    if (word == any_words) {
      hash = true;
      return;
    }
    if (word != any_word && hash) {
      pattern_.push_back(any_words);
      hash = false;
    }
    pattern_.push_back(word);
  });
  if (hash) pattern_.push_back(any_words);
}

void KeyIndex::bind_pattern(Root root, std::string_view pattern, Destination destination) {
  normalize(pattern);
  std::uint32_t node = root;
  for (const std::string_view word : pattern_)
    node = word == any_word || word == any_words ? make_wildcard(node, word) : make_child(node, word);
  put(node, destination);
}

void KeyIndex::unbind_pattern(Root root, std::string_view pattern, Destination destination) {
  normalize(pattern);
  path_.clear();
  std::uint32_t node = root;
  for (const std::string_view word : pattern_) {
    const bool wildcard = word == any_word || word == any_words;
    std::uint32_t next = none;
    if (wildcard)
      next = word == any_words ? nodes_[node].hash : nodes_[node].star;
    else
      next = child(node, word);
    assert(next != none);
    path_.push_back({node, next, wildcard ? NameTable::none : words_.find(word)});
    node = next;
  }
  remove(node, destination);
  prune_path();
}

void KeyIndex::prune_path() {
  for (; !path_.empty() && nodes_[path_.back().child].unused(); path_.pop_back()) {
    const PathStep& step = path_.back();
    Node& parent = nodes_[step.parent];
    if (step.word != NameTable::none) {
      edges_.erase(step.parent, step.word);
      words_.release(step.word);
      --parent.edges;
    } else {
      (parent.hash == step.child ? parent.hash : parent.star) = none;
    }
    nodes_.give(step.child);
  }
}

/// A node joins the set of this step once, and with it the node of the '#' behind it, which may stand for no word.
void KeyIndex::enter(std::vector<std::uint32_t>& set, std::uint32_t node) {
  for (; node != none && nodes_[node].visited != step_; node = nodes_[node].hash) {
    nodes_[node].visited = step_;
    set.push_back(node);
  }
}

/// Leaves in frontier_ the nodes whose patterns match the whole key.
void KeyIndex::collect(Root root, std::string_view key) {
  frontier_.clear();
  ++step_;
  enter(frontier_, root);
  for_each_word(key, [&](std::string_view word) {
    next_.clear();
    ++step_;
    NameTable::Name name = NameTable::none;
    bool looked_up = false;
    for (const std::uint32_t at : frontier_) {
      const Node& node = nodes_[at];
      if (node.is_hash) enter(next_, at);
      if (node.star != none) enter(next_, node.star);
      if (node.edges == 0) continue;
      if (!looked_up) {
        looked_up = true;
        name = words_.find(word);
      }
      if (name == NameTable::none) continue;
      const std::uint32_t named = edges_.find(at, name);
      if (named != none) enter(next_, named);
    }
    frontier_.swap(next_);
  });
}

std::size_t KeyIndex::memory_bytes() const {
  return words_.memory_bytes() + edges_.memory_bytes() + nodes_.memory_bytes() + postings_.memory_bytes() +
         more_.size() * (sizeof(std::uint64_t) * 4);
}

}  // namespace braid::amqp
