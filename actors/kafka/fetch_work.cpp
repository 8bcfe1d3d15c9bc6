// Braid, Apache-2.0.
#include "actors/kafka/fetch_work.hpp"

#include <algorithm>
#include <unordered_set>

#include "actors/kafka/session.hpp"
#include "model/record_batch.hpp"

namespace braid::kafka {

namespace {
constexpr unsigned kTokenIndexBits = 24;
constexpr std::int16_t kFirstVersionWithIds = 13;
}  // namespace

FetchWork::FetchWork(Session& session, const Call& call, FetchRequest request)
    : session_(session), call_(call), request_(std::move(request)) {}

void FetchWork::start() {
  const auto self = shared_from_this();
  if (const ErrorCode error = check_session(); error != ErrorCode::none) {
    response_.error_code = error;
    return answer();
  }
  budget_ =
      std::clamp<std::int64_t>(request_.max_bytes, 0, static_cast<std::int64_t>(session_.settings().max_fetch_bytes));
  wanted_ = std::min<std::int64_t>(request_.min_bytes, std::max<std::int64_t>(budget_, 1));
  find_sources();
  forget_other_parked();
  if (sources_.empty() || request_.max_wait_ms <= 0 || wanted_ <= 0 || session_.draining()) due_ = true;
  if (!due_) session_.set_deadline(call_, request_.max_wait_ms, [self] { self->hurry(); });
  for (std::size_t i = 0; i < sources_.size(); ++i) read(i, i == 0);
  if (reads_ == 0) go_on();
}

/// Sessions (KIP-227) are not kept: every answer says session 0, so that clients send whole requests each time. Only a
/// request that counts on a session of another broker's making can be wrong.
ErrorCode FetchWork::check_session() const {
  constexpr std::int32_t kFinalEpoch = -1, kInitialEpoch = 0;
  if (request_.session_epoch == kFinalEpoch || request_.session_epoch == kInitialEpoch) return ErrorCode::none;
  return request_.session_id == 0 ? ErrorCode::invalid_fetch_session_epoch : ErrorCode::fetch_session_id_not_found;
}

void FetchWork::find_sources() {
  const bool by_id = call_.version >= kFirstVersionWithIds;
  response_.responses.resize(request_.topics.size());
  for (std::size_t t = 0; t < request_.topics.size(); ++t) {
    const FetchRequest::Topic& wanted = request_.topics[t];
    FetchResponse::Topic& topic = response_.responses[t];
    topic.topic = wanted.topic;
    topic.topic_id = wanted.topic_id;
    topic.partitions.resize(wanted.partitions.size());
    const Directory& directory = session_.services().directory;
    const TopicRef known = by_id ? directory.find(wanted.topic_id) : directory.find(wanted.topic.view());
    for (std::size_t p = 0; p < wanted.partitions.size(); ++p) {
      const FetchRequest::Partition& asked = wanted.partitions[p];
      topic.partitions[p].partition_index = asked.partition;
      if (request_.isolation_level == 0) topic.partitions[p].aborted_transactions.reset();
      const PartitionPlacement* place = known ? known->partition(PartitionIndex{asked.partition}) : nullptr;
      if (!place) {
        fail(t, p, by_id && !known ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition);
        continue;
      }
      Source source;
      source.topic = t;
      source.partition = p;
      source.id = place->id;
      if (asked.current_leader_epoch >= 0) source.epoch = LeaderEpoch{asked.current_leader_epoch};
      source.next = Offset{asked.fetch_offset};
      source.max_bytes = std::max(asked.partition_max_bytes, 0);
      sources_.push_back(std::move(source));
    }
  }
}

void FetchWork::fail(std::size_t topic, std::size_t partition, ErrorCode error) {
  FetchResponse::Partition& place = response_.responses[topic].partitions[partition];
  place.error_code = error;
  place.high_watermark = -1;
  due_ = true;
}

/// Reads that an earlier fetch left parked are replaced when this one parks at the same partition; the others would
/// keep their partitions from resting.
void FetchWork::forget_other_parked() {
  auto& parked = session_.parked();
  if (parked.empty()) return;
  std::unordered_set<PartitionId> mine;
  for (const Source& source : sources_) mine.insert(source.id);
  std::erase_if(parked, [&](PartitionId id) {
    if (mine.count(id) > 0) return false;
    session_.services().partitions.tell(&session_, id, Unpark{session_.id()});
    return true;
  });
}

std::uint64_t FetchWork::token(std::size_t index) const {
  return call_.number << kTokenIndexBits | index;
}

void FetchWork::read(std::size_t index, bool at_least_one) {
  Source& source = sources_[index];
  source.offered = std::min(source.max_bytes, std::max<std::int64_t>(budget_, 0));
  budget_ -= source.offered;
  source.reading = true;
  source.asked_for_one = at_least_one;
  ++reads_;
  ReadBatches request;
  request.from = source.next;
  request.max_bytes = static_cast<std::uint32_t>(source.offered);
  request.at_least_one = at_least_one;
  request.current_leader_epoch = source.epoch;
  if (!due_) {
    request.park = WakeTarget(SessionActor(&session_));
    request.token = token(index);
  }
  session_.services().partitions.request(
      &session_, source.id, std::move(request),
      [self = shared_from_this(), index](const BatchesRead& result) { self->have(index, result); });
}

void FetchWork::have(std::size_t index, const BatchesRead& read) {
  Source& source = sources_[index];
  source.reading = false;
  --reads_;
  source.parked = read.parked;
  if (read.parked) session_.parked().insert(source.id);
  source.high_watermark = read.high_watermark;
  const auto bytes = static_cast<std::int64_t>(read.bytes);
  budget_ += source.offered - bytes;
  source.max_bytes = std::max<std::int64_t>(source.max_bytes - bytes, 0);
  bytes_ += bytes;
  source.batches.insert(source.batches.end(), read.batches.begin(), read.batches.end());

  FetchResponse::Partition& place = response_.responses[source.topic].partitions[source.partition];
  if (read.error != Errc::none) {
    source.failed = true;
    fail(source.topic, source.partition, to_error_code(read.error));
  }
  // A consumer that is out of range wants to know what the range is.
  if (read.error == Errc::none || read.error == Errc::offset_out_of_range) {
    place.high_watermark = read.high_watermark.value;
    place.last_stable_offset = read.last_stable.value;
    place.log_start_offset = read.log_start.value;
  }
  if (reads_ == 0) go_on();
}

void FetchWork::go_on() {
  if (answered_) return;
  if (offer_left_over()) return;
  if (due_ || bytes_ >= wanted_) return answer();
  park_at_end();
}

/// Partitions that have records but brought none, because others before them had reserved the room, get another read
/// with what is left now. If nothing has come at all, the first of them yields a batch of whatever size.
bool FetchWork::offer_left_over() {
  bool started = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    const bool starved =
        !source.failed && !source.parked && source.batches.empty() && source.next < source.high_watermark;
    if (!starved) continue;
    if (bytes_ == 0 && !source.asked_for_one) {
      read(i, true);
      return true;
    }
    if (std::min(source.max_bytes, budget_) <= source.offered) continue;
    read(i, false);
    started = true;
  }
  return started;
}

