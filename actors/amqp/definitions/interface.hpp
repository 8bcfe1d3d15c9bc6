// Braid, Apache-2.0.
//
// Virtual hosts, exchanges, queues by name and bindings: what a session can ask, and what it finds on its own loop.
//
// Every loop has a copy of all of it (`VhostDirectory`, in Services): to route a publish, to find the queue of a
// consumer, or to answer a passive exchange.declare takes no message. Changes go to one actor of the node, which puts
// them in one order: it checks them as RabbitMQ does, asks the host of the queue where there is one, stores what is
// durable, tells every loop, and answers then. So whoever has the answer finds the change on any loop.
//
// A session awaits an answer before it goes on with the channel that asked; other channels need not wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "actors/amqp/topology/vhost.hpp"
#include "actors/queues/interface.hpp"
#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "runtime/spelling.hpp"

namespace braid {
struct Services;
}

namespace braid::amqp {

/// The virtual host that is always there.
inline constexpr std::string_view default_vhost = "/";

// -- what a loop knows ------------------------------------------------------------------------------------------------

/// What x-queue-type said. Classic and quorum queues differ in what they refuse, not in how they store. A stream is a
/// queue on the way to the topic of its name (actors/topic_bridge), and read there.
enum class QueueType : std::uint8_t { classic = 0, quorum = 1, stream = 2 };

class Policy;
struct PolicyRules;
using PolicyMap = std::map<std::string, std::shared_ptr<const Policy>>;  ///< by name

/// A queue as sessions see it without asking anybody.
struct QueuePlace {
  QueueId queue;                  ///< for QueueHost messages
  std::uint32_t loop = 0;         ///< whose host has it: `services.queues[loop]`
  std::uint8_t max_priority = 0;  ///< 0: priorities of messages mean nothing to it
  QueueType type = QueueType::classic;
  bool durable = true;
  bool auto_delete = false;
  bool single_active_consumer = false;
  ConnectionNumber exclusive_to = ConnectionNumber::none;
  std::int64_t consumer_timeout_ms = 0;  ///< its own (x-consumer-timeout); 0: it says nothing of it

  bool usable_by(ConnectionNumber who) const { return exclusive_to == ConnectionNumber::none || exclusive_to == who; }
};

/// A connection is known by the id of its session's actor.
inline ConnectionNumber connection_number(std::uint64_t actor_id) {
  return static_cast<ConnectionNumber>(actor_id);
}

/// One virtual host as one loop knows it. Used on that loop only. A session holds it from connection.open on.
class VhostView {
 public:
  VhostView(std::string name, std::uint64_t seed) : topology_(std::move(name), seed) {}
  const std::string& name() const { return topology_.name(); }
  /// For routing and passive checks. Routing is not const only because it uses scratch memory; definitions are changed
  /// by nobody but the directory.
  Vhost& topology() { return topology_; }
  /// Grows with every change: results of a route and numbers of exchanges are good as long as it stands.
  std::uint64_t version() const { return version_; }
  /// It is no more: connections that use it close with 320.
  bool deleted() const { return deleted_; }

  const QueuePlace& place(QueueNumber number) const { return places_[static_cast<std::uint32_t>(number)]; }
  /// Null when there is none of this name. Good until the next change.
  const QueuePlace* find_queue(std::string_view name) const {
    const auto number = topology_.find_queue(name);
    return number ? &place(*number) : nullptr;
  }
  /// `each(name, place)`
  template <class Each>
  void for_each_queue(Each&& each) const {
    for (std::uint32_t number = 0; number < places_.size(); ++number)
      if (places_[number].queue.value != 0)
        each(topology_.queue_name(static_cast<QueueNumber>(number)), places_[number]);
  }
  /// 404 in RabbitMQ's words.
  TopologyError no_queue(std::string_view name) const;
  /// 405 in RabbitMQ's words: another connection has the queue for itself.
  TopologyError locked(std::string_view name) const;
  Refusal check_access(std::string_view name, const QueuePlace& place, ConnectionNumber who) const;

  /// Those of this loop: they are matched on it only.
  const PolicyMap& policies(bool of_operator = false) const { return policies_[of_operator ? 1 : 0]; }
  /// What the policies say that apply to a queue, which need not be there yet.
  PolicyRules rules_for_queue(std::string_view name, QueueType type) const;

 private:
  friend class VhostDirectory;
  void apply_policy(ExchangeNumber exchange);
  Vhost topology_;
  std::vector<QueuePlace> places_;     ///< by QueueNumber
  std::array<PolicyMap, 2> policies_;  ///< those of operators are the second
  std::uint64_t version_ = 1;
  bool deleted_ = false;
};

struct DefinitionChange;

/// All virtual hosts as one loop knows them: `services.amqp`.
class VhostDirectory {
 public:
  explicit VhostDirectory(std::uint64_t seed);
  /// Null when there is none.
  std::shared_ptr<VhostView> find(std::string_view vhost) const;
  template <class Each>
  void for_each(Each&& each) const {
    for (const auto& [name, vhost] : vhosts_) each(*vhost);
  }

