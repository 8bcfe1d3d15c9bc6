// Braid, Apache-2.0.
//
// `amq.topic` of the virtual host "/" is where AMQP, MQTT and topics meet. What AMQP clients publish to it goes, under
// the MQTT name that its routing key stands for, into the topic of that name and to MQTT subscribers; what MQTT clients
// publish and what topics store goes to the queues that are bound to it.
//
// One actor on loop 0 carries both ways. Out of AMQP: a queue that the broker binds to amq.topic for itself, so that a
// confirmed message reaches its topic whatever happens; it is acknowledged when the topic has it. Into AMQP: a
// subscription with the filters of the exchange's bindings, as any MQTT client has one at QoS 1.
//
// Stream queues that were declared are carried to the topics of their names in the same way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/amqp/definitions/interface.hpp"
#include "actors/routing/interface.hpp"
#include "actors/services.hpp"

namespace braid::amqp {

inline constexpr std::string_view bridge_exchange = "amq.topic";
/// The broker's own queue; no client can use it.
inline constexpr std::string_view bridge_queue = "amq.topic.bridge";
inline constexpr ConnectionNumber bridge_owner{UINT64_MAX};
/// What messages out of AMQP bear as their publisher.
inline std::uint64_t bridge_client() {
  return client_number("amq.topic");
}

/// Carries what comes into this queue.
struct StartBridge {
  QueueId queue;
  std::uint32_t loop = 0;
  std::string stream = {};  ///< the topic that it goes to; empty: that of each message's name
};
/// Of the bindings of amq.topic, each once. Answered when messages published from now on are delivered.
struct SetTopicFilters {
  std::vector<Bytes> add, remove;
};
struct TopicFiltersSet {};
using TopicBridge = Interface<Takes<StartBridge>, Answers<SetTopicFilters, TopicFiltersSet>, Takes<DeliverMessages>,
                              Takes<ConsumerCancelled>, Takes<Deliver>>;
TopicBridge spawn_topic_bridge(Services& services);

}  // namespace braid::amqp

BRAID_MESSAGE(braid::amqp::StartBridge)
BRAID_MESSAGE(braid::amqp::SetTopicFilters)
BRAID_MESSAGE(braid::amqp::TopicFiltersSet)
