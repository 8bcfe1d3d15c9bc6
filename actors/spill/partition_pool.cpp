// Braid, Apache-2.0.
#include "actors/spill/partition_pool.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "actors/internal_topics.hpp"
#include "actors/services.hpp"
#include "model/fifo.hpp"
#include "runtime/log.hpp"
#include "runtime/pinned.hpp"

namespace braid {

namespace {

/// The first topic has one partition; the next one this many, and each further one as many as there are by then.
constexpr std::size_t kFirstGrowth = 64;

class Pool : public Pinned<PartitionPool::base> {
 public:
  Pool(caf::actor_config& config, Loop& loop, Services& services) : Pinned(config, loop), services_(services) {}
  const char* name() const override { return "partition-pool"; }

 protected:
  behavior_type make_behavior() override {
    services_.directory.for_each([this](const TopicRef& topic) {
      if (is_spill_topic(*topic)) add(*topic);
    });
    return {
        [this](const TakePartition&) {
          auto promise = std::make_shared<Promise<PartitionTaken>>(this);
          auto later = promise->later();
          waiting_.push_back(std::move(promise));
          serve();
          return later;
        },
        [this](const GivePartition& given) {
          // Emptied now, for the space; whoever takes it next asks again where it begins.
          services_.partitions.request(this, given.partition, DeleteRecords{}, [](const RecordsDeleted&) {});
          free_.push_back(given.partition);
          serve();
        },
    };
  }

 private:
  using Waiting = std::shared_ptr<Promise<PartitionTaken>>;

  void serve() {
    while (!waiting_.empty() && !free_.empty()) {
      const PartitionId partition = free_.back();
      free_.pop_back();
      services_.partitions.request(this, partition, DeleteRecords{},
                                   [this, partition, promise = waiting_.pop_front()](const RecordsDeleted& deleted) {
                                     if (deleted.error != Errc::none) free_.insert(free_.begin(), partition);
                                     promise->deliver(PartitionTaken{deleted.error, partition, deleted.low_watermark});
                                   });
    }
    if (!waiting_.empty() && !growing_) grow();
  }

  void grow() {
    growing_ = true;
    CreateTopics request;
    NewTopic topic;
    // A topic of the broker's own keeps its number of partitions, so there are several.
    topic.name = std::string(kSpillTopic) + "-" + std::to_string(topics_);
    topic.partitions = static_cast<std::int32_t>(std::max(kFirstGrowth, size_));
    topic.config = spill_config();
    topic.internal = true;
    request.topics.push_back(std::move(topic));
    ask(
        this, services_.catalog, std::move(request), [this](const TopicsApplied& applied) { grown(applied); },
        [this](caf::error) { refuse(Errc::shutting_down); });
  }

  void grown(const TopicsApplied& applied) {
    growing_ = false;
    const auto* outcome = applied.topics.empty() ? nullptr : &applied.topics.front();
    if (applied.error != Errc::none || !outcome || outcome->error != Errc::none || !outcome->topic) {
      BRAID_LOG_LIMITED(warning, "spill", {}, "no more partitions for queues: {}",
                        outcome ? outcome->reason : applied.reason);
      return refuse(applied.error != Errc::none ? applied.error : Errc::overloaded);
    }
    add(*outcome->topic);
    serve();
  }

  void add(const Topic& topic) {
    for (auto at = topic.partitions.rbegin(); at != topic.partitions.rend(); ++at) free_.push_back(at->id);
    size_ += topic.partitions.size();
    ++topics_;
  }

  void refuse(Errc error) {
    growing_ = false;
    while (!waiting_.empty()) waiting_.pop_front()->deliver(PartitionTaken{error, PartitionId{0}, Offset{0}});
  }

  Services& services_;
  std::vector<PartitionId> free_;
  Fifo<Waiting> waiting_;
  std::size_t size_ = 0;  ///< partitions of all of them
  std::size_t topics_ = 0;
  bool growing_ = false;
};

}  // namespace

bool is_spill_topic(const Topic& topic) {
  return topic.internal && topic.name.starts_with(kSpillTopic);
}

TopicConfig spill_config() {
  return {{"retention.ms", "-1"}, {"retention.bytes", "-1"}, {"durability", "os"}};
}

PartitionPool spawn_partition_pool(Services& services) {
  return spawn_on<Pool>(services.loop, services);
}

}  // namespace braid
