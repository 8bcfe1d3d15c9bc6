// Braid, Apache-2.0.
//
// The walk behind TopicTree::collect. It is a depth-first search that can be taken up again at any name: a stack of
// frames, one per level, each a cursor among the children of its node. It starts at the root, or, when the filter has
// its rare level behind a wildcard, at each node of that name in turn, upwards first to see whether its ancestors
// match.
#include <algorithm>

#include "actors/routing/index/hash.hpp"
#include "actors/routing/index/topic_tree.hpp"
#include "codecs/mqtt/topic.hpp"

namespace braid::routing {

using mqtt::TopicLevels;

class TopicTree::Walk {
 public:
  Walk(const TopicTree& tree, std::string_view filter) : tree_(tree) {
    for (TopicLevels levels(filter); !levels.done(); levels.next()) {
      const auto text = levels.level();
      if (text == "#") {
        hash_ = static_cast<std::uint32_t>(filter_.size());
      } else if (text == "+") {
        filter_.push_back({true, NameTable::none, 0});
      } else {
        filter_.push_back({false, tree_.levels_.find(text), tree_.hash_of(text)});
      }
    }
  }

  Page run(std::string_view position, const Limits& limits, std::vector<Value>& into) {
    if (tree_.nodes_.used() == 0 || hopeless()) return {};
    if (position.empty() ? !start() : !resume(position)) return {};
    const std::size_t enough = into.size() + limits.values;
    for (std::size_t visited = 0;;) {
      const NodeIndex node = next();
      if (node == none) return {};
      if (enters_) enter(node, into);
      if (++visited < limits.visited && into.size() < enough) continue;
      return {static_cast<char>(pivot_) + tree_.path_of(node), true};
    }
  }

 private:
  static constexpr std::uint32_t no_hash = UINT32_MAX;
  static constexpr std::uint32_t max_pivot = 100;
  static constexpr std::size_t max_counted = 4096;

  struct Level {
    bool plus;
    NameTable::Name name;  ///< none: no stored topic has it
    std::uint32_t hash;
  };
  /// The children of a node that are still to be visited; `depth` levels lead to the node.
  struct Frame {
    NodeIndex node;
    std::uint32_t depth;
    bool named_done = false;
    Children::Cursor at{};
  };

  bool below_hash(std::uint32_t depth) const { return hash_ != no_hash && depth >= hash_; }
  bool takes_all(std::uint32_t depth) const { return below_hash(depth) || filter_[depth].plus; }
  bool goes_on(std::uint32_t depth) const { return below_hash(depth) || depth < filter_.size(); }
  /// [MQTT-4.7.2-1]
  bool hidden(NodeIndex first_level) const {
    return takes_all(0) && tree_.levels_.text(tree_.nodes_[first_level].level).starts_with('$');
  }

  /// A level of the filter that is in no stored topic at all.
  bool hopeless() const {
    return std::any_of(filter_.begin(), filter_.end(),
                       [](const Level& level) { return !level.plus && level.name == NameTable::none; });
  }

  void push(NodeIndex node, std::uint32_t depth) {
    Frame frame{node, depth};
    if (takes_all(depth)) frame.at = tree_.children_.seek({node, 0, 0});
    frames_.push_back(frame);
  }

  /// Where to begin: at the root, or at the nodes of one name. False when nothing can match.
  bool start() {
    pivot_ = choose_pivot();
    if (pivot_ == none) return false;
    if (pivot_ == 0) {
      push(root, 0);
    } else {
      namesakes_ = tree_.namesakes_.seek({filter_[pivot_].name, pivot_, 0, 0});
    }
    return true;
  }

  /// The level to begin at, 0 for the root, none when nothing can match. Beginning at the root visits all children that
  /// the first '+' can stand for.
  std::uint32_t choose_pivot() const {
    NodeIndex node = root;
    std::uint32_t first_plus = 0;
    for (; first_plus < filter_.size() && !filter_[first_plus].plus; ++first_plus) {
      node = tree_.child(node, filter_[first_plus].hash, filter_[first_plus].name);
      if (node == none) return none;
    }
    // One '+' costs as many visits as the node has children; each further one multiplies that by what nobody counted.
    const auto pluses = std::count_if(filter_.begin(), filter_.end(), [](const Level& level) { return level.plus; });
    std::uint32_t best = 0;
    std::size_t best_count = pluses > 1 ? tree_.nodes_.used() : tree_.nodes_[node].children;
    const auto end = std::min<std::size_t>(filter_.size(), max_pivot);
    for (std::uint32_t level = first_plus + 1; level < end && best_count > 16; ++level) {
      if (filter_[level].plus) continue;
      const auto count = count_namesakes(level, std::min(best_count, max_counted));
      // One that stands right behind the only '+' has at most as many nodes as '+' has children.
      const bool never_more = first_plus == 0 && level == 1;
      if (count < best_count && (count < max_counted || never_more)) {
        best = level;
        best_count = count;
      }
    }
    return best;
  }
  std::size_t count_namesakes(std::uint32_t level, std::size_t limit) const {
    std::size_t count = 0;
    for (auto at = tree_.namesakes_.seek({filter_[level].name, level, 0, 0}); count < limit && is_namesake(at, level);
         at.next())
      ++count;
    return count;
  }
  bool is_namesake(const Namesakes::Cursor& at, std::uint32_t level) const {
    return !at.done() && at.key().level == filter_[level].name && at.key().depth == level;
  }

