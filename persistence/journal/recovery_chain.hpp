// Braid, Apache-2.0.
//
// Which files count, and how far. Each file's header names the one before it and where that ends; going back from the
// last file along these links leaves out what a failure made the journal give up.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/disk.hpp"
#include "persistence/journal/format.hpp"
#include "persistence/journal/scan.hpp"

namespace braid::journal {

struct ChainFile {
  std::uint32_t id = 0;
  std::shared_ptr<File> handle;
  std::uint32_t size = 0;
  std::optional<FileHeader> header;  ///< nothing: damaged, or torn
  std::optional<FooterTrailer> trailer;
  std::unique_ptr<FileScan> scan;
  /// As the next file has it; nothing when there is none or its header is damaged.
  std::optional<std::uint32_t> end;
  std::uint32_t known_synced = 0;  ///< by what lies outside of the file
};

struct Chain {
  std::vector<ChainFile> files;       ///< ascending
  std::vector<std::uint32_t> unused;  ///< given up, or never begun
  std::vector<std::string> damages;
};

/// `ids` ascending: the files to be replayed, from `first` on.
Result<Chain, std::string> build_chain(Disk&, const std::string& directory, const std::vector<std::uint32_t>& ids,
                                       std::uint32_t first, bool from_checkpoint);

}  // namespace braid::journal
