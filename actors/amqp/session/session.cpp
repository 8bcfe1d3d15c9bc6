// Braid, Apache-2.0.
#include "actors/amqp/session/session.hpp"

#include <algorithm>

#include "runtime/log.hpp"

namespace braid::amqp {

namespace {
/// Until connection.tune-ok; nothing that a client says before needs more.
constexpr std::uint32_t kHandshakeFrameMax = 8192;
/// The frame of connection.close-ok: all that is looked for when frames cannot be told apart any more.
constexpr std::string_view kCloseOk{"\1\0\0\0\0\0\4\0\x0a\0\x33\xce", 12};
/// What waits on channels while memory or disk is short.
constexpr std::uint64_t kBlockedBacklogBytes = 256u << 10;
/// The first block for what is written in a turn.
constexpr std::size_t kSmallOutput = 512, kLargeOutput = 256u << 10;
}  // namespace

Session::Session(caf::actor_config& config, Loop& loop, Services& services, std::unique_ptr<Stream> stream,
                 Admission admission)
    : ConnectionActor(config, loop, std::move(stream)),
      services_(services),
      admission_(std::move(admission)),
      budget_(services.budget),
      decoder_(kHandshakeFrameMax) {
  content_limits_.max_body_bytes = settings().max_message_bytes;
}

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission) {
  spawn_on<Session>(services.loop, services, std::move(stream), std::move(admission));
}

Session::behavior_type Session::make_behavior() {
  peer_ = stream().peer().text();
  services_.sessions.add(id(), DrainTarget(SessionActor(this)));
  ++services_.metrics.connections;
  ++services_.metrics.connections_accepted;
  const std::uint64_t high = services_.settings.limits.max_send_buffer_bytes;
  stream().set_marks(high / 4, high);
  last_received_ms_ = last_sent_ms_ = loop().now_ms();
  watch_handshake();
  return {
      [this](const DeliverMessages& message) { turn([&] { deliver(message); }); },
      [this](const ConsumerCancelled& message) { turn([&] { cancelled(message); }); },
      [this](const DirectReplies& message) { turn([&] { take_replies(message); }); },
      [this](const DrainSession&) { turn([&] { drain(); }); },
  };
}

void Session::on_exit() {
  phase_ = Phase::ended;
  --services_.metrics.connections;
  if (counted_) --services_.metrics.amqp_connections;
  services_.metrics.amqp_channels -= channels_.size();
  services_.sessions.remove(id());
  // The hosts of queues see the end and take back what was delivered and not settled.
  ConnectionActor::on_exit();
}

// -- frames -----------------------------------------------------------------------------------------------------------

void Session::received(ReceiveBuffer& buffer) {
  last_received_ms_ = loop().now_ms();
  turn([&] { take_frames(buffer); });
}

void Session::take_frames(ReceiveBuffer& buffer) {
  const Bytes read = buffer.shared();
  for (;;) {
    if (deaf_ && phase_ == Phase::closing && read.view().ends_with(kCloseOk)) return end();
    if (deaf_ || leave_due_ || phase_ == Phase::leaving || phase_ == Phase::ended) return buffer.clear();
    if (phase_ == Phase::opening) break;  // what the client did not wait with is looked at when it is open
    Frame frame;
    const auto step = decoder_.next(buffer.readable(), frame);
    switch (step.status) {
      case Decoder::Status::need_more:
        buffer.want(step.bytes);
        break;
      case Decoder::Status::wrong_protocol:
        return handle_wrong_protocol(buffer);
      case Decoder::Status::failed:
        deaf_ = true;
        if (phase_ == Phase::closing) return end();
        fail_connection(decoder_.error().code, decoder_.error().sentence, decoder_.error().method);
        continue;
      case Decoder::Status::header:
        say_start();
        buffer.skip(step.bytes);
        continue;
      case Decoder::Status::frame:
        take_frame(frame, read);
        buffer.skip(step.bytes);
        continue;
    }
    break;
  }
  // Messages that go on in the next read look into this one.
  for (const ChannelNumber number : assembling_) {
    Channel* channel = find(number);
    if (!channel) continue;
    channel->kept = false;
    if (channel->content.active()) channel->content.keep(read);
  }
  std::erase_if(assembling_, [this](ChannelNumber number) {
    Channel* channel = find(number);
    if (!channel || !channel->content.active()) return true;
    channel->kept = true;
    return false;
  });
}

