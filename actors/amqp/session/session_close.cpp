// Braid, Apache-2.0.
//
// How channels and connections end. A mistake ends the channel or the connection that made it (1.1's soft and hard
// errors), with RabbitMQ's texts; what the client has sent meanwhile is passed over until it confirms. A client that
// closes its connection in order is answered when its publishes have arrived, its deliveries are back in their queues
// and its exclusive queues are gone, so whoever connects next finds it so.
#include <fmt/format.h>

#include <algorithm>

#include "actors/amqp/session/session.hpp"
#include "runtime/log.hpp"

namespace braid::amqp {

namespace {
/// For the client to confirm connection.close; less when the node stops.
constexpr std::int64_t kCloseMs = 5000, kStopMs = 1000;
/// For the client to end the socket when both sides have said that the connection is over. Some wait for the broker to
/// do it (amqp091-go).
constexpr std::int64_t kLingerMs = 200;

/// The client's own channel.close among what waits on its channel.
bool has_close(const std::deque<Bytes>& backlog) {
  return std::any_of(backlog.begin(), backlog.end(), [](const Bytes& frame) {
    if (frame.size() < frame_header_bytes + 4 || frame[0] != static_cast<std::uint8_t>(FrameType::method)) return false;
    const auto* method = frame.data() + frame_header_bytes;
    return MethodId{load_big<std::uint16_t>(method), load_big<std::uint16_t>(method + 2)} == ChannelClose::info.id;
  });
}
}  // namespace

void Session::fail_connection(ReplyCode code, std::string_view sentence, MethodId method) {
  if (phase_ == Phase::closing || phase_ == Phase::leaving || phase_ == Phase::ended) return;
  if (code != ReplyCode::connection_forced) ++services_.metrics.protocol_errors;
  const std::string text = reply_text(code, sentence);
  BRAID_LOG_LIMITED(info, "amqp", {{"peer", peer_}, {"client", client_name_}}, "closed: {} {}",
                    static_cast<unsigned>(code), text);
  // What is in front of the mistake counts.
  send_what_waits();
  for (auto& [number, channel] : channels_) release(*channel);
  write(0, ConnectionClose{code, text, method.class_id, method.method_id});
  phase_ = Phase::closing;
  leave_due_ = false;
  shortage_timer_.cancel();
  if (paused_) {
    paused_ = false;
    stream().resume_reading();
  }
  timer_ = after(code == ReplyCode::connection_forced ? kStopMs : kCloseMs, [this] { end(); });
}

void Session::end() {
  if (phase_ == Phase::ended) return;
  flush();
  phase_ = Phase::ended;
  quit();
}

// -- channels ---------------------------------------------------------------------------------------------------------

void Session::fail(Channel& channel, ReplyCode code, std::string_view sentence, MethodId method) {
  if (closes_connection(code)) return fail_connection(code, sentence, method);
  if (channel.closing || !is_open()) return;
  const std::string text = reply_text(code, sentence);
  BRAID_LOG_LIMITED(info, "amqp", {{"peer", peer_}, {"client", client_name_}}, "channel {} closed: {} {}",
                    channel.number, static_cast<unsigned>(code), text);
  const bool closed_by_client = channel.backlog && has_close(*channel.backlog);
  release(channel);
  write(channel.number, ChannelClose{code, text, method.class_id, method.method_id});
  if (closed_by_client) write(channel.number, ChannelCloseOk{});
  channel.closing = true;
}

void Session::release(Channel& channel) {
  channel.content.reset();
  if (channel.backlog)
    for (const Bytes& frame : *channel.backlog) backlog_bytes_ -= frame.size();
  channel.backlog.reset();
  channel.busy = channel.stalled = false;
  // A transaction that was not committed never was.
  if (channel.transaction)
    for (const auto& [held, settlement] : channel.transaction->settlements) channel.unacknowledged.put_back(held);
  channel.transaction.reset();
  channel.parked.reset();
  stop_replies(channel);
  channel.unacknowledged.take_all([this](const Held& held) { settlements_.add(held, Settlement::requeue_uncounted); });
  send_what_waits();
  for (const auto& [tag, number] : channel.consumers) {
    const auto consumer = consumers_.find(number);
    if (consumer == consumers_.end()) continue;
    stop_consuming(*consumer->second, true);
    consumers_.erase(consumer);
  }
  channel.consumers.clear();
  channel.wanting.clear();
  channel.promised = 0;
}

void Session::stop_consuming(const Consumer& consumer, bool requeue) {
  if (consumer.stream) return send(consumer.stream, StopStream{});
  ask(
      this, services_.queues[consumer.loop], StopConsuming{consumer.queue, id(), consumer.number, requeue, false},
      [](const ConsumeStopped&) {}, [](caf::error) {});
}

void Session::forget(ChannelNumber number) {
  if (last_channel_ && last_channel_->number == number) last_channel_ = nullptr;
  if (channels_.erase(number) != 0) --services_.metrics.amqp_channels;
}

void Session::handle(Channel& channel, const ChannelClose&) {
  // Answered when what it published has arrived: others may count on that.
  after_publishes(channel, [this](Channel& there) { close_channel(there); });
}

void Session::close_channel(Channel& channel) {
  release(channel);
  write_confirms();
  write(channel.number, ChannelCloseOk{});
  forget(channel.number);
}

// -- the connection, by its client ------------------------------------------------------------------------------------

void Session::leave() {
  if (phase_ == Phase::leaving || phase_ == Phase::closing || phase_ == Phase::ended) return;
  leave_due_ = std::any_of(channels_.begin(), channels_.end(), [](const auto& each) { return each.second->waits(); });
  if (leave_due_) return;
  send_what_waits();
  for (auto& [number, channel] : channels_) release(*channel);
  phase_ = Phase::leaving;
  timer_.cancel();
  shortage_timer_.cancel();
  if (flights_.empty()) drop_exclusive_queues();
}

void Session::drop_exclusive_queues() {
  const auto left = std::make_shared<std::size_t>(exclusive_queues_.size());
  if (*left == 0) return finish_leaving();
  const auto one_less = [this, left] {
    if (--*left == 0) turn([this] { finish_leaving(); });
  };
  for (auto& name : std::exchange(exclusive_queues_, {}))
    ask(
        this, services_.amqp_definitions, DropQueue{vhost_->name(), name, false, false, connection_number(id())},
        [one_less](const QueueDropped&) { one_less(); }, [one_less](caf::error) { one_less(); });
}

void Session::finish_leaving() {
  if (phase_ != Phase::leaving) return;
  write(0, ConnectionCloseOk{});
  flush();
  phase_ = Phase::ended;
  // The client ends the socket. Several of its threads may be closing at once, and each wants its answer first.
  timer_ = after(kLingerMs, [this] { quit(); });
}

// -- the connection, by the broker ------------------------------------------------------------------------------------

void Session::drain() {
  draining_ = true;
  if (phase_ == Phase::ended) return quit();
  if (phase_ == Phase::leaving) return;
  if (phase_ == Phase::closing) {
    timer_ = after(kStopMs, [this] { end(); });
    return;
  }
  if (!is_open()) return end();
  // What was read is answered first: publishes that wait for the disk hold the end back.
  if (!flights_.empty()) {
    if (!paused_) stream().pause_reading();
    paused_ = true;
    return;
  }
  fail_connection(ReplyCode::connection_forced, "broker forced connection closure with reason 'shutdown'");
}

}  // namespace braid::amqp
