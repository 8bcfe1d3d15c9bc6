// Braid, Apache-2.0.
//
// Produce: one record batch per partition, each appended on its own. The batch's bytes go to the partition as the slice
// of the receive block that they are; the partition judges and stamps them.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/leader_hint.hpp"
#include "actors/kafka/produce_batch.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kNoAcks = 0, kLeaderAck = 1, kAllAcks = -1;
constexpr std::int16_t kFirstProduceWithIds = 13, kFirstProduceWithLeaderHints = 10;

struct ProduceWork {
  Session& session;
  Call call;
  std::int16_t acks;
  ProduceResponse response;
  std::size_t left = 1;  ///< appends under way, and the handler itself
  bool failed = false;

  ProduceWork(Session& its_session, const Call& its_call, std::int16_t its_acks)
      : session(its_session), call(its_call), acks(its_acks) {}

  void fail(ProduceResponse::Partition& place, ErrorCode error, std::string_view reason) {
    failed = true;
    place.error_code = error;
    place.base_offset = -1;
    if (!reason.empty()) place.error_message = Text(reason);
  }
  void have(ProduceResponse::Partition& place, const PartitionPlacement& partition, const Appended& appended) {
    place.error_code = ErrorCode::none;
    place.base_offset = appended.base_offset.value;
    place.log_append_time_ms = appended.log_append_time.value;
    place.log_start_offset = appended.log_start.value;
    if (appended.error != Errc::none) refused(place, partition, appended);
    one_done();
  }
  void refused(ProduceResponse::Partition& place, const PartitionPlacement& partition, const Appended& appended) {
    fail(place, to_error_code(appended.error), appended.reason);
    place.log_append_time_ms = -1;
    for (const RecordFault& fault : appended.faults) place.record_errors.push_back({fault.index, Text(fault.reason)});
    if (call.version >= kFirstProduceWithLeaderHints && wants_leader(place.error_code))
      add_leader_hint(session, partition, response, place);
  }
  void one_done() {
    if (--left > 0) return;
    if (acks != kNoAcks) {
      if (session.is_open(call)) session.respond(call, response);
      return;
    }
    session.release_bytes(call.request_bytes);
    // A producer that waits for no answer learns of a failure by the end of the connection only.
    if (failed) session.disconnect("a Produce with acks=0 failed");
  }
};

/// Why nothing of the request can be taken.
ErrorCode check_request(const ProduceRequest& request) {
  if (request.acks != kNoAcks && request.acks != kLeaderAck && request.acks != kAllAcks)
    return ErrorCode::invalid_required_acks;
  // Transactions are not served. This code ends a transactional producer at once instead of letting it try for ever.
  if (request.transactional_id) return ErrorCode::transactional_id_authorization_failed;
  return ErrorCode::none;
}

}  // namespace

void produce(Session& session, const Call& call, ProduceRequest request) {
  const bool by_id = call.version >= kFirstProduceWithIds;
  const Directory& directory = session.services().directory;
  const auto work = std::make_shared<ProduceWork>(session, call, request.acks);
  if (request.acks == kNoAcks) {
    session.hold_bytes(call.request_bytes);
    session.respond_nothing(call);
  }

  const ErrorCode refused = check_request(request);
  // Places in the response stay where they are from here on: appends refer to them.
  work->response.responses.resize(request.topic_data.size());
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    ProduceRequest::Topic& given = request.topic_data[t];
    ProduceResponse::Topic& topic = work->response.responses[t];
    topic.name = given.name;
    topic.topic_id = given.topic_id;
    topic.partition_responses.resize(given.partition_data.size());
    const TopicRef known = by_id ? directory.find(given.topic_id) : directory.find(given.name.view());
    for (std::size_t p = 0; p < given.partition_data.size(); ++p) {
      ProduceRequest::Partition& data = given.partition_data[p];
      ProduceResponse::Partition& place = topic.partition_responses[p];
      place.index = data.index;
      if (refused != ErrorCode::none) {
        work->fail(place, refused, {});
        continue;
      }
      const PartitionPlacement* partition = known ? known->partition(PartitionIndex{data.index}) : nullptr;
      if (!partition) {
        work->fail(place, by_id && !known ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition, {});
        continue;
      }
      if (known->internal) {
        work->fail(place, ErrorCode::invalid_topic_exception, "the topic belongs to the broker");
        continue;
      }
      Bytes batch = data.records ? data.records->joined() : Bytes{};
      BatchRefusal refusal = check_form(batch, call.version);
      if (refusal.error == ErrorCode::none) refusal = compress_for(known->settings, batch);
      if (refusal.error != ErrorCode::none) {
        work->fail(place, refusal.error, refusal.reason);
        continue;
      }
      // Until it is known better: this is what the request's deadline answers with.
      place.error_code = ErrorCode::request_timed_out;
      place.base_offset = -1;
      ++work->left;
      AppendBatch append;
      append.batch = std::move(batch);
      session.services().partitions.request(
          &session, partition->id, std::move(append), [work, t, p, placement = *partition](const Appended& appended) {
            work->have(work->response.responses[t].partition_responses[p], placement, appended);
          });
    }
  }
  if (request.acks != kNoAcks && request.timeout_ms > 0)
    session.set_deadline(call, request.timeout_ms, [work] { work->session.respond(work->call, work->response); });
  work->one_done();
}

}  // namespace braid::kafka
