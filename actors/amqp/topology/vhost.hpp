// Braid, Apache-2.0.
//
// The exchanges and bindings of one virtual host, and which queues a publish goes to. Requests are checked in
// RabbitMQ's order and refused with its codes and words, since clients' suites look for both.
//
// A queue is here only what routing needs of it: a name with a number. What is in it is elsewhere (actors/queues).
//
// A plain data structure: one owner, no locks, no actors. Whether a request may be made at all (permissions), and that
// it survives a restart, is the session's and the catalog's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/amqp/topology/binding_table.hpp"
#include "actors/amqp/topology/hash_ring.hpp"
#include "actors/amqp/topology/header_index.hpp"
#include "actors/amqp/topology/key_index.hpp"
#include "actors/amqp/topology/types.hpp"
#include "codecs/amqp/properties.hpp"

namespace braid::amqp {

/// What routing looks at in a message.
struct Publication {
  std::string_view routing_key;
  const BasicProperties& properties;
};

/// Good until the next call.
struct Routed {
  std::span<const QueueNumber> queues;  ///< each once, however many ways lead to it
  /// Exchanges at which the message waits before it goes on: `route_after_delay`.
  std::span<const ExchangeNumber> delayed;
};

/// The "CC" and "BCC" headers of a message are arrays, or it is refused.
Refusal check_sender_selected(const BasicProperties&);
/// How long the message waits at a delayed exchange, from its "x-delay" header; 0 when it does not.
std::int64_t delay_ms(const BasicProperties&);

class Vhost {
 public:
  /// With the exchanges that every virtual host has. The seed keeps clients from choosing names that collide.
  Vhost(std::string name, std::uint64_t seed);
  const std::string& name() const { return name_; }

  /// Called for everything that goes, whatever takes it along, while it is still there: for whoever keeps definitions
  /// elsewhere as well.
  struct Watcher {
    std::function<void(const Binding&)> binding_goes;
    std::function<void(ExchangeNumber)> exchange_goes;
  };
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }
  const Watcher& watcher() const { return watcher_; }

  // Exchanges
  Refusal declare_exchange(const ExchangeDeclaration&);
  /// exchange.declare with passive.
  Refusal check_exchange(std::string_view name) const;
  /// One that is not there counts as deleted.
  Refusal delete_exchange(std::string_view name, bool if_unused);
  /// The alternate exchange of one whose own arguments name none; "" for none.
  void set_default_alternate(ExchangeNumber number, std::string alternate) {
    exchange(number).default_alternate = std::move(alternate);
  }
  std::optional<ExchangeNumber> find_exchange(std::string_view name) const;
  std::string_view exchange_name(ExchangeNumber number) const {
    return exchange_names_.text(static_cast<std::uint32_t>(number));
  }

  // Queues
  /// The name must not be taken.
  QueueNumber add_queue(std::string_view name, bool durable, ConnectionNumber exclusive_to = ConnectionNumber::none);
  /// Its bindings go with it, and exchanges that are deleted when their last binding goes.
  void remove_queue(QueueNumber);
  std::optional<QueueNumber> find_queue(std::string_view name) const;
  std::string_view queue_name(QueueNumber number) const {
    return queue_names_.text(static_cast<std::uint32_t>(number));
  }

  // Bindings; one that is there already, or is not there, is no error.
  Refusal bind_queue(std::string_view queue, std::string_view exchange, std::string_view key, const Table& arguments,
                     ConnectionNumber who);
  Refusal unbind_queue(std::string_view queue, std::string_view exchange, std::string_view key, const Table& arguments,
                       ConnectionNumber who);
  Refusal bind_exchange(std::string_view destination, std::string_view source, std::string_view key,
                        const Table& arguments);
  Refusal unbind_exchange(std::string_view destination, std::string_view source, std::string_view key,
                          const Table& arguments);
  /// Both ends are there, and this binding is not.
  bool is_missing(bool to_exchange, std::string_view destination, std::string_view source, std::string_view key,
                  const Table& arguments) const;

  // Publishing
  /// The exchange of a basic.publish, by name.
  Result<ExchangeNumber, TopologyError> publishable(std::string_view exchange) const;
  Routed route(ExchangeNumber exchange, const Publication& publication) { return route(exchange, publication, false); }
  /// Goes on where a delayed message waited.
  Routed route_after_delay(ExchangeNumber exchange, const Publication& publication) {
    return route(exchange, publication, true);
  }

