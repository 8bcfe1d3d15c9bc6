// Braid, Apache-2.0.
//
// Kafka's error numbers. They were compared with Kafka's own list, which has no gaps; what is checked here is that ours
// has none either, and the numbers that clients decide by most often.
#include "codecs/kafka/errors.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace braid::kafka {

TEST_CASE("Every number of Kafka's list has a name, and each name one number") {
  constexpr int last = 133;
  std::set<std::string> names;
  for (int number = -1; number <= last; ++number) {
    const std::string name(to_string(static_cast<ErrorCode>(number)));
    INFO(number);
    CHECK(name != "unknown error code");
    CHECK(names.insert(name).second);
  }
  CHECK(to_string(static_cast<ErrorCode>(-2)) == "unknown error code");
  CHECK(to_string(static_cast<ErrorCode>(last + 1)) == "unknown error code");
}

TEST_CASE("What the log refuses has the number that Kafka's broker answers with") {
  CHECK(static_cast<int>(to_error_code(Errc::none)) == 0);
  CHECK(static_cast<int>(to_error_code(Errc::offset_out_of_range)) == 1);
  CHECK(static_cast<int>(to_error_code(Errc::corrupt_batch)) == 2);
  CHECK(static_cast<int>(to_error_code(Errc::unknown_partition)) == 3);
  CHECK(static_cast<int>(to_error_code(Errc::not_leader)) == 6);
  CHECK(static_cast<int>(to_error_code(Errc::timed_out)) == 7);
  CHECK(static_cast<int>(to_error_code(Errc::batch_too_large)) == 10);
  CHECK(static_cast<int>(to_error_code(Errc::invalid_timestamp)) == 32);
  CHECK(static_cast<int>(to_error_code(Errc::out_of_order_sequence)) == 45);
  CHECK(static_cast<int>(to_error_code(Errc::invalid_producer_epoch)) == 47);
  CHECK(static_cast<int>(to_error_code(Errc::fenced_leader_epoch)) == 74);
  CHECK(static_cast<int>(to_error_code(Errc::unknown_leader_epoch)) == 75);
  CHECK(static_cast<int>(to_error_code(Errc::unsupported_compression)) == 76);
  CHECK(static_cast<int>(to_error_code(Errc::invalid_record)) == 87);
}

}  // namespace braid::kafka
