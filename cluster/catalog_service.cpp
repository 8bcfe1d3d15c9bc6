// Braid, Apache-2.0.
//
// Queue, batch, publish, answer: one batch at a time, so that changes reach the directories in the order in which they
// were applied.
#include "cluster/catalog_service.hpp"

#include <deque>
#include <utility>

#include "runtime/log.hpp"
#include "runtime/pinned.hpp"

namespace braid {
namespace {

/// Kafka writes topic ids as base64url; a leading '-' reads like an option on a command line (KIP-516 avoids it too).
TopicId new_topic_id(Loop& loop) {
  TopicId id;
  do {
    for (std::size_t i = 0; i < id.bytes.size(); i += 8) {
      std::uint64_t word = loop.random();
      for (std::size_t j = 0; j < 8; ++j, word >>= 8) id.bytes[i + j] = static_cast<std::uint8_t>(word);
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);  // version and variant of RFC 4122
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  } while (id.bytes[0] >> 2 == 62);
  return id;
}

void fill(TopicsApplied& reply, ApplyResult result) {
  reply.topics = std::move(result.topics);
}
void fill(ClusterSettingsApplied&, ApplyResult) {}
void fill(ClientQuotasAltered& reply, ApplyResult result) {
  reply.changes = std::move(result.changes);
}
void fill(DefinitionsAltered&, ApplyResult) {}
void fill(ProducerIdsAllocated& reply, ApplyResult result) {
  reply.first = result.first_producer_id;
  reply.count = result.producer_ids;
}

/// Whoever waits for a command's result, whatever the type of the answer.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void answer(ApplyResult result) = 0;
};
template <class Reply>
class WaiterFor : public Waiter {
 public:
  explicit WaiterFor(Promise<Reply> promise) : promise_(std::move(promise)) {}
  void answer(ApplyResult result) override {
    Reply reply;
    reply.error = result.error;
    reply.reason = std::move(result.reason);
    if (reply.error == Errc::none) fill(reply, std::move(result));
    promise_.deliver(std::move(reply));
  }

 private:
  Promise<Reply> promise_;
};
using WaiterRef = std::unique_ptr<Waiter>;

ApplyResult refusal(Errc error, std::string reason) {
  ApplyResult result;
  result.error = error;
  result.reason = std::move(reason);
  return result;
}

/// What goes to a worker thread and comes back. Only one side uses it at a time.
struct Batch {
  std::shared_ptr<CatalogStore> store;
  std::vector<Bytes> commands;
  std::vector<ApplyResult> results;
  std::shared_ptr<CatalogChange> change = std::make_shared<CatalogChange>();
  CatalogState state;
  ClusterSettings settings;
  CatalogError error{Errc::none, {}};

  void run() {
    auto applied = store->apply(commands);
    if (applied) {
      results = std::move(applied->results);
      *change = std::move(applied->change);
    } else {
      error = applied.error();
    }
    state = store->state();
    settings = store->settings();
  }
};

class CatalogService : public Pinned<CatalogActor::base> {
 public:
  CatalogService(caf::actor_config& config, Loop& loop, std::unique_ptr<CatalogStore> store,
                 std::vector<DirectoryActor> directories, CatalogServiceOptions options)
      : Pinned(config, loop),
        store_(std::move(store)),
        directories_(std::move(directories)),
        options_(options),
        state_(store_->state()),
        settings_(store_->settings()) {}
  const char* name() const override { return "catalog"; }

  behavior_type make_behavior() override {
    return {
        [this](const CreateTopics& request) { return create(request); },
        [this](const DeleteTopics& request) { return submit<TopicsApplied>(request); },
        [this](const CreatePartitions& request) { return submit<TopicsApplied>(request); },
        [this](const AlterTopicConfig& request) { return submit<TopicsApplied>(request); },
        [this](const SetClusterSettings& request) { return submit<ClusterSettingsApplied>(request); },
        [this](const AllocateProducerIds& request) { return submit<ProducerIdsAllocated>(request); },
        [this](const AlterClientQuotas& request) { return submit<ClientQuotasAltered>(request); },
        [this](const AlterDefinitions& request) { return submit<DefinitionsAltered>(request); },
        [this](const DescribeCluster&) { return describe_cluster(); },
        [this](const CloseCatalog&) { return close(); },
    };
  }
  void on_exit() override {
    queue_.clear();
    in_flight_.clear();
    closers_.clear();
    Pinned::on_exit();
  }

 private:
  struct Queued {
    Bytes command;
    WaiterRef waiter;
  };

  caf::result<TopicsApplied> create(CreateTopics request) {
    for (auto& topic : request.topics)
      if (topic.id.is_zero()) topic.id = new_topic_id(loop());
    return submit<TopicsApplied>(request);
  }

  template <class Reply, class Request>
  caf::result<Reply> submit(const Request& request) {
    Promise<Reply> promise(this);
    const auto later = promise.later();
    enqueue_command(encode(request), std::make_unique<WaiterFor<Reply>>(std::move(promise)));
    return later;
  }

