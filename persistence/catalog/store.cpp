// Braid, Apache-2.0.
//
// Transactions, savepoints and the state's row around the commands.
#include "persistence/catalog/store.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <limits>
#include <unordered_map>

#include "persistence/catalog/commands_generated.h"
#include "persistence/catalog/digest.hpp"

namespace braid {
namespace {

/// Sums up what a sequence of outcomes leaves behind: the last state of each topic that is still there, and those
/// topics gone that were there before.
class NetChange {
 public:
  void add(const ApplyResult& result) {
    for (const auto& outcome : result.topics) {
      if (outcome.event == TopicEvent::none) continue;
      auto& topic = topics_.try_emplace(outcome.id, Entry{order_.size(), {}, false, {}}).first->second;
      if (topic.position == order_.size()) order_.push_back(outcome.id);
      if (outcome.event == TopicEvent::created) topic.is_new = true;
      topic.now = outcome.topic;
      topic.name = outcome.name;
    }
  }
  CatalogChange finish(std::uint64_t version) {
    CatalogChange change;
    change.version = version;
    for (const auto& id : order_) {
      auto& topic = topics_.at(id);
      if (topic.now) {
        change.upserts.push_back(std::move(topic.now));
      } else if (!topic.is_new) {
        change.removed.push_back({id, std::move(topic.name)});
      }
    }
    return change;
  }

