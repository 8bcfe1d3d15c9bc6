// Braid, Apache-2.0.
//
// Checksums and hashes against the values that everybody else computes.
#include <catch2/catch.hpp>
#include <string>

#include "model/crc32c.hpp"
#include "model/murmur2.hpp"

using namespace braid;

TEST_CASE("crc32c yields the published check values") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
  // RFC 3720, appendix B.4
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  CHECK(crc32c(rising) == 0x46dd794e);
  CHECK(crc32c(std::string(rising.rbegin(), rising.rend())) == 0x113fdb5c);
}

TEST_CASE("crc32c of a whole is crc32c continued over its parts") {
  const std::string text = "the quick brown fox jumps over the lazy dog, and then over another one";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view view = text;
    CHECK(crc32c(view.substr(cut), crc32c(view.substr(0, cut))) == crc32c(view));
  }
}

TEST_CASE("murmur2 yields the hashes that Kafka's Java client yields") {
  auto hash = [](std::string_view key) { return static_cast<std::int32_t>(murmur2(key)); };
  CHECK(hash("21") == -973932308);
  CHECK(hash("foobar") == -790332482);
  CHECK(hash("a-little-bit-long-string") == -985981536);
  CHECK(hash("a-little-bit-longer-string") == -1486304829);
  CHECK(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8") == -58897971);
  CHECK(hash("abc") == 479470107);
}

TEST_CASE("a key's partition is its hash without the sign, modulo the partitions") {
  for (std::int32_t partitions : {1, 2, 3, 7, 100, 1000003}) {
    for (std::string_view key : {"21", "foobar", "abc", "", "sensors/room1/temp"}) {
      const auto partition = partition_for_key(key, partitions);
      CHECK(partition.value >= 0);
      CHECK(partition.value < partitions);
      CHECK(partition.value == static_cast<std::int32_t>((murmur2(key) & 0x7fffffffu) % partitions));
    }
  }
  CHECK(partition_for_key("foobar", 1000) == PartitionIndex((-790332482 & 0x7fffffff) % 1000));
}
