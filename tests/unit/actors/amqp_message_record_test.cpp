// Braid, Apache-2.0.
//
// A message as a record and back: byte for byte for AMQP, by the mapping for records of other protocols.
#include <array>
#include <catch2/catch.hpp>

#include "actors/amqp/message_record.hpp"

using namespace braid;
using namespace braid::amqp;

namespace {

std::string encoded(const BasicProperties& properties) {
  ByteWriter out;
  encode_properties(out, properties);
  return std::string(out.view());
}

/// The first record of a batch, with the batch kept.
struct Stored {
  explicit Stored(BatchBuilder& builder) : batch(builder.finish()), walker(*BatchWalker::open(batch, batch.size())) {
    REQUIRE(walker.next(record));
  }
  Bytes batch;
  BatchWalker walker;
  RecordView record;
};

}  // namespace

TEST_CASE("a message comes back as it was, whatever pieces its body came in") {
  TableWriter headers;
  headers.put("h", "v").put("n", 5);
  BasicProperties properties;
  properties.content_type = "text/plain";
  properties.set(PropertyFlag::content_type);
  properties.headers = headers.table();
  properties.set(PropertyFlag::headers);
  const std::string block = encoded(properties);
  TableWriter bcc;
  bcc.open_array("BCC").add(FieldValue::text("hidden")).close();

  BatchBuilder builder;
  MessageRecordEncoder encoder;
  const std::array<std::string_view, 3> pieces{"hel", "", "lo"};
  REQUIRE(encoder.add(builder, Timestamp(1000),
                      {.exchange = "x",
                       .routing_key = "a.b",
                       .properties = block,
                       .expiration = "60000",
                       .body = pieces,
                       .bcc = bcc.table().find("BCC")->as_array(),
                       .dead_lettered = true}));
  const Stored stored(builder);
  MessageRecordReader reader;
  MessageRecord message;
  reader.read(stored.record, message);
  CHECK(message.exchange == "x");
  CHECK(message.routing_key == "a.b");
  CHECK(message.properties == block);
  CHECK(message.body == "hello");
  CHECK(message.dead_lettered);
  CHECK((*message.bcc.begin()).value.as_text() == "hidden");
  CHECK(stored.record.timestamp == Timestamp(1000));
  HeaderReader fields = stored.record.headers;
  HeaderView field;
  bool expires = false;
  while (fields.next(field)) expires |= field.key == "braid.expiration" && field.value == "60000";
  CHECK(expires);
}

TEST_CASE("a message without anything but a body takes few bytes beside it") {
  BatchBuilder builder;
  MessageRecordEncoder encoder;
  const std::string_view body = "x";
  REQUIRE(encoder.add(builder, Timestamp(1), {.routing_key = "q", .body = std::span(&body, 1)}));
  CHECK(builder.bytes() - kBatchHeaderBytes < 32);
  const Stored stored(builder);
  MessageRecordReader reader;
  MessageRecord message;
  reader.read(stored.record, message);
  CHECK(message.exchange.empty());
  CHECK(message.properties == no_properties);
  CHECK_FALSE(message.dead_lettered);
}

TEST_CASE("a record of another protocol is read as its headers say") {
  BatchBuilder builder;
  const std::array<HeaderView, 7> headers{{{"plain", "text"},
                                           {"binary", "\xff\xfe"},
                                           {"none", std::nullopt},
                                           {"braid.content-type", "application/json"},
                                           {"braid.correlation-id", "c-1"},
                                           {"braid.expiration", "5000"},
                                           {"braid.user.braid.x", "escaped"}}};
  REQUIRE(builder.add(Timestamp(1234567), "sensors/room", "21", headers));
  const Stored stored(builder);
  MessageRecordReader reader;
  MessageRecord message;
  reader.read(stored.record, message);
  BasicProperties properties;
  REQUIRE_FALSE(decode_properties(message.properties, {}, properties));
  CHECK(message.body == "21");
  CHECK(message.routing_key == "sensors.room");
  CHECK(properties.content_type == "application/json");
  CHECK(properties.correlation_id == "c-1");
  CHECK(properties.expiration == "5000");
  CHECK(properties.timestamp == 1234);
  CHECK(properties.persistent());
  CHECK(properties.headers.find("plain")->as_text() == "text");
  CHECK(properties.headers.find("binary")->type() == FieldType::binary);
  CHECK(properties.headers.find("none")->type() == FieldType::none);
  CHECK(properties.headers.find("braid.x")->as_text() == "escaped");
}

TEST_CASE("a message in a topic comes back under the routing key that its name stands for") {
  BatchBuilder builder;
  MessageRecordEncoder encoder;
  const std::string_view body = "x";
  REQUIRE(
      encoder.add(builder, Timestamp(1),
                  {.exchange = "amq.topic", .routing_key = "10.0.0.1", .body = std::span(&body, 1), .in_topic = true}));
  const Stored stored(builder);
  MessageRecordReader reader;
  MessageRecord message;
  reader.read(stored.record, message);
  CHECK(message.exchange == "amq.topic");
  CHECK(message.routing_key == "10%2E0%2E0%2E1");
}

TEST_CASE("a key that is no routing key and a header of ours that is cut short harm nobody") {
  BatchBuilder builder;
  const std::array<HeaderView, 2> headers{{{"braid.amqp", "\x01"}, {"braid.amqp", std::string_view("\0\xffx\0", 4)}}};
  REQUIRE(builder.add(Timestamp(0), std::string(300, 'k'), std::nullopt, headers));
  const Stored stored(builder);
  MessageRecordReader reader;
  MessageRecord message;
  reader.read(stored.record, message);
  CHECK(message.routing_key.empty());
  CHECK(message.body.empty());
  BasicProperties properties;
  CHECK_FALSE(decode_properties(message.properties, {}, properties));
}

TEST_CASE("a property block that somebody else made up reaches no client") {
  std::string scratch;
  BasicProperties properties;
  const auto block = with_header("\xff\xff nonsense", "x-stream-offset", FieldValue::integer(5), scratch);
  REQUIRE_FALSE(decode_properties(block, {}, properties));
  CHECK(properties.headers.find("x-stream-offset")->as_integer() == 5);
}

TEST_CASE("a header field is set, replaced and taken out of a property block") {
  std::string scratch, more;
  const auto once = with_header(no_properties, "x-delivery-count", FieldValue::integer(1), scratch);
  const auto twice = with_header(once, "x-delivery-count", FieldValue::integer(2), more);
  BasicProperties properties;
  REQUIRE_FALSE(decode_properties(twice, {}, properties));
  CHECK(properties.headers.find("x-delivery-count")->as_integer() == 2);
  REQUIRE_FALSE(decode_properties(without_header(twice, "x-delivery-count", scratch), {}, properties));
  CHECK(properties.headers.empty());
  CHECK(parse_expiration("0") == 0);
  CHECK_FALSE(parse_expiration(""));
  CHECK_FALSE(parse_expiration("-1"));
  CHECK_FALSE(parse_expiration("1x"));
}
