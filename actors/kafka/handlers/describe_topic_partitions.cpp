// Braid, Apache-2.0.
//
// DescribeTopicPartitions: topics with their partitions, in pages. Topics come in the order of their names, so that a
// cursor, the first partition of the next page, means the same in every request.
#include <algorithm>

#include "actors/kafka/handlers/authorized_operations.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"
#include "model/names.hpp"

namespace braid::kafka {

namespace {

using DescribedTopics = DescribeTopicPartitionsResponse;

/// Names at or behind the cursor, sorted, each once.
std::vector<std::string> wanted_names(const Directory& directory, const DescribeTopicPartitionsRequest& request) {
  const std::string_view from = request.cursor ? request.cursor->topic_name.view() : std::string_view();
  std::vector<std::string> names;
  if (request.topics.empty())
    directory.for_each([&](const TopicRef& topic) {
      if (topic->name >= from) names.push_back(topic->name);
    });
  for (const auto& topic : request.topics)
    if (topic.name.view() >= from) names.push_back(topic.name.str());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool is_valid_cursor(const DescribeTopicPartitionsRequest& request) {
  if (!request.cursor) return true;
  if (request.cursor->partition_index < 0) return false;
  return request.topics.empty() || std::any_of(request.topics.begin(), request.topics.end(), [&](const auto& topic) {
           return topic.name == request.cursor->topic_name;
         });
}

DescribedTopics::Topic failed(std::string_view name, ErrorCode error) {
  DescribedTopics::Topic place;
  place.name = Text(name);
  place.error_code = error;
  return place;
}

DescribedTopics::Topic describe(const Session& session, const Topic& topic, std::int32_t first, std::int32_t end) {
  const std::int32_t node_id = session.node_id();
  DescribedTopics::Topic place;
  place.name = Text(topic.name);
  place.topic_id = topic.id;
  place.is_internal = topic.internal;
  place.topic_authorized_operations = kTopicOperations;
  for (std::int32_t index = first; index < end; ++index) {
    DescribedTopics::Partition& partition = place.partitions.emplace_back();
    partition.partition_index = index;
    partition.leader_id = node_id;
    partition.leader_epoch = session.services().leader_epoch(*topic.partition(PartitionIndex{index})).value;
    partition.replica_nodes = {node_id};
    partition.isr_nodes = {node_id};
    partition.eligible_leader_replicas.emplace();
    partition.last_known_elr.emplace();
  }
  return place;
}

}  // namespace

void describe_topic_partitions(Session& session, const Call& call, DescribeTopicPartitionsRequest request) {
  DescribedTopics response;
  if (!is_valid_cursor(request)) {
    for (const auto& topic : request.topics)
      response.topics.push_back(failed(topic.name.view(), ErrorCode::invalid_request));
    return session.respond(call, response);
  }
  const Directory& directory = session.services().directory;
  std::int32_t room = std::clamp(request.response_partition_limit, 1, session.settings().max_described_partitions);
  for (const std::string& name : wanted_names(directory, request)) {
    const TopicRef topic = directory.find(name);
    if (room == 0) {
      response.next_cursor = DescribedTopics::Cursor{Text(name), 0};
      break;
    }
    if (!topic) {
      response.topics.push_back(failed(name, is_valid_topic_name(name) ? ErrorCode::unknown_topic_or_partition
                                                                       : ErrorCode::invalid_topic_exception));
      continue;
    }
    const auto count = static_cast<std::int32_t>(topic->partitions.size());
    const bool resumed = request.cursor && request.cursor->topic_name == name;
    const std::int32_t first = std::min(resumed ? request.cursor->partition_index : 0, count);
    const std::int32_t end = first + std::min(count - first, room);
    response.topics.push_back(describe(session, *topic, first, end));
    room -= end - first;
    if (end == count) continue;
    response.next_cursor = DescribedTopics::Cursor{Text(name), end};
    break;
  }
  session.respond(call, response);
}

}  // namespace braid::kafka
