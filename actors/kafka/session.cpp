// Braid, Apache-2.0.
#include "actors/kafka/session.hpp"

#include <algorithm>
#include <limits>

#include "actors/kafka/fetch_work.hpp"
#include "actors/kafka/handlers.hpp"
#include "codecs/kafka/frame.hpp"
#include "codecs/kafka/messages/api_versions.hpp"
#include "config/address.hpp"
#include "runtime/log.hpp"

namespace braid::kafka {

namespace {

Endpoint endpoint_for(const KafkaSettings& settings, const Address& dialled) {
  if (const auto advertised = parse_host_port(settings.advertised)) return {advertised->host, advertised->port};
  return {dialled.ip, dialled.port};
}

/// KIP-511: whoever asks in a version that we do not know is told, in the oldest one, which ones we know.
ApiVersionsResponse unknown_api_versions() {
  ApiVersionsResponse response;
  response.error_code = ErrorCode::unsupported_version;
  const ServedApi* served = find_served(ApiKey::api_versions);
  response.api_keys.push_back({static_cast<std::int16_t>(served->key), served->advertised_from, served->versions.last});
  return response;
}

}  // namespace

Session::Session(caf::actor_config& config, Loop& loop, Services& services, std::unique_ptr<Stream> stream,
                 Admission admission)
    : ConnectionActor(config, loop, std::move(stream)),
      services_(services),
      admission_(std::move(admission)),
      budget_(services.budget) {}

Session::~Session() = default;

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission) {
  spawn_on<Session>(services.loop, services, std::move(stream), std::move(admission));
}

Session::behavior_type Session::make_behavior() {
  peer_ = stream().peer().text();
  peer_ip_ = stream().peer().ip;
  endpoint_ = endpoint_for(settings(), stream().local_address());
  services_.sessions.add(id(), DrainTarget(SessionActor(this)));
  registered_ = true;
  ++services_.metrics.connections;
  ++services_.metrics.connections_accepted;
  const std::uint64_t high = services_.settings.limits.max_send_buffer_bytes;
  stream().set_marks(high / 2, high);
  last_active_ms_ = loop().now_ms();
  watch();
  return {
      [this](const Wake& wake) {
        quiet_fetch_.reset();
        const auto read = parked_.woken(PartitionId{wake.token});
        if (read && fetching_ && fetches_.front()->number() == read->fetch) fetches_.front()->wake(read->source);
      },
      [this](const DrainSession&) { drain(); },
  };
}

void Session::on_exit() {
  ended_ = true;
  if (registered_) {
    --services_.metrics.connections;
    services_.sessions.remove(id());
  }
  parked_.forget_all([this](PartitionId partition) { services_.partitions.tell(this, partition, Unpark{id()}); });
  fetches_.clear();
  quiet_fetch_.reset();
  ConnectionActor::on_exit();
}

// -- requests ---------------------------------------------------------------------------------------------------------

void Session::received(ReceiveBuffer& buffer) {
  // Answers that go out at once may make room for the rest of the buffer; nothing else would offer it again.
  bool more = true;
  while (more && !ended_ && !draining_ && !overloaded()) {
    reading_frames_ = true;
    more = take_frames(buffer);
    reading_frames_ = false;
    flush();
  }
}

/// Starts the requests in the buffer; true when it stopped because there are too many at work.
bool Session::take_frames(ReceiveBuffer& buffer) {
  const auto limit = static_cast<std::int32_t>(
      std::min<std::uint64_t>(settings().max_request_bytes, std::numeric_limits<std::int32_t>::max()));
  while (!ended_) {
    if (overloaded()) return true;
    const FrameProbe probe = probe_frame(buffer.readable(), limit, first_frame_);
    switch (probe.kind) {
      case FrameProbe::Kind::need_more:
        buffer.want(probe.bytes);
        return false;
      case FrameProbe::Kind::frame:
        start(buffer.take(probe.bytes).slice(frame_prefix_bytes));
        break;
      case FrameProbe::Kind::other_protocol:
        end_after_protocol_error(
            fmt::format("this is the Kafka port; the client speaks {}", to_string(probe.protocol)));
        break;
      case FrameProbe::Kind::too_large:
        end_after_protocol_error(
            fmt::format("a request of {} bytes; kafka.max_request_bytes allows {}", probe.bytes, limit));
        break;
      case FrameProbe::Kind::invalid:
        end_after_protocol_error("not a Kafka request: its length is less than the least possible");
        break;
    }
  }
  return false;
}

void Session::start(Bytes frame) {
  const std::size_t bytes = frame.size();
  auto request = read_request(std::move(frame));
  if (!request)
    return end_after_protocol_error("not a Kafka request: its header cannot be read, " + to_string(request.error()));
  const RequestHeader& header = request->header;
  Call call{header.api_key(), header.request_api_version, header.correlation_id, 0, bytes};
  const ServedApi* served = find_served(call.key);
  if (!served)
    return end_after_protocol_error(
        fmt::format("request {} ({}) is not served", header.request_api_key, to_string(call.key)));
  last_active_ms_ = loop().now_ms();
  ++services_.metrics.kafka_requests;
  if (request->support != Request::Support::supported || !served->versions.contains(call.version)) {
    if (call.key != ApiKey::api_versions)
      return end_after_protocol_error(fmt::format("{} version {} is not served", to_string(call.key), call.version));
    call.number = queue_.open(bytes);
    first_frame_ = false;
    return respond(call, unknown_api_versions(), 0);
  }
  client_id_ = header.client_id ? header.client_id->view() : std::string_view();
  call.number = queue_.open(bytes);
  // Before its answer: what stands behind it in the same read waits too.
  charge_produce(call);
  if (const auto started = served->handler(*this, call, std::move(request->body)); !started)
    return end_after_protocol_error(
        fmt::format("{} version {} cannot be read: {}", to_string(call.key), call.version, to_string(started.error())));
  first_frame_ = false;
}