 private:
  struct Entry {
    std::size_t position;
    TopicRef now;
    bool is_new;
    std::string name;
  };
  std::unordered_map<TopicId, Entry> topics_;
  std::vector<TopicId> order_;
};

// A command of this size creates some hundred thousand topics.
constexpr std::size_t max_command_bytes = 64u << 20;

bool verified(const Bytes& command) {
  if (command.size() > max_command_bytes) return false;
  flatbuffers::Verifier verifier(command.data(), command.size());
  return catalog_wire::VerifyCommandBuffer(verifier);
}

/// FlatBuffers reads integers where they lie, so a slice out of the middle of a receive block has to be moved.
Bytes aligned(const Bytes& command) {
  const bool fits = reinterpret_cast<std::uintptr_t>(command.data()) % alignof(std::uint64_t) == 0;
  return fits ? command : Bytes::copy(command.view());
}

}  // namespace

CatalogStore::CatalogStore(CatalogOptions options)
    : options_(std::move(options)),
      topics_(state_, settings_, options_.defaults),
      applier_(state_, settings_, quotas_, topics_, options_.defaults) {}

Result<std::unique_ptr<CatalogStore>, CatalogError> CatalogStore::open(CatalogOptions options) {
  std::unique_ptr<CatalogStore> store(new CatalogStore(std::move(options)));
  const auto& path = store->options_.path;
  if (auto error = open_catalog_file(store->database_, path, store->options_.vfs)) return Unexpected{std::move(*error)};
  store->prepare();
  store->read_state();
  store->read_settings();
  store->read_quotas();
  if (store->database_.failed()) return Unexpected{catalog_error(store->database_.error(), path)};
  return store;
}

void CatalogStore::prepare() {
  begin_.prepare(database_, "BEGIN IMMEDIATE");
  commit_.prepare(database_, "COMMIT");
  rollback_.prepare(database_, "ROLLBACK");
  savepoint_.prepare(database_, "SAVEPOINT command");
  rollback_to_savepoint_.prepare(database_, "ROLLBACK TO command");
  release_savepoint_.prepare(database_, "RELEASE command");
  write_state_.prepare(database_,
                       "INSERT OR REPLACE INTO state (only_row, applied_index, cluster_id, shards, next_partition_id,"
                       " next_producer_id, topics, partitions, digest, checksum)"
                       " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  topics_.prepare(database_);
  applier_.prepare(database_);
}

void CatalogStore::read_state() {
  sqlite::Statement row(database_,
                        "SELECT applied_index, cluster_id, shards, next_partition_id, next_producer_id, topics,"
                        " partitions, digest, checksum FROM state");
  if (!row.step()) {
    // Written for the first time together with the first commands: a file without it has no other rows either.
    sqlite::Statement rest(database_,
                           "SELECT (SELECT count(*) FROM topics) + (SELECT count(*) FROM partitions) +"
                           " (SELECT count(*) FROM settings) + (SELECT count(*) FROM client_quotas) +"
                           " (SELECT count(*) FROM definitions)");
    if (rest.step() && rest.integer(0) != 0) database_.fail(SQLITE_CORRUPT, "its state is missing");
    rest.reset();
    return;
  }
  state_.applied_index = static_cast<std::uint64_t>(row.integer(0));
  state_.cluster_id = row.text(1);
  state_.shards = static_cast<std::uint32_t>(row.integer(2));
  state_.next_partition_id = static_cast<std::uint64_t>(row.integer(3));
  state_.next_producer_id = row.integer(4);
  state_.topics = row.integer(5);
  state_.partitions = row.integer(6);
  state_.digest = static_cast<std::uint64_t>(row.integer(7));
  if (checksum(state_) != row.integer(8)) database_.fail(SQLITE_CORRUPT, "its state fails its checksum");
  row.reset();
}

void CatalogStore::read_settings() {
  sqlite::Statement rows(database_, "SELECT key, value FROM settings");
  while (rows.step())
    if (auto done = set_cluster_setting(settings_, rows.text(0), rows.text(1)); !done)
      database_.fail(SQLITE_CORRUPT, done.error());
}

void CatalogStore::read_quotas() {
  sqlite::Statement rows(database_, "SELECT entity, key, value FROM client_quotas");
  auto quotas = std::make_shared<ClientQuotas>();
  while (rows.step()) {
    const auto entity = decode_quota_entity(rows.text(0));
    const auto value = decode_quota_value(rows.text(2));
    if (!entity || !value || !quota_entity_problem(*entity).empty() ||
        !quota_value_problem(rows.text(1), *value).empty())
      database_.fail(SQLITE_CORRUPT, "a client quota cannot be read");
    else
      set_quota(*quotas, *entity, rows.text(1), value);
  }
  quotas_ = std::move(quotas);
}

void CatalogStore::write_state() {
  const auto signed_of = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  write_state_.bind(1, signed_of(state_.applied_index)).bind(2, state_.cluster_id).bind(3, std::int64_t{state_.shards});
  write_state_.bind(4, signed_of(state_.next_partition_id)).bind(5, state_.next_producer_id).bind(6, state_.topics);
  write_state_.bind(7, state_.partitions).bind(8, signed_of(state_.digest)).bind(9, checksum(state_)).run();
}

/// False when the whole batch has to be given up.
bool CatalogStore::apply_one(const Bytes& command, ApplyResult& result) {
  state_.applied_index += 1;
  if (command.empty()) return true;
  const Bytes buffer = aligned(command);
  if (!verified(buffer)) {
    result.error = Errc::damaged;
    result.reason = "the command is malformed";
    return true;
  }
  const CatalogState state_before = state_;
  const ClusterSettings settings_before = settings_;
  const ClientQuotasRef quotas_before = quotas_;
  savepoint_.run();
  const auto verdict = applier_.apply(*catalog_wire::GetCommand(buffer.data()), result);
  if (verdict == Applier::Verdict::unknown) {
    database_.fail(SQLITE_CORRUPT, "it was asked to apply a command of a newer version of Braid");
  } else if (verdict == Applier::Verdict::undo) {
    rollback_to_savepoint_.run();
    state_ = state_before;
    settings_ = settings_before;
    quotas_ = quotas_before;
    for (auto& outcome : result.topics) outcome.event = TopicEvent::none;
  }
  release_savepoint_.run();
  return !database_.failed();
}

Result<AppliedCommands, CatalogError> CatalogStore::apply(std::span<const Bytes> commands) {
  AppliedCommands applied;
  NetChange change;
  const CatalogState state_before = state_;
  const ClusterSettings settings_before = settings_;
  const ClientQuotasRef quotas_before = quotas_;
  begin_.run();
  for (const auto& command : commands) {
    if (!apply_one(command, applied.results.emplace_back())) break;
    change.add(applied.results.back());
  }
  write_state();
  const bool whole = !database_.failed();
  commit_.run();
  if (database_.failed()) {
    state_ = state_before;
    settings_ = settings_before;
    quotas_ = quotas_before;
    return Unexpected{undo(whole)};
  }
  database_.release_memory();
  applied.change = change.finish(state_.applied_index);
  if (settings_ != settings_before) applied.change.settings = std::make_shared<const ClusterSettings>(settings_);
  if (quotas_ != quotas_before) applied.change.quotas = quotas_;
  return applied;
}

/// After a failure: back to what was there before.
CatalogError CatalogStore::undo(bool failed_in_commit) {
  auto error = catalog_error(database_.error(), options_.path);
  // A full disk means that the last frame, the one that commits, was not written. After any other failure of the
  // commit a restart may find it; the next commit that works settles it, since it overwrites the frames.
  const bool full = (database_.error().code & 0xff) == SQLITE_FULL;
  if (failed_in_commit && !full && error.code == Errc::storage_failed) error.code = Errc::unknown_outcome;
  database_.clear_error();
  if (database_.in_transaction()) rollback_.run();
  database_.clear_error();
  return error;
}

Result<std::vector<TopicRef>, CatalogError> CatalogStore::load_topics() {
  auto topics = topics_.load_all();
  if (!database_.failed()) {
    database_.release_memory();
    return topics;
  }
  auto error = catalog_error(database_.error(), options_.path);
  database_.clear_error();
  return Unexpected{std::move(error)};
}

Result<std::vector<Definition>, CatalogError> CatalogStore::load_definitions() {
  std::vector<Definition> all;
  sqlite::Statement rows(database_, "SELECT kind, key, value FROM definitions ORDER BY kind, number");
  while (rows.step())
    all.push_back({static_cast<DefinitionKind>(rows.integer(0)), Bytes::copy(rows.blob(1)), Bytes::copy(rows.blob(2))});
  if (!database_.failed()) return all;
  auto error = catalog_error(database_.error(), options_.path);
  database_.clear_error();
  return Unexpected{std::move(error)};
}

}  // namespace braid
