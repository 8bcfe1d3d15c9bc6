// Braid, Apache-2.0.
//
// One batch for several partitions: one entry, one write, one answer; but a place in each partition's log, and of its
// own fate in each should the disk refuse.
#include <algorithm>
#include <array>

#include "model/crc32c.hpp"
#include "persistence/journal/log_index.hpp"
#include "persistence/journal/writer.hpp"

namespace braid::journal {

static_assert(SharedAppendRequest::max_targets == kMaxTargets);

Errc Writer::append_shared(const SharedAppendRequest& request, AppendDone done) {
  const std::size_t count = request.targets.size();
  if (count == 0 || count > kMaxTargets) return Errc::unknown_partition;
  if (request.batch.empty() || request.batch.size() > kMaxBodyBytes - targets_bytes(kMaxTargets))
    return Errc::batch_too_large;
  if (request.last_offset_delta < 0) return Errc::offset_out_of_range;
  if (pending_bytes_ + request.batch.size() > store_.options.max_pending_bytes && pending_bytes_ > 0)
    return Errc::overloaded;
  std::array<std::uint32_t, kMaxTargets> rows;
  for (std::size_t i = 0; i < count; ++i) {
    auto& target = request.targets[i];
    rows[i] = store_.partitions.find_or_insert(target.partition, request.shard);
    target.base_offset = store_.partitions[rows[i]].end;
    if (target.base_offset.value > INT64_MAX - request.last_offset_delta - 1) return Errc::offset_out_of_range;
  }
  if (count == 1 || request.durability == Durability::memory) return append_each(request, rows.data(), std::move(done));

  std::array<SharedTarget, kMaxTargets> targets;
  for (std::size_t i = 0; i < count; ++i)
    targets[i] = {request.targets[i].partition, request.targets[i].base_offset,
                  store_.partitions[rows[i]].disk_end < request.targets[i].base_offset};
  const std::span<const SharedTarget> used(targets.data(), count);
  EntryHeader header;
  header.kind = EntryKind::shared_batch;
  header.partition = used.front().partition;
  header.base_offset = used.front().base_offset;
  header.shard = request.shard;
  header.last_offset_delta = static_cast<std::uint32_t>(request.last_offset_delta);
  header.max_timestamp = request.max_timestamp;
  header.term = request.term;
  header.index = request.index;
  header.targets = static_cast<std::uint32_t>(count);
  const std::uint32_t prefix = targets_bytes(header.targets);
  header.body_length = prefix + static_cast<std::uint32_t>(request.batch.size());
  std::array<std::uint8_t, targets_bytes(kMaxTargets)> list;
  encode_targets(used, list.data());
  header.body_checksum = crc32c(request.batch.span(), crc32c(std::span<const std::uint8_t>(list.data(), prefix)));

  FileInfo& file = file_with_room(entry_bytes(header.body_length));
  header.synced = file.synced;
  const std::uint32_t position = lay_out(file, header, used, request.batch);
  Group& group = gathering();
  group.entries.reserve(group.entries.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    Row& row = store_.partitions[rows[i]];
    add_batch(store_, row, file,
              {used[i].base_offset, request.max_timestamp, position, static_cast<std::uint32_t>(request.batch.size()),
               header.last_offset_delta, prefix},
              used[i].gap_before);
    ++row.unacknowledged;
    Pending& pending = group.entries.emplace_back();
    pending.partition = used[i].partition;
    pending.base_offset = used[i].base_offset;
    pending.row = rows[i];
    pending.file = file.id;
    pending.position = position;
    pending.bytes = i == 0 ? entry_bytes(header.body_length) : 0;
    pending.durability = request.durability;
    if (request.visible_at_once) pending.used_until = row.end;
    if (i == 0) pending.set = static_cast<std::uint16_t>(count);
  }
  group.entries.back().done = std::move(done);
  ++store_.statistics.appends;
  store_.statistics.appended_bytes += request.batch.size();
  schedule_flush();
  return Errc::none;
}

Errc Writer::append_each(const SharedAppendRequest& request, const std::uint32_t* rows, AppendDone done) {
  // In memory the batch is shared as it is; what is left to do is to answer once, behind the last.
  struct Answer {
    AppendDone done;
    std::size_t left;
    Errc error = Errc::none;
  };
  std::shared_ptr<Answer> answer;
  const std::size_t count = request.targets.size();
  if (count > 1) answer = std::make_shared<Answer>(Answer{std::move(done), count});
  for (std::size_t i = 0; i < count; ++i) {
    AppendRequest one;
    one.partition = request.targets[i].partition;
    one.shard = request.shard;
    one.batch = request.batch;
    one.base_offset = request.targets[i].base_offset;
    one.last_offset = Offset(one.base_offset.value + request.last_offset_delta);
    one.max_timestamp = request.max_timestamp;
    one.durability = request.durability;
    one.term = request.term;
    one.index = request.index;
    one.visible_at_once = request.visible_at_once;
    if (!answer) return append(rows[i], std::move(one), std::move(done));
    const auto part_done = [answer](Errc error) {
      if (error != Errc::none) answer->error = error;
      if (--answer->left == 0) answer->done(answer->error);
    };
    // Refused one by one: what the limits of `append` allow was looked at before, and memory takes the rest.
    if (const Errc refused = append(rows[i], std::move(one), part_done); refused != Errc::none)
      this->answer([part_done, refused](Errc) { part_done(refused); }, refused);
  }
  return Errc::none;
}

}  // namespace braid::journal
