// Braid, Apache-2.0.
//
// What follows from a queue's events: what expires or is too much leaves at the head, what is ready goes to whoever has
// credit. Work is done in slices, so that one queue never keeps its loop from the others.
#include <algorithm>
#include <utility>

#include "persistence/queue/queue.hpp"

namespace braid {
namespace {

constexpr std::uint32_t kReadBytes = 256u << 10;
/// What a queue without consumers keeps of its log at most.
constexpr std::uint64_t kUnusedBytes = 4u << 10;
constexpr std::uint32_t kPumpMessages = 4096;  ///< handled in one pump
constexpr std::uint64_t kPumpBytes = 4u << 20;
/// Dead letters that are on their way to be stored elsewhere.
constexpr std::size_t kDeadOutputs = 64;
constexpr std::uint32_t kDeadMessages = 256;  ///< in one output
constexpr std::uint32_t kLargestShare = 256;

}  // namespace

void Queue::pump(Timestamp now, QueueOutput& out) {
  now_ = std::max(now_, now);
  work_ = 0;
  head_expires_ = false;
  const bool asked = !gets_.empty();
  serve_gets(out);
  serve_consumers(out);
  if (!on_demand_.empty()) tell_on_demand(out);
  // What somebody waits for is not too much.
  if (gets_.empty() && (waiting_.empty() || ready() == 0)) drop_over_limit(out);
  for (auto& each : levels_)
    if (each) each->arrived_from = Offset(INT64_MAX);
  if (!out.again) watch_head(out);
  route_dead(out);
  if (work_ >= kPumpMessages) out.again = true;
  out.changed = work_ > 0;
  for (const Holder number : served_) holders_[number].delivery = SIZE_MAX;
  served_.clear();
  if (subscribed_ > 0 || asked || out.again) return;
  const bool drops = settings_.overflow == Overflow::drop_head && (settings_.max_length || settings_.max_length_bytes);
  for (auto& each : levels_)  // nobody is there to take what was read ahead
    if (each && each->readers[kFresh].bytes() > (drops ? kReadBytes : kUnusedBytes)) each->readers[kFresh].clear();
}

void Queue::read(Level& level, Stream stream, Offset from, QueueOutput& out) {
  if (level.reading[stream]) return;
  level.reading[stream] = true;
  level.readers[stream].clear();
  std::uint32_t bytes = stream == kFresh ? kReadBytes : kReadBytes / 8;
  // One batch will do when nobody wants messages and all there is to find out is when the head expires.
  if (stream != kDeadLetters && subscribed_ == 0 && gets_.empty() && work_ == 0 && !over_limit()) bytes = 1;
  out.reads.push_back({level.priority, stream, from, bytes});
}

void Queue::watch_head(QueueOutput& out) {
  const auto top =
      std::find_if(levels_.rbegin(), levels_.rend(), [](const auto& each) { return each && each->cursor.ready() > 0; });
  if (top == levels_.rend()) return;
  const Offset first = (*top)->cursor.peek()->first;
  if (watched_.level != top->get() || watched_.offset != first || watched_.expires <= now_.value) {
    Head head;
    if (look(head, out) != Look::found) return;
    watched_ = {head.level, head.ready.first, expires(head.message)};
  }
  if (watched_.expires == MessageReader::kNever) return;
  head_expires_ = true;
  out.wake_at = Timestamp(watched_.expires);
}

std::int64_t Queue::expires(const MessageReader::Message& message) const {
  std::int64_t left = message.expiration_ms;
  if (settings_.message_ttl_ms) left = std::min(left, *settings_.message_ttl_ms);
  if (left == MessageReader::kNever || message.arrived.value > MessageReader::kNever - left)
    return MessageReader::kNever;
  return message.arrived.value + left;
}

bool Queue::is_expired(const Level& level, Offset offset, const MessageReader::Message& message) const {
  const std::int64_t at = expires(message);
  if (at > now_.value) return false;
  // A time to live of nothing still lets it through to a consumer that is waiting for it.
  return !(offset >= level.arrived_from && at >= message.arrived.value && !waiting_.empty() &&
           (settings_.message_ttl_ms == 0 || message.expiration_ms == 0));
}

Queue::Look Queue::look(Head& head, QueueOutput& out) {
  for (std::size_t i = levels_.size(); i-- > 0;) {
    if (!levels_[i]) continue;
    Level& level = *levels_[i];
    while (const auto ready = level.cursor.peek()) {
      const Stream stream = ready->returned ? kReturned : kFresh;
      MessageReader& reader = level.readers[stream];
      head = {&level, *ready, &reader, {}};
      if (level.reading[stream]) return Look::waiting;
      switch (reader.find(ready->first, head.message)) {
        case MessageReader::Look::wanted:
          read(level, stream, ready->first, out);
          return Look::waiting;
        case MessageReader::Look::gone:
          lose(level, *ready, reader.gone_until());
          break;
        case MessageReader::Look::found:
          if (!is_expired(level, ready->first, head.message)) return Look::found;
          remove(head, DeadReason::expired);
          break;
      }
      if (++work_ >= kPumpMessages) {
        out.again = true;
        return Look::waiting;
      }
    }
  }
  return Look::none;
}

void Queue::lose(Level& level, const QueueCursor::Ready& ready, Offset until) {
  const std::int64_t count = std::min<std::int64_t>(ready.count, until.value - ready.first.value);
  level.cursor.discard(ready.first, static_cast<std::uint32_t>(std::max<std::int64_t>(count, 1)));
  remove_ready(level, 0);
}

void Queue::remove(const Head& head, DeadReason reason) {
  Level& level = *head.level;
  if (settings_.dead_letter) {
    level.cursor.hold(head.ready.first, kDead, head.message.bytes);
    level.held_bytes += head.message.bytes;
    add_dead(level.priority, head.ready.first, reason);
  } else {
    level.cursor.discard(head.ready.first, 1);
  }
  remove_ready(level, head.message.bytes);
}

bool Queue::over_limit() const {
  return (settings_.max_length && ready() > *settings_.max_length) ||
         (settings_.max_length_bytes && ready_bytes_ > *settings_.max_length_bytes && ready() > 0);
}

void Queue::drop_over_limit(QueueOutput& out) {
  if (settings_.overflow != Overflow::drop_head) return;
  while (over_limit() && work_ < kPumpMessages) {
    if (!settings_.dead_letter && !settings_.max_length_bytes) {  // no need to look at them
      Level& level = **std::find_if(levels_.rbegin(), levels_.rend(),
                                    [](const auto& each) { return each && each->cursor.ready() > 0; });
      const auto first = level.cursor.peek();
      const std::uint64_t bytes_each = level.ready_bytes / level.cursor.ready();
      const auto count =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(first->count, ready() - *settings_.max_length));
      level.cursor.discard(first->first, count);
      remove_ready(level, bytes_each * count);
      work_ += count;
      continue;
    }
    Head head;
    if (look(head, out) != Look::found) return;
    if (!over_limit()) return;  // some had expired
    remove(head, DeadReason::maxlen);
    ++work_;
  }
}

