// Braid, Apache-2.0.
//
// OffsetForLeaderEpoch: how far the records of a leader's epoch reach (KIP-320). A consumer that has read further has
// read what is gone; it finds out here, after it was fenced or saw a new epoch in the metadata.
#include "actors/kafka/handlers/fan_out.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

void offset_for_leader_epoch(Session& session, const Call& call, OffsetForLeaderEpochRequest request) {
  const auto work = std::make_shared<FanOut<OffsetForLeaderEpochResponse>>(session, call);
  work->response.topics.resize(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const OffsetForLeaderEpochRequest::Topic& asked = request.topics[t];
    OffsetForLeaderEpochResponse::Topic& topic = work->response.topics[t];
    topic.topic = asked.topic;
    topic.partitions.resize(asked.partitions.size());
    const TopicRef known = session.services().directory.find(asked.topic.view());
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      const OffsetForLeaderEpochRequest::Partition& wanted = asked.partitions[p];
      topic.partitions[p].partition = wanted.partition;
      const PartitionPlacement* partition = find_partition(known, wanted.partition);
      if (!partition) {
        topic.partitions[p].error_code = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      work->ask(*partition, FindEpochEnd{LeaderEpoch{wanted.leader_epoch}, epoch_or_none(wanted.current_leader_epoch)},
                [t, p](OffsetForLeaderEpochResponse& response, const EpochEndFound& reply) {
                  auto& place = response.topics[t].partitions[p];
                  place.error_code = to_error_code(reply.error);
                  place.leader_epoch = reply.found.epoch.value;
                  place.end_offset = reply.found.end.value;
                });
    }
  }
  work->asked_all();
}

}  // namespace braid::kafka
