// Braid, Apache-2.0.
#include "actors/amqp/message_record.hpp"

#include <array>
#include <charconv>

#include "actors/record_headers.hpp"
#include "actors/topic_bridge/names.hpp"
#include "model/utf8.hpp"

namespace braid::amqp {

namespace {

/// Bits of the first byte of braid.amqp.
constexpr std::uint8_t dead_lettered_bit = 1, in_topic_bit = 2;

bool fits_short_string(std::string_view text) {
  return text.size() <= max_short_string_bytes;
}

void set_text(BasicProperties& properties, std::string_view BasicProperties::*field, PropertyFlag flag,
              std::string_view text) {
  if (properties.has(flag)) return;
  properties.*field = text;
  properties.set(flag);
}

/// Rewrites the headers of a property block: `edit(field, table)` copies a field, or does not.
template <class Edit, class Finish>
std::string_view rewrite(std::string_view encoded, std::string& scratch, Edit&& edit, Finish&& finish) {
  BasicProperties properties;
  // In a topic the block may be what a client of another protocol made up: nobody gets it.
  if (decode_properties(encoded, stored_limits, properties)) properties = {};
  TableWriter headers;
  for (const Field& field : properties.headers) edit(field, headers);
  finish(headers);
  properties.headers = headers.table();
  if (!properties.headers.empty()) properties.set(PropertyFlag::headers);
  ByteWriter out(encoded.size() + 128);
  encode_properties(out, properties);
  scratch.assign(out.view());
  return scratch;
}

}  // namespace

void append_own_header(std::string& to, const MessageRecordEncoder::Publish& publish) {
  to += static_cast<char>((publish.dead_lettered ? dead_lettered_bit : 0) | (publish.in_topic ? in_topic_bit : 0));
  to += static_cast<char>(publish.exchange.size());
  to += publish.exchange;
  to += publish.properties;
}

bool MessageRecordEncoder::add(BatchBuilder& batch, Timestamp arrived, const Publish& publish) {
  own_.clear();
  append_own_header(own_, publish);
  std::array<HeaderView, 3> headers;
  std::size_t count = 0;
  headers[count++] = {header::amqp, own_};
  if (!publish.expiration.empty()) headers[count++] = {header::expiration, publish.expiration};
  if (!publish.bcc.empty()) headers[count++] = {header::bcc, publish.bcc.encoded()};
  return batch.add_pieces(arrived, publish.routing_key, publish.body, std::span(headers).first(count));
}

void MessageRecordReader::read(const RecordView& record, MessageRecord& message) {
  HeaderReader headers = record.headers;
  HeaderView one;
  message = {};
  message.body = record.value.value_or(std::string_view());
  message.routing_key = record.key.value_or(std::string_view());
  bool own = false, topic_name = false;
  while (headers.next(one)) {
    const std::string_view value = one.value.value_or(std::string_view());
    if (one.key == header::amqp && value.size() >= 4) {
      const std::size_t exchange_bytes = static_cast<std::uint8_t>(value[1]);
      if (value.size() < 4 + exchange_bytes) continue;
      message.dead_lettered = static_cast<std::uint8_t>(value[0]) & dead_lettered_bit;
      message.exchange = value.substr(2, exchange_bytes);
      message.properties = value.substr(2 + exchange_bytes);
      own = true;
      topic_name = static_cast<std::uint8_t>(value[0]) & in_topic_bit;
    } else if (one.key == header::bcc) {
      message.bcc = Array(value);
    }
  }
  if (!own) topic_name = message.routing_key.find('/') != std::string_view::npos;
  if (topic_name) {
    key_ = to_routing_key(message.routing_key).value_or(std::string());
    message.routing_key = key_;
  }
  if (!fits_short_string(message.routing_key)) message.routing_key = {};
  if (own) return;
  message.exchange = "amq.topic";  // where the others' messages enter
  convert(record, message);
}

void MessageRecordReader::convert(const RecordView& record, MessageRecord& message) {
  BasicProperties properties;
  TableWriter table;
  const auto put = [&table](std::string_view name, const HeaderView& from) {
    if (!fits_short_string(name)) return;
    if (!from.value)
      table.put(name, FieldValue());
    else if (is_utf8(*from.value))
      table.put(name, FieldValue::text(*from.value));
    else
      table.put(name, FieldValue::binary(*from.value));
  };
  HeaderReader headers = record.headers;
  HeaderView one;
  while (headers.next(one)) {
    const std::string_view value = one.value.value_or(std::string_view());
    if (!one.key.starts_with(header::reserved_prefix)) {
      put(one.key, one);
    } else if (one.key == header::content_type && fits_short_string(value)) {
      set_text(properties, &BasicProperties::content_type, PropertyFlag::content_type, value);
    } else if (one.key == header::reply_to) {
      if (fits_short_string(value))
        set_text(properties, &BasicProperties::reply_to, PropertyFlag::reply_to, value);
      else
        put("x-reply-to", one);
    } else if (one.key == header::correlation_id) {
      if (fits_short_string(value) && is_utf8(value))
        set_text(properties, &BasicProperties::correlation_id, PropertyFlag::correlation_id, value);
      else
        put("x-correlation-id", one);
    } else if (one.key == header::expiration && parse_expiration(value)) {
      set_text(properties, &BasicProperties::expiration, PropertyFlag::expiration, value);
    } else if (one.key.starts_with(header::user_prefix)) {
      put(one.key.substr(header::user_prefix.size()), one);
    }
  }
  properties.headers = table.table();
  if (!properties.headers.empty()) properties.set(PropertyFlag::headers);
  properties.delivery_mode = persistent_delivery;
  properties.set(PropertyFlag::delivery_mode);
  if (record.timestamp.value >= 0) {
    properties.timestamp = static_cast<std::uint64_t>(record.timestamp.value / 1000);
    properties.set(PropertyFlag::timestamp);
  }
  converted_.truncate(0);
  encode_properties(converted_, properties);
  message.properties = converted_.view();
}

std::string_view with_header(std::string_view properties, std::string_view name, const FieldValue& value,
                             std::string& scratch) {
  return rewrite(
      properties, scratch,
      [name](const Field& field, TableWriter& headers) {
        if (field.name != name) headers.put(field.name, field.value);
      },
      [&](TableWriter& headers) { headers.put(name, value); });
}

std::string_view without_header(std::string_view properties, std::string_view name, std::string& scratch) {
  return rewrite(
      properties, scratch,
      [name](const Field& field, TableWriter& headers) {
        if (field.name != name) headers.put(field.name, field.value);
      },
      [](TableWriter&) {});
}

std::optional<std::uint64_t> parse_expiration(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace braid::amqp
