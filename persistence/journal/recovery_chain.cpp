// Braid, Apache-2.0.
#include "persistence/journal/recovery_chain.hpp"

#include <algorithm>

namespace braid::journal {
namespace {

std::string system_text(const IoError& error) {
  return error.what + (error.system_error ? ": error " + std::to_string(error.system_error) : std::string());
}

/// A file that was created ahead of its use, or of whose first write nothing is left that could be read.
bool is_blank(ChainFile& file) {
  return !file.header && !file.trailer && !file.scan->next_entry(kFileHeaderBytes, file.size) &&
         !file.scan->has_unreadable(0, file.size);
}

std::optional<FooterTrailer> find_trailer(const ChainFile& file) {
  if (file.size < kFileHeaderBytes + kTrailerBytes) return std::nullopt;
  const std::uint32_t position = file.size - kTrailerBytes;
  const auto bytes = file.handle->read_now(position, kTrailerBytes);
  if (!bytes) return std::nullopt;
  const auto trailer = decode_trailer(bytes->span());
  if (!trailer || trailer->id != file.id ||
      std::uint64_t{trailer->directory_position} + trailer->directory_length != position)
    return std::nullopt;
  return trailer;
}

}  // namespace

Result<Chain, std::string> build_chain(Disk& disk, const std::string& directory, const std::vector<std::uint32_t>& ids,
                                       std::uint32_t first, bool from_checkpoint) {
  Chain chain;
  std::vector<ChainFile> candidates;
  for (const std::uint32_t id : ids) {
    const std::string path = directory + "/" + file_name(id);
    auto handle = disk.open(path, Disk::Open::existing);
    if (!handle) return Unexpected{system_text(handle.error())};
    auto size = (*handle)->size_now();
    if (!size) return Unexpected{system_text(size.error())};
    if (*size > UINT32_MAX - kAlignment) return Unexpected{path + " is larger than any journal file"};
    ChainFile file;
    file.id = id;
    file.handle = std::move(*handle);
    file.size = static_cast<std::uint32_t>(*size);
    file.scan = std::make_unique<FileScan>(*file.handle, id, file.size);
    if (auto bytes = file.handle->read_now(0, kFileHeaderBytes)) file.header = decode_file_header(bytes->span());
    if (file.header && file.header->id != id) file.header.reset();
    file.trailer = find_trailer(file);
    candidates.push_back(std::move(file));
  }
  while (!candidates.empty() && is_blank(candidates.back())) {
    chain.unused.push_back(candidates.back().id);
    candidates.pop_back();
  }
  while (!candidates.empty()) {
    ChainFile file = std::move(candidates.back());
    candidates.pop_back();
    if (file.header) {
      const auto previous = static_cast<std::uint32_t>(file.header->previous);
      while (!candidates.empty() && candidates.back().id > previous) {
        chain.unused.push_back(candidates.back().id);
        candidates.pop_back();
      }
      if (!candidates.empty() && candidates.back().id == previous) {
        candidates.back().end = file.header->previous_end;
        candidates.back().known_synced = file.header->previous_synced;
      } else if (previous >= first && from_checkpoint) {
        chain.damages.push_back(file_name(previous) + " is missing, though " + file_name(file.id) + " follows it");
      }
    }
    chain.files.push_back(std::move(file));
  }
  std::reverse(chain.files.begin(), chain.files.end());
  return chain;
}

}  // namespace braid::journal
