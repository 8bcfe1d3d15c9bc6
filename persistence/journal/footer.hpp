// Braid, Apache-2.0.
//
// The footer of a sealed file: what the file did to each partition, so that recovery need not read its entries, and
// where each partition's batches lie, so that memory need not hold them. See format.hpp for its place in the file.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "persistence/journal/file_table.hpp"
#include "persistence/journal/partition_table.hpp"

namespace braid::journal {

/// The net effect of a file on one partition, in this order: dropped; truncated; batches; log start; producers.
struct DirectoryEntry {
  PartitionId partition;
  ShardId shard;
  bool dropped = false;
  bool gap_before = false;
  Offset log_start{0};
  std::optional<Offset> truncated_to;
  std::optional<Segment> segment;
  Offset end{0};    ///< behind the segment's last batch
  Bytes producers;  ///< encoded; empty: none
};

struct Footer {
  Bytes bytes;
  std::vector<Segment> segments;  ///< in order of the file's lists; section_length 0: the list was empty
};

/// The footer of a file that is complete and synced, to be written at `position`.
Footer build_footer(const FileInfo&, const PartitionTable&, std::uint32_t position);

/// The directory's bytes, whose checksum was found right.
std::optional<std::vector<DirectoryEntry>> decode_directory(const Bytes& directory, std::uint32_t file,
                                                            std::uint32_t directory_position);

/// Segments are written the same way into directories and checkpoints.
void encode_segment(const Segment&, ByteWriter& out);
bool decode_segment(ByteReader& in, Segment& segment);

}  // namespace braid::journal
