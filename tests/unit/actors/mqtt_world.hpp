// Braid, Apache-2.0.
//
// A whole broker in the simulated world, and MQTT clients that speak to it over the simulated network packet by packet:
// a test says what a client sends and sees what it got. Time is virtual, and every run of a seed is the same.
#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/node.hpp"
#include "codecs/mqtt/decoder.hpp"
#include "codecs/mqtt/encoder.hpp"
#include "model/receive_buffer.hpp"
#include "runtime/pinned.hpp"
#include "runtime/simulation/sim_world.hpp"

namespace braid::test {

struct SimWill {
  std::string topic, payload;
  int qos = 0;
  bool retain = false;
  std::uint32_t delay_s = 0;
};
struct SimConnect {
  std::string client_id;
  int version = 5;
  bool clean = true;
  std::uint32_t expiry_s = 0;
  std::uint16_t receive_maximum = 0;  ///< 0: not given
  std::uint16_t topic_alias_maximum = 0;
  std::uint32_t maximum_packet_size = 0;
  std::uint16_t keep_alive_s = 0;
  std::optional<SimWill> will = {};
};
struct SimPublish {
  std::string topic, payload;
  int qos = 0;
  bool duplicate = false, retain = false;
  std::uint16_t id = 0, alias = 0;
  bool name_sent = true;  ///< not the alias alone
  std::optional<std::uint32_t> expiry_s;
  std::vector<std::uint32_t> identifiers;
};
struct SimAck {
  mqtt::PacketType type;
  std::uint16_t id = 0;
  std::uint8_t reason = 0;
};

class MqttSim final : public StreamHandler {
 public:
  MqttSim(SimWorld& world, Loop& loop) : world_(world), loop_(loop) {}
  ~MqttSim() { drop(); }

  /// Dials and sends CONNECT; `connected` waits for the answer.
  void dial(const SimConnect& options) {
    version_ = static_cast<mqtt::ProtocolLevel>(options.version);
    decoder_ = mqtt::Decoder(version_, {});
    stream_.reset();
    closed_ = session_present = false;
    connack.reset();
    disconnect_reason.reset();
    aliases_.clear();
    ByteWriter out;
    mqtt::Connect connect;
    connect.level = version_;
    connect.client_id = options.client_id;
    connect.clean_start = options.clean;
    connect.keep_alive_s = options.keep_alive_s;
    mqtt::PropertyWriter properties, will_properties;
    if (options.expiry_s != 0) properties.number(mqtt::PropertyId::session_expiry_interval, options.expiry_s);
    if (options.receive_maximum != 0) properties.number(mqtt::PropertyId::receive_maximum, options.receive_maximum);
    if (options.topic_alias_maximum != 0)
      properties.number(mqtt::PropertyId::topic_alias_maximum, options.topic_alias_maximum);
    if (options.maximum_packet_size != 0)
      properties.number(mqtt::PropertyId::maximum_packet_size, options.maximum_packet_size);
    connect.properties.block = properties.view();
    if (options.will) {
      mqtt::Will will;
      will.topic = options.will->topic;
      will.payload = options.will->payload;
      will.qos = static_cast<mqtt::QoS>(options.will->qos);
      will.retain = options.will->retain;
      if (options.will->delay_s != 0)
        will_properties.number(mqtt::PropertyId::will_delay_interval, options.will->delay_s);
      will.properties.block = will_properties.view();
      connect.will = will;
    }
    mqtt::encode(out, connect);
    const std::uint64_t attempt = ++attempt_;
    loop_.post([this, attempt, hello = out.finish()] {
      loop_.network().connect("broker", 1883, 10000,
                              [this, attempt, hello](Result<std::unique_ptr<Stream>, std::string> made) {
                                if (attempt != attempt_) return;
                                if (!made) {
                                  closed_ = true;
                                  return;
                                }
                                stream_ = std::move(*made);
                                stream_->start(*this);
                                stream_->write(hello);
                              });
    });
  }
  MqttSim& connect(const SimConnect& options) {
    dial(options);
    REQUIRE(world_.run_until([&] { return connack.has_value() || closed_; }, 20000));
    REQUIRE(connack == 0);
    return *this;
  }

