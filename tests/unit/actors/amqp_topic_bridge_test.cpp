// Braid, Apache-2.0.
//
// amq.topic, where AMQP, MQTT and topics meet: what is published on one side comes out on the other, once.
#include "amqp_world.hpp"

using namespace braid;
using namespace braid::test;

namespace {

/// An MQTT subscriber, as its session would be.
class Subscriber : public Pinned<SubscriberActor::base> {
 public:
  Subscriber(caf::actor_config& config, Loop& at,
             std::shared_ptr<std::vector<std::shared_ptr<const braid::Publication>>> got)
      : Pinned(config, at), got_(std::move(got)) {}

 protected:
  behavior_type make_behavior() override {
    return {[this](const Deliver& delivery) {
      for (const auto& each : delivery.deliveries) got_->push_back(each.publication);
    }};
  }

 private:
  std::shared_ptr<std::vector<std::shared_ptr<const braid::Publication>>> got_;
};

/// Live traffic, as an MQTT session sends it to the loops that are interested.
void publish_live(AmqpWorld& world, const std::string& topic, const std::string& payload) {
  BatchBuilder batch;
  const std::array<HeaderView, 2> headers{{{"colour", "blue"}, {"braid.content-type", "text/plain"}}};
  REQUIRE(batch.add(world.machine.loop(1).wall_clock(), topic, payload, headers));
  const Bytes bytes = batch.finish();
  LoopSet loops = world.services(1).interest.loops(topic.substr(0, topic.find('/')));
  for (std::size_t at = 0; loops != 0; ++at, loops >>= 1)
    if (loops & 1)
      tell_from_outside(world.services(1).routers[at], PublishBatch{nullptr, bytes, Bytes::literal("\1"), 7});
}

}  // namespace

TEST_CASE("what MQTT publishes reaches queues that are bound to amq.topic, once") {
  AmqpWorld world;
  CHECK(world.queue("q") == "ok");
  CHECK(world.bind("q", "amq.topic", "sensors.*.temp") == "ok");
  CHECK(world.bind("q", "amq.topic", "sensors.#") == "ok");
  publish_live(world, "sensors/10.0.0.1/temp", "21");
  publish_live(world, "elsewhere/x", "22");
  const auto noted = world.consume("q");
  REQUIRE(world.wait([&] { return !noted->messages.empty(); }));
  world.world.run_for(500);
  REQUIRE(noted->messages.size() == 1);
  const AmqpMessage& message = *noted->messages[0];
  CHECK(message.body == "21");
  CHECK(message.exchange == "amq.topic");
  CHECK(message.routing_key == "sensors.10%2E0%2E0%2E1.temp");
  CHECK(message.text("colour") == "blue");
  CHECK(message.properties.content_type == "text/plain");

  // Without a binding nobody looks any more.
  CHECK(world.unbind("q", "amq.topic", "sensors.*.temp") == "ok");
  CHECK(world.unbind("q", "amq.topic", "sensors.#") == "ok");
  world.world.run_for(100);
  CHECK(world.services(1).interest.loops("sensors") == 0);
}

TEST_CASE("bindings that are restored bring MQTT's messages again after a power failure") {
  AmqpWorld world;
  CHECK(world.queue("q") == "ok");
  CHECK(world.bind("q", "amq.topic", "a.*") == "ok");
  world.restart();
  publish_live(world, "a/b", "after");
  const auto noted = world.consume("q");
  REQUIRE(world.wait([&] { return noted->messages.size() == 1; }));
  CHECK(noted->messages[0]->body == "after");
}

