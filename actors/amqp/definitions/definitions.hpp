// Braid, Apache-2.0.
//
// The one place where AMQP definitions change. The actor lives on loop 0 and works on that loop's own directory, which
// is so the authority: a request is checked and applied there first. What it changed goes into a batch, and the batch
// to the catalog and to all other loops; when both have it, all who asked are answered. What comes meanwhile is the
// next batch, so a thousand declarations cost a few syncs.
//
// A queue is its host's: it is declared, found and deleted there, and what the host says is applied here. Hosts tell
// too when one goes by itself.
//
//   definitions.cpp          start, batches, virtual hosts, exchanges, bindings
//   definitions_queues.cpp   queues
//   definitions_streams.cpp  queues on their way to topics
//   definitions_policies.cpp policies
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/amqp/definitions/queue_arguments.hpp"
#include "actors/amqp/definitions/replica.hpp"
#include "actors/amqp/definitions/stored.hpp"
#include "actors/services.hpp"
#include "actors/topic_bridge/bridge.hpp"
#include "persistence/catalog/definitions.hpp"
#include "runtime/pinned.hpp"
#include "runtime/start_gate.hpp"

namespace braid::amqp {

class DefinitionsKeeper : public Pinned<DefinitionsActor::base> {
 public:
  DefinitionsKeeper(caf::actor_config& config, Loop& loop, Services& services, std::vector<DefinitionReplica> replicas,
                    std::vector<QueueListener> listeners, TopicBridge bridge, std::vector<Definition> stored);
  const char* name() const override { return "amqp-definitions"; }

 protected:
  behavior_type make_behavior() override;

 private:
  /// Called when a batch is everywhere; false: the catalog has not stored it yet.
  using Answer = std::function<void(bool stored)>;
  struct Batch {
    std::vector<DefinitionChange> changes;
    std::vector<DefinitionEdit> edits;
    std::vector<Answer> answers;
    bool empty() const { return changes.empty() && edits.empty() && answers.empty(); }
  };

  // definitions.cpp
  void find_queues();
  void found(const QueuesDescribed& described);
  void restore();
  void start_bridge();
  void bridge_declared(const QueueDeclared& declared, std::uint32_t host);
  void get_ready();
  void listen();
  void watch(VhostView& view);
  /// Keeps the bridge's filters what the bindings of amq.topic are.
  void count_binding(const DefineBinding& binding, bool is_new);
  /// Applies to the authority; what goes along with it is noted for the catalog.
  Refusal apply(DefinitionChange change);
  /// `answer` when all that was applied so far is everywhere.
  void when_everywhere(Answer answer);
  template <class Reply>
  void answer_later(Promise<Reply> promise, Reply reply) {
    when_everywhere([held = std::make_shared<Promise<Reply>>(std::move(promise)),
                     answer = std::make_shared<Reply>(std::move(reply))](bool stored) {
      if (!stored) answer->refusal = TopologyError{ReplyCode::internal_error, "the definition could not be stored"};
      held->deliver(std::move(*answer));
    });
  }
  void schedule();
  void start_batch();
  void one_finished();
  void finish_batch();
  void store(std::vector<DefinitionEdit> edits);
  template <class Request>
  void change(const Request& request, Promise<Defined> promise);
  /// Whether one more fits; 406 in the words that RabbitMQ has for queues.
  static Refusal check_limit(std::string_view verb, std::string_view kind, const std::string& name,
                             std::string_view counted, const VhostView& view, std::size_t there, std::size_t limit);
  /// The bridge's queue and its binding do not count.
  static std::size_t own_objects(const VhostView& view);
  void open(const OpenVhost& request, Promise<Defined> promise);
  void define(const DefineExchange& request, Promise<Defined> promise);
  void bind(const DefineBinding& request, Promise<Defined> promise);
  void define(const DefineVhost& request, Promise<Defined> promise);
  void drop(const DropVhost& request, Promise<Defined> promise);

  // definitions_policies.cpp
  void define(const DefinePolicy& request, Promise<Defined> promise);
  void drop(const DropPolicy& request, Promise<Defined> promise);
  /// Rules of a queue as its arguments and the policies of now want them; nothing for what is none of AMQP's clients'.
  std::optional<QueueSettings> wanted_settings(const QueueDescription& queue) const;
  /// Calls `finished` when all queues of the virtual host have the rules that are in force now.
  void refresh_queues(const std::string& vhost, std::function<void()> finished);

  // definitions_queues.cpp
  void declare(const DefineQueue& request, Promise<QueueDefined> promise);
  void declare_at_host(const DefineQueue& request, const QueueDefinition& wanted, QueueType type, DeclareQueue to_host,
                       Promise<QueueDefined> promise);
  void declared(const DefineQueue& request, const QueueDefinition& wanted, QueueType type, const QueueDeclared& answer,
                Promise<QueueDefined> promise);
  void find(const DefineQueue& request, const VhostView& view, const QueuePlace& place, Promise<QueueDefined> promise);
  void remove(const DropQueue& request, Promise<QueueDropped> promise);
  void removed(const DropQueue& request, QueueId queue, QueueType type, const QueueEmptied& answer,
               Promise<QueueDropped> promise);
  void purge(const EmptyQueue& request, Promise<QueueDropped> promise);
  void gone(const QueueGone& gone);
  void forget_queue(const std::string& vhost, const std::string& name, QueueId queue);
  std::string new_queue_name();
  std::size_t being_declared(const std::string& vhost) const {
    const auto found = declaring_.find(vhost);
    return found == declaring_.end() ? 0 : found->second;
  }

  // definitions_streams.cpp
  void declare_stream(const DefineQueue& request, const QueueDefinition& wanted, DeclareQueue to_host,
                      Promise<QueueDefined> promise);
  void drop_stream(const std::string& name, Promise<QueueDropped> promise);

  Services& services_;
  std::vector<DefinitionReplica> replicas_;  ///< of the other loops
  std::vector<QueueListener> listeners_;     ///< by loop
  TopicBridge bridge_;
  std::map<std::string, std::uint32_t> topic_filters_;  ///< bindings of amq.topic by filter
  SetTopicFilters next_filters_;
  std::vector<Definition> stored_;  ///< until it has been restored
  std::vector<QueueDescription> found_;
  std::map<std::string, std::size_t> declaring_;  ///< by virtual host: queues that hosts were asked to make
  std::set<std::string> own_topics_;              ///< that declarations of streams have made
  std::size_t answers_missing_ = 0;
  StartGate restored_;

  Batch next_, now_;
  std::size_t parts_missing_ = 0;  ///< of the batch that is under way
  bool busy_ = false, scheduled_ = false, storing_failed_ = false;
  Timer retry_;
};

/// Before the loops run; `services` by loop. `stored` is what the catalog has; until it is in force requests wait.
DefinitionsActor spawn_definitions(const std::vector<Services*>& services, std::vector<Definition> stored);

}  // namespace braid::amqp
