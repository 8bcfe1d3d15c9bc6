// Braid, Apache-2.0.
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

Bytes Records::joined() const {
  if (rest_.empty()) return first_;
  auto block = BlockRef::make(size());
  std::uint8_t* const start = block->data();
  std::uint8_t* at = start;
  for_each([&](const Bytes& slice) {
    std::memcpy(at, slice.data(), slice.size());
    at += slice.size();
  });
  return {std::move(block), start, static_cast<std::size_t>(at - start)};
}

}  // namespace braid::kafka
