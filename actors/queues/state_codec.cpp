// Braid, Apache-2.0.
#include "actors/queues/state_codec.hpp"

#include "model/byte_io.hpp"

namespace braid {
namespace {

constexpr std::uint8_t kDefinitionVersion = 1;
constexpr std::uint8_t kAutoDelete = 1, kSingleActive = 2, kDeadLetter = 4;
constexpr std::uint8_t kTtl = 1, kExpires = 2, kLength = 4, kLengthBytes = 8, kDeliveryLimit = 16;

template <class Value>
void optional_number(ByteWriter& out, const std::optional<Value>& value) {
  if (value) out.varint(static_cast<std::uint64_t>(*value));
}

}  // namespace

Bytes encode_key(const QueueStateKey& key) {
  ByteWriter out(18);
  out.u8(static_cast<std::uint8_t>(key.kind));
  out.u64(key.queue.value);
  if (key.kind != 'D') out.u8(key.priority);
  if (key.kind == 'C') out.u64(key.page);
  return out.finish();
}

std::optional<QueueStateKey> decode_key(const Bytes& bytes) {
  ByteReader in(bytes);
  QueueStateKey key;
  key.kind = static_cast<char>(in.u8());
  if (key.kind != 'D' && key.kind != 'P' && key.kind != 'C') return std::nullopt;
  key.queue = QueueId(in.u64());
  if (key.kind != 'D') key.priority = in.u8();
  if (key.kind == 'C') key.page = in.u64();
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return key;
}

Bytes encode_definition(const StoredQueue& queue) {
  const QueueSettings& settings = queue.settings;
  ByteWriter out(64 + queue.name.size() + queue.definition.size());
  out.u8(kDefinitionVersion);
  out.sized(queue.name);
  out.u8(static_cast<std::uint8_t>(queue.owner));
  out.u8(static_cast<std::uint8_t>((settings.auto_delete ? kAutoDelete : 0) |
                                   (settings.single_active_consumer ? kSingleActive : 0) |
                                   (settings.dead_letter ? kDeadLetter : 0)));
  out.u8(settings.max_priority);
  out.u8(static_cast<std::uint8_t>(settings.overflow));
  out.u8(static_cast<std::uint8_t>((settings.message_ttl_ms ? kTtl : 0) | (settings.expires_ms ? kExpires : 0) |
                                   (settings.max_length ? kLength : 0) |
                                   (settings.max_length_bytes ? kLengthBytes : 0) |
                                   (settings.delivery_limit ? kDeliveryLimit : 0)));
  optional_number(out, settings.message_ttl_ms);
  optional_number(out, settings.expires_ms);
  optional_number(out, settings.max_length);
  optional_number(out, settings.max_length_bytes);
  optional_number(out, settings.delivery_limit);
  out.sized(queue.definition.view());
  return out.finish();
}

std::optional<StoredQueue> decode_definition(const Bytes& value) {
  ByteReader in(value);
  StoredQueue queue;
  if (in.u8() != kDefinitionVersion) return std::nullopt;
  queue.name = in.take_view(in.varint());
  const std::uint8_t owner = in.u8(), flags = in.u8();
  QueueSettings& settings = queue.settings;
  settings.max_priority = in.u8();
  const std::uint8_t overflow = in.u8(), present = in.u8();
  if (in.failed() || owner > static_cast<std::uint8_t>(QueueOwner::kafka) ||
      overflow > static_cast<std::uint8_t>(Overflow::reject_publish_dead_letter))
    return std::nullopt;
  queue.owner = static_cast<QueueOwner>(owner);
  settings.overflow = static_cast<Overflow>(overflow);
  settings.auto_delete = flags & kAutoDelete;
  settings.single_active_consumer = flags & kSingleActive;
  settings.dead_letter = flags & kDeadLetter;
  if (present & kTtl) settings.message_ttl_ms = static_cast<std::int64_t>(in.varint() & INT64_MAX);
  if (present & kExpires) settings.expires_ms = static_cast<std::int64_t>(in.varint() & INT64_MAX);
  if (present & kLength) settings.max_length = in.varint();
  if (present & kLengthBytes) settings.max_length_bytes = in.varint();
  if (present & kDeliveryLimit) settings.delivery_limit = in.varint32();
  // A copy: the value is a slice of a much larger batch.
  queue.definition = Bytes::copy(in.take_sized());
  if (in.failed() || in.remaining() != 0) return std::nullopt;
  return queue;
}

StateChange to_state(QueueId queue, const Queue::Change& change) {
  QueueStateKey key{change.page ? 'C' : 'P', queue, change.priority, change.page.value_or(0)};
  return {encode_key(key), change.value};
}

}  // namespace braid
