// Braid, Apache-2.0.
#include "actors/topic_bridge/records.hpp"

#include <fmt/format.h>

#include "actors/record_headers.hpp"
#include "codecs/mqtt/properties.hpp"

namespace braid::amqp {

namespace {

/// "3.14" for 314 with a scale of 2. The digits are signed for the clients that write decimals at all.
std::string decimal_text(std::uint32_t digits, std::uint8_t scale) {
  const std::int64_t number = static_cast<std::int32_t>(digits);
  std::string text = std::to_string(number < 0 ? -number : number);
  if (text.size() <= scale) text.insert(0, scale + 1 - text.size(), '0');
  if (scale > 0) text.insert(text.size() - scale, 1, '.');
  return number < 0 ? "-" + text : text;
}

/// A field as a header's bytes: texts as they are, numbers in decimal. Arrays and tables have no such form; they stay
/// in AMQP's own header.
std::optional<std::string> header_text(const FieldValue& value) {
  if (value.is_bytes()) return std::string(value.as_text());
  if (value.type() == FieldType::boolean) return value.as_bool() ? "true" : "false";
  if (value.is_integer() || value.type() == FieldType::timestamp) return std::to_string(value.as_integer());
  if (value.type() == FieldType::float32) return fmt::format("{}", static_cast<float>(value.as_real()));
  if (value.is_real()) return fmt::format("{}", value.as_real());
  if (value.type() == FieldType::decimal) return decimal_text(value.decimal_digits(), value.decimal_scale());
  return std::nullopt;
}

}  // namespace

std::string_view BridgeEncoder::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

/// A name of a client's that looks like one of ours is escaped.
void BridgeEncoder::add_header(std::string_view name, std::optional<std::string_view> value) {
  if (name.starts_with(header::reserved_prefix)) name = keep(std::string(header::user_prefix).append(name));
  headers_.push_back({name, value});
}

bool BridgeEncoder::add_to_topic(BatchBuilder& batch, Timestamp arrived, const RecordKey& key,
                                 const MessageRecord& message) {
  headers_.clear();
  texts_.clear();
  BasicProperties properties;
  if (decode_properties(message.properties, stored_limits, properties)) properties = {};
  // Short strings live in texts_ itself: it must not move while headers_ points into it.
  std::size_t fields = 0;
  for (auto at = properties.headers.begin(); at != properties.headers.end(); ++at) ++fields;
  texts_.reserve(2 * fields + 2);
  for (const Field& field : properties.headers) {
    if (field.value.type() == FieldType::none)
      add_header(field.name, std::nullopt);
    else if (auto text = header_text(field.value))
      add_header(field.name, keep(std::move(*text)));
  }
  const auto standard = [&](PropertyFlag flag, std::string_view name, std::string_view value) {
    if (properties.has(flag)) headers_.push_back({name, value});
  };
  standard(PropertyFlag::content_type, header::content_type, properties.content_type);
  standard(PropertyFlag::reply_to, header::reply_to, properties.reply_to);
  standard(PropertyFlag::correlation_id, header::correlation_id, properties.correlation_id);
  if (parse_expiration(properties.expiration))
    standard(PropertyFlag::expiration, header::expiration, properties.expiration);
  std::string own;
  MessageRecordEncoder::Publish as_it_came;
  as_it_came.exchange = message.exchange;
  as_it_came.properties = message.properties;
  as_it_came.in_topic = key.is_name;
  append_own_header(own, as_it_came);
  headers_.push_back({header::amqp, keep(std::move(own))});
  constexpr std::uint64_t latest_s = INT64_MAX / 1000;
  if (properties.has(PropertyFlag::timestamp) && properties.timestamp <= latest_s)
    arrived = Timestamp(static_cast<std::int64_t>(properties.timestamp) * 1000);
  return batch.add(arrived, key.text, message.body, headers_);
}

bool BridgeEncoder::add_to_queue(BatchBuilder& batch, std::string_view routing_key,
                                 const braid::Publication& publication) {
  headers_.clear();
  texts_.clear();
  mqtt::Properties properties;
  properties.block = publication.properties.view();
  std::size_t fields = 0;
  for (const auto& property : properties.all())
    if (property.id == mqtt::PropertyId::user_property) ++fields;
  texts_.reserve(fields + 1);
  for (const auto& property : properties.all()) {
    if (property.id == mqtt::PropertyId::user_property) add_header(property.name, property.text);
    if (property.id == mqtt::PropertyId::content_type) headers_.push_back({header::content_type, property.text});
    if (property.id == mqtt::PropertyId::response_topic) headers_.push_back({header::reply_to, property.text});
    if (property.id == mqtt::PropertyId::correlation_data) headers_.push_back({header::correlation_id, property.text});
  }
  if (publication.expiry_interval_s)
    headers_.push_back(
        {header::expiration, keep(std::to_string(std::uint64_t{*publication.expiry_interval_s} * 1000))});
  return batch.add(publication.published, routing_key, publication.payload.view(), headers_);
}

}  // namespace braid::amqp
