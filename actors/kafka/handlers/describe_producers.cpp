// Braid, Apache-2.0.
//
// DescribeProducers: the idempotent producers that partitions remember (KIP-664). None has a transaction open, since
// there are none.
#include "actors/kafka/handlers/fan_out.hpp"
#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

void describe_producers(Session& session, const Call& call, DescribeProducersRequest request) {
  const auto work = std::make_shared<FanOut<DescribeProducersResponse>>(session, call);
  work->response.topics.resize(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const DescribeProducersRequest::Topic& asked = request.topics[t];
    DescribeProducersResponse::Topic& topic = work->response.topics[t];
    topic.name = asked.name;
    topic.partitions.resize(asked.partition_indexes.size());
    const TopicRef known = session.services().directory.find(asked.name.view());
    for (std::size_t p = 0; p < asked.partition_indexes.size(); ++p) {
      topic.partitions[p].partition_index = asked.partition_indexes[p];
      const PartitionPlacement* partition = find_partition(known, asked.partition_indexes[p]);
      if (!partition) {
        topic.partitions[p].error_code = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      work->ask(*partition, DescribeProducers{},
                [t, p](DescribeProducersResponse& response, const ProducersDescribed& reply) {
                  auto& place = response.topics[t].partitions[p];
                  place.error_code = to_error_code(reply.error);
                  for (const ProducerDescription& known_producer : reply.producers) {
                    DescribeProducersResponse::Producer producer;
                    producer.producer_id = known_producer.id.value;
                    producer.producer_epoch = known_producer.epoch.value;
                    producer.last_sequence = known_producer.last_sequence;
                    producer.last_timestamp = known_producer.last_timestamp.value;
                    producer.coordinator_epoch = -1;
                    place.active_producers.push_back(producer);
                  }
                });
    }
  }
  work->asked_all();
}

}  // namespace braid::kafka
