// Braid, Apache-2.0.
//
// OffsetCommit: answered when the offsets are durable. Each partition has its own result.
#include <memory>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstOffsetCommitWithIds = 10, kFirstOffsetCommitWithMember = 1;

struct CommitWork {
  OffsetCommitResponse response;
  /// Where in the response the offsets that were sent to the coordinator belong.
  std::vector<std::pair<std::size_t, std::size_t>> places;
};

}  // namespace

void offset_commit(Session& session, const Call& call, OffsetCommitRequest request) {
  const bool by_id = call.version >= kFirstOffsetCommitWithIds;
  const Timestamp now = session.loop().wall_clock();
  CommitWork work;
  CommitOffsets commit;
  commit.group = request.group_id.str();
  commit.member = request.member_id.str();
  commit.instance = string(request.group_instance_id);
  if (call.version >= kFirstOffsetCommitWithMember) commit.generation = request.generation_id_or_member_epoch;

  work.response.topics.resize(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const OffsetCommitRequest::Topic& given = request.topics[t];
    OffsetCommitResponse::Topic& topic = work.response.topics[t];
    topic.name = given.name;
    topic.topic_id = given.topic_id;
    topic.partitions.resize(given.partitions.size());
    const Directory& directory = session.services().directory;
    const TopicRef known = by_id ? directory.find(given.topic_id) : directory.find(given.name.view());
    for (std::size_t p = 0; p < given.partitions.size(); ++p) {
      const OffsetCommitRequest::Partition& partition = given.partitions[p];
      OffsetCommitResponse::Partition& place = topic.partitions[p];
      place.partition_index = partition.partition_index;
      if (!known || !known->partition(PartitionIndex{partition.partition_index})) {
        place.error_code = by_id && !known ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
        continue;
      }
      CommittedOffset committed;
      committed.offset = Offset{partition.committed_offset};
      committed.leader_epoch = LeaderEpoch{partition.committed_leader_epoch};
      if (partition.committed_metadata) committed.metadata = partition.committed_metadata->str();
      committed.committed = partition.commit_timestamp >= 0 ? Timestamp{partition.commit_timestamp} : now;
      if (request.retention_time_ms >= 0) committed.expires = Timestamp{now.value + request.retention_time_ms};
      committed.topic_id = known->id;
      commit.offsets.emplace_back(OffsetKey{known->name, partition.partition_index}, std::move(committed));
      work.places.emplace_back(t, p);
    }
  }
  if (commit.offsets.empty()) return session.respond(call, work.response);

  OffsetsCommitted unavailable;
  unavailable.errors.assign(commit.offsets.size(), ErrorCode::coordinator_not_available);
  session.ask_coordinator(request.group_id.view(), std::move(commit), unavailable,
                          [&session, call, work = std::move(work)](const OffsetsCommitted& committed) mutable {
                            for (std::size_t i = 0; i < work.places.size(); ++i) {
                              const auto [t, p] = work.places[i];
                              work.response.topics[t].partitions[p].error_code =
                                  i < committed.errors.size() ? committed.errors[i] : ErrorCode::unknown_server_error;
                            }
                            session.respond(call, work.response);
                          });
}

}  // namespace braid::kafka
