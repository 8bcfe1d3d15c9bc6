// Braid, Apache-2.0.
//
// Random topic names and filters for tests of the indexes.
#pragma once

#include <iterator>
#include <random>
#include <string>

namespace braid::test {

/// Few different levels, so that filters and names meet often; long ones too, since those are stored elsewhere.
inline std::string random_level(std::mt19937_64& random) {
  static const std::string levels[] = {"",  "a", "b", "c", "$a", "a level that is longer than sixteen bytes",
                                       "é", "d", "e"};
  return levels[random() % std::size(levels)];
}
inline std::string random_topic(std::mt19937_64& random) {
  std::string topic = random_level(random);
  for (auto more = random() % 5; more > 0; --more) topic += "/" + random_level(random);
  return topic.empty() ? "a" : topic;
}
inline std::string random_filter(std::mt19937_64& random) {
  if (random() % 3 == 0) return random_topic(random);
  std::string filter;
  const auto levels = 1 + random() % 5;
  for (std::uint64_t level = 0; level < levels; ++level) {
    if (level > 0) filter += '/';
    if (level + 1 == levels && random() % 3 == 0) {
      filter += '#';
    } else {
      filter += random() % 3 == 0 ? "+" : random_level(random);
    }
  }
  return filter.empty() ? "+" : filter;
}

}  // namespace braid::test