  void enqueue_command(Bytes command, WaiterRef waiter) {
    if (closing_) return waiter->answer(refusal(Errc::shutting_down, "the node is shutting down"));
    if (queue_.size() >= options_.max_queued || queued_bytes_ + command.size() > options_.max_queued_bytes)
      return waiter->answer(refusal(Errc::overloaded, "too many changes of the catalog are waiting"));
    queued_bytes_ += command.size();
    queue_.push_back({std::move(command), std::move(waiter)});
    schedule();
  }

  /// The batch starts at the end of the turn, with everything that the turn brings.
  void schedule() {
    if (busy_ || scheduled_) return;
    scheduled_ = true;
    loop().at_turn_end(guard([this] {
      scheduled_ = false;
      start_batch();
    }));
  }

  void start_batch() {
    if (busy_) return;
    if (queue_.empty()) return finish_closing();
    busy_ = true;
    auto batch = std::make_shared<Batch>();
    batch->store = store_;
    for (auto& queued : queue_) {
      batch->commands.push_back(std::move(queued.command));
      in_flight_.push_back(std::move(queued.waiter));
    }
    queue_.clear();
    queued_bytes_ = 0;
    loop().offload([batch] { batch->run(); }, guard([this, batch] { applied(*batch); }));
  }

  void applied(Batch& batch) {
    batch.store.reset();
    state_ = std::move(batch.state);
    settings_ = batch.settings;
    if (batch.error.code != Errc::none) {
      log::error("catalog", "{} commands were not applied: {}", in_flight_.size(), batch.error.what);
      for (auto& waiter : in_flight_) waiter->answer(refusal(batch.error.code, batch.error.what));
      return end_batch();
    }
    results_ = std::move(batch.results);
    if (batch.change->empty() || directories_.empty()) return answer();
    log::debug("catalog", "version {}: {} topics created or changed, {} deleted", batch.change->version,
               batch.change->upserts.size(), batch.change->removed.size());
    acknowledgements_missing_ = directories_.size();
    // A directory that is gone has nobody left who could ask it.
    for (const auto& directory : directories_)
      ask(
          this, directory, CatalogChanged{batch.change}, [this](const CatalogChangeSeen&) { seen(); },
          [this](const caf::error&) { seen(); });
  }

  void seen() {
    if (--acknowledgements_missing_ == 0) answer();
  }

  void answer() {
    for (std::size_t i = 0; i < in_flight_.size(); ++i) in_flight_[i]->answer(std::move(results_[i]));
    end_batch();
  }

  void end_batch() {
    in_flight_.clear();
    results_.clear();
    busy_ = false;
    if (!queue_.empty() || closing_) schedule();
  }

  ClusterDescription describe_cluster() const {
    ClusterDescription description{.cluster_id = state_.cluster_id,
                                   .shards = state_.shards,
                                   .version = state_.applied_index,
                                   .topics = state_.topics,
                                   .partitions = state_.partitions,
                                   .settings = {}};
    for (const auto& info : cluster_setting_table())
      description.settings.emplace(info.key, std::to_string(settings_.*info.value));
    for (const auto& [name, text] : settings_.topic_defaults)
      description.settings.emplace(std::string(kTopicDefaultPrefix) + name, text);
    return description;
  }

  caf::result<CatalogClosed> close() {
    closing_ = true;
    closers_.emplace_back(this);
    const auto later = closers_.back().later();
    schedule();
    return later;
  }

  /// Closing writes the log back into the file, so it is work for a worker too.
  void finish_closing() {
    if (!closing_) return;
    busy_ = true;
    auto last = std::make_shared<std::shared_ptr<CatalogStore>>(std::move(store_));
    loop().offload([last] { last->reset(); }, guard([this] {
                     busy_ = false;
                     for (auto& closer : closers_) closer.deliver(CatalogClosed{});
                     closers_.clear();
                   }));
  }

  std::shared_ptr<CatalogStore> store_;
  std::vector<DirectoryActor> directories_;
  CatalogServiceOptions options_;
  CatalogState state_;  ///< as of the last batch; the store's own belongs to the worker while one runs
  ClusterSettings settings_;
  std::deque<Queued> queue_;
  std::size_t queued_bytes_ = 0;
  std::vector<WaiterRef> in_flight_;
  std::vector<ApplyResult> results_;
  std::size_t acknowledgements_missing_ = 0;
  std::vector<Promise<CatalogClosed>> closers_;
  bool scheduled_ = false, busy_ = false, closing_ = false;
};

}  // namespace

CatalogActor spawn_catalog_service(Loop& loop, std::unique_ptr<CatalogStore> store,
                                   std::vector<DirectoryActor> directories, CatalogServiceOptions options) {
  return spawn_on<CatalogService>(loop, std::move(store), std::move(directories), options);
}

}  // namespace braid
