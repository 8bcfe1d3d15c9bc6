// Braid, Apache-2.0.
#include "codecs/websocket/handshake.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "codecs/protocol_guess.hpp"

namespace braid::websocket {

namespace {

constexpr std::string_view path = "/mqtt";
constexpr std::string_view key_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t max_headers = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}
bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
/// Calls `each` with the parts between commas until it says true; whether it did.
template <class Each>
bool any_item(std::string_view list, Each&& each) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto item = trimmed(list.substr(0, comma));
    if (!item.empty() && each(item)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}
bool has_item(std::string_view list, std::string_view wanted) {
  return any_item(list, [wanted](std::string_view item) { return same_text(item, wanted); });
}

/// The headers that matter; a list that comes in several lines is one list.
struct Request {
  std::string_view method, target, version;
  std::optional<std::string_view> host, key, websocket_version, origin;
  std::string upgrade, connection, protocols;
  bool has_body = false;
};

void append(std::string& list, std::string_view value) {
  if (!list.empty()) list += ',';
  list += value;
}

/// False for a header that may stand once and stands twice.
bool take_header(Request& request, std::string_view name, std::string_view value) {
  const auto once = [value](std::optional<std::string_view>& into) {
    if (into) return false;
    into = value;
    return true;
  };
  if (same_text(name, "Host")) return once(request.host);
  if (same_text(name, "Sec-WebSocket-Key")) return once(request.key);
  if (same_text(name, "Sec-WebSocket-Version")) return once(request.websocket_version);
  if (same_text(name, "Origin")) return once(request.origin);
  if (same_text(name, "Upgrade")) append(request.upgrade, value);
  if (same_text(name, "Connection")) append(request.connection, value);
  if (same_text(name, "Sec-WebSocket-Protocol")) append(request.protocols, value);
  if (same_text(name, "Transfer-Encoding") || (same_text(name, "Content-Length") && value != "0"))
    request.has_body = true;
  return true;
}

/// Takes the head apart; a sentence when it is no HTTP request. Whether it asks for anything sensible is not looked at.
std::string_view parse(std::string_view head, Request& request) {
  const auto next_line = [&head] {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    return line;
  };
  auto line = next_line();
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return "the request line is not one of HTTP";
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  request.version = line.substr(last + 1);
  std::size_t headers = 0;
  for (line = next_line(); !line.empty(); line = next_line()) {
    if (++headers > max_headers) return "the request has too many headers";
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) return "a header of the request has no name";
    const auto name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (!std::all_of(name.begin(), name.end(), is_token_character))
      return "a header's name has characters it cannot have";
    if (std::any_of(value.begin(), value.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; }))
      return "a header has control characters";
    if (!take_header(request, name, value)) return "a header stands twice that may stand once";
  }
  return {};
}

/// 16 bytes in base64: 22 letters and two signs of equality.
bool is_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, [](char c) {
           return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '/';
         });
}

/// A host without its port and brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, std::min(authority.find(']'), authority.size()) - 1);
  return authority.substr(0, authority.find(':'));
}
bool is_local_name(std::string_view host) {
  // No name of a site is made of digits and dots, or holds a colon.
  return same_text(host, "localhost") || host.find(':') != std::string_view::npos ||
         (!host.empty() &&
          std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; }));
}
bool origin_allowed(std::string_view origin, std::string_view host, const Policy& policy) {
  if (any_item(policy.origins, [origin](std::string_view item) { return item == "*" || same_text(item, origin); }))
    return true;
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && same_text(host_of(origin.substr(scheme + 3)), host_of(host)) &&
         (!policy.local_hosts || is_local_name(host_of(host)));
}

struct Refusal {
  std::string_view status;  ///< empty: nothing to refuse
  std::string_view reason;
  std::string_view header = {};
};

