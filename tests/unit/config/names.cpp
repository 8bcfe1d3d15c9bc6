// Braid, Apache-2.0.
#include <catch2/catch.hpp>

#include "config/address.hpp"
#include "config/known_names.hpp"
#include "config/suggest.hpp"

using namespace braid;

TEST_CASE("the edit distance counts a swap of neighbours as one change") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("port", "port") == 0);
  CHECK(edit_distance("prot", "port") == 1);
  CHECK(edit_distance("por", "port") == 1);
  CHECK(edit_distance("ports", "port") == 1);
  CHECK(edit_distance("part", "port") == 1);
  CHECK(edit_distance("", "port") == 4);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("a name is suggested only when it is near, and the nearest of several") {
  CHECK(nearest_name("bnd", {"port", "bind", "enabled"}) == "bind");
  CHECK(nearest_name("prot", {"part", "port"}) == "port");
  CHECK(nearest_name("colour", {"port", "bind"}).empty());
  CHECK(nearest_name("", {"a"}).empty());
  CHECK(nearest_name("port", {}).empty());
  CHECK(nearest_name(std::string(100'000, 'x'), {"port"}).empty());
}

TEST_CASE("an unknown name is answered with its neighbour, the same word elsewhere, or what looks alike") {
  CHECK(unknown_setting("listeners.mqtt.prot") == "unknown key 'listeners.mqtt.prot', did you mean 'port'?");
  CHECK(unknown_setting("listener") == "unknown key 'listener', did you mean 'listeners'?");
  CHECK(unknown_setting("mqtt.port") == "unknown key 'mqtt.port', did you mean 'listeners.mqtt.port'?");
  CHECK(unknown_setting("net.handshake_timeout") ==
        "unknown key 'net.handshake_timeout', did you mean 'limits.handshake_timeout'?");
  CHECK(unknown_setting("storag.pth") == "unknown key 'storag.pth', did you mean 'storage.path'?");
  CHECK(unknown_setting("zookeeper.connect") == "unknown key 'zookeeper.connect'");
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1, and a name is no address") {
  CHECK(is_loopback("127.0.0.1"));
  CHECK(is_loopback("127.9.9.9"));
  CHECK(is_loopback("::1"));
  CHECK_FALSE(is_loopback("128.0.0.1"));
  CHECK_FALSE(is_loopback("0.0.0.0"));
  CHECK_FALSE(is_loopback("::"));
  CHECK_FALSE(is_loopback("::ffff:127.0.0.1"));
  CHECK_FALSE(is_loopback("localhost"));
  CHECK(is_wildcard("0.0.0.0"));
  CHECK(is_wildcard("::"));
  CHECK_FALSE(is_wildcard("127.0.0.1"));
  CHECK(is_ip_address("10.0.0.1"));
  CHECK(is_ip_address("fe80::1"));
  CHECK_FALSE(is_ip_address("localhost"));
  CHECK_FALSE(is_ip_address("10.0.0"));
  CHECK_FALSE(is_ip_address(std::string_view("10.0.0.1\0x", 10)));
  CHECK_FALSE(is_ip_address(""));
}

TEST_CASE("host:port has a host and a port from 1 to 65535") {
  const auto name = parse_host_port("broker.example:9092");
  REQUIRE(name);
  CHECK(name->host == "broker.example");
  CHECK(name->port == 9092);
  const auto ipv6 = parse_host_port("[::1]:1");
  REQUIRE(ipv6);
  CHECK(ipv6->host == "::1");
  for (const auto* wrong : {"", "broker", "broker:", ":9092", "broker:0", "broker:65536", "broker:-1", "broker:9x",
                            "::1:9092", "[]:1", "[x]:1", "a b:1", "http://a:1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_host_port(wrong));
  }
}
