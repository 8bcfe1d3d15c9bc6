// Braid, Apache-2.0.
//
// The fuzz targets begin from their corpus: a packet type that is not in it is hardly reached by mutation.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "codecs/mqtt/decoder.hpp"
#include "fuzz/mqtt_fuzz.hpp"
#include "support/source_tree.hpp"

using namespace braid::mqtt;

TEST_CASE("the corpus of the MQTT fuzz targets holds every packet type, at every level, from both sides") {
  for (const auto& [target, skipped] : {std::pair{"mqtt_decode_fuzz", 1u}, std::pair{"mqtt_stream_fuzz", 4u}})
    for (const int level : {3, 4, 5})
      for (const auto* side : {"client", "server"}) {
        CAPTURE(target, level, side);
        std::ifstream file(
            braid::source_tree() / "tests/fuzz/corpus" / target / (std::string("all_") + side + std::to_string(level)),
            std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(file), {});
        REQUIRE(bytes.size() > skipped);
        auto decoder = fuzzing::Setup::from(static_cast<std::uint8_t>(bytes[0])).decoder();
        std::string_view stream = std::string_view(bytes).substr(skipped);
        std::uint32_t seen = 0;
        while (!stream.empty()) {
          Packet packet;
          const auto step = decoder.next(stream, packet);
          CAPTURE(std::string(decoder.error().sentence));
          REQUIRE(step.status == Decoder::Status::packet);
          seen |= 1u << static_cast<unsigned>(type_of(packet));
          stream.remove_prefix(step.bytes);
        }
        const bool client = side == std::string("client");
        // PUBLISH to PUBCOMP both ways; SUBSCRIBE, UNSUBSCRIBE, PINGREQ or their answers; DISCONNECT and AUTH.
        std::uint32_t wanted = 0x00f8u | (client ? 1u << 8 | 1u << 10 | 1u << 12 : 1u << 9 | 1u << 11 | 1u << 13);
        if (client || level == 5) wanted |= 1u << 14;
        if (level == 5) wanted |= 1u << 15;
        CHECK(seen == wanted);
      }
}
