// Braid, Apache-2.0.
//
// Commands of the catalog as somebody hostile would write them: the input is a sequence of 16-bit lengths and command
// buffers. Whatever is in them, the catalog stays consistent, and a replica that gets the same commands one by one ends
// in the same state.
#include <cstdlib>

#include "model/byte_io.hpp"
#include "persistence/catalog/commands.hpp"
#include "persistence/catalog/store.hpp"

using namespace braid;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::unique_ptr<CatalogStore> open_in_memory(bool initialize) {
  auto store = CatalogStore::open({.path = ":memory:", .defaults = {}, .vfs = nullptr});
  require(store.has_value());
  if (initialize) {
    TopicId id;
    id.bytes[0] = 1;
    const std::vector<Bytes> commands{
        encode(InitializeCatalog{"fuzz", 3}),
        // Small limits: an input that creates a hundred thousand partitions finds nothing new, slowly.
        encode(SetClusterSettings{{{"catalog.max_partitions", "500"}, {"catalog.max_topics", "50"}}}),
        encode(CreateTopics{{{.name = "topic", .id = id, .partitions = 2, .config = {}, .placement = {}}}, false})};
    require((*store)->apply(commands).has_value());
  }
  return std::move(*store);
}

/// Opening is most of the work, and most inputs change nothing: such a catalog serves the next input too.
struct Reused {
  bool initialize;
  std::unique_ptr<CatalogStore> store = nullptr;
  CatalogState fresh = {};

  CatalogStore& get() {
    if (store) {
      fresh.applied_index = store->state().applied_index;
      if (store->state() != fresh) store.reset();
    }
    if (!store) {
      store = open_in_memory(initialize);
      fresh = store->state();
    }
    return *store;
  }
};

void judge(CatalogStore& store) {
  const auto topics = store.load_topics();  // checks every checksum, every count and the digest
  require(topics.has_value());
  std::uint64_t partitions = 0;
  for (const auto& topic : *topics) {
    require(!topic->name.empty() && !topic->id.is_zero() && !topic->partitions.empty());
    partitions += topic->partitions.size();
    for (const auto& partition : topic->partitions) {
      require(partition.id.value > 0 && partition.id.value < store.state().next_partition_id);
      require(partition.shard.value < store.state().shards);
    }
  }
  require(partitions == static_cast<std::uint64_t>(store.state().partitions));
}

std::vector<Bytes> split(const Bytes& input) {
  std::vector<Bytes> commands;
  ByteReader reader(input);
  while (reader.remaining() >= 2 && commands.size() < 64) {
    const std::size_t length = reader.u16();
    commands.push_back(reader.take(std::min(length, reader.remaining())));
  }
  return commands;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Reused first{true}, second{true}, third{false};
  const auto commands = split(Bytes::copy(std::span(data, size)));
  auto& store = first.get();
  const auto before = store.state();
  const auto applied = store.apply(commands);
  judge(store);
  if (applied) {
    require(applied->results.size() == commands.size());
    require(store.state().applied_index == before.applied_index + commands.size());
    for (const auto& topic : applied->change.upserts) require(topic != nullptr);
  } else {
    require(applied.error().code == Errc::damaged);  // a command of a newer version: nothing was applied
    require(store.state() == before);
  }

  auto& replica = second.get();
  bool stopped = false;
  for (const auto& command : commands) {
    if (stopped) break;
    stopped = !replica.apply(std::span(&command, 1)).has_value();
  }
  judge(replica);
  require(stopped == !applied.has_value());
  if (!stopped) {
    auto expected = store.state();
    expected.applied_index = replica.state().applied_index;
    require(replica.state() == expected);
  }

  auto& uninitialized = third.get();
  (void)uninitialized.apply(commands);
  judge(uninitialized);
  return 0;
}
