// Braid, Apache-2.0.
//
// ListOffsets: first, last, by time. Everything is local and nothing is in a transaction, so "earliest local" is the
// earliest, "latest tiered" does not exist, and both isolation levels see the same end.
#include <set>
#include <utility>

#include "actors/kafka/handlers/fan_out.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

namespace {

// Special timestamps, and the versions from which clients may use them.
constexpr std::int64_t kLatest = -1, kEarliest = -2, kMax = -3, kEarliestLocal = -4, kLatestTiered = -5,
                       kEarliestPendingUpload = -6;
constexpr std::int16_t kFirstListOffsetsWithMax = 7, kFirstListOffsetsWithLocal = 8, kFirstListOffsetsWithTiered = 9,
                       kFirstListOffsetsWithPendingUpload = 11, kFirstListOffsetsWithEpoch = 4;

enum class LookUp : std::uint8_t { partition, nothing_there, unsupported };
/// Where to look for `timestamp`; rewrites it to what a partition understands.
LookUp classify(std::int64_t& timestamp, std::int16_t version) {
  switch (timestamp) {
    case kMax:
      return version >= kFirstListOffsetsWithMax ? LookUp::partition : LookUp::unsupported;
    case kEarliestLocal:
      timestamp = kEarliestTimestamp;
      return version >= kFirstListOffsetsWithLocal ? LookUp::partition : LookUp::unsupported;
    case kLatestTiered:
      return version >= kFirstListOffsetsWithTiered ? LookUp::nothing_there : LookUp::unsupported;
    case kEarliestPendingUpload:
      return version >= kFirstListOffsetsWithPendingUpload ? LookUp::nothing_there : LookUp::unsupported;
    case kLatest:
    case kEarliest:
      return LookUp::partition;
    default:
      return timestamp >= 0 ? LookUp::partition : LookUp::unsupported;
  }
}

}  // namespace

void list_offsets(Session& session, const Call& call, ListOffsetsRequest request) {
  const auto work = std::make_shared<FanOut<ListOffsetsResponse>>(session, call);
  work->response.topics.resize(request.topics.size());
  // Kafka answers a partition that is named twice with an error, since the answers could not be told apart.
  std::set<std::pair<std::string_view, std::int32_t>> once, twice;
  for (const ListOffsetsRequest::Topic& topic : request.topics)
    for (const ListOffsetsRequest::Partition& partition : topic.partitions)
      if (std::pair key(topic.name.view(), partition.partition_index); !once.insert(key).second) twice.insert(key);

  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const ListOffsetsRequest::Topic& asked = request.topics[t];
    ListOffsetsResponse::Topic& topic = work->response.topics[t];
    topic.name = asked.name;
    topic.partitions.resize(asked.partitions.size());
    const TopicRef known = session.services().directory.find(asked.name.view());
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      const ListOffsetsRequest::Partition& wanted = asked.partitions[p];
      ListOffsetsResponse::Partition& place = topic.partitions[p];
      place.partition_index = wanted.partition_index;
      if (twice.count({asked.name.view(), wanted.partition_index}) > 0) {
        place.error_code = ErrorCode::invalid_request;
        continue;
      }
      const PartitionPlacement* partition = find_partition(known, wanted.partition_index);
      if (!partition) {
        place.error_code = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      FindOffset find{wanted.timestamp, epoch_or_none(wanted.current_leader_epoch)};
      const LookUp look_up = classify(find.timestamp, call.version);
      if (look_up == LookUp::unsupported) place.error_code = ErrorCode::unsupported_version;
      if (look_up != LookUp::partition) continue;
      place.error_code = ErrorCode::request_timed_out;
      work->ask(*partition, std::move(find),
                [t, p, version = call.version](ListOffsetsResponse& response, const OffsetFound& found) {
                  auto& answered = response.topics[t].partitions[p];
                  answered.error_code = to_error_code(found.error);
                  answered.offset = found.offset.value;
                  answered.timestamp = found.timestamp.value;
                  if (version >= kFirstListOffsetsWithEpoch) answered.leader_epoch = found.leader_epoch.value;
                });
    }
  }
  work->asked_all(request.timeout_ms);
}

}  // namespace braid::kafka
