// Braid, Apache-2.0.
#include "actors/kafka/fetch_work.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "actors/kafka/leader_hint.hpp"
#include "actors/kafka/session.hpp"
#include "model/record_batch.hpp"

namespace braid::kafka {

namespace {
constexpr std::int16_t kFirstFetchWithIds = 13, kFirstFetchWithLeaderHints = 16;
constexpr std::int32_t kFinalEpoch = -1, kInitialEpoch = 0;
}  // namespace

FetchWork::FetchWork(Session& session, const Call& call, FetchRequest request)
    : session_(session), call_(call), number_(call.number), request_(std::move(request)) {}

bool FetchWork::by_id() const {
  return call_.version >= kFirstFetchWithIds;
}

void FetchWork::start() {
  const auto self = shared_from_this();
  // Whatever this one asks for: it parks its own reads instead.
  const std::shared_ptr<FetchWork> last = session_.take_quiet_fetch();
  if (const ErrorCode error = open_session(last.get()); error != ErrorCode::none) {
    response_.error_code = error;
    answered_ = true;
    return respond();
  }
  budget_ =
      std::clamp<std::int64_t>(request_.max_bytes, 0, static_cast<std::int64_t>(session_.settings().max_fetch_bytes));
  wanted_ = std::min<std::int64_t>(request_.min_bytes, std::max<std::int64_t>(budget_, 1));
  if (sources_.empty() || request_.max_wait_ms <= 0 || wanted_ <= 0 || session_.draining()) due_ = true;
  if (!due_) session_.set_deadline(call_, request_.max_wait_ms, [self] { self->hurry(); });
  if (!quiet_) begin_reads();
  if (reads_ == 0) go_on();
}

// -- what is asked for ------------------------------------------------------------------------------------------------

ErrorCode FetchWork::open_session(FetchWork* last) {
  FetchSessions& sessions = session_.services().fetch_sessions;
  const std::int64_t now_ms = session_.loop().now_ms();
  if (request_.session_epoch == kFinalEpoch || request_.session_epoch == kInitialEpoch) {
    if (request_.session_id != 0) sessions.remove(request_.session_id);
    wants_session_ = request_.session_epoch == kInitialEpoch;
    take_from_request();
    return ErrorCode::none;
  }
  const FetchSessionRef kept = sessions.find(request_.session_id, now_ms);
  if (!kept) return ErrorCode::fetch_session_id_not_found;
  if (kept->epoch != request_.session_epoch) return ErrorCode::invalid_fetch_session_epoch;
  if (kept->by_id != by_id()) return ErrorCode::fetch_session_topic_id_error;
  if (!sessions.update(*kept, request_, now_ms))
    // With its last partition a session ends; one that does not fit any more is gone, and the client begins anew.
    return kept->size() == 0 ? ErrorCode::none : ErrorCode::fetch_session_id_not_found;
  kept_session_ = kept;
  quiet_ = last && take_over(*last);
  expected_epoch_ = kept->epoch = FetchSession::next_epoch(kept->epoch);
  if (!quiet_) take_from_session();
  return ErrorCode::none;
}

bool FetchWork::take_over(FetchWork& last) {
  if (!request_.topics.empty() || !request_.forgotten_topics_data.empty() || request_.max_wait_ms <= 0 ||
      request_.min_bytes <= 0 || session_.draining())
    return false;
  // Another connection may have gone on with the session meanwhile.
  if (last.kept_session_ != kept_session_ || last.expected_epoch_ != kept_session_->epoch ||
      last.request_.isolation_level != request_.isolation_level || last.call_.version != call_.version)
    return false;
  if (last.directory_version_ != session_.services().directory.version() ||
      session_.loop().now_ms() - last.oldest_read_ms_ >= ParkedReads::kTrustedForMs)
    return false;
  number_ = last.number_;
  topics_ = std::move(last.topics_);
  sources_ = std::move(last.sources_);
  oldest_read_ms_ = last.oldest_read_ms_;
  directory_version_ = last.directory_version_;
  return true;
}

bool FetchWork::parked_everywhere() const {
  return std::all_of(sources_.begin(), sources_.end(),
                     [](const Source& source) { return source.parked && source.batches.empty(); });
}

void FetchWork::take_from_request() {
  const Directory& directory = session_.services().directory;
  std::size_t count = 0;
  for (const FetchRequest::Topic& topic : request_.topics) count += topic.partitions.size();
  sources_.reserve(count);
  topics_.reserve(request_.topics.size());
  for (const FetchRequest::Topic& wanted : request_.topics) {
    topics_.push_back({wanted.topic, wanted.topic_id});
    const TopicRef known = by_id() ? directory.find(wanted.topic_id) : directory.find(wanted.topic.view());
    for (const FetchRequest::Partition& asked : wanted.partitions) add_source(known, asked, nullptr);
  }
}

void FetchWork::take_from_session() {
  const Directory& directory = session_.services().directory;
  struct Known {
    std::size_t number;
    TopicRef topic;
  };
  std::unordered_map<const FetchSession::Topic*, Known> known;
  sources_.reserve(kept_session_->size());
  for (FetchSession::Partition& partition : kept_session_->partitions()) {
    const FetchSession::Topic& named = *partition.topic;
    const auto [at, added] = known.try_emplace(&named, Known{topics_.size(), nullptr});
    if (added) {
      topics_.push_back({named.name, named.id});
      at->second.topic = by_id() ? directory.find(named.id) : directory.find(named.name.view());
    }
    add_source(at->second.topic, partition.wanted, &partition);
    sources_.back().topic = at->second.number;
  }
}

void FetchWork::add_source(const TopicRef& known, const FetchRequest::Partition& asked, FetchSession::Partition* kept) {
  Source& source = sources_.emplace_back();
  source.topic = topics_.size() - 1;
  source.kept = kept;
  source.place.partition_index = asked.partition;
  if (request_.isolation_level == 0) source.place.aborted_transactions.reset();
  const PartitionPlacement* place = known ? known->partition(PartitionIndex{asked.partition}) : nullptr;
  if (!place)
    return fail(source, by_id() && !known ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition);
  source.at = *place;
  if (asked.current_leader_epoch >= 0) source.epoch = LeaderEpoch{asked.current_leader_epoch};
  if (asked.last_fetched_epoch >= 0) source.last_read_epoch = LeaderEpoch{asked.last_fetched_epoch};
  source.next = Offset{asked.fetch_offset};
  source.max_bytes = std::max(asked.partition_max_bytes, 0);
}

void FetchWork::fail(Source& source, ErrorCode error) {
  source.failed = true;
  source.place.error_code = error;
  source.place.high_watermark = -1;
  due_ = true;
  if (call_.version >= kFirstFetchWithLeaderHints && wants_leader(error))
    add_leader_hint(session_, source.at, response_, source.place);
}

// -- reading ----------------------------------------------------------------------------------------------------------

void FetchWork::begin_reads() {
  directory_version_ = session_.services().directory.version();
  bool first = true;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].failed || adopt_parked(i)) continue;
    read(i, std::exchange(first, false));
  }
  // What an earlier fetch left parked elsewhere would keep its partitions from resting.
  session_.parked().forget_others(number_, [this](PartitionId partition) {
    session_.services().partitions.tell(&session_, partition, Unpark{session_.id()});
  });
}

