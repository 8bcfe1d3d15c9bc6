// Braid, Apache-2.0.
//
// The events of a queue. What follows from them: queue_pump.cpp.
#include "persistence/queue/queue.hpp"

#include <algorithm>
#include <utility>

namespace braid {
namespace {

constexpr std::size_t kMaxHolders = 60000;
constexpr std::int64_t kMaxWindow = INT64_MAX / 4;
/// What was appended just now is kept for consumers that keep up, up to here; behind it they read the log.
constexpr std::uint64_t kFedBytes = 256u << 10;

}  // namespace

Queue::Level& Queue::level(std::uint8_t priority) {
  if (levels_.size() <= priority) levels_.resize(priority + 1u);
  auto& level = levels_[priority];
  if (!level) {
    level = std::make_unique<Level>();
    level->priority = priority;
  }
  return *level;
}

void Queue::change(const QueueSettings& settings) {
  const bool durable = settings_.durable;
  const std::uint8_t priorities = settings_.max_priority;
  settings_ = settings;
  settings_.durable = durable;
  settings_.max_priority = priorities;
  watched_ = {};
  choose_active();
  if (!settings_.single_active_consumer)
    for (Consumer& consumer : holders_) enlist(consumer);
}

// -- the log ----------------------------------------------------------------------------------------------------------

bool Queue::restore(std::uint8_t priority, const Stored& stored) {
  Level& level = this->level(priority);
  bool sound = true;
  Offset first = stored.log_start, delivered = first;
  std::uint64_t bytes = 0;
  if (!stored.position.empty()) {
    ByteReader in(stored.position);
    const auto offset = [&] { return Offset(static_cast<std::int64_t>(in.varint() & INT64_MAX)); };
    first = std::max(first, offset());
    delivered = offset();
    in.varint();  // where the log ended then: only there so that appends change the position
    bytes = in.varint();
    sound = !in.failed() && in.remaining() == 0;
    if (!sound) first = delivered = stored.log_start, bytes = 0;
  }
  // A torn tail may have taken messages whose acknowledgement was known: new ones will bear their offsets.
  if (first > stored.end) {
    first = stored.end;
    sound = false;
  }
  level.cursor = QueueCursor(first);
  level.cursor.extend(stored.end);
  level.delivered = std::min(delivered, stored.end);
  for (const auto& [page, value] : stored.pages) {
    sound = level.cursor.restore_page(page, value) && sound;
    level.kept_pages.insert(page);
  }
  level.kept_first = first;
  if (level.cursor.ready() > 0) add_ready(level, stored.position.empty() ? stored.bytes : bytes);
  return sound;
}

std::uint32_t Queue::room(std::span<const std::uint32_t> sizes) const {
  const auto count = static_cast<std::uint32_t>(sizes.size());
  if (settings_.overflow == Overflow::drop_head) return count;
  std::uint32_t room = count;
  if (settings_.max_length) {
    const std::uint64_t length = ready();
    room = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(room, *settings_.max_length > length ? *settings_.max_length - length : 0));
  }
  if (settings_.max_length_bytes) {
    // A message is let in while the queue is below its limit before it.
    std::uint64_t bytes = ready_bytes_;
    for (std::uint32_t i = 0; i < room; ++i) {
      if (bytes >= *settings_.max_length_bytes) return i;
      bytes += sizes[i];
    }
  }
  return room;
}

void Queue::arrived(std::uint8_t priority, const Bytes& batch, Offset base, std::uint32_t messages,
                    std::uint64_t bytes) {
  Level& level = this->level(priority);
  MessageReader& reader = level.readers[kFresh];
  const bool follows =
      reader.empty() ? level.cursor.next() == base && !level.reading[kFresh] : reader.loaded_end() == base;
  if (follows && (!waiting_.empty() || reader.empty()) && reader.bytes() + batch.size() <= kFedBytes)
    reader.feed(batch, base);
  level.arrived_from = std::min(level.arrived_from, base);
  level.cursor.extend(Offset(base.value + messages));
  add_ready(level, bytes);
}

