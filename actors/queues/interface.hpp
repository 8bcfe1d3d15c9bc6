// Braid, Apache-2.0.
//
// What the queues of a loop can be asked. A queue lives on the loop of its shard's journal, with all others of that
// loop in one actor, the queue host: a publish that is routed to several queues is one message and one journal entry
// per loop, and a queue that nobody uses is a row in the host's table. Which loop: `queue_loop` below.
//
// Messages are named by (priority, offset). Offsets of one queue and priority grow; a protocol's own numbers (delivery
// tags, packet identifiers) are the session's business. Sessions send one message per read, not one per message.
//
// The way of a message: PublishToQueues -> journal -> DeliverMessages -> Settle, and beside it, when the journal has it
// as durable as promised, Published. A consumer may have a message before its publisher is told that it is safe; should
// that never come, it was not confirmed either.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/bytes.hpp"
#include "model/ids.hpp"
#include "model/types.hpp"
#include "persistence/queue/message_run.hpp"
#include "persistence/queue/types.hpp"
#include "runtime/spelling.hpp"

namespace braid {

struct Services;

/// The loop whose host has (or will have) the queue of this name.
std::size_t queue_loop(const Services&, std::string_view name);

enum class QueueErrc : std::uint8_t {
  none = 0,
  unknown_queue = 1,
  in_use = 2,           ///< an exclusive consumer is there, or one is wanted and others are; delete: has consumers
  not_empty = 3,        ///< delete with if_empty
  storage_failed = 4,   ///< nothing changed; trying again may succeed
  unknown_outcome = 5,  ///< it may or may not have happened
  overloaded = 6,       ///< a limit of the node was met
  invalid_batch = 7,
  shutting_down = 8,
  single_active = 9,  ///< a single get from a queue that has a single active consumer
};

/// Which protocol's objects a queue belongs to: who is told that it has gone, and who routes its dead letters.
enum class QueueOwner : std::uint8_t { amqp = 0, mqtt = 1, kafka = 2 };

// -- messages as they are delivered -----------------------------------------------------------------------------------

/// To a consumer, as far as its credit goes.
struct DeliverMessages {
  QueueId queue;
  std::uint64_t consumer = 0;  ///< as it subscribed
  std::vector<MessageRun> runs;
  std::uint32_t messages = 0;
  std::uint64_t bytes = 0;  ///< to be given back with GrantCredit when they have left the session
  // To a consumer on demand, with messages or without:
  std::uint32_t unused = 0;  ///< credit that found nothing, and is the session's again
  bool wants = false;  ///< there is something for it: credit is welcome, and this is not said again until it comes
};
/// The consumer is no more: its queue was deleted. Nothing it holds needs to be settled.
struct ConsumerCancelled {
  QueueId queue;
  std::uint64_t consumer = 0;
};
/// What a session that consumes takes; part of its own interface.
using QueueConsumer = Interface<Takes<DeliverMessages>, Takes<ConsumerCancelled>>;

// -- queues -----------------------------------------------------------------------------------------------------------

/// Finds a queue or makes it. Whether one that is there is what was asked for is the protocol's question: it compares
/// `settings` and `definition` of the answer.
struct DeclareQueue {
  std::string name;      ///< whole, with the virtual host or what else makes it unique among all owners
  bool passive = false;  ///< only find it
  QueueOwner owner = QueueOwner::amqp;
  QueueSettings settings = {};
  Bytes definition = {};            ///< the protocol's own, kept with the queue (arguments); opaque here
  QueueConsumer exclusive_to = {};  ///< the queue goes when this session does
};
struct QueueDeclared {
  QueueErrc error = QueueErrc::none;
  QueueId queue;
  bool created = false;
  QueueOwner owner = QueueOwner::amqp;
  QueueSettings settings;
  Bytes definition;
  std::uint64_t exclusive_to = 0;  ///< actor id of the session; 0: not exclusive
  std::uint64_t ready = 0, consumers = 0;
};
/// New rules for a queue that is there (a policy changed); `durable` and `max_priority` stay as they are. In force at
/// once.
struct ChangeQueue {
  QueueId queue;
  QueueSettings settings;
};
struct QueueChanged {
  QueueErrc error = QueueErrc::none;
};
struct DeleteQueue {
  QueueId queue;
  bool if_unused = false;
  bool if_empty = false;
};
/// Answer to DeleteQueue and PurgeQueue.
struct QueueEmptied {
  QueueErrc error = QueueErrc::none;
  std::uint64_t messages = 0;  ///< ready ones that went
};
/// Removes what is ready; what consumers hold stays theirs. Answered when it is durable.
struct PurgeQueue {
  QueueId queue;
};

/// Empty: all queues of the loop.
struct DescribeQueues {
  std::vector<QueueId> queues;
};
struct QueueDescription {
  QueueId queue;
  std::string name;
  QueueOwner owner = QueueOwner::amqp;
  QueueSettings settings;
  Bytes definition;
  std::uint64_t exclusive_to = 0;
  std::uint64_t ready = 0, unacknowledged = 0, consumers = 0;
  std::uint64_t bytes = 0;  ///< of ready messages, approximately
};
struct QueuesDescribed {
  std::vector<QueueDescription> queues;  ///< unknown ones are left out
};

// -- publishing -------------------------------------------------------------------------------------------------------

/// One record batch for a set of queues of this loop, all records for each of them. Records bear their time of arrival
/// (which a message's time to live counts from) and, when they expire on their own, the header `braid.expiration`
/// (milliseconds from then, decimal). The batch is uncompressed, its offsets are from 0, and it is not written to: the
/// same bytes may go to several loops.
struct PublishToQueues {
  Bytes batch;
  std::vector<QueueId> queues;  ///< without repetitions
  std::uint8_t priority = 0;    ///< of all its messages; cut to what each queue has
  bool persistent = true;       ///< a durable queue has synced it when Published comes
};
struct Published {
  QueueErrc error = QueueErrc::none;  ///< for the whole batch
  /// Records of the batch that a queue at its limit refused, from this one on.
  struct Refusal {
    QueueId queue;
    std::uint32_t from = 0;
  };
  std::vector<Refusal> refused;
  std::vector<QueueId> unknown;  ///< deleted meanwhile; the messages went to the others
};

// -- consuming --------------------------------------------------------------------------------------------------------

/// A consumer of a queue, named by its session's actor and a number of the session's choice (a channel's consumer).
struct StartConsuming {
  QueueId queue;
  QueueConsumer session;
  std::uint64_t consumer = 0;
  bool no_ack = false;                      ///< delivered is acknowledged
  bool exclusive = false;                   ///< nobody else may consume
  std::int32_t priority = 0;                ///< higher ones are served first while they have credit
  std::uint32_t prefetch = 0;               ///< messages it may hold; 0: no limit
  bool granted = false;                     ///< `prefetch` is what it begins with, and only GrantCredit adds to it
  bool on_demand = false;                   ///< gets what GrantCredit gives it, as soon as there is something for it
  std::uint64_t window_bytes = 1ull << 20;  ///< on their way to it and not given back with GrantCredit
};
struct ConsumeStarted {
  QueueErrc error = QueueErrc::none;
  bool active = true;  ///< false: waits for the single active consumer to go
};
/// No more deliveries after the answer. What the consumer holds stays with it until it is settled, or goes back to the
/// queue with `requeue` (counted or not, as said).
struct StopConsuming {
  QueueId queue;
  std::uint64_t session = 0;  ///< actor id
  std::uint64_t consumer = 0;
  bool requeue = false;
  bool counted = true;
};
struct ConsumeStopped {
  QueueErrc error = QueueErrc::none;
};
/// Room for more: bytes that have left the session, and messages for consumers whose credit is granted.
struct GrantCredit {
  QueueId queue;
  std::uint64_t session = 0;
  std::uint64_t consumer = 0;
  std::uint32_t messages = 0;
  std::uint64_t bytes = 0;
};
/// One message, or none. It is held by `consumer`, which need not be subscribed, until settled.
struct GetMessage {
  QueueId queue;
  QueueConsumer session;
  std::uint64_t consumer = 0;
  bool no_ack = false;
};
struct MessageGot {
  QueueErrc error = QueueErrc::none;
  std::vector<MessageRun> runs;  ///< one message or nothing
  std::uint64_t ready = 0;       ///< that are left
};
/// What one read of a session settled, in the order in which it is to happen. Messages that the consumer does not hold
/// are passed over.
struct Settle {
  struct Range {
    QueueId queue;
    std::uint64_t consumer = 0;
    Offset first;
    std::uint32_t count = 1;
    std::uint8_t priority = 0;
    Settlement settlement = Settlement::acknowledge;
  };
  std::uint64_t session = 0;
  std::vector<Range> ranges;
};
/// Answered when all that was settled before it is on the disk (transactions, an ordered end).
struct SyncSettlements {};
struct SettlementsSynced {
  QueueErrc error = QueueErrc::none;
};

// -- what a protocol does for its queues ------------------------------------------------------------------------------

/// Messages that left a queue with a dead-letter output. They stay in the log until the answer says that they are
/// stored elsewhere (or nowhere: then they are gone); after a restart they come again.
struct DeadLetters {
  QueueId queue;
  std::string name;
  Bytes definition;
  DeadReason reason = DeadReason::rejected;
  std::vector<MessageRun> runs;
};
struct DeadLettersRouted {
  bool done = true;  ///< false: they go back to the queue and will be tried again
};
struct QueueGone {
  QueueId queue;
  std::string name;
  QueueOwner owner = QueueOwner::amqp;
};
/// One per owner and loop; registered at each start. Dead letters wait until there is one.
using QueueListener = Interface<Takes<QueueGone>, Answers<DeadLetters, DeadLettersRouted>>;
struct ListenToQueues {
  QueueOwner owner = QueueOwner::amqp;
  QueueListener listener;
};
/// The answer comes when what is stored has been read: queues of the owner that survived.
using QueueHost = Interface<Answers<DeclareQueue, QueueDeclared>, Answers<ChangeQueue, QueueChanged>,
                            Answers<DeleteQueue, QueueEmptied>, Answers<PurgeQueue, QueueEmptied>,
                            Answers<DescribeQueues, QueuesDescribed>, Answers<PublishToQueues, Published>,
                            Answers<StartConsuming, ConsumeStarted>, Answers<StopConsuming, ConsumeStopped>,
                            Takes<GrantCredit>, Answers<GetMessage, MessageGot>, Takes<Settle>,
                            Answers<SyncSettlements, SettlementsSynced>, Answers<ListenToQueues, QueuesDescribed>>;

}  // namespace braid