MessageRun Queue::take(Head& head, std::uint32_t messages, std::uint64_t bytes, Holder holder, bool no_ack,
                       std::uint64_t& taken) {
  Level& level = *head.level;
  MessageReader& reader = *head.reader;
  const Offset first = head.ready.first;
  MessageRun run;
  run.batch_offset = reader.batch_offset();
  run.batch_timestamp = reader.batch_timestamp();
  run.first = first;
  run.priority = level.priority;
  run.deliveries = head.ready.deliveries;
  run.redelivered = head.ready.returned || first < level.delivered;
  std::int64_t behind =
      std::min(first.value + std::int64_t{std::min(messages, head.ready.count)}, reader.batch_end().value);
  if (!head.ready.returned && first < level.delivered) behind = std::min(behind, level.delivered.value);
  const Bytes& batch = reader.batch();
  const std::uint32_t begin = head.message.begin;
  std::uint32_t end = begin;
  MessageReader::Message message = head.message;
  std::uint64_t bodies = 0;
  taken = 0;
  for (std::int64_t at = first.value; at < behind; ++at) {
    if (at > first.value) {
      if (taken >= bytes || reader.find(Offset(at), message) != MessageReader::Look::found ||
          is_expired(level, Offset(at), message))
        break;
    }
    end = message.end;
    taken += message.end - message.begin;
    bodies += message.bytes;
    if (!no_ack) level.cursor.hold(Offset(at), holder, message.bytes);
    ++run.count;
  }
  run.records = batch.slice(begin, end - begin);
  if (no_ack)
    level.cursor.discard(first, run.count);
  else
    level.held_bytes += bodies;
  remove_ready(level, bodies);
  work_ += run.count;
  return run;
}

void Queue::serve_gets(QueueOutput& out) {
  for (const std::uint64_t token : std::exchange(ended_gets_, {})) out.got.push_back({token, std::nullopt, ready()});
  while (!gets_.empty()) {
    Head head;
    const Look found = look(head, out);
    if (found == Look::waiting) return;
    const Get get = gets_.front();
    gets_.pop_front();
    Consumer& consumer = holders_[get.holder];
    QueueOutput::Got got;
    got.token = get.token;
    if (found == Look::found) {
      std::uint64_t taken;
      got.run = take(head, 1, 0, get.holder, get.no_ack, taken);
      if (!get.no_ack) ++consumer.held;
    }
    got.ready = ready();
    out.got.push_back(std::move(got));
    release(consumer);
  }
}

