// Braid, Apache-2.0.
#include "actors/state_log.hpp"

namespace braid {

std::vector<Bytes> encode_state(const std::vector<StateChange>& changes, Timestamp now, std::size_t batch_bytes) {
  std::vector<Bytes> batches;
  BatchBuilder builder;
  for (const auto& change : changes) {
    const std::size_t next = change.key.size() + (change.value ? change.value->size() : 0);
    if (!builder.empty() && builder.bytes() + next > batch_bytes) batches.push_back(builder.finish());
    std::optional<std::string_view> value;
    if (change.value) value = change.value->view();
    builder.add(now, change.key.view(), value);
  }
  if (!builder.empty()) batches.push_back(builder.finish());
  return batches;
}

bool StateLog::replay(const Bytes& batches, Offset& next, const Apply& apply) {
  BatchSequence sequence(batches);
  while (sequence.next()) {
    bytes_since_snapshot_ += sequence.batch().size();
    auto walker = BatchWalker::open(sequence.batch(), sequence.batch().size());
    if (!walker) return false;
    RecordView record;
    while (walker->next(record)) {
      if (record.offset < next || !record.key) continue;
      apply(walker->share(*record.key), walker->share(record.value));
    }
    if (walker->failed()) return false;
    next = sequence.header().next_offset();
  }
  return !sequence.failed() && sequence.rest().empty();
}

}  // namespace braid