void Queue::failed(std::uint8_t priority) {
  if (Level* level = find_level(priority)) level->readers[kFresh].clear();
}

void Queue::add_ready(Level& level, std::uint64_t bytes) {
  level.ready_bytes += bytes;
  ready_bytes_ += bytes;
}

void Queue::remove_ready(Level& level, std::uint64_t bytes) {
  // After a restart they are known approximately.
  bytes = level.cursor.ready() == 0 ? level.ready_bytes : std::min(bytes, level.ready_bytes);
  level.ready_bytes -= bytes;
  ready_bytes_ -= bytes;
}

QueueCursor::Settled Queue::acknowledge(Level& level, Offset first, std::uint32_t count, Holder holder) {
  const auto settled = level.cursor.acknowledge(first, count, holder);
  level.held_bytes -= settled.bytes;
  return settled;
}

void Queue::loaded(const QueueOutput::Read& read, Errc error, std::span<const Bytes> batches,
                   std::span<const Offset> bases) {
  Level* level = find_level(read.priority);
  if (!level || read.stream >= kStreams) return;
  level->reading[read.stream] = false;
  MessageReader& reader = level->readers[read.stream];
  bool fed = false;
  for (std::size_t i = 0; i < batches.size() && i < bases.size(); ++i) fed = reader.feed(batches[i], bases[i]) || fed;
  if (fed && read.stream == kReturned) {
    // Found at once: a message before it that comes back meanwhile must not be taken for a gap in the log.
    MessageReader::Message message;
    const auto found = reader.find(read.from, message);
    if (found == MessageReader::Look::found) return;
    const auto ready = level->cursor.peek();
    if (found == MessageReader::Look::gone && ready && ready->first == read.from)
      lose(*level, *ready, reader.gone_until());
    reader.clear();
    if (found == MessageReader::Look::gone) return;
  } else if (fed || error == Errc::storage_failed) {
    return;
  }
  // Nothing that could be read where a message was said to be: it is lost, and what comes behind it is looked for next.
  if (read.stream == kDeadLetters) {
    const auto lost = acknowledge(*level, read.from, 1, kDead);
    if (lost.messages > 0 && !dead_.empty() && dead_.front().first == read.from) {
      dead_.front().first = Offset(read.from.value + 1);
      if (--dead_.front().count == 0) dead_.pop_front();
    }
    return;
  }
  if (const auto ready = level->cursor.peek(); ready && ready->first == read.from)
    lose(*level, *ready, Offset(read.from.value + 1));
}

std::uint64_t Queue::ready() const {
  std::uint64_t ready = 0;
  for (const auto& level : levels_)
    if (level) ready += level->cursor.ready();
  return ready;
}

std::uint64_t Queue::held() const {
  std::uint64_t held = 0;
  for (const auto& level : levels_)
    if (level) held += level->cursor.held();
  return held;
}

std::uint64_t Queue::purge() {
  std::uint64_t purged = 0;
  for (auto& level : levels_) {
    if (!level) continue;
    purged += level->cursor.discard_ready();
    level->readers[kFresh].clear();
    level->readers[kReturned].clear();
    remove_ready(*level, level->ready_bytes);
  }
  return purged;
}

bool Queue::idle() const {
  if (!by_key_.empty() || !ended_gets_.empty() || !dead_.empty() || !dead_sent_.empty() || head_expires_) return false;
  return std::all_of(levels_.begin(), levels_.end(), [](const auto& level) {
    return !level || (level->cursor.held() == 0 &&
                      std::none_of(level->reading.begin(), level->reading.end(), [](bool reading) { return reading; }));
  });
}

// -- consumers --------------------------------------------------------------------------------------------------------

