// Braid, Apache-2.0.
//
// The actor behind one MQTT connection, for 3.1, 3.1.1 and 5.0. It decodes all packets of a read, publishes what they
// bring in one go, and writes its answers and deliveries once per turn. The session lives as long as the connection:
// every CONNACK says session present 0 and, to MQTT 5 clients that asked for more, Session Expiry Interval 0.
//
// Split by what a client does: session_connect.cpp (CONNECT, take-over, keep alive, end), session_publish.cpp (messages
// from the client), session_deliver.cpp (messages to it), session_subscribe.cpp.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/connection_gate.hpp"
#include "actors/mqtt/acknowledger.hpp"
#include "actors/mqtt/clients.hpp"
#include "actors/mqtt/outbound.hpp"
#include "actors/mqtt/publisher.hpp"
#include "actors/services.hpp"
#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"
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
    ended,
  };
  struct RetainedWill {
    Bytes topic, payload, properties;
    QoS qos;
    bool retain;
  };
  /// A subscription's retained messages that are still to be sent.
  struct RetainedCursor {
    Bytes filter, position;
    std::uint8_t qos;
    std::uint32_t subscription_identifier;
  };

  // session_connect.cpp
  void handle(const Connect& connect);
  void claimed(const ClientClaimed& reply);
  void accept();
  void refuse(ReasonCode reason, std::string_view sentence);
  /// Adds the sentence to a packet without other properties, if the client takes the packet with it.
  void explain(PropertyWriter& properties, std::string_view sentence, std::size_t bytes_before) const;
  void watch_keep_alive();
  void handle(const Disconnect& disconnect);
  /// Ends the connection; MQTT 5 clients are told why. The will is published unless it was dropped before.
  void end(ReasonCode reason, std::string_view sentence);
  void end_after_decode_error(ReceiveBuffer& buffer);
  void drain();

  // session.cpp
  void handle_packet(const Packet& packet);
  void put_back_pressure();
  void flush();

  // session_publish.cpp
  void handle(const Publish& publish);
  void handle(const Pubrel& pubrel);
  bool resolve_topic(const Publish& publish, std::string_view& topic);
  void finished(const std::vector<Publisher::Receipt>& receipts, ReasonCode reason);
  void acknowledge_ready();

  // session_deliver.cpp
  void deliver(const Delivery& delivery);
  void write_publish(const Delivery& delivery);
  void handle(const Puback& puback);
  void handle(const Pubrec& pubrec);
  void handle(const Pubcomp& pubcomp);
  void pump();
  bool may_send() const;
  void advance_retained();

  // session_subscribe.cpp
  void handle(const Subscribe& subscribe);
  void handle(const Unsubscribe& unsubscribe);

  bool v5() const { return level_ == ProtocolLevel::v5; }
  std::uint64_t number() const { return id(); }

  Services& services_;
  Admission admission_;
  Phase phase_ = Phase::handshake;
  Decoder decoder_;
  ProtocolLevel level_ = ProtocolLevel::v5;
  std::string peer_;
  std::string client_id_;
  bool client_id_assigned_ = false;
  bool asked_for_session_ = false;
  bool asked_for_response_information_ = false;
  bool accepted_ = false;
  std::uint16_t client_topic_alias_maximum_ = 0;
  std::uint32_t client_max_packet_bytes_ = 0;  ///< 0: not known yet
  std::uint32_t keep_alive_s_ = 0;
  bool keep_alive_overridden_ = false;
  std::int64_t last_received_ms_ = 0;
  Timer timer_;  ///< handshake deadline, then keep alive
  std::optional<RetainedWill> will_;

  Publisher publisher_;
  BudgetShare budget_;
  Acknowledger acknowledger_;
  std::unordered_map<std::uint16_t, std::string> topic_aliases_;  ///< that the client set
  std::unordered_set<PacketId> unreleased_;  ///< QoS 2 publishes that came and were not yet released by PUBREL
  bool paused_ = false;
  bool in_read_ = false;

  std::optional<Outbound> outbound_;
  std::unordered_set<std::string> filters_;
  std::deque<RetainedCursor> retained_;
  bool asking_retained_ = false;
  std::uint64_t dropped_ = 0;

  ByteWriter out_;
  std::vector<Bytes> chunks_;  ///< written before `out_`
};

void spawn_session(Services& services, std::unique_ptr<Stream> stream, Admission admission);

}  // namespace braid::mqtt
