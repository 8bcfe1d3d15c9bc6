// Braid, Apache-2.0.
//
// AlterClientQuotas: rates of users and client ids. Entries succeed and fail one by one. What is not enforced is
// refused: quotas of an ip, and of processor time (request_percentage).
#include <memory>
#include <set>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/handlers/text.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

struct AlterQuotasWork {
  Session& session;
  Call call;
  AlterClientQuotasResponse response;
  std::vector<std::size_t> places;  ///< of the entries that went to the catalog

  void refuse(std::size_t place, ErrorCode error, std::string_view reason) {
    response.entries[place].error_code = error;
    response.entries[place].error_message = Text(reason);
  }
  void refuse_all(ErrorCode error, std::string_view reason) {
    for (const std::size_t place : places) refuse(place, error, reason);
    session.respond(call, response);
  }
};

/// The entry in the catalog's terms; the reason why it cannot be, or nothing.
std::string translate(const AlterClientQuotasRequest::Entry& entry, QuotaChange& change) {
  for (const AlterClientQuotasRequest::Entity& entity : entry.entity)
    if (!change.entity.emplace(entity.entity_type.str(), string(entity.entity_name)).second)
      return "the entity names a type twice";
  std::set<std::string_view> keys;
  for (const AlterClientQuotasRequest::Operation& operation : entry.ops) {
    if (!keys.insert(operation.key.view()).second) return "the entry names a quota twice";
    change.edits.push_back({operation.key.str(), operation.remove ? std::nullopt : std::optional(operation.value)});
  }
  return {};
}

}  // namespace

void alter_client_quotas(Session& session, const Call& call, AlterClientQuotasRequest request) {
  const auto work = std::make_shared<AlterQuotasWork>(AlterQuotasWork{session, call, {}, {}});
  AlterClientQuotas alter;
  alter.validate_only = request.validate_only;
  std::set<QuotaEntity> seen;
  work->response.entries.resize(request.entries.size());
  for (std::size_t i = 0; i < request.entries.size(); ++i) {
    for (const AlterClientQuotasRequest::Entity& entity : request.entries[i].entity)
      work->response.entries[i].entity.push_back({entity.entity_type, entity.entity_name});
    QuotaChange change;
    std::string problem = translate(request.entries[i], change);
    if (problem.empty() && !seen.insert(change.entity).second) problem = "the request names the entity twice";
    if (!problem.empty()) {
      work->refuse(i, ErrorCode::invalid_request, problem);
      continue;
    }
    alter.changes.push_back(std::move(change));
    work->places.push_back(i);
  }
  if (alter.changes.empty()) return session.respond(call, work->response);
  ask(
      &session, session.services().catalog, std::move(alter),
      [work](const ClientQuotasAltered& altered) {
        if (altered.error != Errc::none) return work->refuse_all(to_error_code(altered.error), altered.reason);
        for (std::size_t i = 0; i < work->places.size() && i < altered.changes.size(); ++i)
          if (altered.changes[i].error != Errc::none)
            work->refuse(work->places[i], ErrorCode::invalid_request, altered.changes[i].reason);
        work->session.respond(work->call, work->response);
      },
      [work](const caf::error&) { work->refuse_all(ErrorCode::request_timed_out, "the catalog did not answer"); });
}

}  // namespace braid::kafka
