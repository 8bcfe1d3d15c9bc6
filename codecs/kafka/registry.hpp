// Braid, Apache-2.0.
//
// The one list of requests that the codec knows. Everything that has to be done for each of them (the table of
// versions, tests over all messages, the fuzz target, a session's dispatch) walks this list; adding a request is one
// line here.
#pragma once

#include <type_traits>

#include "codecs/kafka/api_keys.hpp"
#include "codecs/kafka/messages/alter_client_quotas.hpp"
#include "codecs/kafka/messages/alter_configs.hpp"
#include "codecs/kafka/messages/api_versions.hpp"
#include "codecs/kafka/messages/create_partitions.hpp"
#include "codecs/kafka/messages/create_topics.hpp"
#include "codecs/kafka/messages/delete_groups.hpp"
#include "codecs/kafka/messages/delete_records.hpp"
#include "codecs/kafka/messages/delete_topics.hpp"
#include "codecs/kafka/messages/describe_client_quotas.hpp"
#include "codecs/kafka/messages/describe_cluster.hpp"
#include "codecs/kafka/messages/describe_configs.hpp"
#include "codecs/kafka/messages/describe_groups.hpp"
#include "codecs/kafka/messages/describe_log_dirs.hpp"
#include "codecs/kafka/messages/describe_producers.hpp"
#include "codecs/kafka/messages/describe_topic_partitions.hpp"
#include "codecs/kafka/messages/elect_leaders.hpp"
#include "codecs/kafka/messages/fetch.hpp"
#include "codecs/kafka/messages/find_coordinator.hpp"
#include "codecs/kafka/messages/heartbeat.hpp"
#include "codecs/kafka/messages/incremental_alter_configs.hpp"
#include "codecs/kafka/messages/init_producer_id.hpp"
#include "codecs/kafka/messages/join_group.hpp"
#include "codecs/kafka/messages/leave_group.hpp"
#include "codecs/kafka/messages/list_config_resources.hpp"
#include "codecs/kafka/messages/list_groups.hpp"
#include "codecs/kafka/messages/list_offsets.hpp"
#include "codecs/kafka/messages/list_partition_reassignments.hpp"
#include "codecs/kafka/messages/metadata.hpp"
#include "codecs/kafka/messages/offset_commit.hpp"
#include "codecs/kafka/messages/offset_delete.hpp"
#include "codecs/kafka/messages/offset_fetch.hpp"
#include "codecs/kafka/messages/offset_for_leader_epoch.hpp"
#include "codecs/kafka/messages/produce.hpp"
#include "codecs/kafka/messages/sync_group.hpp"

namespace braid::kafka {

template <ApiKey Key, class RequestType, class ResponseType>
struct Api {
  static constexpr ApiKey key = Key;
  using Request = RequestType;
  using Response = ResponseType;
  static constexpr Versions versions = Request::info.versions;

  static_assert(Request::info.key == static_cast<std::int16_t>(Key) && Response::info.key == Request::info.key);
  static_assert(Request::info.versions == Response::info.versions, "a request is answered in its own version");
  static_assert(Request::info.first_flexible == Response::info.first_flexible);
};

template <class... Apis>
struct ApiList {
  /// Calls `visit(Api{})` for each.
  template <class F>
  static void for_each(F&& visit) {
    (visit(Apis{}), ...);
  }
  /// Calls `visit(Api{})` for the one with this key; false when there is none.
  template <class F>
  static bool with(ApiKey key, F&& visit) {
    return ((Apis::key == key && (visit(Apis{}), true)) || ...);
  }
};

/// By ascending key.
// clang-format off
using Apis = ApiList<
    Api<ApiKey::produce, ProduceRequest, ProduceResponse>,
    Api<ApiKey::fetch, FetchRequest, FetchResponse>,
    Api<ApiKey::list_offsets, ListOffsetsRequest, ListOffsetsResponse>,
    Api<ApiKey::metadata, MetadataRequest, MetadataResponse>,
    Api<ApiKey::offset_commit, OffsetCommitRequest, OffsetCommitResponse>,
    Api<ApiKey::offset_fetch, OffsetFetchRequest, OffsetFetchResponse>,
    Api<ApiKey::find_coordinator, FindCoordinatorRequest, FindCoordinatorResponse>,
    Api<ApiKey::join_group, JoinGroupRequest, JoinGroupResponse>,
    Api<ApiKey::heartbeat, HeartbeatRequest, HeartbeatResponse>,
    Api<ApiKey::leave_group, LeaveGroupRequest, LeaveGroupResponse>,
    Api<ApiKey::sync_group, SyncGroupRequest, SyncGroupResponse>,
    Api<ApiKey::describe_groups, DescribeGroupsRequest, DescribeGroupsResponse>,
    Api<ApiKey::list_groups, ListGroupsRequest, ListGroupsResponse>,
    Api<ApiKey::api_versions, ApiVersionsRequest, ApiVersionsResponse>,
    Api<ApiKey::create_topics, CreateTopicsRequest, CreateTopicsResponse>,
    Api<ApiKey::delete_topics, DeleteTopicsRequest, DeleteTopicsResponse>,
    Api<ApiKey::delete_records, DeleteRecordsRequest, DeleteRecordsResponse>,
    Api<ApiKey::init_producer_id, InitProducerIdRequest, InitProducerIdResponse>,
    Api<ApiKey::offset_for_leader_epoch, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>,
    Api<ApiKey::describe_configs, DescribeConfigsRequest, DescribeConfigsResponse>,
    Api<ApiKey::alter_configs, AlterConfigsRequest, AlterConfigsResponse>,
    Api<ApiKey::describe_log_dirs, DescribeLogDirsRequest, DescribeLogDirsResponse>,
    Api<ApiKey::create_partitions, CreatePartitionsRequest, CreatePartitionsResponse>,
    Api<ApiKey::delete_groups, DeleteGroupsRequest, DeleteGroupsResponse>,
    Api<ApiKey::elect_leaders, ElectLeadersRequest, ElectLeadersResponse>,
    Api<ApiKey::incremental_alter_configs, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>,
    Api<ApiKey::list_partition_reassignments, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>,
    Api<ApiKey::offset_delete, OffsetDeleteRequest, OffsetDeleteResponse>,
    Api<ApiKey::describe_client_quotas, DescribeClientQuotasRequest, DescribeClientQuotasResponse>,
    Api<ApiKey::alter_client_quotas, AlterClientQuotasRequest, AlterClientQuotasResponse>,
    Api<ApiKey::describe_cluster, DescribeClusterRequest, DescribeClusterResponse>,
    Api<ApiKey::describe_producers, DescribeProducersRequest, DescribeProducersResponse>,
    Api<ApiKey::list_config_resources, ListConfigResourcesRequest, ListConfigResourcesResponse>,
    Api<ApiKey::describe_topic_partitions, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>>;
// clang-format on

}  // namespace braid::kafka
