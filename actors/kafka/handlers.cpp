// Braid, Apache-2.0.
#include "actors/kafka/handlers.hpp"

#include <algorithm>
#include <array>

#include "actors/kafka/handlers/handlers.hpp"

namespace braid::kafka {

namespace {

template <class Request, void (*Work)(Session&, const Call&, Request)>
constexpr ServedApi serve(std::int16_t first, std::int16_t last, std::int16_t advertised_from) {
  return {static_cast<ApiKey>(Request::info.key), {first, last}, advertised_from, &decode_and<Request, Work>};
}
template <class Request, void (*Work)(Session&, const Call&, Request)>
constexpr ServedApi serve(std::int16_t first, std::int16_t last) {
  return serve<Request, Work>(first, last, first);
}

// Produce is advertised from version 0, as Kafka 4 does: librdkafka before 2.11 takes a broker without it for one that
// knows no compression and sends everything uncompressed, silently (KAFKA-18659). InitProducerId 6 is not stable yet.
constexpr std::array kServed = {
    serve<ProduceRequest, produce>(3, 13, 0),
    serve<FetchRequest, fetch>(4, 18),
    serve<ListOffsetsRequest, list_offsets>(1, 11),
    serve<MetadataRequest, metadata>(0, 13),
    serve<OffsetCommitRequest, offset_commit>(1, 10),
    serve<OffsetFetchRequest, offset_fetch>(1, 10),
    serve<FindCoordinatorRequest, find_coordinator>(0, 6),
    serve<JoinGroupRequest, join_group>(0, 9),
    serve<HeartbeatRequest, heartbeat>(0, 4),
    serve<LeaveGroupRequest, leave_group>(0, 5),
    serve<SyncGroupRequest, sync_group>(0, 5),
    serve<DescribeGroupsRequest, describe_groups>(0, 6),
    serve<ListGroupsRequest, list_groups>(0, 5),
    serve<ApiVersionsRequest, api_versions>(0, 4),
    serve<CreateTopicsRequest, create_topics>(2, 7),
    serve<DeleteTopicsRequest, delete_topics>(1, 6),
    serve<DeleteRecordsRequest, delete_records>(0, 2),
    serve<InitProducerIdRequest, init_producer_id>(0, 5),
    serve<OffsetForLeaderEpochRequest, offset_for_leader_epoch>(2, 4),
    serve<DescribeConfigsRequest, describe_configs>(1, 4),
    serve<AlterConfigsRequest, alter_configs>(0, 2),
    serve<DescribeLogDirsRequest, describe_log_dirs>(1, 5),
    serve<CreatePartitionsRequest, create_partitions>(0, 3),
    serve<DeleteGroupsRequest, delete_groups>(0, 2),
    serve<ElectLeadersRequest, elect_leaders>(0, 2),
    serve<IncrementalAlterConfigsRequest, incremental_alter_configs>(0, 1),
    serve<ListPartitionReassignmentsRequest, list_partition_reassignments>(0, 0),
    serve<OffsetDeleteRequest, offset_delete>(0, 0),
    serve<DescribeClientQuotasRequest, describe_client_quotas>(0, 1),
    serve<AlterClientQuotasRequest, alter_client_quotas>(0, 1),
    serve<DescribeClusterRequest, describe_cluster>(0, 2),
    serve<DescribeProducersRequest, describe_producers>(0, 0),
    serve<ListConfigResourcesRequest, list_config_resources>(0, 1),
    serve<DescribeTopicPartitionsRequest, describe_topic_partitions>(0, 0),
};

static_assert(std::is_sorted(kServed.begin(), kServed.end(),
                             [](const ServedApi& a, const ServedApi& b) { return a.key < b.key; }));

}  // namespace

std::span<const ServedApi> served_apis() {
  return kServed;
}

const ServedApi* find_served(ApiKey key) {
  const auto found = std::lower_bound(kServed.begin(), kServed.end(), key,
                                      [](const ServedApi& served, ApiKey wanted) { return served.key < wanted; });
  return found == kServed.end() || found->key != key ? nullptr : &*found;
}

}  // namespace braid::kafka
