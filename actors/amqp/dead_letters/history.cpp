// Braid, Apache-2.0.
#include "actors/amqp/dead_letters/history.hpp"

#include <array>

namespace braid::amqp {

namespace {

constexpr std::string_view death_header = "x-death";
/// first, then last: "x-first-death-reason", "x-last-death-queue", ...
struct Neighbours {
  std::string_view reason, queue, exchange;
};
constexpr Neighbours first_death{"x-first-death-reason", "x-first-death-queue", "x-first-death-exchange"};
constexpr Neighbours last_death{"x-last-death-reason", "x-last-death-queue", "x-last-death-exchange"};

bool is_ours(std::string_view name) {
  constexpr std::array names{death_header,      first_death.reason, first_death.queue,  first_death.exchange,
                             last_death.reason, last_death.queue,   last_death.exchange};
  for (const auto each : names)
    if (name == each) return true;
  return false;
}

std::string_view text_of(const Table& table, std::string_view name) {
  const auto value = table.find(name);
  return value && value->is_text() ? value->as_text() : std::string_view();
}

}  // namespace

std::string_view name_of(DeadReason reason) {
  switch (reason) {
    case DeadReason::rejected:
      return "rejected";
    case DeadReason::expired:
      return "expired";
    case DeadReason::maxlen:
      return "maxlen";
    case DeadReason::delivery_limit:
      return "delivery_limit";
  }
  return "rejected";
}

bool DeathHistory::record(const MessageRecord& message, const Death& death, Timestamp now) {
  properties_ = {};
  if (decode_properties(message.properties, stored_limits, properties_)) return false;
  const Table before = properties_.headers;
  headers_ = {};
  deaths_.clear();
  for (const Field& field : before)
    if (!is_ours(field.name) && !(death.new_routing_key && field.name == "CC")) headers_.put(field.name, field.value);
  write_deaths(message, death, now, before);
  write_neighbours(message, death, before);
  properties_.headers = headers_.table();
  properties_.set(PropertyFlag::headers);
  properties_.flags &= static_cast<std::uint16_t>(~static_cast<std::uint16_t>(PropertyFlag::expiration));
  properties_.expiration = {};
  encoded_.truncate(0);
  encode_properties(encoded_, properties_);
  return true;
}

/// A client's own x-death is not believed (RabbitMQ 4.0): only what a broker has recorded goes on.
void DeathHistory::write_deaths(const MessageRecord& message, const Death& death, Timestamp now, const Table& before) {
  std::vector<Table> earlier;
  std::optional<Table> again;
  if (const auto deaths = before.find(death_header);
      message.dead_lettered && deaths && deaths->type() == FieldType::array)
    for (const Field& each : deaths->as_array()) {
      if (each.value.type() != FieldType::table) continue;
      const Table entry = each.value.as_table();
      const bool same = text_of(entry, "queue") == death.queue && text_of(entry, "reason") == name_of(death.reason);
      if (same && !again)
        again = entry;
      else
        earlier.push_back(entry);
    }

  headers_.open_array(death_header).open_table();
  if (again) {
    for (const Field& field : *again) {
      if (field.name == "count" && field.value.is_integer())
        headers_.put("count", field.value.as_integer() + 1);
      else
        headers_.put(field.name, field.value);
    }
  } else {
    headers_.put("count", std::int64_t{1});
    headers_.put("reason", name_of(death.reason));
    headers_.put("queue", death.queue);
    headers_.put("time", FieldValue::timestamp(static_cast<std::uint64_t>(now.value / 1000)));
    headers_.put("exchange", message.exchange);
    headers_.open_array("routing-keys").add(FieldValue::text(message.routing_key));
    if (const auto more = before.find("CC"); more && more->type() == FieldType::array)
      for (const Field& key : more->as_array())
        if (key.value.is_text()) headers_.add(key.value);
    headers_.close();
    if (properties_.has(PropertyFlag::expiration)) headers_.put("original-expiration", properties_.expiration);
  }
  headers_.close();
  deaths_.push_back({death.queue, name_of(death.reason)});
  for (const Table& entry : earlier) {
    headers_.add(FieldValue::table(entry));
    deaths_.push_back({text_of(entry, "queue"), text_of(entry, "reason")});
  }
  headers_.close();
}

void DeathHistory::write_neighbours(const MessageRecord& message, const Death& death, const Table& before) {
  const auto put = [&](const Neighbours& names, std::string_view reason, std::string_view queue,
                       std::string_view exchange) {
    headers_.put(names.reason, reason);
    headers_.put(names.queue, queue);
    headers_.put(names.exchange, exchange);
  };
  if (message.dead_lettered && before.find(first_death.queue))
    put(first_death, text_of(before, first_death.reason), text_of(before, first_death.queue),
        text_of(before, first_death.exchange));
  else
    put(first_death, name_of(death.reason), death.queue, message.exchange);
  put(last_death, name_of(death.reason), death.queue, message.exchange);
}

bool DeathHistory::is_cycle(std::string_view target_queue) const {
  for (const Entry& entry : deaths_) {
    if (entry.reason == name_of(DeadReason::rejected)) return false;
    if (entry.queue == target_queue) return true;
  }
  return false;
}

}  // namespace braid::amqp