BRAID_MESSAGE(braid::DeliverMessages)
BRAID_MESSAGE(braid::ConsumerCancelled)
BRAID_MESSAGE(braid::DeclareQueue)
BRAID_MESSAGE(braid::QueueDeclared)
BRAID_MESSAGE(braid::ChangeQueue)
BRAID_MESSAGE(braid::QueueChanged)
BRAID_MESSAGE(braid::DeleteQueue)
BRAID_MESSAGE(braid::QueueEmptied)
BRAID_MESSAGE(braid::PurgeQueue)
BRAID_MESSAGE(braid::DescribeQueues)
BRAID_MESSAGE(braid::QueuesDescribed)
BRAID_MESSAGE(braid::PublishToQueues)
BRAID_MESSAGE(braid::Published)
BRAID_MESSAGE(braid::StartConsuming)
BRAID_MESSAGE(braid::ConsumeStarted)
BRAID_MESSAGE(braid::StopConsuming)
BRAID_MESSAGE(braid::ConsumeStopped)
BRAID_MESSAGE(braid::GrantCredit)
BRAID_MESSAGE(braid::GetMessage)
BRAID_MESSAGE(braid::MessageGot)
BRAID_MESSAGE(braid::Settle)
BRAID_MESSAGE(braid::SyncSettlements)
BRAID_MESSAGE(braid::SettlementsSynced)
BRAID_MESSAGE(braid::DeadLetters)
BRAID_MESSAGE(braid::DeadLettersRouted)
BRAID_MESSAGE(braid::QueueGone)
BRAID_MESSAGE(braid::ListenToQueues)
