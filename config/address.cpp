// Braid, Apache-2.0.
#include "config/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "config/units.hpp"

namespace braid {
namespace {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(address.s6_addr, bytes.size(), bytes.begin());
  return bytes;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

}  // namespace

bool is_ip_address(std::string_view text) {
  // A NUL inside would end the C string early and let the rest through.
  if (text.find('\0') != std::string_view::npos) return false;
  return parse_ipv4(text) || parse_ipv6(text);
}

bool is_loopback(std::string_view address) {
  if (const auto ipv4 = parse_ipv4(address)) return (*ipv4 >> 24) == 127;
  const auto ipv6 = parse_ipv6(address);
  return ipv6 && std::all_of(ipv6->begin(), ipv6->end() - 1, [](auto byte) { return byte == 0; }) && ipv6->back() == 1;
}

bool is_wildcard(std::string_view address) {
  if (const auto ipv4 = parse_ipv4(address)) return *ipv4 == 0;
  const auto ipv6 = parse_ipv6(address);
  return ipv6 && std::all_of(ipv6->begin(), ipv6->end(), [](auto byte) { return byte == 0; });
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  const auto port = digits.starts_with('-') ? std::nullopt : parse_integer(digits);
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find('\0') != std::string_view::npos || !parse_ipv6(host)) return std::nullopt;
  } else if (!is_host_name(host)) {
    return std::nullopt;
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace braid
