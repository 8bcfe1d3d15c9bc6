// Braid, Apache-2.0.
//
// A whole broker in the simulated world, and Kafka clients that speak to it over the simulated network with the codec:
// time is virtual, so waiting for a second costs nothing, and every run of a seed is the same.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "codecs/kafka/frame.hpp"
#include "codecs/kafka/header.hpp"
#include "codecs/kafka/registry.hpp"
#include "config/settings.hpp"
#include "model/batch_builder.hpp"
#include "model/batch_walker.hpp"
#include "runtime/simulation/sim_world.hpp"

namespace braid {
class Node;
}

namespace braid::test {

class KafkaClient final : public StreamHandler {
 public:
  KafkaClient(SimWorld& world, Loop& loop, std::uint16_t port);
  ~KafkaClient() { close(); }

  /// Returns the correlation id under which the answer will be found.
  template <class Request>
  std::int32_t send(const Request& request, std::int16_t version) {
    const std::int32_t id = ++last_id_;
    auto frame = kafka::encode_request(request, version, id, kafka::Text("test-client"));
    REQUIRE(frame);
    write(std::move(*frame));
    return id;
  }
  /// Several requests in one piece, so that the broker gets them in one read if it can.
  void write(std::vector<Bytes> chunks);
  void write(std::string_view text) { write({Bytes::copy(text)}); }

  bool answered(std::int32_t id) const { return answers_.count(id) > 0; }
  bool wait(std::int32_t id, std::int64_t at_most_ms = 30000);
  bool wait_closed(std::int64_t at_most_ms = 30000);
  template <class Response>
  Response read(std::int32_t id, std::int16_t version) {
    auto response = kafka::decode_response<Response>(answer(id, version), version);
    REQUIRE(response);
    return response->body;
  }
  template <class Response, class Request>
  Response call(const Request& request, std::int16_t version) {
    const std::int32_t id = send(request, version);
    REQUIRE(wait(id));
    return read<Response>(id, version);
  }

  bool is_closed() const { return closed_; }
  const std::vector<std::int32_t>& order() const { return order_; }
  void pause(bool paused);
  void close();
  /// Sends, and ends the connection behind it.
  template <class Request>
  void send_last(const Request& request, std::int16_t version) {
    auto frame = kafka::encode_request(request, version, ++last_id_, kafka::Text("test-client"));
    REQUIRE(frame);
    write_last(std::move(*frame));
  }

 private:
  void write_last(std::vector<Bytes> chunks);
  const Bytes& answer(std::int32_t id, std::int16_t version) const;
  void on_loop(const std::function<void()>& work);
  void on_read(ReceiveBuffer& buffer) override;
  void on_drained() override {}
  void on_closed(CloseReason) override;

  SimWorld& world_;
  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  bool connected_ = false, closed_ = false;
  std::int32_t last_id_ = 0;
  std::map<std::int32_t, Bytes> answers_;
  std::vector<std::int32_t> order_;  ///< in which answers came
};

class KafkaWorld {
 public:
  explicit KafkaWorld(std::function<void(Settings&)> change = {}, std::uint64_t seed = 1);
  ~KafkaWorld();

  KafkaClient& client();
  /// Power off and on again.
  void restart();
  /// An ordered end; false when a step took longer than it may.
  bool stop();
  SimWorld& world() { return world_; }
  Node& node() { return *node_; }
  const Settings& settings() const { return settings_; }

  void create_topic(const std::string& name, std::int32_t partitions = 1,
                    const std::map<std::string, std::string>& config = {});
  /// As the broker knows the topic; nil and 0 when it does not.
  TopicId topic_id(const std::string& topic) const;
  std::size_t partitions(const std::string& topic) const;
  /// Of the topic's first partition.
  std::int32_t leader_epoch(const std::string& topic) const;

 private:
  void start();

  SimWorld world_;
  SimNode& machine_;
  SimNode& field_;
  Settings settings_;
  std::string catalog_file_;
  std::unique_ptr<Node> node_;
  std::vector<std::unique_ptr<KafkaClient>> clients_;
};

/// A batch of records with these values.
Bytes make_batch(const std::vector<std::string>& values, Timestamp at = Timestamp{1'700'000'000'000},
                 const BatchProducer& producer = {}, Compression codec = Compression::none);
std::vector<std::string> values_of(const kafka::FetchResponse::Partition& partition, std::int64_t from = 0);

kafka::ProduceRequest produce_to(const std::string& topic, std::int32_t partition, Bytes batch, std::int16_t acks = -1);
kafka::FetchRequest fetch_from(const std::string& topic, std::vector<std::pair<std::int32_t, std::int64_t>> at,
                               std::int32_t max_wait_ms = 0, std::int32_t min_bytes = 1);

}  // namespace braid::test
