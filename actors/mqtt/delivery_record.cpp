// Braid, Apache-2.0.
#include "actors/mqtt/delivery_record.hpp"

#include <array>

#include "codecs/mqtt/types.hpp"
#include "model/byte_io.hpp"

namespace braid::mqtt {

namespace {

constexpr std::string_view kDeliveryHeader = "d", kPropertiesHeader = "p";
// Bits of the first byte.
constexpr unsigned kRetain = 1u << 2, kPublishedRetain = 1u << 5, kExpires = 1u << 6;

}  // namespace

bool add_delivery(BatchBuilder& batch, Timestamp now, const Delivery& delivery) {
  const Publication& publication = *delivery.publication;
  ByteWriter writer(64);
  writer.u8(static_cast<std::uint8_t>((delivery.qos & 3u) | (delivery.retain ? kRetain : 0u) |
                                      (publication.qos & 3u) << 3 | (publication.retain ? kPublishedRetain : 0u) |
                                      (publication.expiry_interval_s ? kExpires : 0u)));
  writer.i64(publication.published.value);
  if (publication.expiry_interval_s) writer.u32(*publication.expiry_interval_s);
  writer.u64(publication.publisher);
  writer.u64(delivery.share);
  writer.varint(delivery.subscription_identifiers.size());
  for (const auto identifier : delivery.subscription_identifiers) writer.varint(identifier);
  const std::array<HeaderView, 2> headers{HeaderView{kDeliveryHeader, writer.view()},
                                          HeaderView{kPropertiesHeader, publication.properties.view()}};
  return batch.add(now, publication.topic.view(), publication.payload.view(), headers);
}

std::optional<Delivery> read_delivery(const BatchWalker& walker, const RecordView& record) {
  HeaderReader headers = record.headers;
  HeaderView fields, properties;
  if (!record.key || !headers.next(fields) || !headers.next(properties) || fields.key != kDeliveryHeader ||
      !fields.value || !properties.value)
    return std::nullopt;
  ByteReader reader(walker.share(*fields.value));
  auto publication = std::make_shared<Publication>();
  Delivery delivery;
  const unsigned bits = reader.u8();
  delivery.qos = bits & 3;
  delivery.retain = (bits & kRetain) != 0;
  publication->qos = bits >> 3 & 3;
  publication->retain = (bits & kPublishedRetain) != 0;
  publication->published = Timestamp{reader.i64()};
  if (bits & kExpires) publication->expiry_interval_s = reader.u32();
  publication->publisher = reader.u64();
  delivery.share = reader.u64();
  const std::uint64_t identifiers = reader.varint();
  if (identifiers > reader.remaining()) return std::nullopt;
  for (std::uint64_t i = 0; i < identifiers; ++i) delivery.subscription_identifiers.push_back(reader.varint32());
  if (reader.failed()) return std::nullopt;
  publication->topic = walker.share(*record.key);
  if (record.value) publication->payload = walker.share(*record.value);
  publication->properties = walker.share(*properties.value);
  delivery.publication = std::move(publication);
  return delivery;
}

}  // namespace braid::mqtt
