// Braid, Apache-2.0.
//
// The handlers, one per request and file. Each begins with a decoded request and ends, now or later, with
// `session.respond(call, ...)`; what goes wrong with a topic or a partition is an error in that one's place of the
// answer and never spoils the others.
#pragma once

#include "actors/kafka/call.hpp"
#include "codecs/kafka/registry.hpp"

namespace braid::kafka {

class Session;

void produce(Session&, const Call&, ProduceRequest);
void fetch(Session&, const Call&, FetchRequest);
void list_offsets(Session&, const Call&, ListOffsetsRequest);
void metadata(Session&, const Call&, MetadataRequest);
void offset_commit(Session&, const Call&, OffsetCommitRequest);
void offset_fetch(Session&, const Call&, OffsetFetchRequest);
void find_coordinator(Session&, const Call&, FindCoordinatorRequest);
void join_group(Session&, const Call&, JoinGroupRequest);
void heartbeat(Session&, const Call&, HeartbeatRequest);
void leave_group(Session&, const Call&, LeaveGroupRequest);
void sync_group(Session&, const Call&, SyncGroupRequest);
void api_versions(Session&, const Call&, ApiVersionsRequest);
void create_topics(Session&, const Call&, CreateTopicsRequest);
void delete_topics(Session&, const Call&, DeleteTopicsRequest);
void delete_records(Session&, const Call&, DeleteRecordsRequest);
void offset_for_leader_epoch(Session&, const Call&, OffsetForLeaderEpochRequest);
void describe_log_dirs(Session&, const Call&, DescribeLogDirsRequest);
void describe_producers(Session&, const Call&, DescribeProducersRequest);
void init_producer_id(Session&, const Call&, InitProducerIdRequest);
void describe_groups(Session&, const Call&, DescribeGroupsRequest);
void list_groups(Session&, const Call&, ListGroupsRequest);
void delete_groups(Session&, const Call&, DeleteGroupsRequest);
void offset_delete(Session&, const Call&, OffsetDeleteRequest);
void create_partitions(Session&, const Call&, CreatePartitionsRequest);
void describe_topic_partitions(Session&, const Call&, DescribeTopicPartitionsRequest);
void describe_cluster(Session&, const Call&, DescribeClusterRequest);
void elect_leaders(Session&, const Call&, ElectLeadersRequest);
void describe_configs(Session&, const Call&, DescribeConfigsRequest);
void alter_configs(Session&, const Call&, AlterConfigsRequest);
void incremental_alter_configs(Session&, const Call&, IncrementalAlterConfigsRequest);
void list_config_resources(Session&, const Call&, ListConfigResourcesRequest);
void describe_client_quotas(Session&, const Call&, DescribeClientQuotasRequest);
void alter_client_quotas(Session&, const Call&, AlterClientQuotasRequest);
void list_partition_reassignments(Session&, const Call&, ListPartitionReassignmentsRequest);

}  // namespace braid::kafka
