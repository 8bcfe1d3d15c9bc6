// Braid, Apache-2.0.
//
// Requests about one partition in one line, for tests of the log's side of Kafka.
#pragma once

#include "unit/actors/kafka_world.hpp"

namespace braid::test {

/// The answer's place of the first partition.
inline kafka::ProduceResponse::Partition produce_one(KafkaClient& client, const kafka::ProduceRequest& request,
                                                     std::int16_t version = 9) {
  return client.call<kafka::ProduceResponse>(request, version).responses.at(0).partition_responses.at(0);
}
inline kafka::FetchResponse::Partition fetch_one(KafkaClient& client, const kafka::FetchRequest& request,
                                                 std::int16_t version = 12) {
  return client.call<kafka::FetchResponse>(request, version).responses.at(0).partitions.at(0);
}
inline kafka::ListOffsetsResponse::Partition list_one(KafkaClient& client, const std::string& topic,
                                                      std::int64_t timestamp, std::int16_t version = 7,
                                                      std::int32_t epoch = -1) {
  kafka::ListOffsetsRequest request;
  request.replica_id = -1;
  request.topics.resize(1);
  request.topics[0].name = kafka::Text(topic);
  request.topics[0].partitions.push_back({0, epoch, timestamp});
  return client.call<kafka::ListOffsetsResponse>(request, version).topics.at(0).partitions.at(0);
}
/// The header of the first batch of an answer, checked as a consumer checks it.
inline BatchHeader first_batch(const kafka::FetchResponse::Partition& place) {
  BatchSequence batches(place.records->joined());
  REQUIRE(batches.next());
  REQUIRE(checksum_matches(batches.batch(), batches.header()));
  return batches.header();
}

}  // namespace braid::test
