// Braid, Apache-2.0.
//
// The filters of a session against a set of strings, and what they cost.
#include "actors/mqtt/filter_set.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>

#include "support/seed.hpp"

using namespace braid;
using braid::mqtt::FilterSet;

namespace {
std::set<std::string> texts(const FilterSet& filters) {
  std::set<std::string> found;
  filters.all_of([&](std::string_view filter) { return found.emplace(filter).second; });
  return found;
}
}  // namespace

TEST_CASE("a session's filters are those that were added and not taken out, whatever the order") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  FilterSet filters;
  std::set<std::string> expected;
  // In waves, so that the set grows, shrinks to nothing, and closes its gaps on the way.
  for (int step = 0; step < 30000; ++step) {
    const bool growing = step / 3000 % 2 == 0;
    std::string filter = "site/" + std::to_string(random() % 700) + "/+";
    if (random() % 50 == 0) filter += std::string(random() % 400, 'x');
    if (random() % 10 < (growing ? 8 : 1)) {
      CHECK(filters.insert(filter, seed) == expected.insert(filter).second);
    } else {
      if (random() % 2 == 0 && !expected.empty()) filter = *expected.begin();
      CHECK(filters.erase(filter) == (expected.erase(filter) == 1));
    }
    CHECK(filters.size() == expected.size());
    CHECK(filters.contains(filter) == expected.contains(filter));
    if (step % 500 == 0) CHECK(texts(filters) == expected);
  }
  CHECK(texts(filters) == expected);
  while (!expected.empty()) {
    CHECK(filters.erase(*expected.begin()));
    expected.erase(expected.begin());
  }
  CHECK(filters.empty());
  CHECK(filters.memory_bytes() == 0);
}

TEST_CASE("a walk through a session's filters ends when it is told to") {
  FilterSet filters;
  for (const char* filter : {"a", "b", "c"}) filters.insert(filter, 1);
  std::size_t seen = 0;
  CHECK_FALSE(filters.all_of([&](std::string_view) { return ++seen < 2; }));
  CHECK(seen == 2);
}

TEST_CASE("a filter among many costs a session its text and a few bytes") {
  FilterSet filters;
  std::size_t text_bytes = 0;
  constexpr std::size_t count = 10000;
  for (std::size_t i = 0; i < count; ++i) {
    const auto filter = "bench/" + std::to_string(i % 1000) + "/dev" + std::to_string(i) + "/+/cmd";
    filters.insert(filter, 1);
    text_bytes += filter.size();
  }
  CHECK(filters.memory_bytes() < text_bytes * 5 / 4 + count * 10);
}
