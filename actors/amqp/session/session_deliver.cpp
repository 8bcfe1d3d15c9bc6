// Braid, Apache-2.0.
//
// Messages to the client. A run of records is written as it comes: method and header into one block, large bodies as
// slices of the log's own memory. What the client does not take is bounded by the bytes that hosts may have on their
// way to each consumer, which are given back when the client has taken them.
//
// A prefetch for the channel is given to its consumers as their queues have something for them. What comes nevertheless
// while there is no room (the consumer was there before that prefetch) waits here.
#include <algorithm>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

namespace {
/// What a method and a content header take, about.
constexpr std::size_t kFrameBytes = 96;
}  // namespace

void Session::deliver(const DeliverMessages& message) {
  if (!is_open()) return;
  const auto found = consumers_.find(message.consumer);
  if (found == consumers_.end()) return;  // its channel has closed, which gave them back
  Consumer& consumer = *found->second;
  Channel* channel = find(consumer.channel);
  if (!channel || channel->closing) return;
  if (consumer.on_demand) {
    const std::uint64_t used = message.messages + message.unused;
    consumer.promised -= used;
    channel->promised -= used;
    if (message.wants) channel->wanting.push_back(consumer.number);
    note_room(*channel);
    if (message.runs.empty()) return;
  }
  const bool shares_bodies = message.bytes > message.messages * std::uint64_t{FrameWriter::share_from_bytes};
  out(message.messages * kFrameBytes + (shares_bodies ? 0 : message.bytes));
  for (const MessageRun& run : message.runs) {
    std::optional<MessageRun> rest;
    if (consumer.parked == 0)
      rest = deliver(*channel, consumer, run);
    else
      rest = run;
    if (!rest) continue;
    if (!channel->parked) channel->parked = std::make_unique<std::deque<Parked>>();
    channel->parked->push_back({consumer.number, *std::move(rest)});
    ++consumer.parked;
  }
}

std::uint64_t Session::room(const Channel& channel) const {
  std::uint64_t limit = settings().max_unacknowledged;
  if (channel.prefetch_all != 0) limit = std::min<std::uint64_t>(limit, channel.prefetch_all);
  const std::uint64_t held = channel.unacknowledged.by_consumers();
  return limit - std::min(limit, held);
}

std::optional<MessageRun> Session::deliver(Channel& channel, Consumer& consumer, const MessageRun& run) {
  const auto most =
      consumer.no_ack ? run.count : static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count, room(channel)));
  if (most == 0) return run;
  FrameWriter& frames = out();
  RunWalker walker(run);
  RecordView record;
  MessageRecord message;
  BasicDeliver method;
  method.consumer_tag = consumer.tag;
  method.redelivered = run.redelivered;
  const std::uint64_t first_tag = channel.next_tag;
  std::uint32_t walked = 0;
  while (walked < most && walker.next(record)) {
    ++walked;
    record_reader_.read(record, message);
    method.delivery_tag = {channel.next_tag++};
    method.exchange = message.exchange;
    method.routing_key = message.routing_key;
    const auto properties = consumer.stream ? with_header(message.properties, "x-stream-offset",
                                                          FieldValue::integer(record.offset.value), scratch_)
                                            : told_of_returns(message.properties, run, consumer.counts_returns);
    // What is copied anyway needs no reference to the log's memory.
    const bool shared = message.body.size() >= FrameWriter::share_from_bytes;
    encode_content(frames, channel.number, frame_max_, method, properties,
                   shared ? walker.share(message.body) : Bytes::literal(message.body));
  }
  if (walked == 0) return {};
  if (!consumer.no_ack)
    channel.unacknowledged.add({first_tag, walked, run.priority, consumer.loop, true, run.first, consumer.queue,
                                consumer.number, loop().now_ms(), consumer.timeout_ms});
  services_.metrics.amqp_delivered += walked;
  std::optional<MessageRun> rest;
  if (walked < run.count) rest = walker.rest(walked);
  consumer.written_bytes += run.records.size() - (rest ? rest->records.size() : 0);
  // Less than a quarter of a window is not worth a message: what is left of it keeps the deliveries coming.
  if (!consumer.stream && consumer.written_bytes >= settings().delivery_window_bytes / 4 &&
      !std::exchange(consumer.grant_due, true))
    grants_due_.push_back(consumer.number);
  return rest;
}

