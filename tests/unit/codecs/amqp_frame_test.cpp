// Braid, Apache-2.0.
//
// The protocol header, frames, and messages made of several frames.
#include <random>

#include "support/seed.hpp"
#include "unit/codecs/amqp_support.hpp"

using namespace braid;
using namespace braid::amqp;
using namespace braid::amqp::testing;
using Status = Decoder::Status;

namespace {

const std::string publish_frame = method_frame(1, BasicPublish{.exchange = "e", .routing_key = "k"});

std::string header_payload(std::uint64_t body_bytes, std::uint16_t class_id = basic_class,
                           std::string_view properties = no_properties) {
  ByteWriter writer;
  writer.u16(class_id);
  writer.u16(0);
  writer.u64(body_bytes);
  writer.raw(properties);
  return std::string(writer.view());
}
std::string header_frame(std::uint64_t body_bytes) {
  return frame(2, 1, header_payload(body_bytes));
}

/// Feeds frames behind a basic.publish.
Check assemble(ContentAssembler& assembler, const std::string& bytes, const ContentLimits& limits = {}) {
  assembler.begin(BasicPublish::info.id);
  for (const Frame& frame : frames_of(bytes)) {
    REQUIRE(assembler.active());
    if (auto error = assembler.take(frame, limits)) {
      CHECK_FALSE(assembler.active());
      CHECK(error->method == BasicPublish::info.id);
      return error;
    }
  }
  return {};
}
ReplyCode refused_content(const std::string& bytes, const ContentLimits& limits = {}) {
  ContentAssembler assembler;
  const auto error = assemble(assembler, bytes, limits);
  REQUIRE(error);
  return error->code;
}
std::string body_of(const ContentAssembler& assembler) {
  std::string body;
  for (const auto piece : assembler.body()) body += piece;
  return body;
}

}  // namespace

TEST_CASE("an AMQP client begins with the protocol header, of 0-9-1 or of 0-9") {
  for (const std::string& header : {std::string(protocol_header), raw({'A', 'M', 'Q', 'P', 1, 1, 0, 9})}) {
    Decoder decoder(4096);
    Frame frame;
    for (std::size_t length = 0; length < 8; ++length)
      CHECK(decoder.next(header.substr(0, length), frame).status == Status::need_more);
    CHECK(decoder.next(header + "rest", frame).bytes == 8);
  }
}

TEST_CASE("another protocol than AMQP 0-9-1 is known by its first wrong byte") {
  for (const std::string& header :
       {std::string("GET / HTTP/1.1"), raw({'A', 'M', 'Q', 'P', 3}), raw({'A', 'M', 'Q', 'P', 0, 1, 0, 0}), raw({0x10}),
        raw({'A', 'M', 'Q', 'P', 0, 0, 9, 2})}) {
    Decoder decoder(4096);
    Frame frame;
    CHECK(decoder.next(header, frame).status == Status::wrong_protocol);
  }
}

TEST_CASE("a frame is shown where it lies") {
  Decoder decoder = started();
  Frame frame;
  const auto bytes = publish_frame + "next";
  const auto step = decoder.next(bytes, frame);
  CHECK(step.status == Status::frame);
  CHECK(step.bytes == publish_frame.size());
  CHECK(frame.type == FrameType::method);
  CHECK(frame.channel == 1);
  CHECK(frame.payload.data() == bytes.data() + 7);
}

TEST_CASE("a frame that is not there yet says how many bytes it needs") {
  for (std::size_t length = 0; length < publish_frame.size(); ++length) {
    Decoder decoder = started();
    Frame frame;
    const auto step = decoder.next(publish_frame.substr(0, length), frame);
    CHECK(step.status == Status::need_more);
    CHECK(step.bytes == (length < 7 ? 8 : publish_frame.size()));
  }
}

