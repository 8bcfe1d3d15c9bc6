// Braid, Apache-2.0.
//
// DescribeLogDirs: how much the partitions take. There is one directory. The loops that have the journals are asked
// once each, for all their partitions: asking partitions would start an actor for every one that rests.
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

struct LogDirsWork {
  Session& session;
  Call call;
  std::vector<std::pair<TopicRef, std::vector<std::int32_t>>> wanted;  ///< and the indexes of its partitions
  std::unordered_map<PartitionId, std::uint64_t> bytes;
  std::size_t left = 0;
  std::optional<VolumeSize> volume;

  void want(const TopicRef& topic, const std::vector<std::int32_t>* indexes) {
    if (!topic) return;  // what is not in the directory is not in the answer
    std::vector<std::int32_t> known;
    if (indexes) {
      std::unordered_set<std::int32_t> seen;
      for (const std::int32_t index : *indexes)
        if (topic->partition(PartitionIndex{index}) && seen.insert(index).second) known.push_back(index);
    } else {
      for (std::size_t i = 0; i < topic->partitions.size(); ++i) known.push_back(static_cast<std::int32_t>(i));
    }
    if (!known.empty()) wanted.emplace_back(topic, std::move(known));
  }

  void one_done() {
    if (--left > 0) return;
    DescribeLogDirsResponse response;
    DescribeLogDirsResponse::Result& directory = response.results.emplace_back();
    directory.log_dir = Text(session.services().settings.storage.path);
    if (volume) {
      directory.total_bytes = static_cast<std::int64_t>(volume->total_bytes);
      directory.usable_bytes = static_cast<std::int64_t>(volume->usable_bytes);
    }
    for (const auto& [topic, indexes] : wanted) {
      DescribeLogDirsResponse::Topic place;
      place.name = Text(topic->name);
      for (const std::int32_t index : indexes) {
        const auto measured = bytes.find(topic->partition(PartitionIndex{index})->id);
        if (measured == bytes.end()) continue;
        DescribeLogDirsResponse::Partition partition;
        partition.partition_index = index;
        partition.partition_size = static_cast<std::int64_t>(measured->second);
        place.partitions.push_back(partition);
      }
      if (!place.partitions.empty()) directory.topics.push_back(std::move(place));
    }
    session.respond(call, response);
  }
};

}  // namespace

void describe_log_dirs(Session& session, const Call& call, DescribeLogDirsRequest request) {
  const Services& services = session.services();
  const auto work = std::make_shared<LogDirsWork>(LogDirsWork{session, call, {}, {}, 2, {}});
  if (request.topics) {
    for (const DescribeLogDirsRequest::Topic& topic : *request.topics)
      work->want(services.directory.find(topic.topic.view()), &topic.partitions);
  } else {
    services.directory.for_each([&](const TopicRef& topic) { work->want(topic, nullptr); });
  }
  std::vector<MeasureLogs> by_loop(services.loops);
  for (const auto& [topic, indexes] : work->wanted)
    for (const std::int32_t index : indexes) {
      const PartitionPlacement& partition = *topic->partition(PartitionIndex{index});
      by_loop[services.loop_of(partition.shard)].partitions.push_back(partition.id);
    }
  for (std::size_t i = 0; i < by_loop.size(); ++i) {
    if (by_loop[i].partitions.empty()) continue;
    ++work->left;
    ask(
        &session, services.hosts[i], std::move(by_loop[i]),
        [work](const LogsMeasured& measured) {
          for (const LogsMeasured::Log& log : measured.logs) work->bytes[log.partition] = log.bytes;
          work->one_done();
        },
        [work](const caf::error&) { work->one_done(); });
  }
  session.loop().disk().measure_volume(services.settings.storage.path,
                                       session.guard([work](IoResult<VolumeSize> volume) {
                                         if (volume) work->volume = *volume;
                                         work->one_done();
                                       }));
  work->one_done();
}

}  // namespace braid::kafka
