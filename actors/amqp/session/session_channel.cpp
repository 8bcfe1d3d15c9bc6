// Braid, Apache-2.0.
//
// Methods of a channel: opened once, then one after the other. See channel.hpp for what waits.
#include <fmt/format.h>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

namespace {

/// What a client says of deliveries; it waits neither for memory nor behind publishes that do.
bool is_settlement(const Frame& frame) {
  if (frame.type != FrameType::method || frame.payload.size() < 4) return false;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.payload.data());
  const MethodId id{load_big<std::uint16_t>(bytes), load_big<std::uint16_t>(bytes + 2)};
  return id == BasicAck::info.id || id == BasicNack::info.id || id == BasicReject::info.id;
}

/// The same frame, shown in a slice of its own.
Frame shown_in(const Frame& frame, const Bytes& payload) {
  return {frame.type, frame.channel, payload.view()};
}

}  // namespace

Channel* Session::find(ChannelNumber number) {
  if (last_channel_ && last_channel_->number == number) return last_channel_;
  const auto found = channels_.find(number);
  if (found == channels_.end()) return nullptr;
  return last_channel_ = found->second.get();
}

Channel* Session::find(ChannelNumber number, std::uint64_t serial) {
  Channel* channel = find(number);
  return channel && channel->serial == serial ? channel : nullptr;
}

void Session::take_channel_frame(const Frame& frame, const Bytes& read) {
  Channel* channel = find(frame.channel);
  if (!channel) return open_channel(frame);
  if (channel->closing) {
    // Only the end of the channel is of interest (1.4.2.5).
    Method method;
    if (frame.type != FrameType::method || decode_method(frame.payload, content_limits_.table, method)) return;
    if (std::holds_alternative<ChannelClose>(method)) write(channel->number, ChannelCloseOk{});
    if (std::holds_alternative<ChannelCloseOk>(method)) forget(frame.channel);
    return;
  }
  if (channel->waits()) return take_later(*channel, frame, read);
  take(*channel, frame, read);
}

void Session::open_channel(const Frame& frame) {
  Method method;
  if (frame.type != FrameType::method) return fail_connection(ReplyCode::channel_error, "expected 'channel.open'");
  if (const auto error = decode_method(frame.payload, content_limits_.table, method))
    return fail_connection(error->code, error->sentence, error->method);
  if (!std::holds_alternative<ChannelOpen>(method))
    return fail_connection(ReplyCode::channel_error, "expected 'channel.open'", info_of(method).id);
  if (channel_max_ != 0 && (frame.channel > channel_max_ || channels_.size() >= channel_max_))
    return fail_connection(ReplyCode::not_allowed,
                           fmt::format("number of channels opened ({}) has reached the negotiated channel_max ({})",
                                       channels_.size(), channel_max_),
                           ChannelOpen::info.id);
  auto made = std::make_unique<Channel>(frame.channel, next_serial_++, next_consumer_++);
  last_channel_ = made.get();
  channels_.emplace(frame.channel, std::move(made));
  ++services_.metrics.amqp_channels;
  write(frame.channel, ChannelOpenOk{});
}

void Session::take_later(Channel& channel, const Frame& frame, const Bytes& read) {
  if (channel.stalled && !channel.busy && !channel.transaction && is_settlement(frame))
    return take(channel, frame, read);
  put_by(channel, frame, read, false);
}

void Session::put_by(Channel& channel, const Frame& frame, const Bytes& read, bool first) {
  const auto begin = static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(frame.payload.data()) -
                                              frame_header_bytes - read.data());
  if (!channel.backlog) channel.backlog = std::make_unique<std::deque<Bytes>>();
  Bytes bytes = read.slice(begin, frame.payload.size() + frame_overhead_bytes);
  backlog_bytes_ += bytes.size();
  if (first)
    channel.backlog->push_front(std::move(bytes));
  else
    channel.backlog->push_back(std::move(bytes));
}

void Session::go_on(Channel& channel) {
  const ChannelNumber number = channel.number;
  const std::uint64_t serial = channel.serial;
  for (Channel* at = &channel; at && !at->busy && !at->stalled && !at->closing && is_open();
       at = find(number, serial)) {
    if (!at->backlog || at->backlog->empty()) break;
    const Bytes bytes = std::move(at->backlog->front());
    at->backlog->pop_front();
    backlog_bytes_ -= bytes.size();
    const Bytes payload = bytes.slice(frame_header_bytes, bytes.size() - frame_overhead_bytes);
    take(*at, shown_in({static_cast<FrameType>(bytes[0]), number, {}}, payload), bytes);
    if (Channel* still = find(number, serial); still && still->content.active()) still->content.keep(bytes);
  }
}

void Session::take(Channel& channel, const Frame& frame, const Bytes& read) {
  if (channel.content.active()) {
    if (const auto error = channel.content.take(frame, content_limits_)) {
      if (error->code == ReplyCode::precondition_failed)
        return fail(channel, error->code,
                    fmt::format("message size {} is larger than configured max size {}",
                                channel.content.header().body_bytes, content_limits_.max_body_bytes),
                    error->method);
      return fail_connection(error->code, error->sentence, error->method);
    }
    if (channel.content.active()) return;
    return publish(channel, read);
  }
  if (frame.type != FrameType::method)
    return fail_connection(ReplyCode::unexpected_frame, "expected method frame, got non method frame instead");
  if (blocked_ && frame.payload.size() >= 4 && !is_settlement(frame)) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.payload.data());
    if (MethodId{load_big<std::uint16_t>(bytes), load_big<std::uint16_t>(bytes + 2)} == BasicPublish::info.id) {
      channel.stalled = true;
      return put_by(channel, frame, read, true);
    }
  }
  Method method;
  if (const auto error = decode_method(frame.payload, content_limits_.table, method))
    return fail_connection(error->code, error->sentence, error->method);
  dispatch(channel, method);
}

void Session::dispatch(Channel& channel, const Method& method) {
  std::visit(
      [&](const auto& each) {
        using M = std::decay_t<decltype(each)>;
        if constexpr (requires { this->handle(channel, each); }) {
          handle(channel, each);
        } else if constexpr (std::is_same_v<M, ChannelOpen>) {
          fail_connection(ReplyCode::channel_error, "second 'channel.open' seen", M::info.id);
        } else if constexpr (std::is_same_v<M, ChannelCloseOk>) {
          fail_connection(ReplyCode::channel_error, "unexpected 'channel.close-ok'", M::info.id);
        } else {
          // Of the connection's own class, or what only a broker says.
          fail_connection(ReplyCode::command_invalid, fmt::format("unexpected method {}", M::info.name), M::info.id);
        }
      },
      method);
}

// -- small methods ----------------------------------------------------------------------------------------------------

void Session::handle(Channel& channel, const ChannelFlow& method) {
  if (!method.active) return fail(channel, ReplyCode::not_implemented, "active=false", ChannelFlow::info.id);
  write(channel.number, ChannelFlowOk{true});
}

/// Tickets are of AMQP 0-8; some clients still ask for one.
void Session::handle(Channel& channel, const AccessRequest&) {
  AccessRequestOk reply;
  reply.ticket = 1;
  write(channel.number, reply);
}

void Session::handle(Channel& channel, const ConfirmSelect& method) {
  if (channel.transaction)
    return fail(channel, ReplyCode::precondition_failed, "cannot switch from tx to confirm mode",
                ConfirmSelect::info.id);
  channel.confirming = true;
  if (!method.nowait) write(channel.number, ConfirmSelectOk{});
}

}  // namespace braid::amqp
