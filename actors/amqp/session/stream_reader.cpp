// Braid, Apache-2.0.
#include "actors/amqp/session/stream_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "actors/amqp/interval.hpp"
#include "model/record_batch.hpp"
#include "runtime/log.hpp"
#include "runtime/pinned.hpp"

namespace braid::amqp {

namespace {

constexpr std::uint32_t kReadBytes = 256u << 10;
/// What one batch may inflate to.
constexpr std::size_t kMaxInflatedBytes = 256u << 20;
constexpr std::int64_t kStreamRetryMs = 1000;

class StreamReaderActor : public Pinned<StreamReader::base> {
 public:
  StreamReaderActor(caf::actor_config& config, Loop& own_loop, Services& services, StreamConsumer consumer)
      : Pinned(config, own_loop), services_(services), consumer_(std::move(consumer)), credit_(consumer_.credit) {}
  const char* name() const override { return "amqp-stream-reader"; }
  void on_exit() override {
    for (const Source& source : sources_)
      if (source.parked) services_.partitions.tell(this, source.partition, Unpark{id()});
    sources_.clear();
    Pinned::on_exit();
  }

 protected:
  behavior_type make_behavior() override {
    set_down_handler([this](const caf::down_msg&) { quit(); });
    monitor(consumer_.session);
    for (const PartitionPlacement& placement : consumer_.topic->partitions)
      sources_.push_back({placement.id, Offset{-1}, consumer_.begin.from});
    for (std::size_t i = 0; i < sources_.size(); ++i) begin(i);
    return {
        [this](const GrantCredit& grant) {
          credit_ += grant.messages;
          pump();
        },
        [this](const StopStream&) { quit(); },
        [this](const Wake& wake) {
          if (wake.token >= sources_.size()) return;
          sources_[wake.token].parked = false;
          pump();
        },
    };
  }

 private:
  struct Source {
    PartitionId partition;
    Offset next{-1};            ///< -1: not known yet
    StreamOffset::From from{};  ///< where it begins
    bool reading = false, parked = false, failed = false;
    std::deque<MessageRun> ready = {};
  };

  void begin(std::size_t index) {
    using From = StreamOffset::From;
    Source& source = sources_[index];
    if (source.from == From::offset) {
      source.next = Offset(consumer_.begin.value);
      return pump_source(index);
    }
    FindOffset request;
    request.timestamp = source.from == From::first       ? kEarliestTimestamp
                        : source.from == From::timestamp ? consumer_.begin.value
                                                         : kLatestTimestamp;
    source.reading = true;
    services_.partitions.request(this, source.partition, request, [this, index](const OffsetFound& found) {
      Source& of = sources_[index];
      of.reading = false;
      if (found.error != Errc::none) return retry(index);
      if (found.offset.value < 0) {  // nothing is as late as the timestamp: what comes next will be
        of.from = From::next;
        return begin(index);
      }
      // The last batch holds the last record.
      const bool last = of.from == From::last;
      of.next = Offset(last ? std::max<std::int64_t>(found.offset.value - 1, 0) : found.offset.value);
      pump();
    });
  }

  void retry(std::size_t index) {
    retries_.push_back(after(kStreamRetryMs, [this, index] {
      if (sources_[index].next.value < 0)
        begin(index);
      else
        pump();
    }));
    std::erase_if(retries_, [](const Timer& timer) { return !timer.running(); });
  }

  /// Hands out what is there, in turns, and reads on where there is credit and nothing.
  void pump() {
    DeliverMessages out;
    out.consumer = consumer_.consumer;
    for (bool more = true; more && credit_ > 0;) {
      more = false;
      for (Source& source : sources_) {
        if (source.ready.empty() || credit_ == 0) continue;
        more = true;
        take(source, out);
      }
    }
    if (out.messages > 0) send(consumer_.session, std::move(out));
    for (std::size_t i = 0; i < sources_.size(); ++i) pump_source(i);
  }

  void take(Source& source, DeliverMessages& out) {
    MessageRun& front = source.ready.front();
    MessageRun part = front;
    if (front.count > credit_) {
      RunWalker walker(front);
      RecordView record;
      for (std::uint32_t i = 0; i < credit_; ++i) walker.next(record);
      MessageRun rest = walker.rest(credit_);
      part.count = credit_;
      part.records = front.records.slice(0, front.records.size() - rest.records.size());
      front = std::move(rest);
    } else {
      source.ready.pop_front();
    }
    credit_ -= part.count;
    out.messages += part.count;
    out.bytes += part.records.size();
    out.runs.push_back(std::move(part));
  }

