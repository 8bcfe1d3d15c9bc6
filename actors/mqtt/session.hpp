// Braid, Apache-2.0.
//
// The actor behind one MQTT connection, for 3.1, 3.1.1 and 5.0. It decodes all packets of a read, publishes what they
// bring in one go, and writes its answers and deliveries once per turn. What outlives the connection
// (session_state.hpp) comes with the client identifier from the registry of clients, and goes back there at the end.
//
// Split by what a client does: session_connect.cpp (CONNECT, keep alive), session_leave.cpp (how a connection ends),
// session_publish.cpp (messages from the client), session_deliver.cpp (messages to it), session_subscribe.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/connection_gate.hpp"
#include "actors/mqtt/acknowledger.hpp"
#include "actors/mqtt/clients.hpp"
#include "actors/mqtt/publisher.hpp"
#include "actors/mqtt/session_state.hpp"
#include "actors/services.hpp"
#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"
#include "codecs/mqtt/topic_alias.hpp"
#include "runtime/connection_actor.hpp"

namespace braid::mqtt {

using SessionActor = caf::typed_actor<caf::reacts_to<Deliver>, caf::reacts_to<TakenOver>, caf::reacts_to<DrainSession>,
                                      caf::reacts_to<RetainStored>>;

class Session : public ConnectionActor<SessionActor::base> {
 public:
  Session(caf::actor_config& config, Loop& loop, Services& services, std::unique_ptr<Stream> stream,
          Admission admission);
  const char* name() const override { return "mqtt-session"; }
  void on_exit() override;

 protected:
  behavior_type make_behavior() override;
  void received(ReceiveBuffer& buffer) override;
  void drained() override;
  void closed(CloseReason reason) override;

 private:
  enum class Phase : std::uint8_t {
    handshake,  ///< nothing but a CONNECT is welcome
    claiming,   ///< the CONNECT is good; waits for the client identifier
    connected,
    leaving,  ///< the connection is over; what is in flight is finished, and the session handed over
    ended,
  };
  /// What is done, in this order, while leaving.
  enum class Leaving : std::uint8_t { publishing, rebinding, redispatching, settling, done };

  // session_connect.cpp
  void handle(const Connect& connect);
  /// What a CONNACK tells an MQTT 5 client.
  PropertyWriter connack_properties() const;
  void claimed(const ClientClaimed& reply);
  void accept(bool resumed);
  void refuse(ReasonCode reason, std::string_view sentence);
  /// Adds the sentence to a packet without other properties, if the client takes the packet with it.
  void explain(PropertyWriter& properties, std::string_view sentence, std::size_t bytes_before) const;
  void watch_keep_alive();

  // session_leave.cpp
  void handle(const Disconnect& disconnect);
  /// Ends the connection; MQTT 5 clients are told why. The will is published unless it was dropped before.
  void end(ReasonCode reason, std::string_view sentence);
  void end_after_decode_error(ReceiveBuffer& buffer);
  void taken_over(const TakenOver& by);
  void drain();
  /// The connection is over: sees to the will, and begins to leave.
  void leave();
  void go_on_leaving();
  void settle_will();
  void rebind_to_registry();
  void redispatch_shared();
  void hand_over();
  void forget_subscriptions();
  bool session_ends() const { return discarded_ || state_.expiry_interval_s == 0; }
  const ClientRegistry& registry() const;

  // session.cpp
  /// The client's address, for the log.
  std::string peer();
  void handle_packet(const Packet& packet);
  /// Sends what the read brought.
  void publish_read();
  std::size_t publishing_bytes() const { return publisher_ ? publisher_->in_flight_bytes() : 0; }
  void put_back_pressure();
  bool looking_up() const;
  /// What the turn writes.
  ByteWriter& out();
  void finish_out();
  void flush();

  // session_publish.cpp
  void handle(const Publish& publish);
  void handle(const Pubrel& pubrel);
  bool resolve_topic(const Publish& publish, std::string_view& topic);
  void finished(const std::vector<Publisher::Receipt>& receipts, ReasonCode reason);
  void acknowledge_ready();

  // session_deliver.cpp
  void deliver(const Delivery& delivery);
  void enqueue(const Delivery& delivery);
  void work_on_queue();
  void write_publish(const Delivery& delivery);
  void write_again(PacketId id);
  /// Fills in what comes from the message. False when the client takes no packet of that size.
  bool fits(const Publication& publication, OutboundPublish& publish) const;
  void write(const Publication& publication, const OutboundPublish& publish);
  void tell_busy(bool busy);
  void handle(const Puback& puback);
  void handle(const Pubrec& pubrec);
  void handle(const Pubcomp& pubcomp);
  void pump();
  bool may_send() const;
  void advance_retained();

  // session_subscribe.cpp
  void handle(const Subscribe& subscribe);
  void handle(const Unsubscribe& unsubscribe);
  std::size_t router_of(std::string_view filter) const;
  /// Their retained messages are not wanted any more.
  void forget_retained(const std::vector<Bytes>& filters);

  bool v5() const { return level_ == ProtocolLevel::v5; }

  Services& services_;
  Admission admission_;
  Phase phase_ = Phase::handshake;
  Decoder decoder_;
  ProtocolLevel level_ = ProtocolLevel::v5;
  std::string client_id_;
  bool client_id_assigned_ = false;
  bool asked_for_response_information_ = false;
  bool accepted_ = false;
  bool clean_start_ = true;
  std::uint32_t asked_expiry_s_ = 0;
  std::uint32_t granted_expiry_s_ = 0;
  std::uint16_t receive_maximum_ = 65535;      ///< the client's
  std::uint32_t client_max_packet_bytes_ = 0;  ///< 0: not known yet
  std::uint32_t keep_alive_s_ = 0;
  bool keep_alive_overridden_ = false;
  std::int64_t last_received_ms_ = 0;
  Timer timer_;  ///< handshake deadline, then keep alive
  std::unique_ptr<const WillMessage> will_;

  // What many connections never need is made when it is.
  std::unique_ptr<Publisher> publisher_;
  BudgetShare budget_;
  Acknowledger acknowledger_;
  using TopicAliases = std::unordered_map<std::uint16_t, std::string>;
  std::unique_ptr<TopicAliases> topic_aliases_;  ///< that the client set
  std::size_t subscribing_ = 0;                  ///< SUBSCRIBEs that are not in force yet
  bool publish_waits_ = false;                   ///< for them: it is still in the buffer
  bool paused_ = false;
  bool in_read_ = false;

  SessionState state_;
  std::unique_ptr<OutboundAliases> outbound_aliases_;  ///< null when the client takes none
  std::vector<Delivery> early_;                        ///< that came before the session's state
  bool asking_retained_ = false;
  bool busy_ = false;  ///< told to the routers of its shared subscriptions

  Leaving leaving_ = Leaving::publishing;
  bool claimed_ = false;       ///< the client identifier was claimed, and is to be given back
  bool closed_early_ = false;  ///< while the client identifier was being claimed
  bool taken_over_ = false;
  bool discarded_ = false;   ///< the session ends whatever its expiry
  std::size_t awaited_ = 0;  ///< answers, while leaving

  std::optional<ByteWriter> out_;  ///< nothing while there is nothing to say, which is most of the time
  std::uint32_t out_bytes_ = 64;   ///< room that it begins with
  std::vector<Bytes> chunks_;      ///< written before `out_`
};

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission);

}  // namespace braid::mqtt
