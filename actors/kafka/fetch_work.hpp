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
#include "actors/kafka/fetch_sessions.hpp"
#include "actors/partition/interface.hpp"
#include "codecs/kafka/messages/fetch.hpp"

namespace braid::kafka {

class Session;

class FetchWork : public std::enable_shared_from_this<FetchWork> {
 public:
  FetchWork(Session& session, const Call& call, FetchRequest request);

  /// Of its request, or of the one whose parked reads it took over.
  std::uint64_t number() const { return number_; }
  /// Begins; called when it is this fetch's turn.
  void start();
  /// The read that `source` had parked finds something now.
  void wake(std::size_t source);
  /// Answers with what there is.
  void hurry();

 private:
  struct TopicName {
    Text name;
    TopicId id;
  };
  /// A partition that is asked for, and its place in the answer.
  struct Source {
    std::size_t topic = 0;                    ///< number in `topics_`
    FetchSession::Partition* kept = nullptr;  ///< in the session, where there is one
    FetchResponse::Partition place;
    PartitionPlacement at;
    std::optional<LeaderEpoch> epoch, last_read_epoch;
    Offset next;                 ///< what is read next
    Offset high_watermark{0};    ///< as of the last read
    std::int64_t max_bytes = 0;  ///< what it may still bring
    std::int64_t offered = -1;   ///< to the last read
    bool reading = false, parked = false, failed = false;
    bool asked_for_one = false;  ///< a whole batch, of whatever size
    bool asked_again = false;    ///< after the partition ended with the first question
    std::vector<Bytes> batches;
    std::size_t counted = 0;  ///< of `batches`, that `next` is behind
  };

  bool by_id() const;
  /// Finds or makes what the request says of sessions (KIP-227), and fills `sources_`.
  /// `last`: the connection's last fetch, if it was quiet.
  ErrorCode open_session(FetchWork* last);
  /// Goes on with the reads that the last fetch left parked, when this one asks for just the same: a consumer of quiet
  /// partitions then costs the same however many they are.
  bool take_over(FetchWork& last);
  bool parked_everywhere() const;
  void take_from_request();
  void take_from_session();
  void add_source(const TopicRef& known, const FetchRequest::Partition& asked, FetchSession::Partition* kept);
  void fail(Source& source, ErrorCode error);

  void begin_reads();
  bool adopt_parked(std::size_t index);
  void read(std::size_t index, bool at_least_one);
  void have(std::size_t index, const BatchesRead& read);
  void set_watermarks(Source& source, Offset high_watermark, Offset last_stable, Offset log_start);
  /// All reads of a round are back: starts another one, parks, or answers.
  void go_on();
  bool offer_left_over();
  void park_at_end();

  void answer();
  /// Whether an incremental answer has to name the partition; notes what the client is told.
  static bool must_tell(Source& source);
  void fill_response();
  void keep_new_session();
  void respond();

  Session& session_;
  Call call_;
  std::uint64_t number_;
  FetchRequest request_;
  FetchResponse response_;
  std::vector<TopicName> topics_;
  std::vector<Source> sources_;
  bool wants_session_ = false;    ///< a new one
  FetchSessionRef kept_session_;  ///< that this is the next fetch of
  std::int32_t expected_epoch_ = 0;
  std::int64_t budget_ = 0;  ///< bytes that are neither there nor reserved
  std::int64_t wanted_ = 0;  ///< answer at this many
  std::int64_t bytes_ = 0;   ///< there
  std::size_t reads_ = 0;    ///< under way
  bool due_ = false;         ///< answer as soon as no read is under way
  bool answered_ = false;
  bool quiet_ = false;  ///< all reads are those that the last fetch left parked, and none was woken
  /// What the parked reads rest on: when the first of them was made, and what the topics were.
  std::int64_t oldest_read_ms_ = INT64_MAX;
  std::uint64_t directory_version_ = 0;
};

}  // namespace braid::kafka