Queue::Consumer* Queue::find_consumer(const ConsumerKey& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &holders_[found->second];
}

Queue::Consumer& Queue::consumer_for(const ConsumerKey& key) {
  if (Consumer* known = find_consumer(key)) return *known;
  Holder number;
  if (free_.empty()) {
    number = static_cast<Holder>(holders_.size());
    holders_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  Consumer& consumer = holders_[number];
  consumer = Consumer{};
  consumer.key = key;
  consumer.number = number;
  consumer.used = true;
  by_key_.emplace(key, number);
  return consumer;
}

bool Queue::release(Consumer& consumer) {
  if (consumer.subscribed || consumer.held > 0) return false;
  if (std::any_of(gets_.begin(), gets_.end(), [&](const Get& get) { return get.holder == consumer.number; }))
    return false;
  by_key_.erase(consumer.key);
  consumer.used = false;
  free_.push_back(consumer.number);
  return true;
}

Queue::Refusal Queue::consume(const ConsumerKey& key, const ConsumerSettings& settings) {
  if (by_key_.size() >= kMaxHolders) return Refusal::too_many;
  if (exclusive_ != 0 || (settings.exclusive && subscribed_ > 0)) return Refusal::in_use;
  if (const Consumer* known = find_consumer(key); known && known->subscribed) return Refusal::in_use;
  Consumer& consumer = consumer_for(key);
  if (settings.exclusive) exclusive_ = consumer.number;
  consumer.settings = settings;
  consumer.subscribed = true;
  consumer.credit = settings.granted ? settings.prefetch : 0;
  consumer.told = false;
  if (settings.on_demand) on_demand_.push_back(consumer.number);
  consumer.window = static_cast<std::int64_t>(std::min<std::uint64_t>(settings.window_bytes, kMaxWindow));
  consumer.order = subscriptions_++;
  ++subscribed_;
  choose_active();
  enlist(consumer);
  return Refusal::none;
}

void Queue::choose_active() {
  if (!settings_.single_active_consumer) {
    active_ = 0;
    return;
  }
  if (active_ != 0 && holders_[active_].used && holders_[active_].subscribed) return;
  const Consumer* chosen = nullptr;
  for (const Consumer& consumer : holders_) {
    if (!consumer.used || !consumer.subscribed) continue;
    if (!chosen || consumer.settings.priority > chosen->settings.priority ||
        (consumer.settings.priority == chosen->settings.priority && consumer.order < chosen->order))
      chosen = &consumer;
  }
  active_ = chosen ? chosen->number : Holder{0};
  if (active_ != 0) enlist(holders_[active_]);
}

bool Queue::is_active(const ConsumerKey& key) const {
  const auto found = by_key_.find(key);
  return found != by_key_.end() && (!settings_.single_active_consumer || found->second == active_);
}

bool Queue::is_open(const Consumer& consumer) const {
  if (!consumer.subscribed || consumer.window <= 0) return false;
  if (settings_.single_active_consumer && consumer.number != active_) return false;
  if (consumer.settings.granted) return true;
  return consumer.settings.no_ack || consumer.settings.prefetch == 0 || consumer.held < consumer.settings.prefetch;
}

bool Queue::can_take(const Consumer& consumer) const {
  const bool needs_credit = consumer.settings.granted || consumer.settings.on_demand;
  return is_open(consumer) && (!needs_credit || consumer.credit > 0);
}

void Queue::enlist(Consumer& consumer) {
  if (consumer.enlisted || !can_take(consumer)) return;
  consumer.enlisted = true;
  waiting_[consumer.settings.priority].push_back(consumer.number);
}

void Queue::delist(Consumer& consumer) {
  if (!std::exchange(consumer.enlisted, false)) return;
  const auto at = waiting_.find(consumer.settings.priority);
  std::erase(at->second, consumer.number);
  if (at->second.empty()) waiting_.erase(at);
}

void Queue::stop(const ConsumerKey& key, bool requeue, bool counted) {
  Consumer* consumer = find_consumer(key);
  if (!consumer) return;
  if (consumer->subscribed) {
    consumer->subscribed = false;
    --subscribed_;
    if (exclusive_ == consumer->number) exclusive_ = 0;
    delist(*consumer);
    if (consumer->settings.on_demand) std::erase(on_demand_, consumer->number);
  }
  if (requeue) {
    std::erase_if(gets_, [&](const Get& get) {
      if (get.holder != consumer->number) return false;
      ended_gets_.push_back(get.token);
      return true;
    });
    for (auto& level : levels_)
      if (level && consumer->held > 0)
        level->cursor.each_held(consumer->number,
                                [&](Offset offset) { this->requeue(*consumer, *level, offset, counted); });
  }
  release(*consumer);
  choose_active();
}

void Queue::grant(const ConsumerKey& key, std::uint32_t messages, std::uint64_t bytes) {
  Consumer* consumer = find_consumer(key);
  if (!consumer) return;
  consumer->credit += messages;
  if (messages > 0) consumer->told = false;
  const auto most = static_cast<std::int64_t>(std::min<std::uint64_t>(consumer->settings.window_bytes, kMaxWindow));
  consumer->window += static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, kMaxWindow));
  consumer->window = std::min(consumer->window, most);
  enlist(*consumer);
}

