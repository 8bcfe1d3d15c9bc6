// Braid, Apache-2.0.
//
// Partitions are found through runs of consecutive ids, kept sorted. New ids are always the largest, so a new run goes
// to the end; deleted runs stay as gaps until there are many.
#include "cluster/directory.hpp"

#include <algorithm>

namespace braid {
namespace {

std::size_t hash_of(std::string_view name) {
  return std::hash<std::string_view>{}(name);
}
std::size_t hash_of(const TopicId& id) {
  return std::hash<TopicId>{}(id);
}

}  // namespace

std::uint32_t Directory::slot_of(std::string_view name) const {
  return names_.find(hash_of(name), [&](std::uint32_t slot) { return slots_[slot]->name == name; });
}
std::uint32_t Directory::slot_of(const TopicId& id) const {
  return ids_.find(hash_of(id), [&](std::uint32_t slot) { return slots_[slot]->id == id; });
}
TopicRef Directory::find(std::string_view name) const {
  const auto slot = slot_of(name);
  return slot == SlotIndex::none ? nullptr : slots_[slot];
}
TopicRef Directory::find(const TopicId& id) const {
  const auto slot = slot_of(id);
  return slot == SlotIndex::none ? nullptr : slots_[slot];
}

const Directory::Run* Directory::find_run(std::uint64_t id) const {
  const auto behind = std::upper_bound(runs_.begin(), runs_.end(), id,
                                       [](std::uint64_t wanted, const Run& run) { return wanted < run.first_id; });
  if (behind == runs_.begin()) return nullptr;
  const Run& run = *(behind - 1);
  return run.slot != SlotIndex::none && id - run.first_id < run.count ? &run : nullptr;
}
std::optional<PartitionPlace> Directory::find_partition(PartitionId partition) const {
  const Run* run = find_run(partition.value);
  if (!run) return std::nullopt;
  const auto index = run->first_index + static_cast<std::int32_t>(partition.value - run->first_id);
  return PartitionPlace{slots_[run->slot], PartitionIndex{index}};
}

void Directory::add_runs(const Topic& topic, std::uint32_t slot, std::size_t first_new) {
  const auto& partitions = topic.partitions;
  for (std::size_t i = first_new; i < partitions.size();) {
    std::size_t end = i + 1;
    while (end < partitions.size() && partitions[end].id.value == partitions[end - 1].id.value + 1) ++end;
    const Run run{partitions[i].id.value, static_cast<std::uint32_t>(end - i), slot, static_cast<std::int32_t>(i)};
    if (!runs_.empty() && run.first_id < runs_.back().first_id) runs_sorted_ = false;
    runs_.push_back(run);
    i = end;
  }
}

void Directory::insert(const TopicRef& topic) {
  std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.push_back(topic);
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = topic;
  }
  names_.insert(hash_of(topic->name), slot);
  ids_.insert(hash_of(topic->id), slot);
  add_runs(*topic, slot, 0);
}

/// The same topic with other settings or more partitions.
void Directory::replace(std::uint32_t slot, const TopicRef& topic) {
  const auto present = slots_[slot]->partitions.size();
  slots_[slot] = topic;
  if (topic->partitions.size() > present) add_runs(*topic, slot, present);
}

TopicRef Directory::erase(std::uint32_t slot) {
  TopicRef topic = std::move(slots_[slot]);
  names_.erase(hash_of(topic->name), slot);
  ids_.erase(hash_of(topic->id), slot);
  free_.push_back(slot);
  for (std::size_t i = 0; i < topic->partitions.size();) {
    auto* run = const_cast<Run*>(find_run(topic->partitions[i].id.value));
    run->slot = SlotIndex::none;
    ++dead_runs_;
    i += run->count;
  }
  return topic;
}

void Directory::tidy_runs() {
  if (!runs_sorted_)
    std::sort(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.first_id < b.first_id; });
  runs_sorted_ = true;
  if (dead_runs_ <= runs_.size() / 2) return;
  std::erase_if(runs_, [](const Run& run) { return run.slot == SlotIndex::none; });
  dead_runs_ = 0;
}

void Directory::apply(const CatalogChange& change) {
  DirectoryChange told;
  for (const auto& removed : change.removed)
    if (const auto slot = slot_of(removed.id); slot != SlotIndex::none) told.removed.push_back(erase(slot));
  for (const auto& topic : change.upserts) {
    const auto slot = slot_of(topic->id);
    if (slot == SlotIndex::none) {
      insert(topic);
    } else {
      replace(slot, topic);
    }
    told.upserted.push_back(topic);
  }
  tidy_runs();
  version_ = std::max(version_, change.version);
  if (change.settings) settings_ = change.settings;
  if (change.quotas) quotas_ = change.quotas;
  if (told.upserted.empty() && told.removed.empty()) return;
  for (std::size_t i = 0, count = listeners_.size(); i < count; ++i) listeners_[i](told);
}

std::size_t Directory::memory_bytes() const {
  return slots_.capacity() * sizeof(TopicRef) + free_.capacity() * sizeof(std::uint32_t) + names_.memory_bytes() +
         ids_.memory_bytes() + runs_.capacity() * sizeof(Run);
}

}  // namespace braid
