// Braid, Apache-2.0.
//
// What it costs to find the queues of a publish, in a virtual host with many bindings.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "actors/amqp/topology/vhost.hpp"

namespace {

using namespace braid;
using namespace braid::amqp;

const BasicProperties no_headers;

void bind_queue_to(Vhost& vhost, const std::string& queue, std::string_view exchange, const std::string& key,
                   const Table& arguments = {}) {
  if (!vhost.find_queue(queue)) vhost.add_queue(queue, true);
  if (vhost.bind_queue(queue, exchange, key, arguments, ConnectionNumber::none)) std::abort();
}

void route_all(benchmark::State& state, Vhost& vhost, std::string_view exchange, const std::vector<std::string>& keys,
               const BasicProperties& properties = no_headers) {
  const auto from = *vhost.publishable(exchange);
  std::int64_t queues = 0;
  std::size_t next = 0;
  for (auto _ : state) {
    const auto routed = vhost.route(from, {keys[next], properties});
    queues += static_cast<std::int64_t>(routed.queues.size());
    next = next + 1 == keys.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["queues"] = static_cast<double>(queues) / static_cast<double>(state.iterations());
}

std::vector<std::string> keys_of(std::int64_t count, const char* ending) {
  std::vector<std::string> keys;
  for (std::int64_t i = 0; i < 4096; ++i) keys.push_back("site." + std::to_string(i * 7919 % count) + ending);
  return keys;
}

void amqp_route_default(benchmark::State& state) {
  Vhost vhost("/", 1);
  for (std::int64_t i = 0; i < state.range(0); ++i) vhost.add_queue("site." + std::to_string(i), true);
  route_all(state, vhost, "", keys_of(state.range(0), ""));
}
BENCHMARK(amqp_route_default)->Arg(100)->Arg(100000);

void amqp_route_direct(benchmark::State& state) {
  Vhost vhost("/", 1);
  for (std::int64_t i = 0; i < state.range(0); ++i)
    bind_queue_to(vhost, "q" + std::to_string(i % 1000), "amq.direct", "site." + std::to_string(i));
  route_all(state, vhost, "amq.direct", keys_of(state.range(0), ""));
}
BENCHMARK(amqp_route_direct)->Arg(100)->Arg(100000);

void amqp_route_topic(benchmark::State& state) {
  Vhost vhost("/", 1);
  for (std::int64_t i = 0; i < state.range(0); ++i)
    bind_queue_to(vhost, "q" + std::to_string(i % 1000), "amq.topic", "site." + std::to_string(i) + ".*.temperature");
  bind_queue_to(vhost, "all", "amq.topic", "site.#.temperature");
  route_all(state, vhost, "amq.topic", keys_of(state.range(0), ".room12.temperature"));
}
BENCHMARK(amqp_route_topic)->Arg(100)->Arg(100000);

void amqp_route_headers(benchmark::State& state) {
  Vhost vhost("/", 1);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    TableWriter arguments;
    arguments.put("site", i).put("kind", "temperature");
    bind_queue_to(vhost, "q" + std::to_string(i % 1000), "amq.headers", "", arguments.table());
  }
  TableWriter headers;
  headers.put("kind", "temperature").put("site", std::int64_t{42}).put("unit", "celsius");
  BasicProperties properties;
  properties.set(PropertyFlag::headers);
  properties.headers = headers.table();
  route_all(state, vhost, "amq.headers", {""}, properties);
}
BENCHMARK(amqp_route_headers)->Arg(100)->Arg(10000);

void amqp_route_fanout(benchmark::State& state) {
  Vhost vhost("/", 1);
  for (std::int64_t i = 0; i < state.range(0); ++i) bind_queue_to(vhost, "q" + std::to_string(i), "amq.fanout", "");
  route_all(state, vhost, "amq.fanout", {"any"});
}
BENCHMARK(amqp_route_fanout)->Arg(1)->Arg(10)->Arg(1000);

}  // namespace
