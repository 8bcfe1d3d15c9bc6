// Braid, Apache-2.0.
//
// What the catalog knows beside topics: one row of its file, written with every batch of commands.
#pragma once

#include <cstdint>
#include <string>

namespace braid {

struct CatalogState {
  std::uint64_t applied_index = 0;  ///< commands applied so far, refused ones included
  std::string cluster_id;           ///< empty until the first start is done
  std::uint32_t shards = 0;         ///< 0 until the first start is done; fixed from then on
  std::uint64_t next_partition_id = 1;
  std::int64_t next_producer_id = 0;
  std::int64_t topics = 0;
  std::int64_t partitions = 0;
  /// Sum over all topics and settings of a hash of each: tells damage that SQLite does not notice, and replicas apart
  /// whose content differs.
  std::uint64_t digest = 0;

  bool initialized() const { return shards != 0; }
  friend bool operator==(const CatalogState&, const CatalogState&) = default;
};

}  // namespace braid
