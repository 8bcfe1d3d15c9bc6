// Braid, Apache-2.0.
//
// An ordered set of small keys that grows to tens of millions: a B+ tree whose leaves hold about 500 bytes of keys in
// a row, so that walking a range reads memory front to back. Leaves that have become nearly empty are joined with a
// neighbour, and appending fills them up, since most indexes grow at their end.
//
// A position (`Cursor`) is good until the set changes; whoever wants to go on after a change seeks the key again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace braid::routing {

template <class Key>
class OrderedSet {
  static_assert(std::is_trivially_copyable_v<Key>);
  struct Node;
  struct Leaf;

 public:
  OrderedSet() = default;
  OrderedSet(const OrderedSet&) = delete;
  OrderedSet& operator=(const OrderedSet&) = delete;
  ~OrderedSet() {
    if (root_) destroy(root_);
  }

  class Cursor {
   public:
    Cursor() = default;
    bool done() const { return leaf_ == nullptr; }
    const Key& key() const { return leaf_->keys[index_]; }
    void next() {
      if (++index_ == leaf_->count) {
        leaf_ = leaf_->next;
        index_ = 0;
      }
    }

   private:
    friend OrderedSet;
    Cursor(const Leaf* leaf, std::uint32_t index) : leaf_(leaf), index_(index) {}
    const Leaf* leaf_ = nullptr;
    std::uint32_t index_ = 0;
  };

  /// The first key that is not less than `key`.
  Cursor seek(const Key& key) const {
    if (!root_) return {};
    const Node* node = root_;
    while (!node->leaf) {
      const auto* inner = static_cast<const Inner*>(node);
      node = inner->children[inner->child_of(key)];
    }
    const auto* leaf = static_cast<const Leaf*>(node);
    const auto index = leaf->lower(key);
    return index < leaf->count ? Cursor(leaf, index) : Cursor(leaf->next, 0);
  }

  /// False when the key is there already.
  bool insert(const Key& key) {
    if (!root_) root_ = make_leaf();
    Split split;
    const bool inserted = insert_into(root_, key, split, true);
    if (split.right) {
      auto* root = make_inner();
      root->keys[0] = split.separator;
      root->children[0] = root_;
      root->children[1] = split.right;
      root->count = 1;
      root_ = root;
    }
    size_ += inserted;
    return inserted;
  }

