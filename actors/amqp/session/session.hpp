// Braid, Apache-2.0.
//
// The actor behind one AMQP 0-9-1 connection. It decodes all frames of a read; publishes become a batch per set of
// queues, acknowledgements become ranges, and both leave once per turn, as do the answers, confirms and deliveries that
// were written. What a loop can know by itself (routes, names of queues) is asked of the loop's copy of the virtual
// host; everything else is a request, and the channel that made it waits for the answer.
//
// Split by what happens:
//   session.cpp              the frames of a read, and the end of each turn
//   session_handshake.cpp    protocol header, start, tune, open
//   session_close.cpp        errors, and how channels and the connection end
//   session_time.cpp         heartbeats, time-outs, alarms
//   session_channel.cpp      methods of a channel, one after the other
//   session_define.cpp       exchanges, queues and bindings
//   session_publish.cpp      messages in, returns and confirms
//   session_consume.cpp      consumers and basic.get
//   session_deliver.cpp      messages out
//   session_stream.cpp       topics as streams
//   session_settle.cpp       acknowledgements
//   session_transaction.cpp  tx
//   session_reply.cpp        direct reply-to
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/amqp/definitions/interface.hpp"
#include "actors/amqp/session/channel.hpp"
#include "actors/amqp/session/direct_reply.hpp"
#include "actors/amqp/session/settlements.hpp"
#include "actors/connection_gate.hpp"
#include "actors/services.hpp"
#include "codecs/amqp/codec.hpp"
#include "codecs/amqp/decoder.hpp"
#include "codecs/amqp/encoder.hpp"
#include "runtime/connection_actor.hpp"

namespace braid::amqp {

using SessionActor =
    Interface<Takes<DeliverMessages>, Takes<ConsumerCancelled>, Takes<DirectReplies>, Takes<DrainSession>>;

class Session : public ConnectionActor<SessionActor::base> {
 public:
  Session(caf::actor_config& config, Loop& loop, Services& services, std::unique_ptr<Stream> stream,
          Admission admission);
  const char* name() const override { return "amqp-session"; }
  void on_exit() override;

 protected:
  behavior_type make_behavior() override;
  void received(ReceiveBuffer& buffer) override;
  void drained() override;
  void closed(CloseReason reason) override;

 private:
  enum class Phase : std::uint8_t {
    header,
    start,    ///< connection.start was sent
    secure,   ///< connection.secure was sent
    tune,     ///< connection.tune was sent
    open,     ///< connection.tune-ok came
    opening,  ///< connection.open came, and the virtual host was asked for
    running,  ///< connection.open-ok was sent
    closing,  ///< connection.close was sent
    leaving,  ///< connection.close came; what is in flight is finished
    ended,
  };

  // session.cpp
  /// Everything that happens to a session happens in a turn: what it causes goes out when the turn is over.
  template <class Work>
  void turn(Work&& work) {
    ++depth_;
    work();
    if (--depth_ == 0) finish_turn();
  }
  void finish_turn();
  void take_frames(ReceiveBuffer& buffer);
  void take_frame(const Frame& frame, const Bytes& read);
  void take_connection_frame(const Frame& frame);
  void take_channel_frame(const Frame& frame, const Bytes& read);
  FrameWriter& out(std::size_t expected_bytes = 0);
  template <class M>
  void write(ChannelNumber channel, const M& method) {
    encode_method(out().bytes(), channel, method);
  }
  void flush();
  void put_back_pressure();
  const AmqpSettings& settings() const { return services_.settings.amqp_protocol; }
  bool is_open() const { return phase_ == Phase::running; }

  // session_handshake.cpp
  void say_start();
  void handle(const ConnectionStartOk& method);
  void handle(const ConnectionSecureOk& method);
  void log_in(std::string_view mechanism, std::string_view response);
  void refuse_login(std::string_view mechanism);
  void say_tune();
  void handle(const ConnectionTuneOk& method);
  void handle(const ConnectionOpen& method);
  void opened(const std::string& name, const Defined& reply);
  void handle_wrong_protocol(ReceiveBuffer& buffer);

  // session_close.cpp
  void fail_connection(ReplyCode code, std::string_view sentence, MethodId method = {});
  /// Closes the channel, or the connection when the code says so.
  void fail(Channel& channel, ReplyCode code, std::string_view sentence, MethodId method);
  void fail(Channel& channel, const TopologyError& error, MethodId method) {
    fail(channel, error.code, error.text, method);
  }
  /// Gives back what it holds, and ends its consumers.
  void release(Channel& channel);
  void forget(ChannelNumber number);
  void close_channel(Channel& channel);
  void leave();
  void drop_exclusive_queues();
  void finish_leaving();
  void end();
  void drain();

  // session_time.cpp
  void watch_handshake();
  void watch();
  void tick();
  void check_consumer_timeouts();
  /// In which deliveries of a queue are to be settled; 0: whenever.
  std::int64_t timeout_ms_of(const std::string& queue, const QueuePlace& place) const;
  void note_timeout(std::int64_t timeout_ms);
  std::string_view shortage() const;
  void watch_shortage();
  void unblock();

