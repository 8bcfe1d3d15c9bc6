// Braid, Apache-2.0.
//
// Where a queue lives: a hash of its name names the shard, so every loop of every start finds it without asking. The
// number of shards never changes, while that of loops may.
#include "actors/queues/host.hpp"
#include "model/murmur2.hpp"

namespace braid {

ShardId queue_shard(const Services& services, std::string_view name) {
  const auto shards = static_cast<std::int32_t>(services.journals.size());
  return ShardId(static_cast<std::uint32_t>(partition_for_key(name, shards).value));
}

std::size_t queue_loop(const Services& services, std::string_view name) {
  return services.loop_of(queue_shard(services, name));
}

}  // namespace braid