  void pump_source(std::size_t index) {
    Source& source = sources_[index];
    if (credit_ == 0 || source.reading || source.parked || source.failed || !source.ready.empty() ||
        source.next.value < 0)
      return;
    source.reading = true;
    ReadBatches request;
    request.from = source.next;
    request.max_bytes = kReadBytes;
    request.park = WakeTarget(StreamReader(this));
    request.token = index;
    services_.partitions.request(this, source.partition, request,
                                 [this, index](const BatchesRead& read) { have(index, read); });
  }

  void have(std::size_t index, const BatchesRead& read) {
    Source& source = sources_[index];
    source.reading = false;
    source.parked = read.parked;
    if (read.error == Errc::offset_out_of_range) {
      // Before what is kept: from there; behind the end: from there, once it is.
      source.next = source.next < read.log_start ? read.log_start : read.high_watermark;
      return pump_source(index);
    }
    if (read.error == Errc::unknown_partition || read.error == Errc::unknown_topic) {
      source.failed = true;
      if (std::all_of(sources_.begin(), sources_.end(), [](const Source& each) { return each.failed; })) {
        send(consumer_.session, ConsumerCancelled{QueueId(0), consumer_.consumer});
        quit();
      }
      return;
    }
    if (read.error != Errc::none) return retry(index);
    for (const Bytes& bytes : read.batches)
      for (BatchSequence batches(bytes); batches.next();) add(source, batches.header(), batches.batch());
    if (!source.parked) pump();
  }

  void add(Source& source, const BatchHeader& header, const Bytes& batch) {
    const Offset from = source.next;
    source.next = header.next_offset();
    if (header.is_control() || header.record_count == 0) return;
    auto records = batch_records(batch, header, kMaxInflatedBytes);
    if (!records) {
      BRAID_LOG_LIMITED(warning, "amqp", {{"topic", consumer_.topic->name}},
                        "a batch at offset {} cannot be read by a stream's consumer", header.base_offset.value);
      return;
    }
    MessageRun run;
    run.records = std::move(*records);
    run.batch_offset = header.base_offset;
    run.batch_timestamp = header.base_timestamp;
    run.first = header.base_offset;
    run.count = static_cast<std::uint32_t>(header.record_count);
    if (from > header.base_offset) {
      // The consumer begins inside of the batch.
      RunWalker walker(run);
      RecordView record;
      std::uint32_t before = 0;
      for (RunWalker ahead(run); ahead.next(record) && record.offset < from;) ++before;
      for (std::uint32_t i = 0; i < before; ++i) walker.next(record);
      if (before == run.count) return;
      run = walker.rest(before);
    }
    source.ready.push_back(std::move(run));
  }

  Services& services_;
  StreamConsumer consumer_;
  std::uint32_t credit_;
  std::vector<Source> sources_;
  std::vector<Timer> retries_;
};

}  // namespace

StreamReader spawn_stream_reader(Services& services, StreamConsumer consumer) {
  return spawn_on<StreamReaderActor>(services.loop, services, std::move(consumer));
}

std::optional<StreamOffset> parse_stream_offset(const FieldValue& value, Timestamp now) {
  using From = StreamOffset::From;
  if (value.type() == FieldType::timestamp) {
    const std::int64_t seconds = value.as_integer();  // unsigned on the wire
    return StreamOffset{From::timestamp, seconds < 0 || seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000};
  }
  if (value.is_integer()) {
    if (value.as_integer() < 0) return {};
    return StreamOffset{From::offset, value.as_integer()};
  }
  if (!value.is_text()) return {};
  const std::string_view text = value.as_text();
  if (text == "first") return StreamOffset{From::first};
  if (text == "last") return StreamOffset{From::last};
  if (text == "next") return StreamOffset{From::next};
  const auto back_ms = parse_interval_ms(text);
  if (!back_ms) return {};
  if (*back_ms > now.value) return StreamOffset{From::first};
  return StreamOffset{From::timestamp, now.value - *back_ms};
}

}  // namespace braid::amqp
