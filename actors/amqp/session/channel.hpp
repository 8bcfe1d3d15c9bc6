// Braid, Apache-2.0.
//
// One channel of a connection: what it is in the middle of, and what it keeps between methods. Plain state; what
// happens to it is the session's (session.hpp).
//
// Methods of a channel happen one after the other. One that has to ask somebody (a declare, a get) makes the channel
// busy: its frames wait in `backlog`, as they came, while other channels go on.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/amqp/session/completion_window.hpp"
#include "actors/amqp/session/publish_batches.hpp"
#include "actors/amqp/session/stream_reader.hpp"
#include "actors/amqp/session/unacknowledged.hpp"
#include "codecs/amqp/content.hpp"
#include "codecs/amqp/methods/basic.hpp"
#include "persistence/queue/message_run.hpp"

namespace braid::amqp {

/// A consumer of a queue, or of a topic as a stream.
struct Consumer {
  std::uint64_t number = 0;  ///< for the queue's host; no other of the session had or will have it
  ChannelNumber channel = 0;
  std::string tag;
  std::string queue_name;
  QueueId queue;
  std::uint32_t loop = 0;
  bool no_ack = false;
  std::int64_t timeout_ms = 0;      ///< for settling a delivery; 0: none
  bool counts_returns = false;      ///< the queue's type is one that tells of them (x-delivery-count)
  std::uint64_t written_bytes = 0;  ///< that have left the session and are not given back to the host yet
  bool grant_due = false;           ///< the session has it on its list of those
  StreamReader stream = {};         ///< who reads for it, when it is not a queue's
  std::uint32_t parked = 0;         ///< runs that wait for the channel's prefetch
  bool on_demand = false;           ///< shares the prefetch of its channel
  std::uint64_t promised = 0;       ///< of that, what it was given and has not used
};

/// Deliveries that wait until the channel may have more.
struct Parked {
  std::uint64_t consumer = 0;
  MessageRun run;
};

/// What a transaction has gathered (1.9).
struct Transaction {
  PublishBatches batches;
  std::vector<std::pair<Held, Settlement>> settlements;
  std::vector<Bytes> returns;  ///< encoded, for the commit
  std::uint64_t returned_bytes = 0;
};

/// A message that goes to queues now and to others when it has waited: confirmed when all batches with it are stored.
struct InParts {
  std::size_t left = 0;
  bool good = true;
};

struct Channel {
  Channel(ChannelNumber own_number, std::uint64_t own_serial, std::uint64_t getter_number)
      : number(own_number), serial(own_serial), getter(getter_number) {}

  const ChannelNumber number;
  const std::uint64_t serial;  ///< no other channel of the session had or will have it
  const std::uint64_t getter;  ///< who holds what basic.get brought, for the queues' hosts

  bool closing = false;                        ///< channel.close was sent, close-ok has not come
  bool busy = false;                           ///< waits for an answer
  bool stalled = false;                        ///< a publish waits until there is memory
  std::unique_ptr<std::deque<Bytes>> backlog;  ///< frames that wait for that

  ContentAssembler content;
  BasicPublish publish;  ///< whose content is being assembled
  bool kept = false;     ///< the session has it on its list of those that keep the read

  std::string last_queue;  ///< declared last: what "" stands for

  std::uint64_t next_tag = 1;
  Unacknowledged unacknowledged;
  std::map<std::string, std::uint64_t, std::less<>> consumers;  ///< by tag: their numbers
  std::uint64_t tags_made = 0;
  std::uint16_t prefetch = 0;      ///< of consumers to come; 0: no limit
  std::uint16_t prefetch_all = 0;  ///< of all consumers together
  std::unique_ptr<std::deque<Parked>> parked;
  // Of prefetch_all: a consumer has a part of it only while its queue has something, in turn with the others.
  std::uint64_t promised = 0;          ///< to consumers, and not used yet
  std::vector<std::uint64_t> wanting;  ///< consumers whose queue has something for them
  bool room_due = false;               ///< the session has it on its list of those

  bool confirming = false;
  bool confirms_due = false;  ///< the session has it on its list
  CompletionWindow confirms;
  std::map<std::uint64_t, InParts> in_parts;  ///< by number: messages that several batches bear
  std::unique_ptr<Transaction> transaction;
  bool commit_failed = false;  ///< a queue did not take all messages of the commit that is under way

  std::string reply_tag;  ///< of the consumer of direct replies
  bool takes_replies = false;
  std::uint64_t reply_secret = 0;

  bool waits() const { return busy || stalled || (backlog && !backlog->empty()); }
};

}  // namespace braid::amqp
