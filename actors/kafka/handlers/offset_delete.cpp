// Braid, Apache-2.0.
//
// OffsetDelete: takes committed offsets of a group back, unless its members subscribe to the topic.
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

struct OffsetDeleteWork {
  OffsetDeleteResponse response;
  /// Where in the response the offsets that were sent to the coordinator belong.
  std::vector<std::pair<std::size_t, std::size_t>> places;
};

}  // namespace

void offset_delete(Session& session, const Call& call, OffsetDeleteRequest request) {
  OffsetDeleteWork work;
  DeleteOffsets remove;
  remove.group = request.group_id.str();
  work.response.topics.resize(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const OffsetDeleteRequest::Topic& given = request.topics[t];
    OffsetDeleteResponse::Topic& topic = work.response.topics[t];
    topic.name = given.name;
    topic.partitions.resize(given.partitions.size());
    const TopicRef known = session.services().directory.find(given.name.view());
    for (std::size_t p = 0; p < given.partitions.size(); ++p) {
      const std::int32_t index = given.partitions[p].partition_index;
      topic.partitions[p].partition_index = index;
      if (!known || !known->partition(PartitionIndex{index})) {
        topic.partitions[p].error_code = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      remove.keys.push_back({known->name, index});
      work.places.emplace_back(t, p);
    }
  }

  OffsetsDeleted unavailable;
  unavailable.error = ErrorCode::coordinator_not_available;
  session.ask_coordinator(request.group_id.view(), std::move(remove), unavailable,
                          [&session, call, work = std::move(work)](const OffsetsDeleted& deleted) mutable {
                            work.response.error_code = deleted.error;
                            if (deleted.error != ErrorCode::none) work.response.topics.clear();
                            for (std::size_t i = 0; i < work.places.size() && i < deleted.errors.size(); ++i) {
                              const auto [t, p] = work.places[i];
                              if (deleted.error == ErrorCode::none)
                                work.response.topics[t].partitions[p].error_code = deleted.errors[i];
                            }
                            session.respond(call, work.response);
                          });
}

}  // namespace braid::kafka
