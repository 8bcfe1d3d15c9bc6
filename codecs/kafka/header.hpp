// Braid, Apache-2.0.
//
// What stands in front of a body. The version of a request's header follows from the version of the body, which the
// header itself names; so the first eight bytes are read before one knows how the rest is written. Even a request that
// we cannot decode has to be answered under its correlation id.
#pragma once

#include <optional>

#include "codecs/kafka/api_keys.hpp"
#include "codecs/kafka/codec.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct RequestHeader {
  static constexpr MessageInfo info{"RequestHeader", no_key, {1, 2}, 2};

  std::int16_t request_api_key = 0;
  std::int16_t request_api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<Text> client_id{std::in_place};

  ApiKey api_key() const { return static_cast<ApiKey>(request_api_key); }

  template <class V>
  static void describe(V& v) {
    v(&RequestHeader::request_api_key, "request_api_key", since(0));
    v(&RequestHeader::request_api_version, "request_api_version", since(0));
    v(&RequestHeader::correlation_id, "correlation_id", since(0));
    v(&RequestHeader::client_id, "client_id", since(1).nullable_since(1).never_compact());
  }
  friend bool operator==(const RequestHeader&, const RequestHeader&) = default;
};

struct ResponseHeader {
  static constexpr MessageInfo info{"ResponseHeader", no_key, {0, 1}, 1};

  std::int32_t correlation_id = 0;

  template <class V>
  static void describe(V& v) {
    v(&ResponseHeader::correlation_id, "correlation_id", since(0));
  }
  friend bool operator==(const ResponseHeader&, const ResponseHeader&) = default;
};

/// A request whose header has been read.
struct Request {
  enum class Support : std::uint8_t {
    supported,            ///< the codec has a description of this key in this version
    unknown_key,          ///< close the connection
    unsupported_version,  ///< close the connection, but ApiVersions is answered in version 0 (KIP-511)
  };
  RequestHeader header;
  Support support = Support::supported;
  Bytes body;  ///< meaningful when supported
};

/// Reads the header of a frame (without its length prefix).
Result<Request, DecodeError> read_request(Bytes frame);

/// A whole frame as it goes to the socket: length, header, body. The chain shares large payloads of the message.
using Frame = std::vector<Bytes>;
using EncodedFrame = Result<Frame, EncodeError>;

namespace detail {
EncodedFrame begin_response(FrameWriter&, const MessageInfo&, std::int16_t version, std::int32_t correlation_id);
EncodedFrame begin_request(FrameWriter&, const MessageInfo&, std::int16_t version, std::int32_t correlation_id,
                           std::optional<Text> client_id);
EncodedFrame end_frame(FrameWriter&, const Outcome<EncodeError>&);
}  // namespace detail

template <class Message>
EncodedFrame encode_response(const Message& message, std::int16_t version, std::int32_t correlation_id) {
  FrameWriter writer;
  if (auto begun = detail::begin_response(writer, Message::info, version, correlation_id); !begun) return begun;
  return detail::end_frame(writer, encode(writer, message, version));
}

/// For whoever speaks to a broker: tests, tools, other nodes.
template <class Message>
EncodedFrame encode_request(const Message& message, std::int16_t version, std::int32_t correlation_id,
                            std::optional<Text> client_id = {}) {
  FrameWriter writer;
  if (auto begun = detail::begin_request(writer, Message::info, version, correlation_id, std::move(client_id)); !begun)
    return begun;
  return detail::end_frame(writer, encode(writer, message, version));
}

template <class Message>
struct Response {
  std::int32_t correlation_id = 0;
  Message body;
};
/// Reads a response frame (without its length prefix) to a request of `version`.
template <class Message>
Result<Response<Message>, DecodeError> decode_response(Bytes frame, std::int16_t version) {
  const ApiInfo* api = find_api(static_cast<ApiKey>(Message::info.key));
  if (!api) return Unexpected{DecodeError{DecodeError::Code::unsupported_version, "api_key"}};
  ByteReader reader(std::move(frame));
  auto header = decode<ResponseHeader>(reader, api->response_header_version(version));
  if (!header) return Unexpected{header.error()};
  auto body = decode<Message>(reader, version);
  if (!body) return Unexpected{body.error()};
  return Response<Message>{header->correlation_id, *std::move(body)};
}

}  // namespace braid::kafka