  // session_channel.cpp
  Channel* find(ChannelNumber number);
  Channel* find(ChannelNumber number, std::uint64_t serial);
  void open_channel(const Frame& frame);
  void take(Channel& channel, const Frame& frame, const Bytes& read);
  void take_later(Channel& channel, const Frame& frame, const Bytes& read);
  void put_by(Channel& channel, const Frame& frame, const Bytes& read, bool first);
  void dispatch(Channel& channel, const Method& method);
  void go_on(Channel& channel);
  /// Asks `receiver`; the channel waits for the answer, which `then(Channel&, const Reply&)` gets if the channel is
  /// still there.
  template <class Reply, class Handle, class Request, class Then>
  void await(Channel& channel, const Handle& receiver, Request request, Then then) {
    send_what_waits();
    channel.busy = true;
    ask(
        this, receiver, std::move(request),
        [this, number = channel.number, serial = channel.serial, then = std::move(then)](const Reply& reply) {
          turn([&] { answered(number, serial, [&](Channel& there) { then(there, reply); }); });
        },
        [this, number = channel.number, serial = channel.serial](caf::error) {
          turn([&] {
            answered(number, serial,
                     [&](Channel& there) { fail(there, ReplyCode::internal_error, "the node stops", {}); });
          });
        });
  }
  template <class Work>
  void answered(ChannelNumber number, std::uint64_t serial, Work&& work) {
    Channel* channel = find(number, serial);
    if (!channel || channel->closing || !is_open()) return;
    channel->busy = false;
    work(*channel);
    if (Channel* still = find(number, serial)) go_on(*still);
  }
  /// Runs `work(Channel&)` when everything that was published so far has arrived; the channel waits meanwhile.
  template <class Work>
  void after_publishes(Channel& channel, Work work) {
    send_what_waits();
    if (flights_.empty()) return work(channel);
    channel.busy = true;
    waiting_for_publishes_.push_back({flights_.next(), channel.number, channel.serial, std::move(work)});
  }
  void handle(Channel& channel, const ChannelFlow& method);
  void handle(Channel& channel, const ChannelFlowOk&) { (void)channel; }
  void handle(Channel& channel, const ChannelClose& method);
  void handle(Channel& channel, const AccessRequest& method);
  void handle(Channel& channel, const ConfirmSelect& method);

  // session_define.cpp
  void handle(Channel& channel, const ExchangeDeclare& method);
  void handle(Channel& channel, const ExchangeDelete& method);
  void handle(Channel& channel, const ExchangeBind& method);
  void handle(Channel& channel, const ExchangeUnbind& method);
  void handle(Channel& channel, const QueueDeclare& method);
  void handle(Channel& channel, const QueueBind& method);
  void handle(Channel& channel, const QueueUnbind& method);
  void handle(Channel& channel, const QueuePurge& method);
  void handle(Channel& channel, const QueueDelete& method);
  /// The queue's name, or that of the last one declared. Nothing: there is none, and the channel was closed.
  std::optional<std::string> queue_name(Channel& channel, std::string_view name, MethodId method);
  template <class Ok, class Request>
  void define(Channel& channel, Request request, MethodId method, bool nowait);
  template <class Ok, class Request, class Method>
  void change_queue_binding(Channel& channel, const Method& method, bool nowait);

  // session_publish.cpp
  void handle(Channel& channel, const BasicPublish& method);
  /// Whether a mandatory message that only the bridge would get (actors/topic_bridge) reaches somebody.
  enum class Reach : std::uint8_t { unknown, somebody, nobody };
  void publish(Channel& channel, const Bytes& read);
  /// `asked` is the answer to `find_subscribers`.
  void publish_message(Channel& channel, const Bytes& read, Reach asked);
  Reach reach(std::string_view routing_key);
  void find_subscribers(Channel& channel);
  void confirm_at_once(Channel& channel);
  bool check_publish(Channel& channel, const BasicProperties& properties, MethodId method);
  void write_return(FrameWriter& to, Channel& channel, const BasicPublish& method, ReplyCode code,
                    std::string_view properties);
  void send_publishes();
  void send_batch(SealedBatch sealed);
  struct Flight;
  void finished(Flight& flight);
  void resolve(const Receipt& receipt, std::uint32_t refused_from);
  void publishes_arrived();
  void note_confirms(Channel& channel);
  void write_confirms();

  // session_consume.cpp
  void handle(Channel& channel, const BasicQos& method);
  void handle(Channel& channel, const BasicConsume& method);
  void handle(Channel& channel, const BasicCancel& method);
  void handle(Channel& channel, const BasicCancelOk&) { (void)channel; }
  void handle(Channel& channel, const BasicGet& method);
  void started(Channel& channel, std::uint64_t number, const ConsumeStarted& reply, bool nowait);
  void got(Channel& channel, const std::string& name, const QueuePlace& place, bool no_ack, const MessageGot& reply);
  void cancelled(const ConsumerCancelled& message);
  void stop_consuming(const Consumer& consumer, bool requeue);
  void erase_consumer(Channel& channel, std::uint64_t number);
  std::string make_tag();

