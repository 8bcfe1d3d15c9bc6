// Braid, Apache-2.0.
#include "actors/mqtt/publisher.hpp"

#include <utility>

#include "model/murmur2.hpp"

namespace braid::mqtt {

namespace {
/// A batch beyond this is sent on before more is added, so that no single batch holds up a loop.
constexpr std::size_t kGoodBatchBytes = 1u << 20;
}  // namespace

void Publisher::add(std::string_view topic, const Publish& publish, Acknowledger& acknowledger, Receipt receipt,
                    Timestamp now) {
  const auto flags = static_cast<std::uint8_t>(static_cast<unsigned>(publish.qos) |
                                               (publish.retain ? PublishFlags::retain : std::uint8_t{0}));
  if (publish.retain) {
    if (!retained_) retained_ = std::make_unique<Group>(nullptr, PartitionId{}, BatchBuilder::kMaxBatchBytes);
    acknowledger.expect(receipt);
    put(*retained_, now, topic, publish, flags, receipt);
  }
  const auto stored_in = services_.routes.topic_for(topic, services_.directory);
  if (!stored_in) {
    const std::string_view level = first_level(topic);
    const LoopSet loops = services_.interest.loops(level);
    if (loops == 0 && publish.retain) {
      // Somebody may subscribe while it waits for the keeper, whose look-up would not see it.
      if (late_levels_.empty() || late_levels_.back() != level) late_levels_.emplace_back(level);
    } else if (loops == 0) {
      acknowledger.expect(receipt);
      acknowledger.finish(receipt, ReasonCode::no_matching_subscribers);
      return;
    }
    live_loops_ |= loops;
    acknowledger.expect(receipt);
    put(group_for(nullptr, PartitionId{}), now, topic, publish, flags, receipt);
    return;
  }
  const auto index = partition_for_key(topic, static_cast<std::int32_t>(stored_in->partitions.size()));
  auto& group = group_for(stored_in, stored_in->partition(PartitionIndex{index})->id);
  acknowledger.expect(receipt);
  if (put(group, now, topic, publish, flags, receipt)) return;
  // The topic does not take a message of this size.
  acknowledger.finish(receipt, ReasonCode::quota_exceeded);
}

Publisher::Group& Publisher::group_for(const TopicRef& topic, PartitionId partition) {
  for (auto& group : groups_)
    if (group.partition == partition && (group.topic == nullptr) == (topic == nullptr)) return group;
  const std::size_t max_bytes =
      topic ? static_cast<std::size_t>(topic->settings.max_message_bytes) : BatchBuilder::kMaxBatchBytes;
  return groups_.emplace_back(topic, partition, max_bytes);
}

bool Publisher::put(Group& group, Timestamp now, std::string_view topic, const Publish& publish, std::uint8_t flags,
                    Receipt receipt) {
  const bool retained = &group == retained_.get();
  if (!retained && group.builder.bytes() > kGoodBatchBytes) full_.push_back(seal(group));
  if (!encoder_.add(group.builder, now, topic, publish.payload, publish.properties)) {
    if (retained || group.builder.empty()) return false;
    full_.push_back(seal(group));
    if (!encoder_.add(group.builder, now, topic, publish.payload, publish.properties)) return false;
  }
  group.flags.push_back(static_cast<char>(flags));
  if (receipt != Acknowledger::none) group.receipts.push_back(receipt);
  return true;
}

Publisher::Sealed Publisher::seal(Group& group) {
  Sealed sealed;
  sealed.topic = group.topic;
  sealed.partition = group.partition;
  sealed.batch = group.builder.finish();
  sealed.flags = Bytes::copy(group.flags);
  sealed.receipts = std::move(group.receipts);
  group.flags.clear();
  group.receipts.clear();
  return sealed;
}

Publisher::Work Publisher::seal_all() {
  Work work;
  work.publisher = publisher_;
  work.batches = std::move(full_);
  full_.clear();
  for (auto& group : groups_)
    if (!group.builder.empty()) work.batches.push_back(seal(group));
  groups_.clear();
  for (auto& sealed : work.batches) {
    if (!sealed.topic) sealed.loops = live_loops_;
    in_flight_bytes_ += sealed.batch.size();
  }
  live_loops_ = 0;
  work.late_levels = std::exchange(late_levels_, {});
  if (retained_) {
    work.retained = seal(*retained_);
    retained_.reset();
  }
  return work;
}

}  // namespace braid::mqtt
