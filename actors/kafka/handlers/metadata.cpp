// Braid, Apache-2.0.
//
// Metadata: where partitions are. One node holds them all, at the address that the client dialled. A topic that does
// not exist may be made on the way; then the answer waits for it, so that the client need not ask again.
#include <memory>
#include <unordered_map>

#include "actors/kafka/handlers/authorized_operations.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"
#include "model/names.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kEmptyMeansAll = 0, kFirstMetadataWithAutoCreateFlag = 4, kFirstMetadataWithNullName = 12;

struct MetadataWork {
  Session& session;
  Call call;
  MetadataRequest request;
  std::unordered_map<std::string, ErrorCode> failed;  ///< to be created

  bool wants_all() const { return !request.topics || (call.version == kEmptyMeansAll && request.topics->empty()); }

  MetadataResponse::Topic describe(const Topic& topic) const {
    MetadataResponse::Topic place;
    place.name = Text(topic.name);
    place.topic_id = topic.id;
    place.is_internal = topic.internal;
    if (request.include_topic_authorized_operations) place.topic_authorized_operations = kTopicOperations;
    place.partitions.resize(topic.partitions.size());
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      MetadataResponse::Partition& partition = place.partitions[i];
      partition.partition_index = static_cast<std::int32_t>(i);
      partition.leader_id = session.node_id();
      partition.leader_epoch = session.services().leader_epoch(topic.partitions[i]).value;
      partition.replica_nodes = {session.node_id()};
      partition.isr_nodes = {session.node_id()};
    }
    return place;
  }

  /// The id decides: the Java client sends an empty name beside it, others none.
  static bool is_by_id(const MetadataRequest::Topic& wanted) { return !wanted.name || !wanted.topic_id.is_zero(); }

  MetadataResponse::Topic find(const MetadataRequest::Topic& wanted) const {
    const Directory& directory = session.services().directory;
    const bool by_id = is_by_id(wanted);
    const TopicRef topic = by_id ? directory.find(wanted.topic_id) : directory.find(wanted.name->view());
    if (topic) return describe(*topic);
    MetadataResponse::Topic place;
    place.topic_id = wanted.topic_id;
    if (by_id) {
      place.error_code = ErrorCode::unknown_topic_id;
      if (call.version < kFirstMetadataWithNullName) place.name = Text();
      return place;
    }
    place.name = wanted.name;
    const auto why = failed.find(wanted.name->str());
    if (why != failed.end())
      place.error_code = why->second;
    else if (is_valid_topic_name(wanted.name->view()))
      place.error_code = ErrorCode::unknown_topic_or_partition;
    else
      place.error_code = ErrorCode::invalid_topic_exception;
    return place;
  }

  void respond() const {
    MetadataResponse response;
    MetadataResponse::Broker broker;
    broker.node_id = session.node_id();
    broker.host = Text(session.endpoint().host);
    broker.port = session.endpoint().port;
    response.brokers.push_back(std::move(broker));
    response.cluster_id = Text(session.services().cluster_id);
    response.controller_id = session.node_id();
    if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
    if (wants_all()) {
      response.topics.reserve(session.services().directory.size());
      session.services().directory.for_each(
          [&](const TopicRef& topic) { response.topics.push_back(describe(*topic)); });
    } else {
      response.topics.reserve(request.topics->size());
      for (const MetadataRequest::Topic& wanted : *request.topics) response.topics.push_back(find(wanted));
    }
    session.respond(call, response);
  }

  /// Names to be created, each once.
  std::vector<std::string> missing() const {
    std::vector<std::string> names;
    if (wants_all() || !session.settings().auto_create_topics) return names;
    if (call.version >= kFirstMetadataWithAutoCreateFlag && !request.allow_auto_topic_creation) return names;
    std::unordered_map<std::string_view, bool> seen;
    for (const MetadataRequest::Topic& wanted : *request.topics) {
      if (is_by_id(wanted) || session.services().directory.find(wanted.name->view())) continue;
      if (!is_valid_topic_name(wanted.name->view()) || !seen.emplace(wanted.name->view(), true).second) continue;
      names.push_back(wanted.name->str());
    }
    return names;
  }
};

/// A refusal that may pass is told as "no leader yet": all clients ask again after that one.
ErrorCode creation_error(Errc error) {
  switch (error) {
    case Errc::none:
    case Errc::topic_exists:
      return ErrorCode::none;
    case Errc::invalid_topic_name:
    case Errc::invalid_partitions:
    case Errc::invalid_setting:
      return to_error_code(error);
    default:
      return ErrorCode::leader_not_available;
  }
}

}  // namespace

void metadata(Session& session, const Call& call, MetadataRequest request) {
  const auto work = std::make_shared<MetadataWork>(MetadataWork{session, call, std::move(request), {}});
  const std::vector<std::string> names = work->missing();
  if (names.empty()) return work->respond();

  CreateTopics create;
  for (const std::string& name : names) {
    NewTopic topic;
    topic.name = name;
    topic.partitions = session.settings().default_partitions;
    session.take_mutations(static_cast<std::size_t>(topic.partitions), false);
    create.topics.push_back(std::move(topic));
  }
  const auto fail_all = [work, names](ErrorCode error) {
    for (const std::string& name : names) work->failed[name] = error;
    work->respond();
  };
  ask(
      &session, session.services().catalog, std::move(create),
      [work, fail_all](const TopicsApplied& applied) {
        if (applied.error != Errc::none) return fail_all(creation_error(applied.error));
        for (const TopicOutcome& outcome : applied.topics)
          if (const ErrorCode error = creation_error(outcome.error); error != ErrorCode::none)
            work->failed[outcome.name] = error;
        work->respond();
      },
      [fail_all](const caf::error&) { fail_all(ErrorCode::leader_not_available); });
}

}  // namespace braid::kafka
