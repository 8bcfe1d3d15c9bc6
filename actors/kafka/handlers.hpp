// Braid, Apache-2.0.
//
// The table of requests that this broker serves: one line each, with the versions that work. ApiVersions tells clients
// exactly this table.
#pragma once

#include <span>
#include <utility>

#include "actors/kafka/call.hpp"
#include "codecs/kafka/codec.hpp"

namespace braid::kafka {

class Session;

/// Decodes the body and starts the work; an error when the body cannot be decoded.
using Handler = Outcome<DecodeError> (*)(Session&, const Call&, Bytes body);

struct ServedApi {
  ApiKey key;
  Versions versions;                 ///< that are served
  std::int16_t advertised_from = 0;  ///< what clients are told; less than what is served for Produce only
  Handler handler = nullptr;
};

/// By ascending key.
std::span<const ServedApi> served_apis();
/// Null when it is not served.
const ServedApi* find_served(ApiKey key);

/// Makes a Handler of a function that takes the decoded request. All handlers go the same way: decode (here), work,
/// respond.
template <class Request, void (*Work)(Session&, const Call&, Request)>
Outcome<DecodeError> decode_and(Session& session, const Call& call, Bytes body) {
  auto request = decode<Request>(std::move(body), call.version);
  if (!request) return Unexpected{request.error()};
  Work(session, call, *std::move(request));
  return ok;
}

}  // namespace braid::kafka