TEST_CASE("bad frames are refused with the code of RabbitMQ, as early as their first bytes allow") {
  for (const int type : {0, 4, 5, 7, 9, 255}) CHECK(refused(raw({type})) == ReplyCode::frame_error);
  CHECK(refused(raw({1, 0, 1}) + big32(4097)) == ReplyCode::frame_error);
  CHECK(refused(raw({3, 0, 1}) + big32(0xffffffff)) == ReplyCode::frame_error);
  CHECK(refused(publish_frame.substr(0, publish_frame.size() - 1) + "x") == ReplyCode::frame_error);
  CHECK(refused(raw({8, 0, 1}) + big32(0)) == ReplyCode::unexpected_frame);
  CHECK(refused(raw({8, 0, 0}) + big32(1)) == ReplyCode::frame_error);
  CHECK(refused(raw({2, 0, 0}) + big32(14)) == ReplyCode::unexpected_frame);
  CHECK(refused(raw({3, 0, 0}) + big32(14)) == ReplyCode::unexpected_frame);
}

TEST_CASE("a frame may have eight bytes more than was agreed, as RabbitMQ allows") {
  Decoder decoder = started(4096);
  Frame frame;
  CHECK(decoder.next(testing::frame(3, 1, std::string(4096, 'x')), frame).status == Status::frame);
  decoder.set_frame_max(8192);
  CHECK(decoder.next(testing::frame(3, 1, std::string(8192, 'x')), frame).status == Status::frame);
}

TEST_CASE("a heartbeat has no payload") {
  ByteWriter writer;
  encode_heartbeat(writer);
  CHECK(std::string(writer.view()) == raw({8, 0, 0, 0, 0, 0, 0, 0xce}));
  CHECK(frames_of(writer.view())[0].type == FrameType::heartbeat);
}

TEST_CASE("a message is put together from its header and bodies without a copy") {
  ContentAssembler assembler;
  const std::string first(600, 'a');
  const auto bytes = header_frame(607) + frame(3, 1, first) + frame(3, 1, "") + frame(3, 1, "seventh");
  REQUIRE_FALSE(assemble(assembler, bytes));
  CHECK_FALSE(assembler.active());
  CHECK(assembler.header().body_bytes == 607);
  REQUIRE(assembler.body().size() == 2);
  CHECK(assembler.body()[0].data() > bytes.data());
  CHECK(assembler.body()[0].data() < bytes.data() + bytes.size());
  CHECK(body_of(assembler) == first + "seventh");
}

TEST_CASE("an empty message ends with its header") {
  ContentAssembler assembler;
  REQUIRE_FALSE(assemble(assembler, header_frame(0)));
  CHECK_FALSE(assembler.active());
  CHECK(assembler.body().empty());
}

TEST_CASE("a large body in tiny frames costs no more than the body") {
  std::string bytes = header_frame(20000);
  std::string whole;
  for (int i = 0; i < 20000; ++i) {
    bytes += frame(3, 1, std::string(1, static_cast<char>('a' + i % 26)));
    whole += static_cast<char>('a' + i % 26);
  }
  ContentAssembler assembler;
  REQUIRE_FALSE(assemble(assembler, bytes));
  CHECK(assembler.body().size() == 1);
  CHECK(body_of(assembler) == whole);
  CHECK(assembler.memory_bytes() < 50000);
  assembler.reset();
  CHECK(assembler.memory_bytes() < 200);
}

TEST_CASE("a message over several reads keeps its reads alive and nothing else") {
  ContentAssembler assembler;
  assembler.begin(BasicPublish::info.id);
  std::string sent;
  for (int part = 0; part < 5; ++part) {
    const std::string piece(1000, static_cast<char>('a' + part));
    sent += piece;
    const auto read = Bytes::copy(part == 0 ? header_frame(5000) + frame(3, 1, piece) : frame(3, 1, piece));
    for (const Frame& one : frames_of(read.view())) REQUIRE_FALSE(assembler.take(one, {}));
    if (assembler.active()) assembler.keep(read);
    if (part == 4) CHECK(body_of(assembler) == sent);
  }
}

TEST_CASE("frames that are not what a message needs next are refused") {
  CHECK(refused_content(publish_frame) == ReplyCode::unexpected_frame);
  CHECK(refused_content(frame(3, 1, "body")) == ReplyCode::unexpected_frame);
  CHECK(refused_content(header_frame(5) + publish_frame) == ReplyCode::unexpected_frame);
  CHECK(refused_content(header_frame(5) + header_frame(5)) == ReplyCode::unexpected_frame);
  CHECK(refused_content(header_frame(5) + frame(3, 1, "six...")) == ReplyCode::frame_error);
  CHECK(refused_content(frame(2, 1, header_payload(5, 50))) == ReplyCode::unexpected_frame);
  CHECK(refused_content(frame(2, 1, "short")) == ReplyCode::frame_error);
  auto weight = header_payload(5);
  weight[3] = 1;
  CHECK(refused_content(frame(2, 1, weight)) == ReplyCode::frame_error);
  CHECK(refused_content(header_frame(11), {.max_body_bytes = 10}) == ReplyCode::precondition_failed);
  CHECK(refused_content(header_frame(0xffffffffffffffff)) == ReplyCode::precondition_failed);
}