TEST_CASE("what AMQP publishes to amq.topic reaches MQTT subscribers, and comes back to no queue twice") {
  AmqpWorld world;
  const auto got = std::make_shared<std::vector<std::shared_ptr<const braid::Publication>>>();
  Subscribe subscribe;
  subscribe.session = 77;
  subscribe.client = 78;
  subscribe.subscriber = spawn_on<Subscriber>(world.machine.loop(0), got);
  subscribe.filters.emplace_back(Bytes::literal("news/+"), SubscribeOptions{});
  world.call<Subscribed>(world.own(), world.services(0).routers[0], subscribe);
  CHECK(world.queue("q") == "ok");
  CHECK(world.bind("q", "amq.topic", "news.#") == "ok");
  world.publish("amq.topic", "news.today",
                {.body = "hello", .headers = [](amqp::TableWriter& t) { t.put("author", "me").put("count", 3); }});
  world.publish("amq.topic", "no/name", {.body = "for nobody"});
  const auto noted = world.consume("q");
  REQUIRE(world.wait([&] { return got->size() == 1 && noted->messages.size() == 1; }));
  world.world.run_for(1000);
  CHECK(got->size() == 1);
  CHECK(noted->messages.size() == 1);
  CHECK(got->front()->topic.view() == "news/today");
  CHECK(got->front()->payload.view() == "hello");
  CHECK_FALSE(got->front()->properties.empty());
  // All of it was acknowledged: nothing comes after a restart.
  world.world.run_for(3000);
  const auto* place = world.vhost().find_queue(std::string(amqp::bridge_queue));
  REQUIRE(place);
  const auto described =
      world.call<QueuesDescribed>(world.own(), world.services(0).queues[place->loop], DescribeQueues{{place->queue}});
  REQUIRE(described.queues.size() == 1);
  CHECK(described.queues[0].ready == 0);
  CHECK(described.queues[0].unacknowledged == 0);
  // It is nobody's but the broker's.
  CHECK(world.said(world.passive(std::string(amqp::bridge_queue)).refusal).starts_with("405"));
}

TEST_CASE("a message to a stream is in the topic of its name, over a power failure too, and goes with the stream") {
  const auto stream = [](amqp::TableWriter& t) { t.put("x-queue-type", "stream").put("x-max-age", "1h"); };
  AmqpWorld world;
  CHECK(world.queue("meters", stream) == "ok");
  CHECK(world.bind("meters", "amq.fanout", "") == "ok");
  const auto records = [&world] {
    const auto topic = world.services(0).directory.find("meters");
    if (!topic) return std::int64_t{-1};
    return world.ask_partition<OffsetFound>(topic->partitions.at(0).id, FindOffset{}).offset.value;
  };
  REQUIRE(records() == 0);
  CHECK(world.services(1).directory.find("meters")->config.at("retention.ms") == "3600000");
  world.publish("", "meters", {.body = "by name"});
  REQUIRE(world.wait([&] { return records() == 1; }));
  world.world.run_for(1000);
  world.publish("amq.fanout", "any", {.body = "on its way"});
  world.restart();
  // It may have come twice: once before the power failed, and again when that was not written down yet.
  REQUIRE(world.wait([&] { return records() >= 2; }));
  world.world.run_for(1000);
  const auto there = records();
  CHECK(there <= 3);
  // It is the same stream: declared again, bound as it was, and not another type of queue.
  CHECK(world.queue("meters", stream) == "ok");
  CHECK(world.queue("meters").starts_with("406"));
  world.publish("amq.fanout", "any", {.body = "later"});
  REQUIRE(world.wait([&] { return records() == there + 1; }));
  CHECK(world.said(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "meters"}).refusal) == "ok");
  CHECK(records() == -1);
  CHECK(world.route("amq.fanout", "any").empty());
}

TEST_CASE("a stream over a topic that was there leaves it there") {
  AmqpWorld world;
  CreateTopics create;
  create.topics.push_back({.name = "old", .id = {}, .partitions = 3, .config = {}, .placement = {}});
  REQUIRE(world.call<TopicsApplied>(world.own(), world.services(0).catalog, create).error == Errc::none);
  CHECK(world.queue("old", [](amqp::TableWriter& t) { t.put("x-queue-type", "stream"); }) == "ok");
  CHECK(world.said(world.define<amqp::QueueDropped>(amqp::DropQueue{"/", "old"}).refusal) == "ok");
  REQUIRE(world.services(0).directory.find("old"));
  CHECK(world.services(0).directory.find("old")->partitions.size() == 3);
}
