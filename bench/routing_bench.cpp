// Braid, Apache-2.0.
//
// The indexes of the router at a size where nothing fits in a cache any more: a match among a million subscriptions, a
// wildcard look-up among a million retained messages, and what an entry costs in memory.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

#include "actors/routing/retained_index.hpp"
#include "actors/routing/subscription_index.hpp"

namespace {

using namespace braid::routing;

constexpr std::uint32_t million = 1000000;

enum Shape { exact, wildcard, one_in_ten };

std::string name_of(std::uint32_t id) {
  return "site/" + std::to_string(id % 1000) + "/dev" + std::to_string(id) + "/temperature/cmd";
}
std::string filter_of(Shape shape, std::uint32_t id) {
  if (shape == exact || (shape == one_in_ten && id % 10 != 0)) return name_of(id);
  return "site/" + std::to_string(id % 1000) + "/dev" + std::to_string(id) + "/+/cmd";
}

/// Built once per shape; a million entries take a while.
SubscriptionIndex& subscriptions(Shape shape) {
  static std::unique_ptr<SubscriptionIndex> built[3];
  auto& index = built[shape];
  if (!index) {
    index = std::make_unique<SubscriptionIndex>(1);
    for (std::uint32_t id = 0; id < million; ++id) index->subscribe(filter_of(shape, id), {id, 1, false, false, 0});
  }
  return *index;
}

void match_among_a_million(benchmark::State& state, Shape shape) {
  auto& index = subscriptions(shape);
  std::vector<std::string> names;
  std::mt19937 random(1);
  for (int count = 0; count < 100000; ++count) names.push_back(name_of(random() % million));
  std::size_t next = 0;
  std::size_t found = 0;
  for (auto _ : state) {
    found +=
        index.match(names[next], [](std::span<const Posting> postings) { benchmark::DoNotOptimize(postings.data()); })
            .subscriptions;
    if (++next == names.size()) next = 0;
  }
  if (found != static_cast<std::size_t>(state.iterations())) state.SkipWithError("a subscription was missed");
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes/subscription"] = static_cast<double>(index.memory_bytes()) / million;
}
BENCHMARK_CAPTURE(match_among_a_million, exact, exact);
BENCHMARK_CAPTURE(match_among_a_million, wildcard, wildcard);
BENCHMARK_CAPTURE(match_among_a_million, one_in_ten_wildcard, one_in_ten);

void match_nothing_among_a_million(benchmark::State& state) {
  auto& index = subscriptions(wildcard);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        index.match("site/7/nobody/temperature/cmd", [](std::span<const Posting>) {}).subscriptions);
}
BENCHMARK(match_nothing_among_a_million);

void subscribe_and_unsubscribe(benchmark::State& state, Shape shape) {
  auto& index = subscriptions(shape);
  std::uint32_t id = million;
  for (auto _ : state) {
    const auto filter = filter_of(shape, id);
    index.subscribe(filter, {id, 1, false, false, 0});
    index.unsubscribe(filter, id);
    ++id;
  }
}
BENCHMARK_CAPTURE(subscribe_and_unsubscribe, exact, exact);
BENCHMARK_CAPTURE(subscribe_and_unsubscribe, wildcard, wildcard);

void match_of_one_filter_with_many_subscribers(benchmark::State& state) {
  SubscriptionIndex index;
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t id = 0; id < count; ++id) index.subscribe("news/+", {id, 0, false, false, 0});
  for (auto _ : state)
    index.match("news/today", [](std::span<const Posting> postings) {
      std::uint64_t sum = 0;
      for (const Posting& posting : postings) sum += posting.subscriber();
      benchmark::DoNotOptimize(sum);
    });
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(match_of_one_filter_with_many_subscribers)->Arg(10)->Arg(100000);

RetainedIndex<std::shared_ptr<int>>& retained() {
  static std::unique_ptr<RetainedIndex<std::shared_ptr<int>>> index;
  if (!index) {
    index = std::make_unique<RetainedIndex<std::shared_ptr<int>>>(1);
    const auto value = std::make_shared<int>(1);
    for (std::uint32_t id = 0; id < million; ++id)
      index->put("dev" + std::to_string(id) + "/site" + std::to_string(id % 1000) + "/state", value, 64);
    for (std::uint32_t id = 0; id < 100; ++id) index->put("dev" + std::to_string(id * 9973) + "/alarm", value, 64);
  }
  return *index;
}

void look_up(benchmark::State& state, const char* filter, std::size_t expected) {
  auto& index = retained();
  std::size_t found = 0;
  for (auto _ : state) {
    found = 0;
    std::string position;
    for (bool more = true; more && found < 1000;) {
      const auto page =
          index.collect(filter, position, {.values = 1000, .visited = 100000}, [&](const auto&) { ++found; });
      position = page.position;
      more = page.more;
    }
  }
  if (found != expected) state.SkipWithError("not what was stored");
  state.counters["found"] = static_cast<double>(found);
  state.counters["bytes/message"] = static_cast<double>(index.memory_bytes()) / million;
}
BENCHMARK_CAPTURE(look_up, retained_exact, "dev77/site77/state", 1);
BENCHMARK_CAPTURE(look_up, retained_no_match_behind_plus, "+/nothing", 0);
BENCHMARK_CAPTURE(look_up, retained_no_match_of_known_levels, "+/alarm/+/state", 0);
BENCHMARK_CAPTURE(look_up, retained_rare_level_behind_plus, "+/alarm", 100);
BENCHMARK_CAPTURE(look_up, retained_thousand_behind_plus, "+/site5/#", 1000);
BENCHMARK_CAPTURE(look_up, retained_first_thousand_of_all, "#", 1000);

void retained_put_and_erase(benchmark::State& state) {
  auto& index = retained();
  const auto value = std::make_shared<int>(1);
  std::uint32_t id = million;
  for (auto _ : state) {
    const auto topic = "dev" + std::to_string(id++) + "/site1/state";
    index.put(topic, value, 64);
    index.erase(topic);
  }
}
BENCHMARK(retained_put_and_erase);

}  // namespace
