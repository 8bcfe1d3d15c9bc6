// Braid, Apache-2.0.
//
// The definitions as one loop has them. Every loop applies the same changes in the same order, so all of them route
// alike.
#include "actors/amqp/definitions/interface.hpp"
#include "actors/amqp/definitions/policy.hpp"

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

namespace {

/// Of those that `applies` says yes to, the one that counts.
template <class Applies>
std::shared_ptr<const Policy> highest(const PolicyMap& policies, Applies&& applies) {
  std::shared_ptr<const Policy> best;
  for (const auto& [name, policy] : policies)
    if ((!best || policy->definition().priority > best->definition().priority) && applies(*policy)) best = policy;
  return best;
}

}  // namespace

PolicyRules VhostView::rules_for_queue(std::string_view name, QueueType type) const {
  const auto is_for_it = [&](const Policy& policy) { return policy.is_for_queue(name, type); };
  const auto policy = highest(policies(false), is_for_it), of_operator = highest(policies(true), is_for_it);
  if (policy && of_operator) return merged(policy->rules(), of_operator->rules());
  return policy ? policy->rules() : of_operator ? of_operator->rules() : PolicyRules();
}

void VhostView::apply_policy(ExchangeNumber exchange) {
  const auto policy = highest(policies(), [name = topology_.exchange_name(exchange)](const Policy& each) {
    return each.is_for_exchange(name);
  });
  topology_.set_default_alternate(exchange, policy ? policy->rules().alternate_exchange.value_or("") : "");
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
  Applier(Vhost& topology, std::vector<QueuePlace>& places, std::array<PolicyMap, 2>& policies)
      : topology_(topology), places_(places), policies_(policies) {}

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

  Refusal operator()(const DefinePolicy& change) {
    auto policy = Policy::make(change);
    if (!policy) return TopologyError{ReplyCode::precondition_failed, policy.error()};
    policies_[change.of_operator ? 1 : 0][change.name] = std::move(*policy);
    return {};
  }
  Refusal operator()(const DropPolicy& change) {
    if (policies_[change.of_operator ? 1 : 0].erase(change.name) > 0) return {};
    return TopologyError{ReplyCode::not_found, (change.of_operator ? "no operator policy '" : "no policy '") +
                                                   change.name + "' in vhost '" + change.vhost + "'"};
  }

 private:
  Vhost& topology_;
  std::vector<QueuePlace>& places_;
  std::array<PolicyMap, 2>& policies_;
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
          auto refused = Applier(view->topology_, view->places_, view->policies_)(what);
          using What = std::decay_t<decltype(what)>;
          if constexpr (std::is_same_v<What, DefinePolicy> || std::is_same_v<What, DropPolicy>)
            view->topology_.each_exchange([&](const Vhost::ExchangeInfo& exchange) {
              view->apply_policy(*view->topology_.find_exchange(exchange.name));
            });
          if constexpr (std::is_same_v<What, DefineExchange>)
            if (const auto exchange = view->topology_.find_exchange(what.name)) view->apply_policy(*exchange);
          return refused;
        }
        return {};
      },
      change.what);
}

}  // namespace braid::amqp