  /// False when the key is not there.
  bool erase(const Key& key) {
    if (!root_ || !erase_from(root_, key)) return false;
    --size_;
    if (root_->count == 0) {
      Node* old = root_;
      root_ = old->leaf ? nullptr : static_cast<Inner*>(old)->children[0];
      free(old);
    }
    return true;
  }

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return leaves_ * sizeof(Leaf) + inners_ * sizeof(Inner); }

 private:
  static constexpr std::uint32_t leaf_keys = std::max<std::size_t>(8, 496 / sizeof(Key));
  static constexpr std::uint32_t inner_keys = std::max<std::size_t>(8, 480 / (sizeof(Key) + sizeof(void*)));

  struct Node {
    explicit Node(bool is_leaf) : leaf(is_leaf) {}
    bool leaf;
    std::uint32_t count = 0;  ///< of keys
  };
  struct Leaf : Node {
    Leaf() : Node(true) {}
    std::uint32_t lower(const Key& key) const {
      return static_cast<std::uint32_t>(std::lower_bound(keys.begin(), keys.begin() + this->count, key) - keys.begin());
    }
    std::array<Key, leaf_keys> keys;
    Leaf* next = nullptr;
  };
  struct Inner : Node {
    Inner() : Node(false) {}
    /// keys[i] is not greater than any key below children[i + 1], and greater than all below children[i].
    std::uint32_t child_of(const Key& key) const {
      return static_cast<std::uint32_t>(std::upper_bound(keys.begin(), keys.begin() + this->count, key) - keys.begin());
    }
    std::array<Key, inner_keys> keys;
    std::array<Node*, inner_keys + 1> children{};
  };
  struct Split {
    Node* right = nullptr;
    Key separator{};
  };

  Leaf* make_leaf() {
    ++leaves_;
    return new Leaf;
  }
  Inner* make_inner() {
    ++inners_;
    return new Inner;
  }
  void free(Node* node) {
    if (node->leaf) {
      --leaves_;
      delete static_cast<Leaf*>(node);
    } else {
      --inners_;
      delete static_cast<Inner*>(node);
    }
  }
  void destroy(Node* node) {
    if (!node->leaf) {
      auto* inner = static_cast<Inner*>(node);
      for (std::uint32_t child = 0; child <= inner->count; ++child) destroy(inner->children[child]);
    }
    free(node);
  }

  template <class Array, class Value>
  static void put_at(Array& array, std::uint32_t count, std::uint32_t index, const Value& value) {
    std::copy_backward(array.begin() + index, array.begin() + count, array.begin() + count + 1);
    array[index] = value;
  }
  template <class Array>
  static void drop_at(Array& array, std::uint32_t count, std::uint32_t index) {
    std::copy(array.begin() + index + 1, array.begin() + count, array.begin() + index);
  }

  /// `at_end`: nothing in the tree is to the right of this node.
  bool insert_into(Node* node, const Key& key, Split& split, bool at_end) {
    if (node->leaf) return insert_into_leaf(static_cast<Leaf*>(node), key, split, at_end);
    auto* inner = static_cast<Inner*>(node);
    const auto child = inner->child_of(key);
    Split below;
    const bool inserted = insert_into(inner->children[child], key, below, at_end && child == inner->count);
    if (!below.right) return inserted;
    if (inner->count == inner_keys) {
      auto* right = make_inner();
      const std::uint32_t keep = at_end && child == inner->count ? inner_keys - 1 : inner_keys / 2;
      split = {right, inner->keys[keep]};
      right->count = inner->count - keep - 1;
      std::copy(inner->keys.begin() + keep + 1, inner->keys.begin() + inner->count, right->keys.begin());
      std::copy(inner->children.begin() + keep + 1, inner->children.begin() + inner->count + 1,
                right->children.begin());
      inner->count = keep;
      if (child > keep) {
        add_child(right, child - keep - 1, below);
        return inserted;
      }
    }
    add_child(inner, child, below);
    return inserted;
  }
  static void add_child(Inner* inner, std::uint32_t after, const Split& below) {
    put_at(inner->keys, inner->count, after, below.separator);
    put_at(inner->children, inner->count + 1, after + 1, below.right);
    ++inner->count;
  }
  bool insert_into_leaf(Leaf* leaf, const Key& key, Split& split, bool at_end) {
    auto index = leaf->lower(key);
    if (index < leaf->count && !(key < leaf->keys[index])) return false;
    if (leaf->count == leaf_keys) {
      auto* right = make_leaf();
      const std::uint32_t keep = at_end && index == leaf->count ? leaf_keys : leaf_keys / 2;
      right->count = leaf->count - keep;
      std::copy(leaf->keys.begin() + keep, leaf->keys.begin() + leaf->count, right->keys.begin());
      right->next = leaf->next;
      leaf->next = right;
      leaf->count = keep;
      Leaf* target = index > keep || keep == leaf_keys ? right : leaf;
      if (target == right) index -= keep;
      put_at(target->keys, target->count, index, key);
      ++target->count;
      split = {right, right->keys[0]};
      return true;
    }
    put_at(leaf->keys, leaf->count, index, key);
    ++leaf->count;
    return true;
  }

  bool erase_from(Node* node, const Key& key) {
    if (node->leaf) {
      auto* leaf = static_cast<Leaf*>(node);
      const auto index = leaf->lower(key);
      if (index == leaf->count || key < leaf->keys[index]) return false;
      drop_at(leaf->keys, leaf->count, index);
      --leaf->count;
      return true;
    }
    auto* inner = static_cast<Inner*>(node);
    const auto child = inner->child_of(key);
    if (!erase_from(inner->children[child], key)) return false;
    const auto sparse = inner->children[child]->leaf ? leaf_keys / 4 : inner_keys / 4;
    if (inner->children[child]->count < sparse) balance(inner, child > 0 ? child - 1 : 0);
    return true;
  }

  /// Makes one of children `left` and `left + 1` when they fit, else shares their keys evenly.
  void balance(Inner* inner, std::uint32_t left) {
    Node* a = inner->children[left];
    Node* b = inner->children[left + 1];
    const bool joined = a->leaf ? balance_leaves(static_cast<Leaf*>(a), static_cast<Leaf*>(b), inner->keys[left])
                                : balance_inners(static_cast<Inner*>(a), static_cast<Inner*>(b), inner->keys[left]);
    if (!joined) return;
    free(b);
    drop_at(inner->keys, inner->count, left);
    drop_at(inner->children, inner->count + 1, left + 1);
    --inner->count;
  }
  static bool balance_leaves(Leaf* a, Leaf* b, Key& separator) {
    std::array<Key, 2 * leaf_keys> all;
    const auto total = a->count + b->count;
    std::copy_n(b->keys.begin(), b->count, std::copy_n(a->keys.begin(), a->count, all.begin()));
    const bool joined = total <= leaf_keys;
    a->count = joined ? total : total / 2;
    std::copy_n(all.begin(), a->count, a->keys.begin());
    if (joined) {
      a->next = b->next;
      return true;
    }
    b->count = total - a->count;
    std::copy_n(all.begin() + a->count, b->count, b->keys.begin());
    separator = b->keys[0];
    return false;
  }
  static bool balance_inners(Inner* a, Inner* b, Key& separator) {
    std::array<Key, 2 * inner_keys + 1> keys;
    std::array<Node*, 2 * inner_keys + 2> children;
    const auto total = a->count + 1 + b->count;
    auto to = std::copy_n(a->keys.begin(), a->count, keys.begin());
    *to = separator;
    std::copy_n(b->keys.begin(), b->count, to + 1);
    std::copy_n(b->children.begin(), b->count + 1, std::copy_n(a->children.begin(), a->count + 1, children.begin()));
    const bool joined = total <= inner_keys;
    a->count = joined ? total : total / 2;
    std::copy_n(keys.begin(), a->count, a->keys.begin());
    std::copy_n(children.begin(), a->count + 1, a->children.begin());
    if (joined) return true;
    separator = keys[a->count];
    b->count = total - a->count - 1;
    std::copy_n(keys.begin() + a->count + 1, b->count, b->keys.begin());
    std::copy_n(children.begin() + a->count + 1, b->count + 1, b->children.begin());
    return false;
  }

  Node* root_ = nullptr;
  std::size_t size_ = 0;
  std::size_t leaves_ = 0;
  std::size_t inners_ = 0;
};

}  // namespace braid::routing
