// Braid, Apache-2.0.
//
// The actor behind one Kafka connection. It takes all frames of a read, starts their requests side by side, and sends
// the answers in order. What a request does is its handler's (handlers/); what all of them share is here: framing,
// order, deadlines, limits, and the end.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "actors/connection_gate.hpp"
#include "actors/groups/coordinator_of.hpp"
#include "actors/kafka/call.hpp"
#include "actors/kafka/parked_reads.hpp"
#include "actors/kafka/quotas.hpp"
#include "actors/kafka/response_queue.hpp"
#include "actors/services.hpp"
#include "codecs/kafka/header.hpp"
#include "codecs/kafka/messages/fetch.hpp"
#include "codecs/kafka/messages/produce.hpp"
#include "runtime/connection_actor.hpp"

namespace braid::kafka {

class FetchWork;

using SessionActor = Interface<Takes<Wake>, Takes<DrainSession>>;

/// Where this node is, as clients are told.
struct Endpoint {
  std::string host;
  std::int32_t port = 0;
};

class Session : public ConnectionActor<SessionActor::base> {
 public:
  Session(caf::actor_config& config, Loop& loop, Services& services, std::unique_ptr<Stream> stream,
          Admission admission);
  ~Session() override;
  const char* name() const override { return "kafka-session"; }
  void on_exit() override;

  // For handlers.

  Services& services() const { return services_; }
  const KafkaSettings& settings() const { return services_.settings.kafka_protocol; }
  std::int32_t node_id() const { return services_.settings.node_id; }
  /// The address that the client dialled, unless the settings name another.
  const Endpoint& endpoint() const { return endpoint_; }
  const std::string& peer_ip() const { return peer_ip_; }
  /// What the client called itself in the request that is being started.
  std::string_view client_id() const { return client_id_; }
  bool draining() const { return draining_; }

  template <class Response>
  void respond(const Call& call, const Response& response) {
    respond(call, response, call.version);
  }
  template <class Response>
  void respond(const Call& call, const Response& response, std::int16_t version) {
    if constexpr (std::is_same_v<Response, FetchResponse>) charge_fetch(response);
    if constexpr (requires { response.throttle_time_ms; })
      if (const std::int32_t pause_ms = muted_for_ms(); pause_ms > 0) {
        Response told = response;
        told.throttle_time_ms = pause_ms;
        return encode_and_answer(call, told, version);
      }
    encode_and_answer(call, response, version);
  }
  /// The request is done and has no answer.
  void respond_nothing(const Call& call) { answer(call, {}); }
  /// Counts partitions that the request creates or deletes. False, and nothing is counted, when the client's rate is
  /// used up and the request's version has a code for that (`strict`): then the request is not to be done.
  bool take_mutations(std::size_t partitions, bool strict);
  bool is_open(const Call& call) const { return queue_.is_open(call.number); }
  /// Runs `expired` when `after_ms` have passed, unless the request was answered before.
  void set_deadline(const Call& call, std::int64_t after_ms, std::function<void()> expired);
  /// The request waits for other clients: an ordered end does not wait for it.
  void set_patient(const Call& call) { queue_.set_patient(call.number); }
  /// Bytes that are kept beyond a request's answer (an append that nobody waits for) count against the limit too.
  void hold_bytes(std::size_t bytes) { held_bytes_ += bytes; }
  void release_bytes(std::size_t bytes);
  /// Ends the connection behind what was answered; `reason` completes the line "closed: ...".
  void disconnect(std::string_view reason);

  /// Asks the coordinator of `group`; `finish` gets its reply, or `unavailable` when there is none to ask.
  template <class Reply, class Request, class Finish>
  void ask_coordinator(std::string_view group, Request request, Reply unavailable, Finish finish) {
    const auto coordinator = coordinator_of(services_, group);
    if (!coordinator) return finish(unavailable);
    ask(
        this, *coordinator, std::move(request), [finish](const Reply& reply) mutable { finish(reply); },
        [finish, unavailable](const caf::error&) mutable { finish(unavailable); });
  }

  /// Fetches of a connection wait for data one after the other (fetch_work.hpp).
  void enqueue_fetch(std::shared_ptr<FetchWork> fetch);
  void fetch_finished();
  /// A fetch that was answered with nothing, and whose reads are all parked still. The next one may go on with it.
  void keep_quiet_fetch(std::shared_ptr<FetchWork> fetch) { quiet_fetch_ = std::move(fetch); }
  std::shared_ptr<FetchWork> take_quiet_fetch() { return std::move(quiet_fetch_); }
  /// Partitions that may still hold a parked read of this session.
  ParkedReads& parked() { return parked_; }

 protected:
  behavior_type make_behavior() override;
  void received(ReceiveBuffer& buffer) override;
  void drained() override;
  void closed(CloseReason reason) override;

 private:
  template <class Response>
  void encode_and_answer(const Call& call, const Response& response, std::int16_t version) {
    auto frame = encode_response(response, version, call.correlation_id);
    if (!frame) return end_after_encode_error(call, frame.error());
    answer(call, *std::move(frame));
  }
  void charge_produce(const Call& call);
  void charge_fetch(const FetchResponse& response);
  /// Does not read the socket for as long as the client has drawn too much.
  void mute(std::int64_t pause_us);
  std::int32_t muted_for_ms() const;
  bool has_quotas();
  bool take_frames(ReceiveBuffer& buffer);
  void start(Bytes frame);
  void answer(const Call& call, std::vector<Bytes> chunks);
  void end_after_encode_error(const Call& call, const EncodeError& error);
  void end_after_protocol_error(std::string_view reason);
  void flush();
  bool overloaded();
  void put_back_pressure();
  void start_fetch();
  void drain();
  void end_if_drained();
  void watch();
  void tick();

  Services& services_;
  Admission admission_;
  BudgetShare budget_;
  Endpoint endpoint_;
  std::string peer_, peer_ip_, client_id_;
  ResponseQueue queue_;
  std::size_t held_bytes_ = 0;
  std::deque<std::shared_ptr<FetchWork>> fetches_;  ///< the first one is at work when `fetching_`
  bool fetching_ = false;
  ParkedReads parked_;
  bool registered_ = false;
  bool first_frame_ = true;
  bool reading_frames_ = false;  ///< inside `received`: answers are written when it is through
  SessionQuotas quotas_;
  std::int64_t muted_until_us_ = 0;
  Timer mute_timer_;
  bool paused_ = false, ended_ = false, draining_ = false;
  std::int64_t last_active_ms_ = 0;  ///< last request or answer
  Timer timer_;
  std::int64_t timer_due_ms_ = 0;
  std::shared_ptr<FetchWork> quiet_fetch_;  ///< the last one, if it was
};

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission);

}  // namespace braid::kafka
