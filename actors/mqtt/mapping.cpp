// Braid, Apache-2.0.
#include "actors/mqtt/mapping.hpp"

#include <charconv>

#include "codecs/mqtt/topic.hpp"

namespace braid::mqtt {

std::string_view RecordEncoder::keep(std::string text) {
  return texts_.emplace_back(std::move(text));
}

bool RecordEncoder::add(BatchBuilder& batch, Timestamp now, std::string_view topic, std::string_view payload,
                        const Properties& properties) {
  headers_.clear();
  texts_.clear();
  if (properties.present != 0) {
    // Short strings live in texts_ itself: it must not move while headers_ points into it.
    texts_.reserve(properties.user_property_count + std::size_t{1});
    for (const auto& property : properties.all()) {
      if (property.id != PropertyId::user_property) continue;
      auto name = property.name;
      if (name.starts_with(header::reserved_prefix)) name = keep(std::string(header::user_prefix).append(name));
      headers_.push_back({name, property.text});
    }
    if (const auto text = properties.text(PropertyId::content_type)) headers_.push_back({header::content_type, *text});
    if (const auto text = properties.text(PropertyId::response_topic)) headers_.push_back({header::reply_to, *text});
    if (const auto text = properties.text(PropertyId::correlation_data))
      headers_.push_back({header::correlation_id, *text});
    if (properties.has(PropertyId::message_expiry_interval))
      headers_.push_back(
          {header::expiration, keep(std::to_string(std::uint64_t{properties.message_expiry_interval_s} * 1000))});
    if (properties.payload_format_indicator == 1) headers_.push_back({header::payload_format, "1"});
  }
  return batch.add(now, topic, payload, headers_);
}

namespace {

/// Expiry in whole seconds, rounded up so that a message never expires before its time.
std::optional<std::uint32_t> expiry_of(std::string_view text) {
  std::uint64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>((ms + 999) / 1000, UINT32_MAX));
}

}  // namespace

std::shared_ptr<const Publication> to_publication(Bytes topic, const BatchWalker& walker, const RecordView& record,
                                                  std::uint8_t publish_flags, std::uint64_t publisher) {
  auto publication = std::make_shared<Publication>();
  publication->topic = std::move(topic);
  if (record.value) publication->payload = walker.share(*record.value);
  publication->published = record.timestamp;
  publication->qos = publish_flags & PublishFlags::qos_mask;
  publication->retain = (publish_flags & PublishFlags::retain) != 0;
  publication->publisher = publisher;
  if (record.headers.left() == 0) return publication;

  PropertyWriter writer;
  HeaderReader headers = record.headers;
  HeaderView one;
  std::uint64_t seen = 0;
  // A record from elsewhere may repeat a standard header; MQTT allows each once, so the first counts.
  auto first = [&seen](PropertyId id) {
    const std::uint64_t bit = 1ull << static_cast<int>(id);
    return (std::exchange(seen, seen | bit) & bit) == 0;
  };
  while (headers.next(one)) {
    const std::string_view value = one.value.value_or(std::string_view{});
    if (!one.key.starts_with(header::reserved_prefix)) {
      writer.user(one.key, value);
    } else if (one.key == header::content_type) {
      if (first(PropertyId::content_type)) writer.text(PropertyId::content_type, value);
    } else if (one.key == header::reply_to) {
      if (valid_topic_name(value) && first(PropertyId::response_topic)) writer.text(PropertyId::response_topic, value);
    } else if (one.key == header::correlation_id) {
      if (first(PropertyId::correlation_data)) writer.text(PropertyId::correlation_data, value);
    } else if (one.key == header::expiration) {
      publication->expiry_interval_s = expiry_of(value);
    } else if (one.key == header::payload_format) {
      if (value == "1" && first(PropertyId::payload_format_indicator))
        writer.number(PropertyId::payload_format_indicator, 1);
    } else if (one.key.starts_with(header::user_prefix)) {
      writer.user(one.key.substr(header::user_prefix.size()), value);
    }
  }
  if (writer.size() != 0) publication->properties = writer.finish();
  return publication;
}

std::optional<std::uint32_t> remaining_expiry_s(const Publication& publication, Timestamp now) {
  if (!publication.expiry_interval_s) return std::nullopt;
  const std::int64_t waited_ms = std::max<std::int64_t>(0, now.value - publication.published.value);
  const std::int64_t left_ms = std::int64_t{*publication.expiry_interval_s} * 1000 - waited_ms;
  if (left_ms <= 0) return 0;
  return static_cast<std::uint32_t>((left_ms + 999) / 1000);
}

}  // namespace braid::mqtt
