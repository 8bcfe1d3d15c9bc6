// Braid, Apache-2.0.
//
// Walking a batch whose checksum nobody vouches for: every view has to lie in the batch or in what it inflates to, and
// what a valid batch holds has to come back the same out of a batch built of it.
#include <cstdlib>

#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"

using namespace braid;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

/// Reads every byte of a view, so that a sanitizer sees one that lies outside.
std::size_t touch(std::string_view bytes) {
  std::size_t sum = 0;
  for (char byte : bytes) sum += static_cast<unsigned char>(byte);
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 1 << 20;
  const Bytes batch = Bytes::copy(std::span(data, size));
  auto walker = BatchWalker::open(batch, kLimit);
  if (!walker) return 0;

  std::vector<Message> messages;
  std::size_t sum = 0;
  std::int64_t previous = -1;
  bool timestamps_in_range = true;
  RecordView record;
  while (walker->next(record)) {
    require(record.offset.value > previous);
    previous = record.offset.value;
    if (record.key) sum += touch(*record.key);
    if (record.value) sum += touch(*record.value);
    HeaderReader headers = record.headers;
    const auto header_count = headers.left();
    std::int32_t read = 0;
    for (HeaderView header; headers.next(header); ++read) sum += touch(header.key) + touch(header.value.value_or(""));
    require(read == header_count);
    messages.push_back(walker->message(record));
    if (record.timestamp.value < -1 || record.timestamp.value == INT64_MAX) timestamps_in_range = false;
  }
  volatile std::size_t keep = sum;
  static_cast<void>(keep);
  require(previous <= walker->header().last_offset().value);
  require(messages.size() <= static_cast<std::size_t>(walker->header().record_count));
  if (walker->failed() || messages.empty() || !timestamps_in_range) return 0;

  BatchBuilder builder;
  for (const auto& message : messages) require(builder.add(message));
  auto again = BatchWalker::open(builder.finish(Compression::lz4), 4 * kLimit);
  require(again.has_value());
  for (const auto& message : messages) {
    require(again->next(record));
    require(again->message(record) == message);
  }
  require(!again->next(record) && !again->failed());
  return 0;
}
