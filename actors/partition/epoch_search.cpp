// Braid, Apache-2.0.
#include "actors/partition/epoch_search.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "model/record_batch.hpp"

namespace braid {

namespace {

class EpochSearch : public std::enable_shared_from_this<EpochSearch> {
 public:
  EpochSearch(Journal& journal, PartitionId partition, Offset from, Offset limit, LeaderEpoch epoch,
              EpochBoundaryFound found)
      : journal_(journal),
        partition_(partition),
        low_(from.value),
        high_(limit.value),
        limit_(limit),
        epoch_(epoch),
        found_(std::move(found)) {}

  /// Batches before `low_` are of the epoch or earlier ones, batches at or behind `high_` are later.
  void step() {
    if (low_ >= high_) return found_(boundary_);
    const std::int64_t middle = low_ + (high_ - low_) / 2;
    journal_.read({.partition = partition_, .from = Offset(middle), .limit = limit_, .max_bytes = 1},
                  [self = shared_from_this(), middle](const ReadResult& read) { self->have(middle, read); });
  }

 private:
  void have(std::int64_t middle, const ReadResult& read) {
    if (read.error == Errc::offset_out_of_range) {  // the log start has moved meanwhile
      low_ = middle + 1;
      return step();
    }
    if (read.error != Errc::none) return fail(read.error);
    if (read.batches.empty()) {  // nothing up to the limit
      high_ = middle;
      return step();
    }
    const auto header = read_batch_header(read.batches.front());
    if (!header) return fail(Errc::damaged);
    if (header->partition_leader_epoch > epoch_) {
      high_ = std::min(middle, header->base_offset.value);
      boundary_.next_from = header->base_offset;
    } else {
      low_ = std::max(middle, header->last_offset().value) + 1;
      boundary_.last = header->partition_leader_epoch;
    }
    step();
  }
  void fail(Errc error) {
    boundary_ = {};
    boundary_.error = error;
    found_(boundary_);
  }

  Journal& journal_;
  PartitionId partition_;
  std::int64_t low_, high_;
  Offset limit_;
  LeaderEpoch epoch_;
  EpochBoundaryFound found_;
  EpochBoundary boundary_;
};

}  // namespace

void find_epoch_boundary(Journal& journal, PartitionId partition, Offset from, Offset limit, LeaderEpoch epoch,
                         EpochBoundaryFound found) {
  std::make_shared<EpochSearch>(journal, partition, from, limit, epoch, std::move(found))->step();
}

}  // namespace braid
