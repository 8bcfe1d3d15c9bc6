// Braid, Apache-2.0.
//
// DeleteTopics: by name, or (from version 6) by id. Topics succeed and fail one by one.
#include <memory>
#include <set>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstDeleteTopicsWithIds = 6, kFirstDeleteTopicsWithQuotaError = 5;

struct DeleteWork {
  Session& session;
  Call call;
  DeleteTopicsResponse response;
  std::vector<std::size_t> places;  ///< of the topics that went to the catalog

  void refuse(std::size_t place, ErrorCode error, std::string_view reason) {
    response.responses[place].error_code = error;
    if (!reason.empty()) response.responses[place].error_message = Text(reason);
  }
  void refuse_all(ErrorCode error, std::string_view reason) {
    for (const std::size_t place : places) refuse(place, error, reason);
    session.respond(call, response);
  }
};

/// What was asked for, whatever the version.
std::vector<DeleteTopicsRequest::Topic> wanted_topics(DeleteTopicsRequest& request, std::int16_t version) {
  if (version >= kFirstDeleteTopicsWithIds) return std::move(request.topics);
  std::vector<DeleteTopicsRequest::Topic> topics;
  topics.reserve(request.topic_names.size());
  for (Text& name : request.topic_names) topics.push_back({std::move(name), {}});
  return topics;
}

}  // namespace

void delete_topics(Session& session, const Call& call, DeleteTopicsRequest request) {
  const auto work = std::make_shared<DeleteWork>(DeleteWork{session, call, {}, {}});
  const std::vector<DeleteTopicsRequest::Topic> wanted = wanted_topics(request, call.version);
  const Directory& directory = session.services().directory;
  DeleteTopics remove;
  std::set<TopicId> seen;
  work->response.responses.resize(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    DeleteTopicsResponse::Topic& place = work->response.responses[i];
    place.name = wanted[i].name;
    place.topic_id = wanted[i].topic_id;
    const bool by_id = !wanted[i].topic_id.is_zero();
    if (by_id == wanted[i].name.has_value()) {
      work->refuse(i, ErrorCode::invalid_request, "a topic is named either by its name or by its id");
      continue;
    }
    const TopicRef topic = by_id ? directory.find(wanted[i].topic_id) : directory.find(wanted[i].name->view());
    if (!topic) {
      work->refuse(i, by_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition, {});
      continue;
    }
    place.name = Text(topic->name);
    place.topic_id = topic->id;
    if (!seen.insert(topic->id).second) {
      work->refuse(i, ErrorCode::invalid_request, "the request names the topic twice");
      continue;
    }
    if (!session.take_mutations(topic->partitions.size(), call.version >= kFirstDeleteTopicsWithQuotaError)) {
      work->refuse(i, ErrorCode::throttling_quota_exceeded, "the quota controller_mutation_rate is used up");
      continue;
    }
    remove.topics.push_back({topic->name, topic->id});
    work->places.push_back(i);
  }
  if (remove.topics.empty()) return session.respond(call, work->response);

  if (request.timeout_ms > 0)
    session.set_deadline(call, request.timeout_ms,
                         [work] { work->refuse_all(ErrorCode::request_timed_out, "it may still be done later"); });
  ask(
      &session, session.services().catalog, std::move(remove),
      [work](const TopicsApplied& applied) {
        if (applied.error != Errc::none) return work->refuse_all(to_error_code(applied.error), applied.reason);
        for (std::size_t i = 0; i < work->places.size() && i < applied.topics.size(); ++i) {
          const TopicOutcome& outcome = applied.topics[i];
          if (outcome.error != Errc::none) work->refuse(work->places[i], to_error_code(outcome.error), outcome.reason);
        }
        work->session.respond(work->call, work->response);
      },
      [work](const caf::error&) { work->refuse_all(ErrorCode::request_timed_out, "the catalog did not answer"); });
}

}  // namespace braid::kafka