/// More is wanted: where everything was read, the next read waits for what comes. True when it asked.
bool FetchWork::park_at_end() {
  bool started = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    if (source.failed || source.parked || source.reading) continue;
    for (; source.counted < source.batches.size(); ++source.counted)
      for (BatchSequence batches(source.batches[source.counted]); batches.next();)
        source.next = batches.header().next_offset();
    if (source.next < source.high_watermark || source.max_bytes == 0) continue;
    read(i, false);
    started = true;
  }
  return started;
}

void FetchWork::wake(std::uint64_t token_given) {
  const std::uint64_t index = token_given & ((1u << kTokenIndexBits) - 1);
  if (answered_ || index >= sources_.size() || token_given != token(index)) return;
  Source& source = sources_[index];
  source.parked = false;
  session_.parked().erase(source.id);
  if (!source.reading) read(index, bytes_ == 0);
}

void FetchWork::hurry() {
  due_ = true;
  if (reads_ == 0) go_on();
}

void FetchWork::answer() {
  if (answered_) return;
  answered_ = true;
  for (Source& source : sources_)
    response_.responses[source.topic].partitions[source.partition].records = Records(std::move(source.batches));
  const auto self = shared_from_this();
  session_.respond(call_, response_);
  session_.fetch_finished();
}

}  // namespace braid::kafka
