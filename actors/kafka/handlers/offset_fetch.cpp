// Braid, Apache-2.0.
//
// OffsetFetch: the committed offsets of a group, or (from version 8) of several, each asked at its own coordinator.
// Nothing is in a transaction, so every committed offset is stable.
#include <map>
#include <memory>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

constexpr std::int16_t kFirstOffsetFetchWithGroupError = 2, kFirstOffsetFetchWithGroups = 8,
                       kFirstOffsetFetchWithIds = 10;

using Fetched = std::function<void(const OffsetsFetched&)>;
void ask_for(Session& session, FetchOffsets fetch, Fetched done) {
  OffsetsFetched unavailable;
  unavailable.error = ErrorCode::coordinator_not_available;
  const std::string group = fetch.group;
  session.ask_coordinator(group, std::move(fetch), unavailable, std::move(done));
}

template <class Partition>
Partition describe(std::int32_t index, const CommittedOffset& committed) {
  Partition place;
  place.partition_index = index;
  place.committed_offset = committed.offset.value;
  place.committed_leader_epoch = committed.leader_epoch.value;
  place.metadata = Text(committed.metadata);
  return place;
}

/// The offsets of a reply in the topics of a response; they come sorted by topic.
template <class Topic, class Name>
std::vector<Topic> gather(const OffsetsFetched& fetched, Name&& name) {
  std::vector<Topic> topics;
  const std::string* last = nullptr;
  using Partition = typename decltype(Topic::partitions)::value_type;
  for (const auto& [key, committed] : fetched.offsets) {
    if (!last || *last != key.topic) {
      topics.emplace_back();
      name(topics.back(), key.topic);
      last = &key.topic;
    }
    topics.back().partitions.push_back(describe<Partition>(key.partition, committed));
  }
  return topics;
}

// -- one group, versions 1 to 7 ---------------------------------------------------------------------------------------

void fetch_one(Session& session, const Call& call, OffsetFetchRequest request) {
  FetchOffsets fetch;
  fetch.group = request.group_id.str();
  fetch.all = !request.topics;
  if (request.topics)
    for (const OffsetFetchRequest::Topic& topic : *request.topics)
      for (const std::int32_t index : topic.partition_indexes) fetch.keys.push_back({topic.name.str(), index});
  const std::vector<OffsetKey> keys = fetch.keys;
  ask_for(session, std::move(fetch), [&session, call, keys](const OffsetsFetched& fetched) {
    OffsetFetchResponse response;
    response.error_code = fetched.error;
    const auto name = [](OffsetFetchResponse::Topic& topic, const std::string& text) { topic.name = Text(text); };
    if (fetched.error == ErrorCode::none) {
      response.topics = gather<OffsetFetchResponse::Topic>(fetched, name);
    } else if (call.version < kFirstOffsetFetchWithGroupError) {
      // Version 1 has no place for the group's error but its partitions.
      OffsetsFetched failed;
      for (const OffsetKey& key : keys) failed.offsets.emplace_back(key, CommittedOffset{});
      response.topics = gather<OffsetFetchResponse::Topic>(failed, name);
      for (OffsetFetchResponse::Topic& topic : response.topics)
        for (OffsetFetchResponse::Partition& partition : topic.partitions) partition.error_code = fetched.error;
    }
    session.respond(call, response);
  });
}

// -- several groups, from version 8 -----------------------------------------------------------------------------------

struct GroupsWork {
  Session& session;
  Call call;
  OffsetFetchResponse response;
  std::size_t left = 1;  ///< groups asked for, and the handler itself

  void one_done() {
    if (--left == 0) session.respond(call, response);
  }
};

/// Topics that were asked for by an id that nobody has: their partitions say so.
void add_unknown(OffsetFetchResponse::Group& place, const OffsetFetchRequest::GroupTopic& asked) {
  OffsetFetchResponse::GroupTopic topic;
  topic.topic_id = asked.topic_id;
  for (const std::int32_t index : asked.partition_indexes) {
    topic.partitions.push_back(describe<OffsetFetchResponse::GroupPartition>(index, CommittedOffset{}));
    topic.partitions.back().error_code = ErrorCode::unknown_topic_id;
  }
  place.topics.push_back(std::move(topic));
}

void fetch_many(Session& session, const Call& call, OffsetFetchRequest request) {
  const bool by_id = call.version >= kFirstOffsetFetchWithIds;
  const auto work = std::make_shared<GroupsWork>(GroupsWork{session, call, {}});
  work->response.groups.resize(request.groups.size());
  for (std::size_t g = 0; g < request.groups.size(); ++g) {
    const OffsetFetchRequest::Group& asked = request.groups[g];
    OffsetFetchResponse::Group& place = work->response.groups[g];
    place.group_id = asked.group_id;
    FetchOffsets fetch;
    fetch.group = asked.group_id.str();
    fetch.all = !asked.topics;
    if (asked.topics) {
      for (const OffsetFetchRequest::GroupTopic& topic : *asked.topics) {
        const TopicRef known = by_id ? session.services().directory.find(topic.topic_id) : nullptr;
        if (by_id && !known) {
          add_unknown(place, topic);
          continue;
        }
        const std::string name = by_id ? known->name : topic.name.str();
        for (const std::int32_t index : topic.partition_indexes) fetch.keys.push_back({name, index});
      }
    }
    ++work->left;
    ask_for(session, std::move(fetch), [work, g, by_id](const OffsetsFetched& fetched) {
      OffsetFetchResponse::Group& answered = work->response.groups[g];
      answered.error_code = fetched.error;
      auto topics = gather<OffsetFetchResponse::GroupTopic>(
          fetched, [&](OffsetFetchResponse::GroupTopic& topic, const std::string& text) {
            topic.name = Text(text);
            if (const TopicRef known = by_id ? work->session.services().directory.find(text) : nullptr)
              topic.topic_id = known->id;
          });
      if (fetched.error != ErrorCode::none)
        answered.topics.clear();
      else
        answered.topics.insert(answered.topics.end(), std::make_move_iterator(topics.begin()),
                               std::make_move_iterator(topics.end()));
      work->one_done();
    });
  }
  work->one_done();
}

}  // namespace

void offset_fetch(Session& session, const Call& call, OffsetFetchRequest request) {
  if (call.version >= kFirstOffsetFetchWithGroups) return fetch_many(session, call, std::move(request));
  fetch_one(session, call, std::move(request));
}

}  // namespace braid::kafka
