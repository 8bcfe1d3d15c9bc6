// Braid, Apache-2.0.
//
// Names and filters out of any bytes: the verdicts agree with each other, and `matches` agrees with a second, slower
// reading of section 4.7.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "codecs/mqtt/topic.hpp"

using namespace braid::mqtt;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

using Levels = std::vector<std::string_view>;

Levels split(std::string_view topic) {
  Levels levels;
  for (std::size_t begin = 0;;) {
    const auto end = topic.find('/', begin);
    levels.push_back(topic.substr(begin, end - begin));
    if (end == std::string_view::npos) return levels;
    begin = end + 1;
  }
}

bool plain_match(const Levels& filter, std::size_t at, const Levels& name) {
  if (at == filter.size()) return at == name.size();
  if (filter[at] == "#") return true;
  if (at >= name.size()) return false;
  if (filter[at] != "+" && filter[at] != name[at]) return false;
  return plain_match(filter, at + 1, name);
}

bool plain_matches(std::string_view filter, std::string_view name) {
  if (name.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  return plain_match(split(filter), 0, split(name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = std::min(input.find('\n'), input.size());
  const auto filter = input.substr(0, cut);
  const auto name = input.substr(std::min(cut + 1, input.size()));

  if (valid_topic_name(name)) {
    require(split(name).size() == count_levels(name) && count_levels(name) <= default_max_topic_levels);
    if (!is_shared(name)) require(valid_topic_filter(name));  // a name is a filter without wildcards
    require(matches("#", name) == !name.starts_with('$'));
    if (!is_shared(name)) require(matches(name, name));
  }
  if (!valid_topic_filter(filter)) return 0;
  std::string_view plain = filter;
  if (is_shared(filter)) {
    const auto shared = split_shared(filter);
    require(shared && !shared->group.empty() && !shared->filter.empty());
    plain = shared->filter;
  }
  Levels levels;
  for (TopicLevels at(plain); !at.done(); at.next()) levels.push_back(at.level());
  require(levels == split(plain));
  for (std::size_t index = 0; index < levels.size(); ++index) {
    if (levels[index].find('#') != std::string_view::npos) require(levels[index] == "#" && index + 1 == levels.size());
    if (levels[index].find('+') != std::string_view::npos) require(levels[index] == "+");
  }
  if (valid_topic_name(name)) require(matches(plain, name) == plain_matches(plain, name));
  return 0;
}
