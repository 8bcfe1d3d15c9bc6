// Braid, Apache-2.0.
//
// Bytes that many actors share. A payload is read from a socket once and then lies in the journal's tail, in a
// replica's outbox and in a subscriber's send queue at the same time; copying it for each would cost more than all
// other work. So a payload is a slice of a reference-counted block: passing it on is one atomic increment.
//
// A block is written by its one owner and read-only from the moment a second owner has a slice of it, with one
// exception that is spelt out where it happens (`Bytes::stamp`).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace braid {

/// Reference-counted storage; `capacity` bytes follow the header in the same allocation.
class Block {
 public:
  static Block* make(std::size_t capacity) {
    void* memory = ::operator new(sizeof(Block) + capacity);
    return new (memory) Block(capacity);
  }
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      this->~Block();
      ::operator delete(this);
    }
  }
  bool unique() const noexcept { return references_.load(std::memory_order_acquire) == 1; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::uint8_t* data() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }

 private:
  explicit Block(std::size_t capacity) : capacity_(capacity) {}
  std::atomic<std::uint32_t> references_{1};
  std::size_t capacity_;
};

/// Owning pointer to a Block.
class BlockRef {
 public:
  BlockRef() = default;
  static BlockRef make(std::size_t capacity) { return BlockRef(Block::make(capacity)); }
  BlockRef(const BlockRef& other) noexcept : block_(other.block_) {
    if (block_) block_->retain();
  }
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_) block_->release();
  }
  Block* operator->() const noexcept { return block_; }
  Block* get() const noexcept { return block_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }

 private:
  explicit BlockRef(Block* block) : block_(block) {}
  Block* block_ = nullptr;
};

/// An immutable slice of a shared block (or of static storage). 24 bytes; copying it never copies what it shows.
class Bytes {
 public:
  Bytes() = default;
  Bytes(BlockRef owner, const std::uint8_t* data, std::size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {}

  static Bytes copy(std::string_view text) {
    if (text.empty()) return {};
    auto block = BlockRef::make(text.size());
    std::memcpy(block->data(), text.data(), text.size());
    const auto* data = block->data();
    return {std::move(block), data, text.size()};
  }
  static Bytes copy(std::span<const std::uint8_t> bytes) {
    return copy(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  /// Refers to storage that lives as long as the program.
  static Bytes literal(std::string_view text) {
    return {BlockRef(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  const std::uint8_t* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::uint8_t operator[](std::size_t index) const noexcept { return data_[index]; }
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  std::span<const std::uint8_t> span() const noexcept { return {data_, size_}; }
  std::string str() const { return std::string(view()); }

  /// A part of this slice; clamped to it, so that no argument reaches outside.
  Bytes slice(std::size_t offset, std::size_t length = SIZE_MAX) const {
    if (offset > size_) offset = size_;
    if (length > size_ - offset) length = size_ - offset;
    return {owner_, data_ + offset, length};
  }
  /// The same bytes in a block of their own when this slice pins much more memory than it shows: for what is kept
  /// long (retained messages, group state) and came out of a large receive block.
  Bytes compact() const {
    if (!owner_ || owner_->capacity() <= 2 * size_ + 64) return *this;
    return copy(view());
  }
  /// Memory that this slice keeps alive.
  std::size_t pinned() const noexcept { return owner_ ? owner_->capacity() : 0; }

  /// Write access for the one actor that the slice was handed over to: the partition that stamps base offset and
  /// leader epoch into a produced batch, in place, before anybody else can see it.
  std::uint8_t* stamp() noexcept { return const_cast<std::uint8_t*>(data_); }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view() == b.view(); }

 private:
  BlockRef owner_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace braid
