// Braid, Apache-2.0.
#include "codecs/frame_writer.hpp"

namespace braid {

std::vector<Bytes> FrameWriter::finish() {
  const Bytes block = block_.finish();
  std::vector<Bytes> chain;
  chain.reserve(2 * shared_.size() + 1);
  std::size_t done = 0;
  for (Shared& shared : shared_) {
    if (shared.position > done) chain.push_back(block.slice(done, shared.position - done));
    done = shared.position;
    chain.push_back(std::move(shared.payload));
  }
  if (block.size() > done) chain.push_back(block.slice(done));
  return chain;
}

}  // namespace braid