void Session::take_frame(const Frame& frame, const Bytes& read) {
  if (frame.channel == 0) return take_connection_frame(frame);
  if (is_open()) return take_channel_frame(frame, read);
  if (phase_ == Phase::closing) return;
  fail_connection(ReplyCode::channel_error, "a frame of a channel before connection.open");
}

void Session::take_connection_frame(const Frame& frame) {
  if (frame.type == FrameType::heartbeat) return;
  Method method;
  if (const auto error = decode_method(frame.payload, content_limits_.table, method)) {
    if (phase_ != Phase::closing) fail_connection(error->code, error->sentence, error->method);
    return;
  }
  if (std::holds_alternative<ConnectionClose>(method)) {
    if (phase_ == Phase::closing) {
      write(0, ConnectionCloseOk{});
      return end();
    }
    return leave();
  }
  if (phase_ == Phase::closing) {
    if (std::holds_alternative<ConnectionCloseOk>(method)) end();
    return;
  }
  if (const auto* start_ok = std::get_if<ConnectionStartOk>(&method); start_ok && phase_ == Phase::start)
    return handle(*start_ok);
  if (const auto* secure_ok = std::get_if<ConnectionSecureOk>(&method); secure_ok && phase_ == Phase::secure)
    return handle(*secure_ok);
  if (const auto* tune_ok = std::get_if<ConnectionTuneOk>(&method); tune_ok && phase_ == Phase::tune)
    return handle(*tune_ok);
  if (const auto* open = std::get_if<ConnectionOpen>(&method); open && phase_ == Phase::open) return handle(*open);
  if (std::holds_alternative<ConnectionUpdateSecret>(method) && is_open()) return write(0, ConnectionUpdateSecretOk{});
  const MethodInfo& info = info_of(method);
  fail_connection(ReplyCode::command_invalid, std::string("unexpected method ") + std::string(info.name), info.id);
}

FrameWriter& Session::out(std::size_t expected_bytes) {
  if (!out_) out_.emplace(std::clamp(expected_bytes, kSmallOutput, kLargeOutput));
  return *out_;
}

// -- the end of a turn ------------------------------------------------------------------------------------------------

void Session::finish_turn() {
  if (phase_ == Phase::ended || !has_stream()) return;
  if (leave_due_) leave();
  send_what_waits();
  if (!rooms_due_.empty()) grant_room();
  if (!replies_.empty()) send_replies();
  write_confirms();
  flush();
  if (phase_ == Phase::ended) return;
  grant_all();
  put_back_pressure();
}

void Session::flush() {
  if (!out_ || !has_stream()) return;
  auto chunks = out_->finish();
  out_.reset();
  last_sent_ms_ = loop().now_ms();
  stream().write(std::move(chunks));
}

void Session::put_back_pressure() {
  const auto& limits = services_.settings.limits;
  // Not what waits for memory: it would wait for itself.
  budget_.set(in_flight_bytes_);
  if (phase_ != Phase::running) return;
  watch_shortage();
  // Acknowledgements come through even when memory or disk is short: publishes wait on their channels, not in the
  // socket.
  const std::uint64_t backlog_limit =
      blocked_ ? std::min(kBlockedBacklogBytes, limits.max_inflight_bytes) : limits.max_inflight_bytes;
  const bool full = in_flight_bytes_ > limits.max_inflight_bytes || backlog_bytes_ > backlog_limit ||
                    stream().unsent_bytes() > limits.max_send_buffer_bytes;
  if (full == paused_) return;
  // With hysteresis, so that a socket is not stopped and started for every batch.
  if (!full && (in_flight_bytes_ > limits.max_inflight_bytes / 2 || backlog_bytes_ > backlog_limit / 2)) return;
  paused_ = full;
  if (full)
    stream().pause_reading();
  else
    stream().resume_reading();
}

void Session::drained() {
  turn([] {});
}

void Session::closed(CloseReason reason) {
  if (phase_ != Phase::ended)
    log::debug("amqp", {{"peer", peer_}, {"client", client_name_}}, "connection ended: {}", reason.text());
  phase_ = Phase::ended;
  quit();
}

}  // namespace braid::amqp
