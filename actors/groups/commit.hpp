// Braid, Apache-2.0.
//
// A commit of offsets on its way: checked by the group, then written, then visible. A request that removes offsets may
// overtake it in between: what was asked for first is then written first and taken back first, so the table ends as the
// log does.
#pragma once

#include <algorithm>
#include <vector>

#include "actors/groups/coordinator.hpp"

namespace braid {

struct GroupCoordinatorActor::Commit {
  CommitOffsets request;
  std::vector<kafka::ErrorCode> errors;
  std::vector<bool> taken_back;  ///< removed since it was written
  Promise<OffsetsCommitted> promise;

  void fail(kafka::ErrorCode error) {
    std::fill(errors.begin(), errors.end(), error);
    promise.deliver(OffsetsCommitted{errors});
  }
};

}  // namespace braid
