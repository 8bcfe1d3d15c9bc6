// Braid, Apache-2.0.
#include "persistence/journal/sealer.hpp"

#include <algorithm>
#include <memory>

#include "persistence/journal/log_index.hpp"

namespace braid::journal {

void Sealer::run() {
  while (!busy_ && !queue_.empty()) {
    FileInfo* file = store_.files.find(queue_.front());
    if (!file || file->sealed || !file->handle) {
      queue_.pop_front();
      continue;
    }
    prepare(*file);
  }
}

void Sealer::prepare(const FileInfo& file) {
  busy_ = true;
  // Behind whatever failed writes may have left, so that the trailer is the end of the file.
  const std::uint32_t position = align_up(std::max(file.end, file.extent));
  auto footer = std::make_shared<const Footer>(build_footer(file, store_.partitions, position));
  barrier_([this, id = file.id, position, footer](Errc error) {
    if (error == Errc::none) return write(id, position, footer);
    busy_ = false;
  });
}

void Sealer::write(std::uint32_t id, std::uint32_t position, std::shared_ptr<const Footer> footer) {
  FileInfo* file = store_.files.find(id);
  const std::uint64_t end = position + footer->bytes.size();
  if (!file) return finish(id, *footer, end, ok);
  file->extent = static_cast<std::uint32_t>(std::min<std::uint64_t>(end, UINT32_MAX - kAlignment));
  file->handle->write(position, {footer->bytes},
                      while_alive(store_, [this, id, handle = file->handle, footer, end](Outcome<IoError> written) {
                        if (!written) return finish(id, *footer, end, std::move(written));
                        handle->sync(while_alive(store_, [this, id, footer, end](Outcome<IoError> synced) {
                          finish(id, *footer, end, std::move(synced));
                        }));
                      }));
}

void Sealer::finish(std::uint32_t id, const Footer& footer, std::uint64_t end, Outcome<IoError> outcome) {
  busy_ = false;
  // A failure leaves it in the queue; the next `run` writes another footer, behind the remains of this one.
  if (!outcome) return;
  queue_.pop_front();
  FileInfo* file = store_.files.find(id);
  if (file) {
    for (std::size_t i = 0; i < footer.segments.size(); ++i) {
      if (!footer.segments[i].is_sealed()) continue;
      const std::uint32_t number = store_.partitions.find(file->lists[i].partition);
      if (number == PartitionTable::kNone) continue;
      auto& segments = store_.partitions[number].segments;
      const auto segment = std::find_if(segments.rbegin(), segments.rend(), [&](const Segment& candidate) {
        return candidate.file == id && !candidate.is_sealed() && candidate.place == i;
      });
      if (segment == segments.rend()) continue;
      // Only the place changes: the segment may have been truncated since the footer was built.
      segment->place = footer.segments[i].place;
      segment->section_length = footer.segments[i].section_length;
    }
    file->lists = {};
    file->controls = {};
    file->producers = {};
    file->sealed = true;
    file->disk_bytes = end;
  }
  run();
}

}  // namespace braid::journal
