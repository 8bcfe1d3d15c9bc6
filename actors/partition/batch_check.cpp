// Braid, Apache-2.0.
//
// The records of a compressed batch are not looked at where that can be avoided: inflating them costs more than all
// other work on a produce. Then its header has to stand for the records' times, and a header that does not keep to the
// topic's limits is reason enough to inflate, so that the producer is told which records are at fault.
#include "actors/partition/batch_check.hpp"

#include <limits>

#include "model/batch_walker.hpp"

namespace braid {

namespace {

constexpr std::size_t kMaxFaults = 100;
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

/// The times that the topic takes; limits of 2^63-1 ms mean none.
struct TimeWindow {
  std::int64_t earliest, latest;

  TimeWindow(const BatchRules& rules)
      : earliest(rules.topic.timestamp_before_max_ms > rules.now.value
                     ? 0
                     : rules.now.value - rules.topic.timestamp_before_max_ms),
        latest(rules.topic.timestamp_after_max_ms > kForever - rules.now.value
                   ? kForever
                   : rules.now.value + rules.topic.timestamp_after_max_ms) {}

  /// A record without a time is always taken.
  bool holds(Timestamp at) const { return at.value < 0 || (at.value >= earliest && at.value <= latest); }
};

CheckedBatch refused(Errc error, std::string reason) {
  CheckedBatch checked;
  checked.error = error;
  checked.reason = std::move(reason);
  return checked;
}

/// The records whose times lie outside; also those of a compressed batch.
CheckedBatch time_faults(const Bytes& batch, const TimeWindow& window) {
  auto walker = BatchWalker::open(batch, kMaxUncompressedBatchBytes);
  if (!walker) return refused(to_errc(walker.error()), std::string(to_string(walker.error())));
  CheckedBatch checked = refused(Errc::invalid_timestamp,
                                 "the batch's header or one of its records has a timestamp "
                                 "that lies too far from the broker's clock");
  RecordView record;
  for (std::int32_t index = 0; walker->next(record) && checked.faults.size() < kMaxFaults; ++index)
    if (!window.holds(record.timestamp))
      checked.faults.push_back({index, "timestamp " + std::to_string(record.timestamp.value) + " is not between " +
                                           std::to_string(window.earliest) + " and " + std::to_string(window.latest)});
  return checked;
}

CheckedBatch check_times(const Bytes& batch, CheckedBatch checked, const RecordTimes& times, const BatchRules& rules) {
  if (checked.header.timestamp_type() == TimestampType::log_append_time)
    return refused(Errc::invalid_timestamp, "only the broker may mark a batch with log append time");
  if (rules.topic.timestamp_type == TimestampType::log_append_time) return checked;
  if (times.known && times.latest != checked.header.max_timestamp) checked.max_timestamp = times.latest;
  const TimeWindow window(rules);
  const bool within = times.known ? window.holds(times.earliest) && window.holds(times.latest)
                                  : window.holds(checked.header.max_timestamp);
  if (!within) return time_faults(batch, window);
  return checked;
}

}  // namespace

CheckedBatch check_batch(const AppendBatch& request, const BatchRules& rules) {
  CheckedBatch checked;
  if (request.trusted) {
    const auto header = read_batch_header(request.batch);
    if (!header) return refused(Errc::corrupt_batch, std::string(to_string(header.error())));
    checked.header = *header;
    return checked;
  }
  if (request.batch.size() > static_cast<std::size_t>(rules.topic.max_message_bytes))
    return refused(Errc::batch_too_large, "the batch has " + std::to_string(request.batch.size()) +
                                              " bytes, max.message.bytes of the topic is " +
                                              std::to_string(rules.topic.max_message_bytes));
  BatchLimits limits;
  limits.from_client = !request.internal;
  limits.max_uncompressed_bytes = kMaxUncompressedBatchBytes;
  // Nothing in the header bounds how early a record may be.
  limits.check_compressed = rules.check_compressed || (rules.topic.timestamp_before_max_ms != kForever &&
                                                       rules.topic.timestamp_type == TimestampType::create_time);
  RecordTimes times;
  const auto valid = validate_batch(request.batch, limits, &times);
  if (!valid) return refused(to_errc(valid.error()), std::string(to_string(valid.error())));
  checked.header = *valid;
  if (checked.header.record_count <= 0) return refused(Errc::invalid_record, "the batch is empty");
  if (request.internal) return checked;
  if (checked.header.is_transactional()) return refused(Errc::invalid_record, "transactions are not served");
  return check_times(request.batch, std::move(checked), times, rules);
}

}  // namespace braid
