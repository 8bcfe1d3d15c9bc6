// Braid, Apache-2.0.
#include "codecs/kafka/header.hpp"

#include "codecs/kafka/instantiate.hpp"

namespace braid::kafka {

BRAID_KAFKA_INSTANTIATE(RequestHeader);
BRAID_KAFKA_INSTANTIATE(ResponseHeader);

Result<Request, DecodeError> read_request(Bytes frame) {
  ByteReader reader(frame);
  Request request;
  const auto key = reader.i16();
  const auto version = reader.i16();
  request.header.request_api_key = key;
  request.header.request_api_version = version;
  request.header.correlation_id = reader.i32();
  if (reader.failed()) return Unexpected{DecodeError{DecodeError::Code::truncated, "correlation_id"}};

  const ApiInfo* api = find_api(static_cast<ApiKey>(key));
  if (!api || !api->versions.contains(version)) {
    request.support = api ? Request::Support::unsupported_version : Request::Support::unknown_key;
    return request;
  }
  ByteReader whole(frame);
  auto header = decode<RequestHeader>(whole, api->request_header_version(version));
  if (!header) return Unexpected{header.error()};
  request.header = *std::move(header);
  request.body = frame.slice(whole.position());
  return request;
}

namespace detail {
namespace {
constexpr std::size_t length_prefix_bytes = 4;

template <class Header>
EncodedFrame begin(FrameWriter& writer, const Header& header, std::int16_t header_version) {
  writer.bytes().u32(0);
  if (auto encoded = encode(writer, header, header_version); !encoded) return Unexpected{encoded.error()};
  return Frame{};
}
const ApiInfo* api_of(const MessageInfo& info) {
  return find_api(static_cast<ApiKey>(info.key));
}
constexpr Unexpected<EncodeError> no_api{EncodeError{EncodeError::Code::unsupported_version, "api_key"}};
}  // namespace

EncodedFrame begin_response(FrameWriter& writer, const MessageInfo& info, std::int16_t version,
                            std::int32_t correlation_id) {
  const ApiInfo* api = api_of(info);
  if (!api) return no_api;
  return begin(writer, ResponseHeader{correlation_id}, api->response_header_version(version));
}

EncodedFrame begin_request(FrameWriter& writer, const MessageInfo& info, std::int16_t version,
                           std::int32_t correlation_id, std::optional<Text> client_id) {
  const ApiInfo* api = api_of(info);
  if (!api) return no_api;
  return begin(writer, RequestHeader{info.key, version, correlation_id, std::move(client_id)},
               api->request_header_version(version));
}

EncodedFrame end_frame(FrameWriter& writer, const Outcome<EncodeError>& outcome) {
  if (!outcome) return Unexpected{outcome.error()};
  const std::size_t length = writer.size() - length_prefix_bytes;
  if (length > 0x7fffffff) return Unexpected{EncodeError{EncodeError::Code::too_long, "frame"}};
  writer.bytes().patch<std::int32_t>(0, static_cast<std::int32_t>(length));
  return writer.finish();
}
}  // namespace detail

}  // namespace braid::kafka