  std::uint16_t publish(const std::string& topic, const std::string& payload, int qos = 1, bool retain = false,
                        std::optional<std::uint32_t> expiry_s = {}, std::uint16_t id = 0, bool duplicate = false) {
    if (qos != 0 && id == 0) id = next_id();
    mqtt::Publish publish;
    publish.topic = topic;
    publish.payload = payload;
    publish.qos = static_cast<mqtt::QoS>(qos);
    publish.retain = retain;
    publish.duplicate = duplicate;
    publish.packet_id = PacketId{id};
    mqtt::PropertyWriter properties;
    if (expiry_s) properties.number(mqtt::PropertyId::message_expiry_interval, *expiry_s);
    publish.properties.block = properties.view();
    send(publish);
    return id;
  }
  /// Sends and waits for PUBACK or PUBREC.
  void publish_and_wait(const std::string& topic, const std::string& payload, int qos = 1, bool retain = false,
                        std::optional<std::uint32_t> expiry_s = {}) {
    const auto id = publish(topic, payload, qos, retain, expiry_s);
    if (qos == 0) return;
    const auto type = qos == 1 ? mqtt::PacketType::puback : mqtt::PacketType::pubcomp;
    REQUIRE(wait([&] { return acknowledged(type, id); }));
  }
  bool acknowledged(mqtt::PacketType type, std::uint16_t id) const {
    for (const auto& ack : acks)
      if (ack.type == type && ack.id == id) return true;
    return false;
  }
  std::size_t count(mqtt::PacketType type) const {
    std::size_t number = 0;
    for (const auto& ack : acks) number += ack.type == type ? 1 : 0;
    return number;
  }
  void acknowledge(mqtt::PacketType type, std::uint16_t id, mqtt::ReasonCode reason = mqtt::ReasonCode::success) {
    ByteWriter out;
    mqtt::encode_acknowledgement(out, version_, type, PacketId{id}, reason);
    write(out.finish());
  }

  /// The reason code of the SUBACK.
  int subscribe(const std::string& filter, int qos = 1, std::uint8_t options = 0, std::uint32_t identifier = 0) {
    ByteWriter list;
    mqtt::append_request(list, filter, mqtt::SubscriptionOptions::from(static_cast<std::uint8_t>(qos | options)));
    mqtt::Subscribe subscribe;
    subscribe.packet_id = PacketId{next_id()};
    subscribe.requests = mqtt::RequestList<mqtt::SubscriptionRequest>(list.view(), 1, 128);
    mqtt::PropertyWriter properties;
    if (identifier != 0) properties.number(mqtt::PropertyId::subscription_identifier, identifier);
    subscribe.properties.block = properties.view();
    const std::size_t before = subacks.size();
    send(subscribe);
    if (!wait([&] { return subacks.size() > before; })) return -1;
    return subacks.back();
  }
  void unsubscribe(const std::string& filter) {
    ByteWriter list;
    mqtt::append_request(list, filter);
    mqtt::Unsubscribe unsubscribe;
    unsubscribe.packet_id = PacketId{next_id()};
    unsubscribe.requests = mqtt::RequestList<mqtt::UnsubscriptionRequest>(list.view(), 1, 128);
    const std::size_t before = unsubacks;
    send(unsubscribe);
    REQUIRE(wait([&] { return unsubacks > before; }));
  }
  void disconnect(mqtt::ReasonCode reason = mqtt::ReasonCode::normal_disconnection,
                  std::optional<std::uint32_t> expiry_s = {}) {
    mqtt::Disconnect packet;
    packet.reason = reason;
    mqtt::PropertyWriter properties;
    if (expiry_s) properties.number(mqtt::PropertyId::session_expiry_interval, *expiry_s);
    packet.properties.block = properties.view();
    send(packet);
    REQUIRE(wait([&] { return closed_; }));
  }
  /// Ends the connection without a word.
  void drop() {
    ++attempt_;
    on_loop([&] { stream_.reset(); });
    closed_ = true;
  }
  void pause(bool paused) {
    on_loop([&] {
      if (!stream_) return;
      paused ? stream_->pause_reading() : stream_->resume_reading();
    });
  }
  template <class Packet>
  void send(const Packet& packet) {
    ByteWriter out;
    if constexpr (requires { mqtt::encode(out, version_, packet); })
      mqtt::encode(out, version_, packet);
    else
      mqtt::encode(out, packet);
    write(out.finish());
  }
  void write(Bytes bytes) {
    on_loop([&] {
      if (stream_) stream_->write(std::move(bytes));
    });
  }