std::string_view Session::told_of_returns(std::string_view properties, const MessageRun& run, bool counts_returns) {
  if (run.deliveries == 0 || !counts_returns) return properties;
  return with_header(properties, "x-delivery-count", FieldValue::integer(run.deliveries), scratch_);
}

// -- what waits -------------------------------------------------------------------------------------------------------

void Session::note_room(Channel& channel) {
  if (!channel.wanting.empty() && !std::exchange(channel.room_due, true)) rooms_due_.push_back(channel.number);
}

/// To consumers that can use it, in turn, so that one with a full queue does not keep it from the others.
void Session::grant_room() {
  for (const ChannelNumber number : std::exchange(rooms_due_, {})) {
    Channel* channel = find(number);
    if (!channel) continue;
    channel->room_due = false;
    if (channel->closing || channel->parked) continue;
    auto& wanting = channel->wanting;
    std::uint64_t free = room(*channel);
    free -= std::min(free, channel->promised);
    std::size_t asked = 0;
    for (; free > 0 && asked < wanting.size(); ++asked) {
      const auto found = consumers_.find(wanting[asked]);
      if (found == consumers_.end()) continue;
      Consumer& consumer = *found->second;
      const std::uint64_t part = std::max<std::uint64_t>(free / (wanting.size() - asked), 1);
      free -= part;
      consumer.promised += part;
      channel->promised += part;
      send(services_.queues[consumer.loop],
           GrantCredit{consumer.queue, id(), consumer.number, static_cast<std::uint32_t>(part), 0});
    }
    wanting.erase(wanting.begin(), wanting.begin() + static_cast<std::ptrdiff_t>(asked));
  }
}

void Session::deliver_parked(Channel& channel) {
  note_room(channel);
  if (!channel.parked) return;
  auto& parked = *channel.parked;
  while (!parked.empty() && room(channel) > 0) {
    Parked next = std::move(parked.front());
    parked.pop_front();
    const auto found = consumers_.find(next.consumer);
    if (found == consumers_.end()) continue;
    Consumer& consumer = *found->second;
    --consumer.parked;
    if (auto rest = deliver(channel, consumer, next.run)) {
      parked.push_front({next.consumer, *std::move(rest)});
      ++consumer.parked;
    }
  }
  if (parked.empty()) channel.parked.reset();
}

void Session::give_back_parked(Channel& channel, std::uint64_t consumer) {
  if (!channel.parked) return;
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return;
  Consumer& owner = *found->second;
  std::erase_if(*channel.parked, [&](const Parked& each) {
    if (each.consumer != consumer) return false;
    if (!owner.no_ack)
      settlements_.add(
          {0, each.run.count, each.run.priority, owner.loop, true, each.run.first, owner.queue, consumer, 0},
          Settlement::requeue_uncounted);
    return true;
  });
  owner.parked = 0;
}

// -- credit in bytes --------------------------------------------------------------------------------------------------

/// When the client has taken most of what was written.
void Session::grant_all() {
  if (grants_due_.empty() || stream().unsent_bytes() > services_.settings.limits.max_send_buffer_bytes / 4) return;
  for (const std::uint64_t number : grants_due_) {
    const auto found = consumers_.find(number);
    if (found == consumers_.end()) continue;
    Consumer& consumer = *found->second;
    consumer.grant_due = false;
    send(services_.queues[consumer.loop],
         GrantCredit{consumer.queue, id(), number, 0, std::exchange(consumer.written_bytes, 0)});
  }
  grants_due_.clear();
}

}  // namespace braid::amqp
