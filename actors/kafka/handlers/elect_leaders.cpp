// Braid, Apache-2.0.
//
// ElectLeaders: each partition has one replica, which leads. So there is never anything to elect, and that is what each
// partition that is asked for answers.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {
constexpr std::int8_t kPreferred = 0, kUnclean = 1;
}

void elect_leaders(Session& session, const Call& call, ElectLeadersRequest request) {
  ElectLeadersResponse response;
  if (request.election_type != kPreferred && request.election_type != kUnclean) {
    response.error_code = ErrorCode::invalid_request;
    return session.respond(call, response);
  }
  // Asked for all partitions, Kafka leaves out those that have the right leader: here, all of them.
  if (!request.topic_partitions) return session.respond(call, response);
  for (const ElectLeadersRequest::Topic& asked : *request.topic_partitions) {
    ElectLeadersResponse::Topic& topic = response.replica_election_results.emplace_back();
    topic.topic = asked.topic;
    const TopicRef known = session.services().directory.find(asked.topic.view());
    for (const std::int32_t index : asked.partitions) {
      ElectLeadersResponse::Partition& partition = topic.partition_result.emplace_back();
      partition.partition_id = index;
      const bool exists = known && known->partition(PartitionIndex{index});
      partition.error_code = exists ? ErrorCode::election_not_needed : ErrorCode::unknown_topic_or_partition;
    }
  }
  session.respond(call, response);
}

}  // namespace braid::kafka