Refusal check(const Request& request, const Policy& policy) {
  if (request.version != "HTTP/1.1") return {"505 HTTP Version Not Supported", "a WebSocket is opened by HTTP/1.1"};
  const auto asked = request.target.substr(0, request.target.find('?'));
  if (asked != path && !(policy.root_path && asked == "/")) return {"404 Not Found", "MQTT is at /mqtt"};
  if (request.method != "GET") return {"405 Method Not Allowed", "a WebSocket is opened by GET", "Allow: GET\r\n"};
  if (request.has_body) return {"400 Bad Request", "the request that opens a WebSocket has no body"};
  if (!request.host) return {"400 Bad Request", "the request has no Host"};
  if (!has_item(request.upgrade, "websocket") || !has_item(request.connection, "Upgrade"))
    return {"426 Upgrade Required", "this is MQTT over WebSocket: the request has to ask for an upgrade",
            "Upgrade: websocket\r\n"};
  if (!request.websocket_version || *request.websocket_version != "13")
    return {"426 Upgrade Required", "the version of WebSocket is 13",
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"};
  if (!request.key || !is_key(*request.key)) return {"400 Bad Request", "Sec-WebSocket-Key is not 16 bytes in base64"};
  if (request.origin && !origin_allowed(*request.origin, *request.host, policy))
    return {"403 Forbidden", "a page of another site: mqtt.websocket_origins may allow it"};
  if (!has_item(request.protocols, "mqtt") && !has_item(request.protocols, "mqttv3.1"))
    return {"400 Bad Request", "the client has to offer the subprotocol mqtt [MQTT-6.0.0-3]"};
  return {};
}

Handshake refused(std::string_view status, std::string_view reason, std::string_view header = {}) {
  Handshake result;
  result.outcome = Handshake::Outcome::refused;
  result.reason = reason;
  result.response.append("HTTP/1.1 ").append(status).append("\r\nContent-Type: text/plain\r\nConnection: close\r\n");
  result.response.append(header)
      .append("Content-Length: ")
      .append(std::to_string(reason.size() + 1))
      .append("\r\n\r\n");
  result.response.append(reason).append("\n");
  return result;
}

}  // namespace

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key).append(key_suffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

bool is_for_mqtt(std::string_view received) {
  constexpr std::string_view start = "GET /mqtt";
  return received.starts_with(start) && received.size() > start.size() &&
         (received[start.size()] == ' ' || received[start.size()] == '?');
}

Handshake shake_hands(std::string_view received, const Policy& policy) {
  Handshake result;
  if (received.empty()) return result;
  // Methods are upper case letters; what begins otherwise is some other protocol's client.
  if (received.front() < 'A' || received.front() > 'Z') {
    const auto protocol = guess_protocol(received);
    result.outcome = Handshake::Outcome::refused;
    result.reason = "this port takes MQTT over WebSocket; ";
    result.reason += protocol == WireProtocol::unknown ? std::string("what the client sent is not HTTP")
                                                       : "the client speaks " + std::string(to_string(protocol));
    return result;
  }
  const auto end = received.substr(0, policy.max_bytes).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (received.size() < policy.max_bytes) return result;
    return refused("431 Request Header Fields Too Large", "the request is too large");
  }
  Request request;
  if (const auto problem = parse(received.substr(0, end + 4), request); !problem.empty())
    return refused("400 Bad Request", problem);
  if (const auto refusal = check(request, policy); !refusal.status.empty())
    return refused(refusal.status, refusal.reason, refusal.header);
  result.outcome = Handshake::Outcome::accepted;
  result.bytes = end + 4;
  result.response.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
  result.response.append("Sec-WebSocket-Accept: ").append(accept_key(*request.key));
  // [MQTT-6.0.0-4]; the other name is what MQTT 3.1 clients of old offer, and they want it back.
  result.response.append("\r\nSec-WebSocket-Protocol: ")
      .append(has_item(request.protocols, "mqtt") ? "mqtt" : "mqttv3.1");
  result.response.append("\r\n\r\n");
  return result;
}

}  // namespace braid::websocket
