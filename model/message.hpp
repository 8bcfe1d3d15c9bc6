// Braid, Apache-2.0.
//
// What a producer sends, whichever protocol it speaks: the form in which a single message is handed around where no
// record batch exists yet (a will, a retained message, a message routed to live subscribers). Wherever many messages
// move together they stay in a record batch and are walked instead (`batch_walker.hpp`).
#pragma once

#include <optional>
#include <vector>

#include "model/bytes.hpp"
#include "model/ids.hpp"

namespace braid {

/// Named bytes beside the payload. Names may repeat and their order is kept, as in Kafka and MQTT 5.
struct Header {
  Bytes key;
  std::optional<Bytes> value;
  friend bool operator==(const Header&, const Header&) = default;
};

struct Message {
  Timestamp timestamp{-1};     ///< -1: none given
  std::optional<Bytes> key;    ///< absent is not the same as empty
  std::optional<Bytes> value;  ///< absent: a tombstone
  std::vector<Header> headers;
  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace braid
