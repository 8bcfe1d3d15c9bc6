// Braid, Apache-2.0.
//
// Producer ids, unique in the cluster for ever, without asking the catalog for each: a loop takes them from it in
// blocks. What is left of a block when the broker stops is lost, and that is fine: there are 2^63.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "cluster/catalog_service.hpp"
#include "model/errors.hpp"
#include "model/ids.hpp"

namespace braid {

class ProducerIds {
 public:
  static constexpr std::int32_t kBlock = 1000;
  using Done = std::function<void(Errc, ProducerId)>;

  /// Calls `done` with an id that nobody else has, at once or when the catalog has answered; in the context of `self`,
  /// a Pinned actor of this loop.
  template <class Self>
  void take(Self* self, const CatalogActor& catalog, Done done) {
    if (next_ < end_) return done(Errc::none, ProducerId{next_++});
    ask(
        self, catalog, AllocateProducerIds{kBlock},
        [this, done](const ProducerIdsAllocated& block) {
          if (block.error != Errc::none || block.count < 1)
            return done(block.error == Errc::none ? Errc::storage_failed : block.error, ProducerId{-1});
          // Who asked at the same time got a block too: one of them is kept, the rest of the other is lost.
          next_ = block.first.value + 1;
          end_ = block.first.value + block.count;
          done(Errc::none, block.first);
        },
        [done](const caf::error&) { done(Errc::shutting_down, ProducerId{-1}); });
  }

 private:
  std::int64_t next_ = 0, end_ = 0;
};

}  // namespace braid
