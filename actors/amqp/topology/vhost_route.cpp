// Braid, Apache-2.0.
//
// Which queues a publish goes to. Exchanges are walked through once per publish each, so cycles of bindings between
// them end, and a queue is noted once. Nothing is allocated once the scratch vectors have grown. See vhost.hpp.
#include <array>
#include <charconv>
#include <utility>

#include "actors/amqp/topology/vhost.hpp"

namespace braid::amqp {

namespace {

/// Headers that name more routing keys than the publish itself (sender-selected distribution).
constexpr std::array<std::string_view, 2> key_headers{"CC", "BCC"};

}  // namespace

Refusal check_sender_selected(const BasicProperties& properties) {
  if (!properties.has(PropertyFlag::headers)) return {};
  for (const auto name : key_headers) {
    const auto value = properties.headers.find(name);
    if (value && value->type() != FieldType::array)
      return TopologyError{ReplyCode::precondition_failed, "invalid message: {unacceptable_type_in_header,\"" +
                                                               std::string(name) + "\"," +
                                                               std::string(name_of(value->type())) + "}"};
  }
  return {};
}

std::int64_t delay_ms(const BasicProperties& properties) {
  if (!properties.has(PropertyFlag::headers)) return 0;
  const auto delay = properties.headers.find("x-delay");
  return delay && delay->is_integer() && delay->as_integer() > 0 ? delay->as_integer() : 0;
}

Result<ExchangeNumber, TopologyError> Vhost::publishable(std::string_view name) const {
  const auto found = find_exchange(name);
  if (!found) return Unexpected{not_found("exchange", name)};
  if (exchange(*found).internal)
    return Unexpected{TopologyError{ReplyCode::access_refused, "cannot publish to internal " + text_of_exchange(name)}};
  return *found;
}

void Vhost::collect_keys(const Publication& publication) {
  routing_keys_.assign(1, publication.routing_key);
  if (!publication.properties.has(PropertyFlag::headers)) return;
  for (const auto name : key_headers) {
    const auto value = publication.properties.headers.find(name);
    if (!value || value->type() != FieldType::array) continue;
    for (const Field& field : value->as_array())
      if (field.value.is_text()) routing_keys_.push_back(field.value.as_text());
  }
}

Routed Vhost::route(ExchangeNumber from, const Publication& publication, bool after_delay) {
  ++publish_;
  routed_.clear();
  delayed_.clear();
  pending_.assign(1, from);
  exchange(from).visited = publish_;
  collect_keys(publication);
  for (bool first = true; !pending_.empty(); first = false) {
    const ExchangeNumber number = pending_.back();
    pending_.pop_back();
    Exchange& at = exchange(number);
    if (at.type == ExchangeType::delayed && !(first && after_delay) && delay_ms(publication.properties) > 0) {
      delayed_.push_back(number);
      continue;
    }
    route_through(at, number == default_exchange_, publication);
  }
  return {routed_, delayed_};
}

void Vhost::deliver(Destination to) {
  ++found_;
  if (!to.is_exchange()) {
    Queue& target = queue(to.queue());
    if (std::exchange(target.visited, publish_) != publish_) routed_.push_back(to.queue());
    return;
  }
  Exchange& target = exchange(to.exchange());
  if (std::exchange(target.visited, publish_) != publish_) pending_.push_back(to.exchange());
}

void Vhost::route_through(Exchange& at, bool is_default, const Publication& publication) {
  found_ = 0;
  const auto each = [this](Destination to) { deliver(to); };
  switch (at.routes_as) {
    case ExchangeType::direct:
      for (const auto key : routing_keys_) {
        if (!is_default) {
          keys_.match_key(at.root, key, each);
        } else if (const auto named = find_queue(key)) {
          deliver(*named);
        }
      }
      break;
    case ExchangeType::topic:
      for (const auto key : routing_keys_) keys_.match_pattern(at.root, key, each);
      break;
    case ExchangeType::headers:
      at.header_index->match(publication.properties.headers,
                             [this](std::uint32_t binding) { deliver(bindings_[binding].destination); });
      break;
    case ExchangeType::consistent_hash:
      to_ring(at, publication);
      break;
    case ExchangeType::fanout:
    case ExchangeType::delayed:
      keys_.match_all(at.root, each);
      break;
  }
  if (found_ > 0) return;
  const std::string& name = at.alternate.empty() ? at.default_alternate : at.alternate;
  if (name.empty()) return;
  if (const auto alternate = find_exchange(name)) deliver(*alternate);
}

void Vhost::to_ring(const Exchange& at, const Publication& publication) {
  if (at.ring->empty()) return;
  const BasicProperties& properties = publication.properties;
  std::array<char, 20> digits;
  const auto number = [&digits](auto value) {
    return std::string_view(
        digits.data(), static_cast<std::size_t>(std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr -
                                                digits.data()));
  };
  std::string_view text;
  switch (at.hash_of) {
    case HashOf::routing_key:
      text = publication.routing_key;
      break;
    case HashOf::header:
      if (const auto value = properties.headers.find(at.hash_header))
        text = value->is_integer() ? number(value->as_integer()) : value->as_text();
      break;
    case HashOf::correlation_id:
      text = properties.correlation_id;
      break;
    case HashOf::message_id:
      text = properties.message_id;
      break;
    case HashOf::timestamp:
      if (properties.has(PropertyFlag::timestamp)) text = number(properties.timestamp);
      break;
  }
  deliver(at.ring->choose(stable_hash(text)));
}

}  // namespace braid::amqp