  // Listing, for definitions and administration
  struct ExchangeInfo {
    std::string_view name;
    ExchangeType type;
    bool durable;
    bool auto_delete;
    bool internal;
    Table arguments;
    std::uint32_t bindings;  ///< from it
  };
  ExchangeInfo info(ExchangeNumber) const;
  template <class Each>
  void each_exchange(Each&& each) const {
    for (std::uint32_t number = 0; number < exchanges_.size(); ++number)
      if (exchanges_[number]) each(info(static_cast<ExchangeNumber>(number)));
  }
  /// Those that lead from an exchange, oldest first: `each(const Binding&)`. Not those that the default exchange
  /// implies.
  template <class Each>
  void each_binding(ExchangeNumber source, Each&& each) const {
    std::uint32_t at = exchange(source).as_source.first;
    for (; at != Binding::none; at = bindings_[at].next_of_source) each(bindings_[at]);
  }
  /// Whether both of its ends are.
  bool is_durable(const Binding&) const;
  bool is_durable(QueueNumber number) const { return queues_[static_cast<std::uint32_t>(number)].durable; }
  std::size_t bindings() const { return bindings_.size(); }
  std::size_t queues() const { return queue_count_; }
  /// Beside those that every virtual host has.
  std::size_t declared_exchanges() const { return exchange_count_ - predeclared_; }

 private:
  /// What a consistent-hash exchange distributes by.
  enum class HashOf : std::uint8_t { routing_key, header, correlation_id, message_id, timestamp };

  struct Exchange {
    ExchangeType type = ExchangeType::direct;
    ExchangeType routes_as = ExchangeType::direct;  ///< of a delayed exchange: what x-delayed-type says
    bool durable = false;
    bool auto_delete = false;
    bool internal = false;
    HashOf hash_of = HashOf::routing_key;
    std::string hash_header;
    std::string alternate;
    std::string default_alternate;  ///< when it has no argument of that name
    std::string arguments;
    KeyIndex::Root root = 0;
    std::unique_ptr<HeaderIndex> header_index;
    std::unique_ptr<HashRing> ring;
    BindingList as_source;
    BindingList as_destination;
    std::uint64_t visited = 0;  ///< the publish that went through it last
  };
  struct Queue {
    bool durable = false;
    ConnectionNumber exclusive_to = ConnectionNumber::none;
    BindingList as_destination;
    std::uint64_t visited = 0;
  };

  // vhost.cpp
  const Exchange& exchange(ExchangeNumber number) const { return *exchanges_[static_cast<std::uint32_t>(number)]; }
  Exchange& exchange(ExchangeNumber number) { return *exchanges_[static_cast<std::uint32_t>(number)]; }
  Queue& queue(QueueNumber number) { return queues_[static_cast<std::uint32_t>(number)]; }
  std::string text_of_exchange(std::string_view name) const { return resource("exchange", name); }
  std::string resource(std::string_view kind, std::string_view name) const;
  TopologyError not_found(std::string_view kind, std::string_view name) const;
  ExchangeNumber create(std::string_view name, Exchange&& made);
  void predeclare(std::string_view name, ExchangeType type, bool internal = false);
  Refusal prepare(const ExchangeDeclaration&, ExchangeType, Exchange& made) const;
  Refusal check_equivalent(const Exchange&, const ExchangeDeclaration&, std::string_view name) const;
  void erase(ExchangeNumber);
  void erase_unused();

  // vhost_bind.cpp
  struct Ends {
    ExchangeNumber source;
    Destination destination;
  };
  Result<Ends, TopologyError> find_ends(bool to_exchange, std::string_view destination, std::string_view source) const;
  Refusal bind(const Ends&, std::string_view key, const Table& arguments, ConnectionNumber who);
  Refusal unbind(const Ends&, std::string_view key, const Table& arguments, ConnectionNumber who);
  Refusal check_exclusive(const Ends&, ConnectionNumber who) const;
  void index(std::uint32_t binding);
  void unindex(std::uint32_t binding);
  BindingList& bindings_to(Destination);
  void remove_binding(std::uint32_t binding);

  // vhost_route.cpp
  Routed route(ExchangeNumber, const Publication&, bool after_delay);
  void route_through(Exchange&, bool is_default, const Publication&);
  void deliver(Destination);
  void to_ring(const Exchange&, const Publication&);
  void collect_keys(const Publication&);

  std::string name_;
  std::uint64_t seed_;
  Watcher watcher_;
  routing::NameTable exchange_names_;
  routing::NameTable queue_names_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;  ///< by the name's number
  std::vector<Queue> queues_;                         ///< by the name's number
  std::size_t exchange_count_ = 0, predeclared_ = 0, queue_count_ = 0;
  ExchangeNumber default_exchange_{};
  BindingTable bindings_;
  KeyIndex keys_;
  std::vector<ExchangeNumber> maybe_unused_;  ///< have lost a binding, and go with their last

  std::uint64_t publish_ = 0;
  std::size_t found_ = 0;  ///< destinations of the exchange that is being routed through
  std::vector<std::string_view> routing_keys_;
  std::vector<ExchangeNumber> pending_;
  std::vector<QueueNumber> routed_;
  std::vector<ExchangeNumber> delayed_;
};

}  // namespace braid::amqp