  /// Goes on behind a position; false when it cannot be one of this filter.
  bool resume(std::string_view position) {
    pivot_ = static_cast<std::uint8_t>(position.front());
    TopicLevels path(position.substr(1));
    if (pivot_ == 0) {
      push(root, 0);
      descend(path);
      return true;
    }
    if (pivot_ >= filter_.size() || filter_[pivot_].plus) return false;
    NodeIndex node = root;
    const char* const begin = position.data() + 1;
    std::string_view prefix;
    for (std::uint32_t depth = 0; depth <= pivot_; ++depth, path.next()) {
      if (path.done()) return false;
      const auto level = path.level();
      prefix = {begin, static_cast<std::size_t>(level.data() + level.size() - begin)};
      if (node != none) node = tree_.child(node, level);
    }
    const NamesakeKey key{filter_[pivot_].name, pivot_, tree_.hash_of(prefix), node == none ? 0 : node};
    namesakes_ = tree_.namesakes_.seek(key);
    if (node == none || !is_namesake(namesakes_, pivot_) || namesakes_.key() != key) return true;
    namesakes_.next();
    if (!ancestors_match(node) || !goes_on(pivot_ + 1)) return true;
    push(node, pivot_ + 1);
    descend(path);
    return true;
  }

  /// Moves the frames behind the node that the rest of a path names.
  void descend(TopicLevels path) {
    for (; !path.done(); path.next()) {
      Frame& frame = frames_.back();
      const auto text = path.level();
      const NodeIndex child = tree_.child(frame.node, text);
      if (takes_all(frame.depth)) {
        const ChildKey key{frame.node, tree_.hash_of(text), child == none ? 0 : child};
        frame.at = tree_.children_.seek(key);
        if (child == none) return;
        frame.at.next();
        if (frame.depth == 0 && hidden(child)) return;
      } else {
        frame.named_done = true;
        if (child == none || tree_.nodes_[child].level != filter_[frame.depth].name) return;
      }
      const std::uint32_t depth = frame.depth + 1;
      if (!goes_on(depth)) return;
      push(child, depth);
    }
  }

  bool ancestors_match(NodeIndex node) const {
    for (std::uint32_t depth = pivot_; depth-- > 0;) {
      node = tree_.nodes_[node].parent;
      if (!filter_[depth].plus && filter_[depth].name != tree_.nodes_[node].level) return false;
    }
    return !hidden(node);
  }

  /// The next node to look at; `enters_` says whether it belongs to the walk.
  NodeIndex next() {
    enters_ = true;
    for (; !frames_.empty(); frames_.pop_back()) {
      Frame& frame = frames_.back();
      depth_ = frame.depth + 1;
      if (takes_all(frame.depth)) {
        if (frame.at.done() || frame.at.key().parent != frame.node) continue;
        const NodeIndex child = frame.at.key().node;
        frame.at.next();
        enters_ = frame.depth > 0 || !hidden(child);
        return child;
      }
      if (std::exchange(frame.named_done, true)) continue;
      const Level& level = filter_[frame.depth];
      const NodeIndex child = tree_.child(frame.node, level.hash, level.name);
      if (child != none) return child;
    }
    if (pivot_ == 0 || !is_namesake(namesakes_, pivot_)) return none;
    const NodeIndex node = namesakes_.key().node;
    namesakes_.next();
    depth_ = pivot_ + 1;
    enters_ = ancestors_match(node);
    return node;
  }

  void enter(NodeIndex node, std::vector<Value>& into) {
    const Value value = tree_.nodes_[node].value;
    if (value != none && (depth_ == filter_.size() || below_hash(depth_))) into.push_back(value);
    if (goes_on(depth_)) push(node, depth_);
  }

  const TopicTree& tree_;
  std::vector<Level> filter_;  ///< without the '#'
  std::uint32_t hash_ = no_hash;
  std::uint32_t pivot_ = 0;  ///< 0: the walk begins at the root
  std::vector<Frame> frames_;
  Namesakes::Cursor namesakes_;
  std::uint32_t depth_ = 0;  ///< of the node that next() gave
  bool enters_ = true;
};

TopicTree::Page TopicTree::collect(std::string_view filter, std::string_view position, const Limits& limits,
                                   std::vector<Value>& into) const {
  return Walk(*this, filter).run(position, limits, into);
}

}  // namespace braid::routing
