// Braid, Apache-2.0.
//
// One Fetch from its first read to its answer. All partitions are read side by side; each read reserves what it may
// bring, in the request's order, so that together they stay within max_bytes; what the first partitions leave over is
// offered to the later ones in another round. Where there is nothing the read stays parked at the partition, which
// wakes the session: nobody polls. The answer goes out when it has min_bytes, when something is wrong with a partition,
// or when max_wait is over.
//
// KIP-74: however small the limits, the first partition that has anything yields one whole batch, else a consumer
// would be stuck in front of a large one. Records are passed on as the slices that the partition gave.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/kafka/call.hpp"
#include "actors/partition/interface.hpp"
#include "codecs/kafka/messages/fetch.hpp"

namespace braid::kafka {

class Session;

class FetchWork : public std::enable_shared_from_this<FetchWork> {
 public:
  FetchWork(Session& session, const Call& call, FetchRequest request);

  /// Begins; called when it is this fetch's turn.
  void start();
  /// A parked read of this session has something now. Tokens of earlier fetches are not ours.
  void wake(std::uint64_t token);
  /// Answers with what there is.
  void hurry();

 private:
  /// A partition of the request that can be read.
  struct Source {
    std::size_t topic = 0, partition = 0;  ///< place in request and response
    PartitionId id;
    std::optional<LeaderEpoch> epoch;
    Offset next;                 ///< what is read next
    Offset high_watermark{0};    ///< as of the last read
    std::int64_t max_bytes = 0;  ///< what it may still bring
    std::int64_t offered = -1;   ///< to the last read
    bool reading = false, parked = false, failed = false;
    bool asked_for_one = false;  ///< a whole batch, of whatever size
    std::vector<Bytes> batches;
    std::size_t counted = 0;  ///< of `batches`, that `next` is behind
  };

  ErrorCode check_session() const;
  void find_sources();
  void fail(std::size_t topic, std::size_t partition, ErrorCode error);
  void forget_other_parked();

  void read(std::size_t index, bool at_least_one);
  void have(std::size_t index, const BatchesRead& read);
  /// All reads of a round are back: starts another one, parks, or answers.
  void go_on();
  bool offer_left_over();
  bool park_at_end();
  void answer();
  std::uint64_t token(std::size_t index) const;

  Session& session_;
  Call call_;
  FetchRequest request_;
  FetchResponse response_;
  std::vector<Source> sources_;
  std::int64_t budget_ = 0;  ///< bytes that are neither there nor reserved
  std::int64_t wanted_ = 0;  ///< answer at this many
  std::int64_t bytes_ = 0;   ///< there
  std::size_t reads_ = 0;    ///< under way
  bool due_ = false;         ///< answer as soon as no read is under way
  bool answered_ = false;
};

}  // namespace braid::kafka