  /// By the definitions actor and its replicas only. The answer is the one that all loops give: that of the topology.
  Refusal apply(const DefinitionChange& change);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::uint64_t seed_;
  std::unordered_map<std::string, std::shared_ptr<VhostView>, Hash, std::equal_to<>> vhosts_;
};

// -- what a session asks ----------------------------------------------------------------------------------------------

/// connection.open: the first thing that a session asks, since what is stored may not have been read yet. Refused with
/// 530 when there is no such virtual host; else `services.amqp.find` has it and all that is in it.
struct OpenVhost {
  std::string name;
};
/// exchange.declare without passive, which the session answers from its loop (Vhost::check_exchange).
struct DefineExchange {
  std::string vhost, name, type;
  bool durable = false, auto_delete = false, internal = false;
  Bytes arguments = {};  ///< the fields of a table that was checked, as Table takes them
};
struct DropExchange {
  std::string vhost, name;
  bool if_unused = false;
};
/// queue.bind and exchange.bind; an empty queue name was replaced by the session.
struct DefineBinding {
  std::string vhost;
  bool to_exchange = false;
  std::string source, destination, key;
  Bytes arguments = {};
  ConnectionNumber who = ConnectionNumber::none;
};
struct DropBinding {
  std::string vhost;
  bool to_exchange = false;
  std::string source, destination, key;
  Bytes arguments = {};
  ConnectionNumber who = ConnectionNumber::none;
};
/// What a policy is for.
enum class PolicyTarget : std::uint8_t { all = 0, queues = 1, classic_queues = 2, quorum_queues = 3, exchanges = 4 };
/// A policy, new or instead of one of the same name (policy.hpp). In force for what is there when it is answered.
/// Refused with 406 and a sentence when it makes no sense.
struct DefinePolicy {
  std::string vhost, name;
  std::string pattern;  ///< a regular expression that is looked for anywhere in a name
  PolicyTarget apply_to = PolicyTarget::all;
  std::int32_t priority = 0;  ///< the highest counts; of equals the first by name
  Bytes definition = {};      ///< the fields of a table
  bool of_operator = false;   ///< an operator policy: a limit to what other policies and arguments say
};
/// 404 when there is none.
struct DropPolicy {
  std::string vhost, name;
  bool of_operator = false;
};
/// Only for administration; sessions look them up.
struct DefineVhost {
  std::string name;
};
struct DropVhost {
  std::string name;
};
/// Reply code and text (`reply_text`), or nothing: done, on every loop.
struct Defined {
  Refusal refusal;
};

/// queue.declare, passive as well (its answer has counts). A name of "" is chosen here.
struct DefineQueue {
  std::string vhost, name;
  bool passive = false, durable = false, exclusive = false, auto_delete = false;
  Bytes arguments = {};
  QueueConsumer session = {};  ///< the connection that asks; an exclusive queue goes when it ends
};
struct QueueDefined {
  Refusal refusal;
  std::string name;
  QueueId queue;
  std::uint64_t messages = 0, consumers = 0;
};
/// A queue that is not there counts as deleted. Consumers get ConsumerCancelled from its host.
struct DropQueue {
  std::string vhost, name;
  bool if_unused = false, if_empty = false;
  ConnectionNumber who = ConnectionNumber::none;
};
/// queue.purge
struct EmptyQueue {
  std::string vhost, name;
  ConnectionNumber who = ConnectionNumber::none;
};
/// Answer to DropQueue and EmptyQueue.
struct QueueDropped {
  Refusal refusal;
  std::uint64_t messages = 0;
};

/// One change as every loop applies it, in the one order.
struct AddQueue {
  std::string vhost, name;
  QueuePlace place;
};
struct RemoveQueue {
  std::string vhost, name;
};
struct DefinitionChange {
  std::variant<DefineVhost, DropVhost, DefineExchange, DropExchange, DefineBinding, DropBinding, AddQueue, RemoveQueue,
               DefinePolicy, DropPolicy>
      what;
};

/// One per node: `services.amqp_definitions`.
using DefinitionsActor =
    Interface<Answers<OpenVhost, Defined>, Answers<DefineExchange, Defined>, Answers<DropExchange, Defined>,
              Answers<DefineBinding, Defined>, Answers<DropBinding, Defined>, Answers<DefineVhost, Defined>,
              Answers<DropVhost, Defined>, Answers<DefinePolicy, Defined>, Answers<DropPolicy, Defined>,
              Answers<DefineQueue, QueueDefined>, Answers<DropQueue, QueueDropped>, Answers<EmptyQueue, QueueDropped>,
              Takes<QueueGone>>;

}  // namespace braid::amqp

BRAID_MESSAGE(braid::amqp::OpenVhost)
BRAID_MESSAGE(braid::amqp::DefineExchange)
BRAID_MESSAGE(braid::amqp::DropExchange)
BRAID_MESSAGE(braid::amqp::DefineBinding)
BRAID_MESSAGE(braid::amqp::DropBinding)
BRAID_MESSAGE(braid::amqp::DefineVhost)
BRAID_MESSAGE(braid::amqp::DropVhost)
BRAID_MESSAGE(braid::amqp::DefinePolicy)
BRAID_MESSAGE(braid::amqp::DropPolicy)
BRAID_MESSAGE(braid::amqp::Defined)
BRAID_MESSAGE(braid::amqp::DefineQueue)
BRAID_MESSAGE(braid::amqp::QueueDefined)
BRAID_MESSAGE(braid::amqp::DropQueue)
BRAID_MESSAGE(braid::amqp::EmptyQueue)
BRAID_MESSAGE(braid::amqp::QueueDropped)