void Session::answer(const Call& call, std::vector<Bytes> chunks) {
  last_active_ms_ = loop().now_ms();
  queue_.answer(call.number, std::move(chunks));
  if (!reading_frames_) flush();
}

void Session::flush() {
  if (ended_ || !has_stream()) return;
  queue_.flush([this](std::vector<Bytes> chunks) { stream().write(std::move(chunks)); });
  put_back_pressure();
  end_if_drained();
}

void Session::set_deadline(const Call& call, std::int64_t after_ms, std::function<void()> expired) {
  queue_.set_deadline(call.number, loop().now_ms() + after_ms, std::move(expired));
  watch();
}

void Session::release_bytes(std::size_t bytes) {
  held_bytes_ -= bytes;
  if (!reading_frames_ && !ended_ && has_stream()) put_back_pressure();
}

// -- limits -----------------------------------------------------------------------------------------------------------

bool Session::overloaded() {
  const LimitSettings& limits = services_.settings.limits;
  budget_.set(queue_.bytes() + held_bytes_);
  return muted_for_ms() > 0 || queue_.bytes() + held_bytes_ > limits.max_inflight_bytes || budget_.should_wait() ||
         stream().unsent_bytes() > limits.max_send_buffer_bytes;
}

/// What was received and not started stays in the stream's buffer; it is offered again when reading goes on.
void Session::put_back_pressure() {
  const LimitSettings& limits = services_.settings.limits;
  bool pause = overloaded() || draining_;
  // Not before there is some room, so that a socket is not stopped and started for every request.
  if (paused_ && !pause)
    pause = queue_.bytes() + held_bytes_ > limits.max_inflight_bytes / 2 ||
            stream().unsent_bytes() > limits.max_send_buffer_bytes / 2;
  if (pause == paused_) return;
  paused_ = pause;
  if (pause)
    stream().pause_reading();
  else
    stream().resume_reading();
}

void Session::drained() {
  start_fetch();
  flush();
}

// -- fetches ----------------------------------------------------------------------------------------------------------

void Session::enqueue_fetch(std::shared_ptr<FetchWork> fetch) {
  fetches_.push_back(std::move(fetch));
  start_fetch();
}

/// One at a time: their answers are in order anyway, a partition parks one read of a session, and what a slow client
/// has not taken yet must not grow by another answer.
void Session::start_fetch() {
  if (fetching_ || fetches_.empty() || ended_ || !has_stream()) return;
  if (stream().unsent_bytes() > services_.settings.limits.max_send_buffer_bytes && !draining_) return;
  if (muted_for_ms() > 0 && !draining_) return;
  fetching_ = true;
  const std::shared_ptr<FetchWork> fetch = fetches_.front();
  fetch->start();
}

void Session::fetch_finished() {
  fetching_ = false;
  fetches_.pop_front();
  start_fetch();
}

// -- time -------------------------------------------------------------------------------------------------------------

void Session::watch() {
  const LimitSettings& limits = services_.settings.limits;
  std::int64_t due_ms = queue_.next_deadline_ms();
  if (queue_.empty() || first_frame_)
    due_ms = std::min(due_ms, last_active_ms_ + (first_frame_ ? limits.handshake_timeout_ms : limits.idle_timeout_ms));
  else
    due_ms = std::min(due_ms, loop().now_ms() + limits.idle_timeout_ms);
  if (timer_ && timer_due_ms_ <= due_ms) return;
  timer_due_ms_ = due_ms;
  timer_ = after(std::max<std::int64_t>(due_ms - loop().now_ms(), 1), [this] { tick(); });
}

void Session::tick() {
  const std::int64_t now_ms = loop().now_ms();
  while (const auto expired = queue_.take_expired(now_ms)) expired();
  if (ended_) return;
  const LimitSettings& limits = services_.settings.limits;
  if (first_frame_ && now_ms - last_active_ms_ >= limits.handshake_timeout_ms)
    return disconnect("no request within limits.handshake_timeout");
  if (!first_frame_ && queue_.empty() && now_ms - last_active_ms_ >= limits.idle_timeout_ms)
    return disconnect("no request within limits.idle_timeout");
  watch();
}

// -- end --------------------------------------------------------------------------------------------------------------

void Session::disconnect(std::string_view reason) {
  if (ended_) return;
  ended_ = true;
  BRAID_LOG_LIMITED(info, "kafka", {{"peer", peer_}, {"client", client_id_}}, "closed: {}", reason);
  // What was answered in order goes out first; what came behind the mistake has no answer.
  if (has_stream()) queue_.flush([this](std::vector<Bytes> chunks) { stream().write(std::move(chunks)); });
  quit();
}

void Session::end_after_protocol_error(std::string_view reason) {
  ++services_.metrics.protocol_errors;
  disconnect(reason);
}

void Session::end_after_encode_error(const Call& call, const EncodeError& error) {
  log::error("kafka", {{"peer", peer_}}, "an answer to {} version {} cannot be written: {}", to_string(call.key),
             call.version, to_string(error));
  disconnect("its request has no answer that can be written");
}

void Session::closed(CloseReason reason) {
  log::debug("kafka", {{"peer", peer_}}, "ended: {}", reason.text());
  ended_ = true;
  quit();
}

void Session::drain() {
  if (ended_ || draining_) return;
  draining_ = true;
  if (fetching_) fetches_.front()->hurry();
  flush();
}

void Session::end_if_drained() {
  if (!draining_ || ended_ || !queue_.only_patient()) return;
  ended_ = true;
  quit();
}

}  // namespace braid::kafka