Queue::Refusal Queue::get(const ConsumerKey& key, bool no_ack, std::uint64_t token) {
  if (settings_.single_active_consumer) return Refusal::single_active;
  if (by_key_.size() >= kMaxHolders) return Refusal::too_many;
  gets_.push_back({consumer_for(key).number, no_ack, token});
  return Refusal::none;
}

// -- settling ---------------------------------------------------------------------------------------------------------

void Queue::requeue(Consumer& consumer, Level& level, Offset offset, bool counted) {
  --consumer.held;
  const std::uint32_t tries = level.cursor.deliveries(offset) + 1u;
  if (counted && settings_.delivery_limit && tries > *settings_.delivery_limit) {
    if (!settings_.dead_letter) {
      acknowledge(level, offset, 1, consumer.number);
      return;
    }
    level.cursor.pass_on(offset, kDead);
    add_dead(level.priority, offset, DeadReason::delivery_limit);
    return;
  }
  const std::uint32_t bytes = level.cursor.bytes(offset);
  level.cursor.give_back(offset, counted);
  level.held_bytes -= bytes;
  add_ready(level, bytes);
}

bool Queue::settle(const ConsumerKey& key, std::uint8_t priority, Offset first, std::uint32_t count,
                   Settlement settlement) {
  Consumer* consumer = find_consumer(key);
  Level* level = find_level(priority);
  if (!consumer) return true;
  if (!level || consumer->held == 0) return false;
  if (settlement == Settlement::acknowledge || (settlement == Settlement::reject && !settings_.dead_letter)) {
    consumer->held -= acknowledge(*level, first, count, consumer->number).messages;
  } else {
    const std::int64_t behind = std::min(first.value + static_cast<std::int64_t>(count), level->cursor.next().value);
    for (std::int64_t at = std::max(first.value, level->cursor.first().value); at < behind; ++at) {
      if (level->cursor.holder(Offset(at)) != consumer->number) continue;
      if (settlement == Settlement::reject) {
        --consumer->held;
        level->cursor.pass_on(Offset(at), kDead);
        add_dead(priority, Offset(at), DeadReason::rejected);
      } else {
        requeue(*consumer, *level, Offset(at), settlement == Settlement::requeue);
      }
    }
  }
  enlist(*consumer);
  return release(*consumer);
}

void Queue::add_dead(std::uint8_t priority, Offset offset, DeadReason reason) {
  if (!dead_.empty()) {
    DeadRange& last = dead_.back();
    if (last.priority == priority && last.reason == reason && last.first.value + last.count == offset.value &&
        last.count < UINT32_MAX) {
      ++last.count;
      return;
    }
  }
  dead_.push_back({priority, reason, offset, 1});
}

