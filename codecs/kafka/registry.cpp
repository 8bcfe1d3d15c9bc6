// Braid, Apache-2.0.
//
// The table of requests at run time, made from the list, and Kafka's names of its numbers.
#include "codecs/kafka/registry.hpp"

#include <algorithm>
#include <array>

namespace braid::kafka {

namespace {

template <class... Described>
constexpr auto make_table(ApiList<Described...>) {
  return std::array{
      ApiInfo{Described::key,
              Described::Request::info.name.substr(0, Described::Request::info.name.size() - sizeof "Request" + 1),
              Described::versions, Described::Request::info.first_flexible}...};
}
constexpr auto table = make_table(Apis{});
static_assert(std::is_sorted(table.begin(), table.end(), [](auto& a, auto& b) { return a.key < b.key; }));

}  // namespace

std::string_view to_string(ApiKey key) {
  switch (key) {
#define BRAID_KAFKA_API_KEY(name, number, text) \
  case ApiKey::name:                            \
    return text;
    BRAID_KAFKA_API_KEYS(BRAID_KAFKA_API_KEY)
#undef BRAID_KAFKA_API_KEY
  }
  return "unknown";
}

std::span<const ApiInfo> all_apis() {
  return table;
}

const ApiInfo* find_api(ApiKey key) {
  const auto found = std::lower_bound(table.begin(), table.end(), key,
                                      [](const ApiInfo& api, ApiKey wanted) { return api.key < wanted; });
  return found != table.end() && found->key == key ? &*found : nullptr;
}

}  // namespace braid::kafka
