// Braid, Apache-2.0.
//
// The receive buffer against a plain string: whatever is read, taken and kept, nothing is lost and no slice changes.
#include "model/receive_buffer.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <deque>
#include <random>
#include <string>

#include "support/seed.hpp"

using namespace braid;

namespace {

void receive(ReceiveBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    auto room = buffer.writable();
    const auto n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    buffer.commit(n);
    bytes.remove_prefix(n);
  }
}

}  // namespace

TEST_CASE("what was received is readable until it is taken") {
  ReceiveBuffer buffer;
  CHECK(buffer.empty());
  receive(buffer, "hello, ");
  receive(buffer, "world");
  CHECK(buffer.readable() == "hello, world");
  CHECK(buffer.take(7).view() == "hello, ");
  CHECK(buffer.readable() == "world");
  buffer.skip(1);
  CHECK(buffer.shared().view() == "orld");
  CHECK(buffer.size() == 4);
}

TEST_CASE("a buffer with nothing in it holds no memory") {
  ReceiveBuffer buffer;
  CHECK(buffer.memory_bytes() == 0);
  receive(buffer, "frame");
  CHECK(buffer.memory_bytes() > 0);
  const Bytes frame = buffer.take(5);
  CHECK(buffer.memory_bytes() == 0);
  CHECK(frame.view() == "frame");

  receive(buffer, "frame");
  buffer.skip(5);
  CHECK(buffer.memory_bytes() == 0);

  receive(buffer, "frame");
  buffer.clear();
  CHECK(buffer.memory_bytes() == 0);
  CHECK(buffer.readable().empty());
}

TEST_CASE("a read that brought nothing lets go of the block") {
  ReceiveBuffer buffer;
  buffer.writable();
  CHECK(buffer.memory_bytes() > 0);
  buffer.commit(0);
  CHECK(buffer.memory_bytes() == 0);
}

TEST_CASE("a slice that was taken is not overwritten by what is received next") {
  ReceiveBuffer buffer;
  receive(buffer, "first second");
  const Bytes first = buffer.take(6);
  receive(buffer, std::string(100000, 'x'));
  CHECK(first.view() == "first ");
  CHECK(buffer.readable().substr(0, 8) == "secondxx");
}

TEST_CASE("a frame whose size is known ends up in one block without further copies") {
  ReceiveBuffer buffer;
  const std::string frame(300000, 'f');
  receive(buffer, frame.substr(0, 10));
  buffer.want(frame.size());
  auto room = buffer.writable();
  REQUIRE(room.size() >= frame.size() - 10);
  const auto* at = room.data();
  std::memcpy(room.data(), frame.data() + 10, 1000);
  buffer.commit(1000);
  room = buffer.writable();
  CHECK(room.data() == at + 1000);
  receive(buffer, frame.substr(1010));
  CHECK((buffer.take(frame.size()).view() == frame));
}

TEST_CASE("announcing a huge frame does not make the buffer reserve it at once") {
  ReceiveBuffer buffer;
  receive(buffer, "abcd");
  buffer.want(1 << 30);
  buffer.writable();
  CHECK(buffer.memory_bytes() <= 2 * ReceiveBuffer::kMaxReserveBytes);
}

TEST_CASE("small reads get small blocks and large reads large ones") {
  ReceiveBuffer buffer;
  receive(buffer, "x");
  CHECK(buffer.memory_bytes() == ReceiveBuffer::kMinBlockBytes);
  buffer.clear();
  for (int i = 0; i < 20; ++i) {
    const auto room = buffer.writable();
    buffer.commit(room.size());
    buffer.clear();
  }
  CHECK(buffer.writable().size() == ReceiveBuffer::kMaxBlockBytes);
  buffer.commit(0);
  for (int i = 0; i < 100; ++i) {
    receive(buffer, "x");
    buffer.clear();
  }
  CHECK(buffer.writable().size() == ReceiveBuffer::kMinBlockBytes);
}

TEST_CASE("writable yields at least what was asked for") {
  ReceiveBuffer buffer;
  receive(buffer, "abc");
  for (std::size_t min : {1u, 100u, 5000u, 70000u, 2000000u}) CHECK(buffer.writable(min).size() >= min);
  CHECK(buffer.readable() == "abc");
}

TEST_CASE("random reads, takes and skips keep the stream and every kept slice intact") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  ReceiveBuffer buffer;
  std::string reference;
  std::deque<std::pair<Bytes, std::string>> kept;
  std::uint8_t next_byte = 0;
  for (int round = 0; round < 20000; ++round) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        auto room = buffer.writable(random() % 16 == 0 ? random() % 20000 : 1);
        auto n = random() % 4 == 0 ? room.size() : random() % std::min<std::size_t>(room.size() + 1, 3000);
        for (std::size_t i = 0; i < n; ++i) {
          room[i] = next_byte;
          reference.push_back(static_cast<char>(next_byte));
          next_byte = static_cast<std::uint8_t>(next_byte * 5 + 17);
        }
        buffer.commit(n);
        break;
      }
      case 3:
      case 4:
      case 5: {
        const auto n = random() % 3 == 0 ? buffer.size() : random() % (buffer.size() + 1);
        Bytes part = buffer.take(n);
        REQUIRE((part.view() == std::string_view(reference).substr(0, n)));
        if (random() % 2) kept.emplace_back(part, part.str());
        reference.erase(0, n);
        break;
      }
      case 6: {
        const auto n = random() % (buffer.size() + 1);
        buffer.skip(n);
        reference.erase(0, n);
        break;
      }
      default:
        if (random() % 3 == 0) buffer.want(buffer.size() + random() % 100000);
        if (random() % 5 == 0) kept.emplace_back(buffer.shared(), reference);
    }
    REQUIRE((buffer.readable() == reference));
    REQUIRE((buffer.memory_bytes() == 0) == reference.empty());
    if (kept.size() > 50) {
      REQUIRE((kept.front().first.view() == kept.front().second));
      kept.pop_front();
    }
  }
  for (const auto& [slice, copy] : kept) REQUIRE((slice.view() == copy));
}
