// Braid, Apache-2.0.
//
// Access tickets, which AMQP 0-9-1 kept in its grammar and dropped from its meaning: old clients still ask for one.
#pragma once

#include "codecs/amqp/schema.hpp"

namespace braid::amqp {

struct AccessRequest {
  static constexpr MethodInfo info{"access.request", {30, 10}, MethodKind::synchronous};
  std::string_view realm = "/data";
  bool exclusive = false;
  bool passive = true;
  bool active = true;
  bool write = true;
  bool read = true;
  template <class V>
  static constexpr void describe(V& v) {
    v(&AccessRequest::realm, "realm");
    v(&AccessRequest::exclusive, "exclusive");
    v(&AccessRequest::passive, "passive");
    v(&AccessRequest::active, "active");
    v(&AccessRequest::write, "write");
    v(&AccessRequest::read, "read");
  }
};

struct AccessRequestOk {
  static constexpr MethodInfo info{"access.request-ok", {30, 11}};
  std::uint16_t ticket = 1;
  template <class V>
  static constexpr void describe(V& v) {
    v(&AccessRequestOk::ticket, "ticket");
  }
};

}  // namespace braid::amqp