/// A read that waits there since an earlier fetch serves this one too. Not for a fetch that does not wait itself: a
/// Wake may be on its way, and only the partition knows whether everything that was acknowledged is in the answer.
bool FetchWork::adopt_parked(std::size_t index) {
  Source& source = sources_[index];
  if (due_ || source.last_read_epoch) return false;
  ParkedRead* parked = session_.parked().find(source.at.id, source.next, source.epoch, session_.loop().now_ms());
  if (!parked || parked->fetch == number_) return false;
  parked->fetch = number_;
  parked->source = index;
  oldest_read_ms_ = std::min(oldest_read_ms_, parked->since_ms);
  source.parked = true;
  source.high_watermark = parked->high_watermark;
  set_watermarks(source, parked->high_watermark, parked->last_stable, parked->log_start);
  return true;
}

void FetchWork::read(std::size_t index, bool at_least_one) {
  Source& source = sources_[index];
  source.offered = std::min(source.max_bytes, std::max<std::int64_t>(budget_, 0));
  budget_ -= source.offered;
  source.reading = true;
  source.asked_for_one = at_least_one;
  ++reads_;
  session_.parked().superseded(source.at.id, number_);
  ReadBatches request;
  request.from = source.next;
  request.max_bytes = static_cast<std::uint32_t>(source.offered);
  request.at_least_one = at_least_one;
  request.current_leader_epoch = source.epoch;
  request.last_read_epoch = source.last_read_epoch;
  if (!due_) {
    request.park = WakeTarget(SessionActor(&session_));
    request.token = source.at.id.value;
  }
  session_.services().partitions.request(
      &session_, source.at.id, std::move(request),
      [self = shared_from_this(), index](const BatchesRead& result) { self->have(index, result); });
}

void FetchWork::set_watermarks(Source& source, Offset high_watermark, Offset last_stable, Offset log_start) {
  source.place.high_watermark = high_watermark.value;
  source.place.last_stable_offset = last_stable.value;
  source.place.log_start_offset = log_start.value;
}

void FetchWork::have(std::size_t index, const BatchesRead& read) {
  Source& source = sources_[index];
  source.reading = false;
  --reads_;
  if (read.error == Errc::unknown_outcome && !std::exchange(source.asked_again, true)) {
    // The partition ended with the question: who asks again gets a new one, or learns that its topic is gone.
    budget_ += source.offered;
    return this->read(index, source.asked_for_one);
  }
  source.parked = read.parked;
  if (read.parked) {
    const std::int64_t now_ms = session_.loop().now_ms();
    oldest_read_ms_ = std::min(oldest_read_ms_, now_ms);
    session_.parked().parked(source.at.id, {source.next, source.epoch, read.high_watermark, read.last_stable,
                                            read.log_start, now_ms, true, number_, index});
  }
  source.high_watermark = read.high_watermark;
  const auto bytes = static_cast<std::int64_t>(read.bytes);
  budget_ += source.offered - bytes;
  source.max_bytes = std::max<std::int64_t>(source.max_bytes - bytes, 0);
  bytes_ += bytes;
  source.batches.insert(source.batches.end(), read.batches.begin(), read.batches.end());

  if (read.error != Errc::none) fail(source, to_error_code(read.error));
  // A consumer that is out of range wants to know what the range is.
  if (read.error == Errc::none || read.error == Errc::offset_out_of_range)
    set_watermarks(source, read.high_watermark, read.last_stable, read.log_start);
  if (read.diverging) {
    source.place.diverging_epoch = {read.diverging->epoch.value, read.diverging->end.value};
    source.failed = due_ = true;
  }
  if (reads_ == 0) go_on();
}