TEST_CASE("all fourteen properties are decoded, and handed on byte for byte") {
  TableWriter headers;
  headers.put("x", "y");
  BasicProperties properties;
  properties.flags = 0xfffc;
  properties.content_type = "text/plain";
  properties.content_encoding = "gzip";
  properties.headers = headers.table();
  properties.delivery_mode = 2;
  properties.priority = 9;
  properties.correlation_id = "c";
  properties.reply_to = "r";
  properties.expiration = "60000";
  properties.message_id = "m";
  properties.timestamp = 1700000000;
  properties.type = "t";
  properties.user_id = "guest";
  properties.app_id = "a";
  properties.cluster_id = "cl";
  ByteWriter encoded;
  encode_properties(encoded, properties);
  ContentAssembler assembler;
  const auto bytes = frame(2, 1, header_payload(0, basic_class, encoded.view()));
  REQUIRE_FALSE(assemble(assembler, bytes));
  const BasicProperties& back = assembler.header().properties;
  CHECK(assembler.header().encoded == encoded.view());
  CHECK(back.persistent());
  CHECK(back.headers.find("x")->as_text() == "y");
  CHECK(back.timestamp == 1700000000);
  CHECK(print(back) == print(properties));
  CHECK(print(back).ends_with("user-id='guest', app-id='a', cluster-id='cl'}"));
  for (std::size_t cut = 0; cut < encoded.size(); ++cut) {
    BasicProperties into;
    CHECK(decode_properties(encoded.view().substr(0, cut), {}, into));
  }
}

TEST_CASE("property flags that no property has are refused") {
  BasicProperties into;
  for (const int low : {1, 2, 3}) CHECK(decode_properties(raw({0, low}), {}, into)->code == ReplyCode::syntax_error);
  CHECK_FALSE(decode_properties(no_properties, {}, into));
  CHECK(decode_properties(raw({0, 0, 0}), {}, into)->code == ReplyCode::syntax_error);
}

TEST_CASE("a delivery is cut at frame-max and its body is not copied") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const std::size_t size : {0, 1, 1023, 1024, 4087, 4088, 4089, 8176, 100000}) {
    for (const std::uint32_t frame_max : {4096u, 131072u, 0u}) {
      std::string text(size, ' ');
      for (char& c : text) c = static_cast<char>(random());
      const auto body = Bytes::copy(text);
      FrameWriter writer;
      BasicDeliver deliver;
      deliver.consumer_tag = "ctag";
      deliver.delivery_tag = {77};
      deliver.exchange = "amq.topic";
      deliver.routing_key = "a.b";
      encode_content(writer, 3, frame_max, deliver, no_properties, body);
      std::size_t bytes = 0;
      std::size_t shared = 0;
      std::string all;
      for (const Bytes& piece : writer.finish()) {
        bytes += piece.size();
        all += piece.view();
        if (size > 0 && piece.data() >= body.data() && piece.data() < body.data() + size) shared += piece.size();
      }
      if (size >= 4096) CHECK(shared + 1024 > size);
      ContentAssembler assembler;
      std::size_t frames = 0;
      for (const Frame& one : frames_of(all)) {
        if (frame_max > 0) CHECK(one.payload.size() + 8 <= frame_max);
        if (frames++ == 0) {
          Method method;
          REQUIRE_FALSE(decode_method(one.payload, {}, method));
          CHECK(std::get<BasicDeliver>(method).delivery_tag == DeliveryTag{77});
          assembler.begin(BasicDeliver::info.id);
        } else {
          REQUIRE_FALSE(assembler.take(one, {}));
        }
      }
      CHECK_FALSE(assembler.active());
      CHECK(body_of(assembler) == text);
      CHECK(bytes == all.size());
    }
  }
}
