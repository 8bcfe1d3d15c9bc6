// Braid, Apache-2.0.
//
// CreatePartitions: more partitions for topics that exist. Topics succeed and fail one by one. Records stay where they
// are: a key that hashed to an old partition may hash to a new one from now on, as with Kafka.
#include <algorithm>
#include <map>
#include <memory>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstCreatePartitionsWithQuotaError = 3;

struct CreatePartitionsWork {
  Session& session;
  Call call;
  CreatePartitionsResponse response;
  std::vector<std::size_t> places;  ///< of the topics that went to the catalog

  void refuse(std::size_t place, ErrorCode error, std::string_view reason) {
    response.results[place].error_code = error;
    response.results[place].error_message.reset();
    if (!reason.empty()) response.results[place].error_message = Text(reason);
  }
  void refuse_all(ErrorCode error, std::string_view reason) {
    for (const std::size_t place : places) refuse(place, error, reason);
    session.respond(call, response);
  }
};

/// One list per new partition, each naming this node and nobody else; empty when that is so, or when none are given.
std::string assignment_problem(const CreatePartitionsRequest::Topic& wanted, const Topic& topic, std::int32_t node_id) {
  if (!wanted.assignments) return {};
  const std::int64_t added = std::int64_t{wanted.count} - static_cast<std::int64_t>(topic.partitions.size());
  if (added >= 1 && static_cast<std::int64_t>(wanted.assignments->size()) != added)
    return "there are " + std::to_string(added) + " new partitions and " + std::to_string(wanted.assignments->size()) +
           " assignments";
  for (const CreatePartitionsRequest::Assignment& assignment : *wanted.assignments)
    if (assignment.broker_ids.size() != 1 || assignment.broker_ids.front() != node_id)
      return "the only broker is " + std::to_string(node_id);
  return {};
}

}  // namespace

void create_partitions(Session& session, const Call& call, CreatePartitionsRequest request) {
  const auto work = std::make_shared<CreatePartitionsWork>(CreatePartitionsWork{session, call, {}, {}});
  std::map<std::string_view, int> named;
  for (const CreatePartitionsRequest::Topic& wanted : request.topics) ++named[wanted.name.view()];

  CreatePartitions create;
  create.validate_only = request.validate_only;
  work->response.results.resize(request.topics.size());
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    const CreatePartitionsRequest::Topic& wanted = request.topics[i];
    work->response.results[i].name = wanted.name;
    const TopicRef topic = session.services().directory.find(wanted.name.view());
    if (named[wanted.name.view()] > 1) {
      work->refuse(i, ErrorCode::invalid_request, "the request names the topic twice");
    } else if (!topic) {
      work->refuse(i, ErrorCode::unknown_topic_or_partition, "there is no such topic");
    } else if (const std::string problem = assignment_problem(wanted, *topic, session.node_id()); !problem.empty()) {
      work->refuse(i, ErrorCode::invalid_replica_assignment, problem);
    } else if (const auto added =
                   std::max<std::int64_t>(wanted.count - static_cast<std::int64_t>(topic->partitions.size()), 0);
               !request.validate_only &&
               !session.take_mutations(static_cast<std::size_t>(added),
                                       call.version >= kFirstCreatePartitionsWithQuotaError)) {
      work->refuse(i, ErrorCode::throttling_quota_exceeded, "the quota controller_mutation_rate is used up");
    } else {
      create.topics.push_back({topic->name, wanted.count, {}});
      work->places.push_back(i);
    }
  }
  if (create.topics.empty()) return session.respond(call, work->response);

  if (request.timeout_ms > 0)
    session.set_deadline(call, request.timeout_ms,
                         [work] { work->refuse_all(ErrorCode::request_timed_out, "it may still be done later"); });
  ask(
      &session, session.services().catalog, std::move(create),
      [work](const TopicsApplied& applied) {
        if (applied.error != Errc::none) return work->refuse_all(to_error_code(applied.error), applied.reason);
        for (std::size_t i = 0; i < work->places.size() && i < applied.topics.size(); ++i)
          work->refuse(work->places[i], to_error_code(applied.topics[i].error), applied.topics[i].reason);
        work->session.respond(work->call, work->response);
      },
      [work](const caf::error&) { work->refuse_all(ErrorCode::request_timed_out, "the catalog did not answer"); });
}

}  // namespace braid::kafka