void FetchWork::go_on() {
  if (answered_) return;
  if (!quiet_ && offer_left_over()) return;
  if (due_ || bytes_ >= wanted_) return answer();
  if (!quiet_) park_at_end();
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

/// More is wanted: where everything was read, the next read waits for what comes.
void FetchWork::park_at_end() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_[i];
    if (source.failed || source.parked || source.reading) continue;
    for (; source.counted < source.batches.size(); ++source.counted)
      for (BatchSequence batches(source.batches[source.counted]); batches.next();) {
        source.next = batches.header().next_offset();
        source.last_read_epoch.reset();
      }
    if (source.next < source.high_watermark || source.max_bytes == 0) continue;
    read(i, false);
  }
}

void FetchWork::wake(std::size_t index) {
  if (answered_ || index >= sources_.size()) return;
  quiet_ = false;
  Source& source = sources_[index];
  source.parked = false;
  source.asked_again = false;
  if (!source.reading) read(index, bytes_ == 0);
}

void FetchWork::hurry() {
  due_ = true;
  if (reads_ == 0) go_on();
}

// -- the answer -------------------------------------------------------------------------------------------------------

void FetchWork::answer() {
  if (answered_) return;
  answered_ = true;
  // Meanwhile another connection may have gone on with the session.
  if (kept_session_ && kept_session_->epoch != expected_epoch_)
    response_.error_code = ErrorCode::invalid_fetch_session_epoch;
  else
    fill_response();
  respond();
}

void FetchWork::fill_response() {
  if (kept_session_) response_.session_id = kept_session_->id;
  // Nothing can have changed.
  if (quiet_) return session_.keep_quiet_fetch(shared_from_this());
  if (wants_session_) keep_new_session();
  constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  std::vector<std::size_t> places(topics_.size(), kNowhere);
  response_.responses.reserve(kept_session_ ? 0 : topics_.size());
  // A topic that is asked for without partitions has its place in a full answer too.
  const auto place_of = [&](std::size_t topic) -> FetchResponse::Topic& {
    if (places[topic] == kNowhere) {
      places[topic] = response_.responses.size();
      response_.responses.push_back({topics_[topic].name, topics_[topic].id, {}});
    }
    return response_.responses[places[topic]];
  };
  if (!kept_session_)
    for (std::size_t topic = 0; topic < topics_.size(); ++topic)
      place_of(topic).partitions.reserve(request_.topics[topic].partitions.size());
  for (Source& source : sources_) {
    source.place.records = Records(std::move(source.batches));
    if (source.kept) {
      const bool has_records = !source.place.records->empty();
      if (!must_tell(source)) continue;
      if (has_records) kept_session_->move_to_end(*source.kept);
    }
    place_of(source.topic).partitions.push_back(std::move(source.place));
  }
  if (kept_session_ && response_.responses.empty() && parked_everywhere())
    session_.keep_quiet_fetch(shared_from_this());
}

bool FetchWork::must_tell(Source& source) {
  const FetchResponse::Partition& place = source.place;
  FetchSession::Partition& kept = *source.kept;
  const bool changed =
      place.high_watermark != kept.told_high_watermark || place.log_start_offset != kept.told_log_start;
  kept.told_high_watermark = place.high_watermark;
  kept.told_log_start = place.log_start_offset;
  // What is wrong is said until it is not wrong any more, and then the partition is named once more.
  if (source.failed) kept.told_high_watermark = -1;
  return changed || source.failed || !place.records->empty();
}

/// The client has been told all of this answer when it sends the session's next fetch.
void FetchWork::keep_new_session() {
  const FetchSessionRef made = session_.services().fetch_sessions.create(request_, by_id(), session_.loop().now_ms());
  if (!made) return;
  response_.session_id = made->id;
  for (Source& source : sources_) {
    FetchRequest::Topic topic;
    topic.topic = topics_[source.topic].name;
    topic.topic_id = topics_[source.topic].id;
    FetchSession::Partition* kept = made->find(topic, source.place.partition_index);
    if (!kept) continue;
    kept->told_high_watermark = source.failed ? -1 : source.place.high_watermark;
    kept->told_log_start = source.place.log_start_offset;
    if (!source.batches.empty()) made->move_to_end(*kept);
  }
}

void FetchWork::respond() {
  const auto self = shared_from_this();
  session_.respond(call_, response_);
  session_.fetch_finished();
}

}  // namespace braid::kafka