  bool wait(const std::function<bool()>& condition, std::int64_t at_most_ms = 30000) {
    return world_.run_until(condition, at_most_ms);
  }
  bool wait_received(std::size_t count, std::int64_t at_most_ms = 30000) {
    return wait([&] { return received.size() >= count; }, at_most_ms);
  }
  bool closed() const { return closed_; }
  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const auto& one : received) all.push_back(one.payload);
    return all;
  }

  bool acknowledges = true;  ///< whether it answers what it receives by itself
  std::optional<int> connack;
  bool session_present = false;
  std::optional<std::uint32_t> granted_expiry_s;
  std::optional<int> disconnect_reason;
  std::vector<SimPublish> received;
  std::vector<SimAck> acks;  ///< PUBACK, PUBREC, PUBREL, PUBCOMP in their order
  std::vector<int> subacks;
  std::size_t unsubacks = 0;
  std::function<void(const SimPublish&)> on_publish;

 private:
  std::uint16_t next_id() { return last_id_ = static_cast<std::uint16_t>(last_id_ % 65535 + 1); }
  void on_loop(const std::function<void()>& work) { world_.on(loop_, work); }

  void on_read(ReceiveBuffer& buffer) override {
    for (;;) {
      mqtt::Packet packet;
      const auto step = decoder_.next(buffer.readable(), packet);
      if (step.status == mqtt::Decoder::Status::failed) FAIL("the broker sent: " << describe(decoder_.error()));
      if (step.status != mqtt::Decoder::Status::packet) return;
      take(packet);
      buffer.skip(step.bytes);
    }
  }
  void take(const mqtt::Packet& packet) {
    using mqtt::PacketType;
    if (const auto* one = std::get_if<mqtt::Connack>(&packet)) {
      connack = static_cast<int>(one->reason);
      session_present = one->session_present;
      if (one->properties.has(mqtt::PropertyId::session_expiry_interval))
        granted_expiry_s = one->properties.session_expiry_interval_s;
    } else if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      take(*publish);
    } else if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) {
      acks.push_back({PacketType::puback, puback->packet_id.value, static_cast<std::uint8_t>(puback->reason)});
    } else if (const auto* pubrec = std::get_if<mqtt::Pubrec>(&packet)) {
      acks.push_back({PacketType::pubrec, pubrec->packet_id.value, static_cast<std::uint8_t>(pubrec->reason)});
      if (acknowledges && !mqtt::is_failure(pubrec->reason)) answer(PacketType::pubrel, pubrec->packet_id);
    } else if (const auto* pubrel = std::get_if<mqtt::Pubrel>(&packet)) {
      acks.push_back({PacketType::pubrel, pubrel->packet_id.value, static_cast<std::uint8_t>(pubrel->reason)});
      if (acknowledges) answer(PacketType::pubcomp, pubrel->packet_id);
    } else if (const auto* pubcomp = std::get_if<mqtt::Pubcomp>(&packet)) {
      acks.push_back({PacketType::pubcomp, pubcomp->packet_id.value, static_cast<std::uint8_t>(pubcomp->reason)});
    } else if (const auto* suback = std::get_if<mqtt::Suback>(&packet)) {
      for (std::size_t i = 0; i < suback->reasons.size(); ++i) subacks.push_back(static_cast<int>(suback->reasons[i]));
    } else if (std::holds_alternative<mqtt::Unsuback>(packet)) {
      ++unsubacks;
    } else if (const auto* end = std::get_if<mqtt::Disconnect>(&packet)) {
      disconnect_reason = static_cast<int>(end->reason);
    }
  }
  void take(const mqtt::Publish& publish) {
    SimPublish got;
    got.topic = publish.topic;
    got.alias = publish.properties.topic_alias;
    got.name_sent = !got.topic.empty();
    if (got.alias != 0) {
      if (got.name_sent)
        aliases_[got.alias] = got.topic;
      else
        got.topic = aliases_.at(got.alias);
    }
    got.payload = publish.payload;
    got.qos = static_cast<int>(publish.qos);
    got.duplicate = publish.duplicate;
    got.retain = publish.retain;
    got.id = publish.packet_id.value;
    if (publish.properties.has(mqtt::PropertyId::message_expiry_interval))
      got.expiry_s = publish.properties.message_expiry_interval_s;
    for (const auto& property : publish.properties.all())
      if (property.id == mqtt::PropertyId::subscription_identifier) got.identifiers.push_back(property.number);
    received.push_back(got);
    if (on_publish) on_publish(received.back());
    if (!acknowledges || publish.qos == mqtt::QoS::at_most_once) return;
    answer(publish.qos == mqtt::QoS::at_least_once ? mqtt::PacketType::puback : mqtt::PacketType::pubrec,
           publish.packet_id);
  }
  void answer(mqtt::PacketType type, PacketId id) {
    ByteWriter out;
    mqtt::encode_acknowledgement(out, version_, type, id);
    if (stream_) stream_->write(out.finish());
  }
  void on_drained() override {}
  void on_closed(CloseReason) override {
    closed_ = true;
    stream_.reset();
  }

  SimWorld& world_;
  Loop& loop_;
  mqtt::ProtocolLevel version_ = mqtt::ProtocolLevel::v5;
  mqtt::Decoder decoder_;
  std::unique_ptr<Stream> stream_;
  std::map<std::uint16_t, std::string> aliases_;
  bool closed_ = false;
  std::uint64_t attempt_ = 0;
  std::uint16_t last_id_ = 0;
};

