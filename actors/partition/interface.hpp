// Braid, Apache-2.0.
//
// What a partition actor can be asked. A partition lives on the loop of its shard's journal; everybody else sends it
// one message per read or request, never one per record. How to reach one: `partition/client.hpp`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "model/bytes.hpp"
#include "model/errors.hpp"
#include "model/ids.hpp"
#include "persistence/catalog/topic.hpp"
#include "runtime/spelling.hpp"

namespace braid {

/// Sent to whoever parked a read, once, when there is something at the offset that it waits for (or the partition
/// ended: reading again tells). `token` is the reader's own.
struct Wake {
  std::uint64_t token = 0;
};
using WakeTarget = caf::typed_actor<caf::reacts_to<Wake>>;

/// One record batch (Kafka v2) for the end of the log. The sender hands the batch's bytes over: the partition stamps
/// base offset and leader epoch in place.
struct AppendBatch {
  Bytes batch;
  /// The batch was just built here (MQTT, AMQP, internal state), so checksum and records need no second look.
  bool trusted = false;
  /// Control batches and transactional flags are for coordinators only.
  bool internal = false;
  /// For subscribers of other protocols: a byte per record (see PublishFlags) or empty, and the session that
  /// published, 0 for none. Not stored.
  Bytes publish_flags;
  std::uint64_t publisher = 0;
};
/// A record that its batch was refused for, by its place in the batch.
struct RecordFault {
  std::int32_t index = 0;
  std::string reason;
};
struct Appended {
  Errc error = Errc::none;
  Offset base_offset{-1};         ///< of this batch; of the first try when it was a duplicate
  Timestamp log_append_time{-1};  ///< -1 when the topic keeps the producer's time
  Offset log_start{0};
  std::string reason;  ///< for people; empty when there is no error
  std::vector<RecordFault> faults;
};

/// Where the records of an epoch end: the last epoch not behind the one asked for, and the offset behind it. -1 and -1
/// when the partition knows nothing of that epoch.
struct EpochEnd {
  LeaderEpoch epoch{-1};
  Offset end{-1};
};

/// Batches from the one that contains `from`, up to the high watermark.
struct ReadBatches {
  Offset from;
  std::uint32_t max_bytes = 1u << 20;
  bool at_least_one = true;
  std::optional<LeaderEpoch> current_leader_epoch = {};  ///< KIP-320: fenced when older, unknown when newer
  /// Epoch of the last record before `from` that the reader has (KIP-595). If that is not what stands here, `diverging`
  /// of the reply says how far back the two agree.
  std::optional<LeaderEpoch> last_read_epoch = {};
  /// Where to send Wake when there is nothing to read yet. One parked read per target: a new one replaces it.
  WakeTarget park = {};
  std::uint64_t token = 0;
};
struct BatchesRead {
  Errc error = Errc::none;
  std::vector<Bytes> batches;
  std::size_t bytes = 0;
  Offset high_watermark{0};
  Offset last_stable{0};
  Offset log_start{0};
  bool parked = false;  ///< nothing there; a Wake will come
  std::optional<EpochEnd> diverging = {};
};
/// Takes a parked read back: the reader ended or has what it needs.
struct Unpark {
  std::uint64_t reader = 0;  ///< actor id of the parked target
};

/// Kafka's special timestamps of ListOffsets.
inline constexpr std::int64_t kLatestTimestamp = -1;
inline constexpr std::int64_t kEarliestTimestamp = -2;
inline constexpr std::int64_t kMaxTimestamp = -3;

struct FindOffset {
  std::int64_t timestamp = kLatestTimestamp;
  std::optional<LeaderEpoch> current_leader_epoch = {};
};
/// Offset and time of the first record at or behind the timestamp; -1 and -1 when there is none.
struct OffsetFound {
  Errc error = Errc::none;
  Offset offset{-1};
  Timestamp timestamp{-1};
  LeaderEpoch leader_epoch{-1};
};

/// How far the records of an epoch reach (KIP-320).
struct FindEpochEnd {
  LeaderEpoch epoch;
  std::optional<LeaderEpoch> current_leader_epoch = {};
};
struct EpochEndFound {
  Errc error = Errc::none;
  EpochEnd found;
};

/// Everything before `before` goes; the high watermark when it is -1.
struct DeleteRecords {
  Offset before{-1};
};
struct RecordsDeleted {
  Errc error = Errc::none;
  Offset low_watermark{-1};
};

struct DescribeLog {};
struct LogDescription {
  Errc error = Errc::none;
  Offset log_start{0}, high_watermark{0}, end{0};
  std::uint64_t bytes = 0;
  LeaderEpoch leader_epoch{0};
};

/// The idempotent producers that the partition remembers.
struct DescribeProducers {};
struct ProducerDescription {
  ProducerId id;
  ProducerEpoch epoch;
  std::int32_t last_sequence = -1;
  Timestamp last_timestamp{-1};
};
struct ProducersDescribed {
  Errc error = Errc::none;
  std::vector<ProducerDescription> producers;  ///< by ascending id
};

/// From the host, about a partition's life.
struct Rest {};          ///< nobody has the handle any more: end, unless somebody used it meanwhile
struct TopicRemoved {};  ///< the topic is deleted: fail what waits and end
struct TopicChanged {
  std::shared_ptr<const Topic> topic;
};

/// Answered when every append that the loop's partitions have taken is finished.
struct DrainPartitions {};
struct PartitionsDrained {};

using PartitionActor = caf::typed_actor<
    caf::replies_to<AppendBatch>::with<Appended>, caf::replies_to<ReadBatches>::with<BatchesRead>,
    caf::reacts_to<Unpark>, caf::replies_to<FindOffset>::with<OffsetFound>,
    caf::replies_to<DeleteRecords>::with<RecordsDeleted>, caf::replies_to<DescribeLog>::with<LogDescription>,
    caf::replies_to<FindEpochEnd>::with<EpochEndFound>, caf::replies_to<DescribeProducers>::with<ProducersDescribed>,
    caf::reacts_to<Rest>, caf::replies_to<DrainPartitions>::with<PartitionsDrained>, caf::reacts_to<TopicRemoved>,
    caf::reacts_to<TopicChanged>>;

/// The reply that belongs to a request.
template <class Request>
struct PartitionReplyOf;
template <>
struct PartitionReplyOf<AppendBatch> : std::type_identity<Appended> {};
template <>
struct PartitionReplyOf<ReadBatches> : std::type_identity<BatchesRead> {};
template <>
struct PartitionReplyOf<FindOffset> : std::type_identity<OffsetFound> {};
template <>
struct PartitionReplyOf<DeleteRecords> : std::type_identity<RecordsDeleted> {};
template <>
struct PartitionReplyOf<DescribeLog> : std::type_identity<LogDescription> {};
template <>
struct PartitionReplyOf<FindEpochEnd> : std::type_identity<EpochEndFound> {};
template <>
struct PartitionReplyOf<DescribeProducers> : std::type_identity<ProducersDescribed> {};
template <class Request>
using PartitionReply = typename PartitionReplyOf<Request>::type;

/// Starts partition actors on the loop that owns them; one per loop.
struct OpenPartition {
  PartitionId partition;
};
struct PartitionOpened {
  Errc error = Errc::none;  ///< unknown_partition, shutting_down
  PartitionActor actor;
};
/// From a partition that has been idle: it would like to rest.
struct PartitionIdle {
  PartitionId partition;
};
/// To the hosts of all loops: let go of the handle. The reply says that nothing more will be sent to it from there.
struct ForgetPartition {
  PartitionId partition;
};
struct PartitionForgotten {};
/// Sizes of partitions of the host's loop, resting ones too. Those that it does not have are left out of the reply.
struct MeasureLogs {
  std::vector<PartitionId> partitions;
};
struct LogsMeasured {
  struct Log {
    PartitionId partition;
    std::uint64_t bytes = 0;
  };
  std::vector<Log> logs;
};
using PartitionHost =
    caf::typed_actor<caf::replies_to<OpenPartition>::with<PartitionOpened>, caf::reacts_to<PartitionIdle>,
                     caf::replies_to<ForgetPartition>::with<PartitionForgotten>,
                     caf::replies_to<MeasureLogs>::with<LogsMeasured>>;

}  // namespace braid

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Wake)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::AppendBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Appended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::ReadBatches)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::BatchesRead)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Unpark)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::FindOffset)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::OffsetFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::DeleteRecords)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::RecordsDeleted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::DescribeLog)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::LogDescription)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::FindEpochEnd)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::EpochEndFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::DescribeProducers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::ProducersDescribed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::MeasureLogs)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::LogsMeasured)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::Rest)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::TopicRemoved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::TopicChanged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::OpenPartition)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::PartitionOpened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::PartitionIdle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::ForgetPartition)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::PartitionForgotten)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::DrainPartitions)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(braid::PartitionsDrained)
