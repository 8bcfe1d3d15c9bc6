// Braid, Apache-2.0.
//
// Messages of a queue's log one after the other, out of the batches that were read or have just been appended. It knows
// where each record begins and ends, how large its body is and when it expires, and leaves the rest to whoever gets it.
// It holds what was read ahead and no more.
#pragma once

#include <cstdint>
#include <vector>

#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "persistence/queue/message_run.hpp"

namespace braid {

/// The header of a record that says after how many milliseconds it expires, in decimal.
inline constexpr std::string_view kExpirationHeader = "braid.expiration";

class MessageReader {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;
  struct Message {
    std::uint32_t begin = 0, end = 0;  ///< of its record, in the batch's bytes
    std::uint32_t bytes = 0;           ///< of its body
    Timestamp arrived;
    std::int64_t expiration_ms = kNever;  ///< from its arrival
  };
  enum class Look : std::uint8_t {
    found = 0,
    wanted = 1,  ///< not loaded: feed the batch that has it
    gone = 2,    ///< there is no such message; the next there may be is at gone_until()
  };

  /// A batch from the log. False, and nothing is taken, when it does not come behind what is loaded.
  bool feed(Bytes batch, Offset base);
  /// Finds a message; what lies before it is let go.
  Look find(Offset offset, Message& message);
  Offset gone_until() const { return gone_until_; }

  /// Of the batch that has the message found last.
  const Bytes& batch() const { return front().bytes; }
  Offset batch_offset() const { return front().base; }
  Timestamp batch_timestamp() const { return front().timestamp; }
  Offset batch_end() const { return front().end; }

  bool empty() const { return front_ == batches_.size(); }
  /// Behind the last message that is loaded.
  Offset loaded_end() const { return batches_.back().end; }
  std::uint64_t bytes() const { return bytes_; }
  void clear();

 private:
  struct Loaded {
    Bytes bytes;
    Offset base, end;
    Timestamp timestamp;
  };
  const Loaded& front() const { return batches_[front_]; }
  void pop();
  bool step(Message& message);

  std::vector<Loaded> batches_;  ///< from front_ on; not a deque, which takes half a KiB when it is empty
  std::size_t front_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint32_t position_ = 0;  ///< in the first batch: where its next record begins
  Offset at_;                   ///< of that record
  Offset found_{-1};
  Message last_;
  Offset gone_until_;
};

/// Body bytes of each record of a batch, added to `sizes`; false if it is no plain batch with offsets from 0.
bool measure_batch(const Bytes& batch, std::vector<std::uint32_t>& sizes);

}  // namespace braid