void Queue::dead_done(std::uint64_t token, bool done) {
  const auto sent = dead_sent_.find(token);
  if (sent == dead_sent_.end()) return;
  for (const DeadRange& range : sent->second) {
    if (done)
      acknowledge(level(range.priority), range.first, range.count, kDead);
    else
      dead_.push_back(range);
  }
  if (!done) dead_retry_at_ = Timestamp(now_.value + 1000);
  dead_sent_.erase(sent);
}

// -- the durable form -------------------------------------------------------------------------------------------------

std::vector<Queue::Change> Queue::changes(bool everything) {
  std::vector<Change> changes;
  for (auto& each : levels_) {
    if (!each) continue;
    Level& level = *each;
    QueueCursor& cursor = level.cursor;
    std::vector<std::uint64_t> pages;
    cursor.each_changed([&](std::uint64_t page) { pages.push_back(page); });
    if (everything) {
      pages = cursor.kept_pages();
      pages.insert(pages.end(), level.kept_pages.begin(), level.kept_pages.end());
      std::sort(pages.begin(), pages.end());
      pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
    }
    const std::uint64_t front = static_cast<std::uint64_t>(cursor.first().value) / QueueCursor::kPageOffsets;
    if (everything || cursor.first() != level.kept_first || cursor.next() != level.kept_next ||
        cursor.end() != level.kept_end) {
      level.kept_first = cursor.first();
      level.kept_next = cursor.next();
      level.kept_end = cursor.end();
      ByteWriter out(32);
      out.varint(static_cast<std::uint64_t>(cursor.first().value));
      out.varint(static_cast<std::uint64_t>(std::max(cursor.next(), level.delivered).value));
      out.varint(static_cast<std::uint64_t>(cursor.end().value));
      out.varint(level.ready_bytes + level.held_bytes);  // what is held comes back if nothing is written any more
      changes.push_back({level.priority, std::nullopt, out.finish()});
    }
    for (const std::uint64_t page : pages) {
      if (page < front) continue;
      Bytes value = cursor.encode_page(page);
      if (!value.empty()) {
        level.kept_pages.insert(page);
        changes.push_back({level.priority, page, std::move(value)});
      } else if (level.kept_pages.erase(page) > 0) {
        changes.push_back({level.priority, page, std::nullopt});
      }
    }
    while (!level.kept_pages.empty() && *level.kept_pages.begin() < front) {
      changes.push_back({level.priority, *level.kept_pages.begin(), std::nullopt});
      level.kept_pages.erase(level.kept_pages.begin());
    }
  }
  return changes;
}

std::optional<Offset> Queue::first(std::uint8_t priority) const {
  if (priority >= levels_.size() || !levels_[priority]) return std::nullopt;
  return levels_[priority]->cursor.first();
}

Offset Queue::end(std::uint8_t priority) const {
  return priority < levels_.size() && levels_[priority] ? levels_[priority]->cursor.end() : Offset(0);
}

std::uint64_t Queue::loaded_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& level : levels_)
    if (level)
      for (const MessageReader& reader : level->readers) bytes += reader.bytes();
  return bytes;
}

void Queue::unload() {
  for (auto& level : levels_)
    if (level)
      for (MessageReader& reader : level->readers) reader.clear();
}

std::uint64_t Queue::memory_bytes() const {
  std::uint64_t bytes = sizeof *this + holders_.size() * sizeof(Consumer) + dead_.size() * sizeof(DeadRange);
  for (const auto& level : levels_) {
    if (!level) continue;
    bytes += sizeof(Level) - sizeof(QueueCursor) + level->cursor.memory_bytes();
  }
  return bytes + loaded_bytes();
}

}  // namespace braid