std::uint32_t Queue::share(const Consumer& consumer) const {
  std::uint64_t most =
      consumer.settings.no_ack || consumer.settings.prefetch == 0
          ? kPumpMessages
          : consumer.settings.prefetch - std::min<std::uint64_t>(consumer.held, consumer.settings.prefetch);
  if (consumer.settings.granted) most = consumer.credit;
  if (consumer.settings.on_demand) most = std::min(most, consumer.credit);
  // Alone it may have all. Else they take turns, one message each while there are few.
  const std::size_t others = waiting_.begin()->second.size();
  if (others > 0) {
    const std::uint64_t each = ready() / (others + 1);
    most = std::min<std::uint64_t>(most, each <= 16 ? 1 : std::min<std::uint64_t>(each, kLargestShare));
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, kPumpMessages));
}

void Queue::serve_consumers(QueueOutput& out) {
  std::uint64_t sent = 0;
  while (!waiting_.empty()) {
    if (work_ >= kPumpMessages || sent >= kPumpBytes) {
      out.again = true;
      return;
    }
    Head head;
    if (look(head, out) != Look::found) return;
    auto ring = waiting_.begin();
    Consumer& consumer = holders_[ring->second.front()];
    ring->second.pop_front();
    consumer.enlisted = false;
    if (can_take(consumer)) {
      std::uint64_t taken = 0;
      MessageRun run = take(head, share(consumer), static_cast<std::uint64_t>(consumer.window), consumer.number,
                            consumer.settings.no_ack, taken);
      sent += taken;
      if (!consumer.settings.no_ack) consumer.held += run.count;
      if (consumer.settings.granted || consumer.settings.on_demand) consumer.credit -= run.count;
      consumer.window -= static_cast<std::int64_t>(taken);
      auto& delivery = delivery_to(consumer, out);
      delivery.messages += run.count;
      delivery.bytes += taken;
      delivery.runs.push_back(std::move(run));
      enlist(consumer);
    }
    if (ring->second.empty()) waiting_.erase(ring);
  }
}

/// Credit of theirs is shared with other queues: what is of no use here goes back, and is asked for when it is.
void Queue::tell_on_demand(QueueOutput& out) {
  for (const Holder number : on_demand_) {
    Consumer& consumer = holders_[number];
    const bool finds = ready() > 0 && is_open(consumer);
    if (consumer.credit > 0 && !finds) {
      delivery_to(consumer, out).unused = static_cast<std::uint32_t>(std::exchange(consumer.credit, 0));
      delist(consumer);
    }
    if (consumer.credit == 0 && finds && !std::exchange(consumer.told, true)) delivery_to(consumer, out).wants = true;
  }
}

QueueOutput::Delivery& Queue::delivery_to(Consumer& consumer, QueueOutput& out) {
  if (consumer.delivery == SIZE_MAX) {
    consumer.delivery = out.deliveries.size();
    served_.push_back(consumer.number);
    out.deliveries.emplace_back().to = consumer.key;
  }
  return out.deliveries[consumer.delivery];
}

void Queue::route_dead(QueueOutput& out) {
  if (dead_retry_at_) {
    if (now_ < *dead_retry_at_) {
      if (!out.wake_at || *dead_retry_at_ < *out.wake_at) out.wake_at = dead_retry_at_;
      return;
    }
    dead_retry_at_.reset();
  }
  while (dead_taken_ && !dead_.empty() && dead_sent_.size() < kDeadOutputs) {
    DeadRange& range = dead_.front();
    Level& level = this->level(range.priority);
    MessageReader& reader = level.readers[kDeadLetters];
    if (level.reading[kDeadLetters]) return;
    MessageReader::Message message;
    switch (reader.find(range.first, message)) {
      case MessageReader::Look::wanted:
        return read(level, kDeadLetters, range.first, out);
      case MessageReader::Look::gone:
        acknowledge(level, range.first, 1, kDead);
        range.first = Offset(range.first.value + 1);
        if (--range.count == 0) dead_.pop_front();
        continue;
      case MessageReader::Look::found:
        break;
    }
    MessageRun run;
    run.batch_offset = reader.batch_offset();
    run.batch_timestamp = reader.batch_timestamp();
    run.first = range.first;
    run.priority = range.priority;
    run.redelivered = true;
    run.deliveries = level.cursor.deliveries(range.first);
    const std::uint32_t begin = message.begin;
    std::uint32_t end = message.end;
    const auto most = static_cast<std::uint32_t>(
        std::min<std::int64_t>({range.count, kDeadMessages, reader.batch_end().value - range.first.value}));
    for (run.count = 1; run.count < most; ++run.count) {
      const Offset next(range.first.value + run.count);
      if (level.cursor.deliveries(next) != run.deliveries || reader.find(next, message) != MessageReader::Look::found)
        break;
      end = message.end;
    }
    run.records = reader.batch().slice(begin, end - begin);
    const std::uint64_t token = next_token_++;
    dead_sent_[token].push_back({range.priority, range.reason, range.first, run.count});
    out.dead.push_back({token, range.reason, {}});
    range.first = Offset(range.first.value + run.count);
    range.count -= run.count;
    out.dead.back().runs.push_back(std::move(run));
    if (range.count == 0) dead_.pop_front();
  }
}

}  // namespace braid
