// Braid, Apache-2.0.
//
// DeleteRecords: moves the start of partitions forward. Answered when the new start is durable.
#include "actors/kafka/handlers/fan_out.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

void delete_records(Session& session, const Call& call, DeleteRecordsRequest request) {
  const auto work = std::make_shared<FanOut<DeleteRecordsResponse>>(session, call);
  work->response.topics.resize(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const DeleteRecordsRequest::Topic& asked = request.topics[t];
    DeleteRecordsResponse::Topic& topic = work->response.topics[t];
    topic.name = asked.name;
    topic.partitions.resize(asked.partitions.size());
    const TopicRef known = session.services().directory.find(asked.name.view());
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      const DeleteRecordsRequest::Partition& wanted = asked.partitions[p];
      DeleteRecordsResponse::Partition& place = topic.partitions[p];
      place.partition_index = wanted.partition_index;
      place.low_watermark = -1;
      const PartitionPlacement* partition = find_partition(known, wanted.partition_index);
      if (!partition || known->internal) {
        place.error_code = partition ? ErrorCode::invalid_topic_exception : ErrorCode::unknown_topic_or_partition;
        continue;
      }
      place.error_code = ErrorCode::request_timed_out;
      work->ask(*partition, DeleteRecords{Offset{wanted.offset}},
                [t, p](DeleteRecordsResponse& response, const RecordsDeleted& reply) {
                  auto& answered = response.topics[t].partitions[p];
                  answered.error_code = to_error_code(reply.error);
                  answered.low_watermark = reply.error == Errc::none ? reply.low_watermark.value : -1;
                });
    }
  }
  work->asked_all(request.timeout_ms);
}

}  // namespace braid::kafka