class MqttWorld {
 public:
  static constexpr std::size_t loops = 3;

  explicit MqttWorld(std::uint64_t seed = 1, const std::function<void(Settings&)>& change = {})
      : world_({.seed = seed}), machine_(world_.add_node("broker", loops)), field_(world_.add_node("field", 1)) {
    static int number = 0;
    catalog_file_ = (std::filesystem::temp_directory_path() /
                     ("braid-mqtt-" + std::to_string(::getpid()) + "-" + std::to_string(++number) + ".db"))
                        .string();
    std::filesystem::remove(catalog_file_);
    settings_.storage.path = "data";
    settings_.storage.file_bytes = 1 << 20;
    settings_.kafka_protocol.offsets_partitions = 1;
    if (change) change(settings_);
    auto catalog = CatalogStore::open({.path = catalog_file_, .defaults = settings_.topic_defaults});
    REQUIRE(catalog);
    std::vector<Loop*> all;
    for (std::size_t i = 0; i < loops; ++i) all.push_back(&machine_.loop(i));
    node_ = std::make_unique<Node>(settings_, all, std::move(*catalog));
    const auto opened = node_->open();
    INFO((opened ? std::string() : opened.error()));
    REQUIRE(opened);
    REQUIRE(node_->listen([&](std::size_t i, const std::function<void()>& work) {
      bool ran = false;
      machine_.loop(i).post([&] {
        work();
        ran = true;
      });
      REQUIRE(world_.run_until([&] { return ran; }, 10000));
    }));
  }
  ~MqttWorld() {
    clients_.clear();
    machine_.crash();
    field_.crash();
    node_.reset();
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(catalog_file_ + end);
  }

  MqttSim& client() {
    clients_.push_back(std::make_unique<MqttSim>(world_, field_.loop()));
    return *clients_.back();
  }
  MqttSim& client(const SimConnect& options) { return client().connect(options); }
  /// Through the catalog, as any client would.
  void create_topic(const std::string& name, std::int32_t partitions) {
    CreateTopics create;
    NewTopic topic;
    topic.name = name;
    topic.partitions = partitions;
    create.topics.push_back(topic);
    struct Asker : Pinned<caf::event_based_actor> {
      using Pinned::Pinned;
      caf::behavior make_behavior() override {
        return {[](const Wake&) {}};
      }
    };
    const auto asker = spawn_on<Asker>(machine_.loop(0));
    bool created = false;
    auto* self = static_cast<Asker*>(caf::actor_cast<caf::abstract_actor*>(asker));
    world_.on(machine_.loop(0), [&] {
      self->enter([&] {
        ask(
            self, node_->services(0).catalog, create, [&](const TopicsApplied&) { created = true; }, [](caf::error) {});
      });
    });
    REQUIRE(world_.run_until([&] { return created; }, 10000));
  }
  SimWorld& world() { return world_; }
  SimNode& machine() { return machine_; }
  Node& node() { return *node_; }
  void run_for(std::int64_t ms) { world_.run_for(ms); }
  std::int64_t now_ms() const { return world_.now_us() / 1000; }

 private:
  SimWorld world_;
  SimNode& machine_;
  SimNode& field_;
  Settings settings_;
  std::string catalog_file_;
  std::unique_ptr<Node> node_;
  std::vector<std::unique_ptr<MqttSim>> clients_;
};

}  // namespace braid::test
