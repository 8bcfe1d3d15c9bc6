// Braid, Apache-2.0.
//
// See topic_tree.hpp: how names are stored. How they are walked is in topic_walk.cpp.
#include "actors/routing/index/topic_tree.hpp"

#include <cassert>
#include <utility>

#include "actors/routing/index/hash.hpp"
#include "codecs/mqtt/topic.hpp"

namespace braid::routing {

using mqtt::TopicLevels;

std::uint32_t TopicTree::hash_of(std::string_view text) const {
  return static_cast<std::uint32_t>(hash_text(text, seed_) >> 32);
}

TopicTree::NodeIndex TopicTree::child(NodeIndex parent, std::uint32_t hash, NameTable::Name level) const {
  for (auto at = children_.seek({parent, hash, 0}); !at.done(); at.next()) {
    const ChildKey& key = at.key();
    if (key.parent != parent || key.hash != hash) return none;
    if (nodes_[key.node].level == level) return key.node;
  }
  return none;
}

TopicTree::NodeIndex TopicTree::child(NodeIndex parent, std::string_view level) const {
  const auto name = levels_.find(level);
  return name == NameTable::none ? none : child(parent, hash_of(level), name);
}

TopicTree::NodeIndex TopicTree::find_node(std::string_view topic) const {
  if (nodes_.used() == 0) return none;
  NodeIndex node = root;
  for (TopicLevels levels(topic); !levels.done(); levels.next()) {
    node = child(node, levels.level());
    if (node == none) return none;
  }
  return node;
}

TopicTree::Value TopicTree::find(std::string_view topic) const {
  const auto node = find_node(topic);
  return node == none ? none : nodes_[node].value;
}

TopicTree::Value& TopicTree::slot(std::string_view topic) {
  if (nodes_.used() == 0) {
    [[maybe_unused]] const auto index = nodes_.take();
    assert(index == root);
  }
  NodeIndex node = root;
  std::uint32_t depth = 0;
  for (TopicLevels levels(topic); !levels.done(); levels.next(), ++depth) {
    const auto level = levels.level();
    NodeIndex next = child(node, level);
    if (next == none) {
      const auto end = static_cast<std::size_t>(level.data() + level.size() - topic.data());
      next = add_child(node, level, topic.substr(0, end), depth);
    }
    node = next;
  }
  if (nodes_[node].value == none) ++values_;
  return nodes_[node].value;
}

TopicTree::NodeIndex TopicTree::add_child(NodeIndex parent, std::string_view level, std::string_view path,
                                          std::uint32_t depth) {
  const auto name = levels_.retain(level);
  const auto node = nodes_.take();
  nodes_[node] = {parent, name, none, 0};
  ++nodes_[parent].children;
  children_.insert({parent, hash_of(level), node});
  namesakes_.insert({name, depth, hash_of(path), node});
  return node;
}

void TopicTree::remove_leaf(NodeIndex node, std::string_view path, std::uint32_t depth) {
  const Node leaf = nodes_[node];
  children_.erase({leaf.parent, hash_of(levels_.text(leaf.level)), node});
  namesakes_.erase({leaf.level, depth, hash_of(path), node});
  levels_.release(leaf.level);
  --nodes_[leaf.parent].children;
  nodes_.give(node);
}

TopicTree::Value TopicTree::erase(std::string_view topic) {
  NodeIndex node = find_node(topic);
  if (node == none || nodes_[node].value == none) return none;
  const Value value = std::exchange(nodes_[node].value, none);
  --values_;
  std::uint32_t depth = mqtt::count_levels(topic) - 1;
  while (node != root && nodes_[node].value == none && nodes_[node].children == 0) {
    const auto parent = nodes_[node].parent;
    remove_leaf(node, topic, depth--);
    const auto end = topic.rfind('/');
    topic = topic.substr(0, end == std::string_view::npos ? 0 : end);
    node = parent;
  }
  if (nodes_[root].children == 0) nodes_.give(root);
  return value;
}

std::string TopicTree::path_of(NodeIndex node) const {
  std::vector<NameTable::Name> names;
  for (; node != root; node = nodes_[node].parent) names.push_back(nodes_[node].level);
  std::string path;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (name != names.rbegin()) path += '/';
    path += levels_.text(*name);
  }
  return path;
}

std::size_t TopicTree::memory_bytes() const {
  return levels_.memory_bytes() + nodes_.memory_bytes() + children_.memory_bytes() + namesakes_.memory_bytes();
}

}  // namespace braid::routing
