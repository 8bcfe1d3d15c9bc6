// Braid, Apache-2.0.
//
// CreateTopics: what Kafka's clients may ask for, put into the catalog's terms. Topics succeed and fail one by one.
#include <map>
#include <memory>
#include <set>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstCreateTopicsWithQuotaError = 6;
/// In any version: version 4 made it official, but kafkajs sends it in version 3, and Kafka takes it.
constexpr std::int32_t kDefault = -1;

struct Refusal {
  ErrorCode error = ErrorCode::none;
  std::string reason;
};

/// Partitions 0 to n-1, each on this node and nowhere else; nothing more is possible on one node.
Refusal check_assignments(const CreateTopicsRequest::Topic& wanted, std::int32_t node_id) {
  if (wanted.num_partitions != kDefault || wanted.replication_factor != kDefault)
    return {ErrorCode::invalid_request,
            "a topic has either assignments, or a number of partitions and a replication factor"};
  std::set<std::int32_t> indexes;
  for (const CreateTopicsRequest::Assignment& assignment : wanted.assignments) {
    if (assignment.broker_ids.size() != 1 || assignment.broker_ids.front() != node_id)
      return {ErrorCode::invalid_replica_assignment, "the only broker is " + std::to_string(node_id)};
    indexes.insert(assignment.partition_index);
  }
  const auto count = static_cast<std::int32_t>(wanted.assignments.size());
  if (indexes.size() != wanted.assignments.size() || *indexes.begin() != 0 || *indexes.rbegin() != count - 1)
    return {ErrorCode::invalid_replica_assignment, "partitions have to be numbered from 0 without gaps"};
  return {};
}

Refusal check(const CreateTopicsRequest::Topic& wanted, std::int32_t node_id) {
  for (const CreateTopicsRequest::Config& config : wanted.configs)
    if (!config.value) return {ErrorCode::invalid_config, "setting \"" + config.name.str() + "\" has no value"};
  if (!wanted.assignments.empty()) return check_assignments(wanted, node_id);
  if (wanted.num_partitions < 1 && wanted.num_partitions != kDefault)
    return {ErrorCode::invalid_partitions, "a topic has at least one partition"};
  if (wanted.replication_factor != 1 && wanted.replication_factor != kDefault)
    return {ErrorCode::invalid_replication_factor, "there is one broker, so the replication factor is 1"};
  return {};
}

NewTopic translate(const CreateTopicsRequest::Topic& wanted, const KafkaSettings& settings) {
  NewTopic topic;
  topic.name = wanted.name.str();
  if (!wanted.assignments.empty())
    topic.partitions = static_cast<std::int32_t>(wanted.assignments.size());
  else
    topic.partitions = wanted.num_partitions == kDefault ? settings.default_partitions : wanted.num_partitions;
  for (const CreateTopicsRequest::Config& config : wanted.configs)
    topic.config.insert_or_assign(config.name.str(), config.value->str());
  return topic;
}

struct CreateWork {
  Session& session;
  Call call;
  CreateTopicsResponse response;
  std::vector<std::size_t> places;  ///< of the topics that went to the catalog

  void refuse(std::size_t place, ErrorCode error, std::string_view reason) {
    CreateTopicsResponse::Topic& topic = response.topics[place];
    topic.error_code = error;
    topic.configs.reset();
    topic.error_message.reset();
    if (!reason.empty()) topic.error_message = Text(reason);
  }
  void refuse_all(ErrorCode error, std::string_view reason) {
    for (const std::size_t place : places) refuse(place, error, reason);
    session.respond(call, response);
  }
  void describe(std::size_t place, const TopicOutcome& outcome, std::size_t partitions) {
    CreateTopicsResponse::Topic& topic = response.topics[place];
    topic.error_code = ErrorCode::none;
    topic.error_message.reset();
    topic.topic_id = outcome.id;
    topic.num_partitions = static_cast<std::int32_t>(partitions);
    topic.replication_factor = 1;
    const TopicConfig config = outcome.topic ? outcome.topic->config : TopicConfig{};
    topic.configs.emplace();
    const Services& services = session.services();
    for (const TopicConfigEntry& entry : describe_topic_config(config, services.settings.topic_defaults,
                                                               services.directory.settings()->topic_defaults)) {
      CreateTopicsResponse::Config setting;
      setting.name = Text(entry.info->name);
      setting.value = Text(entry.value);
      setting.config_source = static_cast<std::int8_t>(entry.source());
      topic.configs->push_back(std::move(setting));
    }
  }
};

}  // namespace

void create_topics(Session& session, const Call& call, CreateTopicsRequest request) {
  const auto work = std::make_shared<CreateWork>(CreateWork{session, call, {}, {}});
  std::map<std::string_view, int> named;
  for (const CreateTopicsRequest::Topic& wanted : request.topics) ++named[wanted.name.view()];

  CreateTopics create;
  create.validate_only = request.validate_only;
  work->response.topics.resize(request.topics.size());
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    const CreateTopicsRequest::Topic& wanted = request.topics[i];
    work->response.topics[i].name = wanted.name;
    Refusal refusal = check(wanted, session.node_id());
    if (named[wanted.name.view()] > 1) refusal = {ErrorCode::invalid_request, "the request names the topic twice"};
    if (refusal.error != ErrorCode::none) {
      work->refuse(i, refusal.error, refusal.reason);
      continue;
    }
    NewTopic topic = translate(wanted, session.settings());
    if (!request.validate_only && !session.take_mutations(static_cast<std::size_t>(topic.partitions),
                                                          call.version >= kFirstCreateTopicsWithQuotaError)) {
      work->refuse(i, ErrorCode::throttling_quota_exceeded, "the quota controller_mutation_rate is used up");
      continue;
    }
    create.topics.push_back(std::move(topic));
    work->places.push_back(i);
  }
  if (create.topics.empty()) return session.respond(call, work->response);

  std::vector<std::size_t> partitions;
  for (const NewTopic& topic : create.topics) partitions.push_back(static_cast<std::size_t>(topic.partitions));
  if (request.timeout_ms > 0)
    session.set_deadline(call, request.timeout_ms,
                         [work] { work->refuse_all(ErrorCode::request_timed_out, "it may still be done later"); });
  ask(
      &session, session.services().catalog, std::move(create),
      [work, partitions](const TopicsApplied& applied) {
        if (applied.error != Errc::none) return work->refuse_all(to_error_code(applied.error), applied.reason);
        for (std::size_t i = 0; i < work->places.size() && i < applied.topics.size(); ++i) {
          const TopicOutcome& outcome = applied.topics[i];
          if (outcome.error != Errc::none)
            work->refuse(work->places[i], to_error_code(outcome.error), outcome.reason);
          else
            work->describe(work->places[i], outcome, partitions[i]);
        }
        work->session.respond(work->call, work->response);
      },
      [work](const caf::error&) { work->refuse_all(ErrorCode::request_timed_out, "the catalog did not answer"); });
}

}  // namespace braid::kafka
