// Braid, Apache-2.0.
//
// The definitions as one loop has them. Every loop applies the same changes in the same order, so all of them route
// alike.
#include "actors/amqp/definitions/interface.hpp"

namespace braid::amqp {

namespace {

std::string queue_in(std::string_view name, const std::string& vhost) {
  return "queue '" + std::string(name) + "' in vhost '" + vhost + "'";
}

}  // namespace

TopologyError VhostView::no_queue(std::string_view name) const {
  return {ReplyCode::not_found, "no " + queue_in(name, this->name())};
}

TopologyError VhostView::locked(std::string_view name) const {
  return {ReplyCode::resource_locked,
          "cannot obtain exclusive access to locked " + queue_in(name, this->name()) +
              ". It could be originally declared on another connection or the exclusive property value "
              "does not match that of the original declaration."};
}

Refusal VhostView::check_access(std::string_view name, const QueuePlace& place, ConnectionNumber who) const {
  return place.usable_by(who) ? Refusal() : locked(name);
}

VhostDirectory::VhostDirectory(std::uint64_t seed) : seed_(seed) {
  apply({DefineVhost{std::string(default_vhost)}});
}

std::shared_ptr<VhostView> VhostDirectory::find(std::string_view vhost) const {
  const auto found = vhosts_.find(vhost);
  return found == vhosts_.end() ? nullptr : found->second;
}

namespace {

/// Changes of what is in one virtual host.
class Applier {
 public:
  explicit Applier(Vhost& topology, std::vector<QueuePlace>& places) : topology_(topology), places_(places) {}

  Refusal operator()(const DefineExchange& change) {
    return topology_.declare_exchange({.name = change.name,
                                       .type = change.type,
                                       .durable = change.durable,
                                       .auto_delete = change.auto_delete,
                                       .internal = change.internal,
                                       .arguments = Table(change.arguments.view())});
  }
  Refusal operator()(const DropExchange& change) { return topology_.delete_exchange(change.name, change.if_unused); }
  Refusal operator()(const DefineBinding& change) {
    const Table arguments(change.arguments.view());
    if (change.to_exchange) return topology_.bind_exchange(change.destination, change.source, change.key, arguments);
    return topology_.bind_queue(change.destination, change.source, change.key, arguments, change.who);
  }
  Refusal operator()(const DropBinding& change) {
    const Table arguments(change.arguments.view());
    if (change.to_exchange) return topology_.unbind_exchange(change.destination, change.source, change.key, arguments);
    return topology_.unbind_queue(change.destination, change.source, change.key, arguments, change.who);
  }
  Refusal operator()(const AddQueue& change) {
    // What is declared exclusive is gone after a restart, however durable it was called.
    const bool durable = change.place.durable && change.place.exclusive_to == ConnectionNumber::none;
    const auto number = static_cast<std::size_t>(topology_.add_queue(change.name, durable, change.place.exclusive_to));
    if (number >= places_.size()) places_.resize(number + 1);
    places_[number] = change.place;
    return {};
  }
  Refusal operator()(const RemoveQueue& change) {
    if (const auto number = topology_.find_queue(change.name)) {
      places_[static_cast<std::size_t>(*number)] = {};
      topology_.remove_queue(*number);
    }
    return {};
  }

 private:
  Vhost& topology_;
  std::vector<QueuePlace>& places_;
};

}  // namespace

Refusal VhostDirectory::apply(const DefinitionChange& change) {
  if (const auto* added = std::get_if<DefineVhost>(&change.what)) {
    if (!find(added->name)) vhosts_.emplace(added->name, std::make_shared<VhostView>(added->name, seed_));
    return {};
  }
  if (const auto* dropped = std::get_if<DropVhost>(&change.what)) {
    if (const auto gone = vhosts_.extract(dropped->name)) gone.mapped()->deleted_ = true;
    return {};
  }
  return std::visit(
      [this](const auto& what) -> Refusal {
        if constexpr (requires { what.vhost; }) {
          const auto view = find(what.vhost);
          if (!view) return TopologyError{ReplyCode::not_allowed, "vhost '" + what.vhost + "' not found"};
          ++view->version_;
          return Applier(view->topology_, view->places_)(what);
        }
        return {};
      },
      change.what);
}

}  // namespace braid::amqp
