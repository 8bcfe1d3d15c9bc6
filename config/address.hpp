// Braid, Apache-2.0.
//
// Addresses in settings: what a listener binds (an address of this machine, never a name that has to be looked up), and
// "host:port" as clients are told it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace braid {

/// An IPv4 or IPv6 address in its usual form, without brackets.
bool is_ip_address(std::string_view text);

/// Reached from this machine only: 127.0.0.0/8 and ::1.
bool is_loopback(std::string_view address);

/// All addresses of the machine: 0.0.0.0 and ::.
bool is_wildcard(std::string_view address);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// `host:port` with a port from 1 to 65535; an IPv6 address stands in brackets. A host is a name or an address.
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace braid