  // session_stream.cpp
  /// The topic that a queue of this name stands for; null when there is none.
  TopicRef find_stream(std::string_view name) const;
  /// A topic that nobody has declared is found, as a queue would be.
  bool find_undeclared_stream(Channel& channel, const QueueDeclare& method);
  void consume_stream(Channel& channel, const BasicConsume& method, const std::string& name);

  // session_deliver.cpp
  void deliver(const DeliverMessages& message);
  /// As many of a run as the channel may have; what is left over comes back.
  std::optional<MessageRun> deliver(Channel& channel, Consumer& consumer, const MessageRun& run);
  std::uint64_t room(const Channel& channel) const;
  void deliver_parked(Channel& channel);
  /// There is room for more than there was, or somebody else who wants it.
  void note_room(Channel& channel);
  void grant_room();
  void give_back_parked(Channel& channel, std::uint64_t consumer);
  /// The properties, with the number of returns for queues that tell it.
  std::string_view told_of_returns(std::string_view properties, const MessageRun& run, bool counts_returns);
  void grant_all();

  // session_settle.cpp
  void handle(Channel& channel, const BasicAck& method);
  void handle(Channel& channel, const BasicNack& method);
  void handle(Channel& channel, const BasicReject& method);
  void handle(Channel& channel, const BasicRecover& method);
  void handle(Channel& channel, const BasicRecoverAsync& method);
  void settle(Channel& channel, DeliveryTag tag, bool multiple, Settlement settlement, MethodId method);
  bool recover(Channel& channel, bool requeue, MethodId method);
  void send_settlements();
  /// Before a request that has to see what came before it.
  void send_what_waits() {
    send_publishes();
    send_settlements();
  }

  // session_transaction.cpp
  void handle(Channel& channel, const TxSelect& method);
  void handle(Channel& channel, const TxCommit& method);
  void handle(Channel& channel, const TxRollback& method);
  void sync_settlements(Channel& channel, std::vector<std::uint32_t> loops, bool complete);

  // session_reply.cpp
  void consume_replies(Channel& channel, const BasicConsume& method);
  void stop_replies(Channel& channel);
  std::string reply_address(const Channel& channel) const;
  /// The publish goes to a session, not through a queue. False: it does not look like that.
  bool publish_reply(Channel& channel, const ContentHeader& header);
  void send_replies();
  void take_replies(const DirectReplies& message);
  bool declare_reply_queue(Channel& channel, const QueueDeclare& method);

  Services& services_;
  Admission admission_;
  BudgetShare budget_;
  Phase phase_ = Phase::header;
  bool deaf_ = false;  ///< what comes cannot be understood any more
  bool draining_ = false;
  bool leave_due_ = false;  ///< connection.close came while channels had work in front of it
  unsigned depth_ = 0;
  Decoder decoder_;
  std::string peer_;

  // as agreed on
  std::string mechanism_;
  std::string user_;
  std::string client_name_;
  bool wants_login_failure_ = false, wants_cancel_notice_ = false, wants_blocked_notice_ = false;
  std::uint16_t channel_max_ = 0;  ///< 0: no limit
  std::uint32_t frame_max_ = 0;    ///< 0: no limit
  std::uint16_t heartbeat_s_ = 0;
  std::shared_ptr<VhostView> vhost_;
  ContentLimits content_limits_;

  std::unordered_map<ChannelNumber, std::unique_ptr<Channel>> channels_;
  Channel* last_channel_ = nullptr;  ///< found last
  std::uint64_t next_serial_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<Consumer>> consumers_;
  std::uint64_t next_consumer_ = 1;
  std::vector<ChannelNumber> assembling_;  ///< channels that keep the read if their message is not whole
  std::vector<std::string> exclusive_queues_;

  PublishBatches batches_;
  Timestamp arrived_{-1};     ///< of this turn's publishes
  CompletionWindow flights_;  ///< batches on their way
  std::uint64_t in_flight_bytes_ = 0, backlog_bytes_ = 0;
  struct Waiting {
    std::uint64_t behind;  ///< flights before this one
    ChannelNumber channel;
    std::uint64_t serial;
    std::function<void(Channel&)> work;
  };
  std::vector<Waiting> waiting_for_publishes_;
  std::vector<ChannelNumber> confirms_due_;
  std::vector<std::pair<std::uint64_t, DirectReplies>> replies_;  ///< by session, of this turn
  std::string scratch_, more_scratch_;
  MessageRecordReader record_reader_;

  Settlements settlements_;
  std::int64_t shortest_timeout_ms_ = 0;   ///< of deliveries so far; 0: none
  std::vector<std::uint64_t> grants_due_;  ///< consumers whose host is owed credit in bytes
  std::vector<ChannelNumber> rooms_due_;   ///< channels that may have more, and consumers that want it

  std::optional<FrameWriter> out_;
  bool paused_ = false;
  bool has_published_ = false, blocked_ = false;
  Timer timer_, shortage_timer_;
  std::int64_t last_received_ms_ = 0, last_sent_ms_ = 0;
  bool counted_ = false;  ///< among the open connections
};

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission);

}  // namespace braid::amqp
