// Braid, Apache-2.0.
//
// Transactions of a channel (1.9): publishes and acknowledgements wait for tx.commit. A commit sends the publishes,
// waits until they are as durable as their queues promise, then sends the acknowledgements and waits until these are
// durable as well. As in RabbitMQ it is not atomic over several queues when the broker crashes in between; messages
// are then delivered again, never lost.
#include <algorithm>
#include <memory>

#include "actors/amqp/session/session.hpp"

namespace braid::amqp {

void Session::handle(Channel& channel, const TxSelect&) {
  if (channel.confirming)
    return fail(channel, ReplyCode::precondition_failed, "cannot switch from confirm to tx mode", TxSelect::info.id);
  if (!channel.transaction) channel.transaction = std::make_unique<Transaction>();
  write(channel.number, TxSelectOk{});
}

void Session::handle(Channel& channel, const TxCommit&) {
  if (!channel.transaction)
    return fail(channel, ReplyCode::precondition_failed, "channel is not transactional", TxCommit::info.id);
  Transaction& transaction = *channel.transaction;
  for (Bytes& chunk : transaction.returns) out().slice(chunk);
  transaction.returns.clear();
  transaction.returned_bytes = 0;
  send_publishes();  // what others of the connection have published goes first
  channel.commit_failed = false;
  for (SealedBatch& sealed : transaction.batches.take()) send_batch(std::move(sealed));
  after_publishes(channel, [this](Channel& there) {
    if (std::exchange(there.commit_failed, false))
      return fail(there, ReplyCode::precondition_failed, "partial tx completion", TxCommit::info.id);
    std::vector<std::uint32_t> loops;
    for (const auto& [held, settlement] : std::exchange(there.transaction->settlements, {})) {
      settlements_.add(held, settlement);
      if (held.loop == stream_loop) continue;
      if (std::find(loops.begin(), loops.end(), held.loop) == loops.end()) loops.push_back(held.loop);
    }
    sync_settlements(there, std::move(loops), true);
  });
}

void Session::sync_settlements(Channel& channel, std::vector<std::uint32_t> loops, bool complete) {
  if (loops.empty()) {
    if (!complete) return fail(channel, ReplyCode::precondition_failed, "partial tx completion", TxCommit::info.id);
    return write(channel.number, TxCommitOk{});
  }
  const std::uint32_t loop = loops.back();
  loops.pop_back();
  await<SettlementsSynced>(channel, services_.queues[loop], SyncSettlements{},
                           [this, loops = std::move(loops), complete](Channel& there, const SettlementsSynced& reply) {
                             sync_settlements(there, loops, complete && reply.error == QueueErrc::none);
                           });
}

void Session::handle(Channel& channel, const TxRollback&) {
  if (!channel.transaction)
    return fail(channel, ReplyCode::precondition_failed, "channel is not transactional", TxRollback::info.id);
  Transaction& transaction = *channel.transaction;
  transaction.batches.clear();
  transaction.returns.clear();
  transaction.returned_bytes = 0;
  // What was settled is the client's again.
  for (const auto& [held, settlement] : std::exchange(transaction.settlements, {}))
    channel.unacknowledged.put_back(held);
  write(channel.number, TxRollbackOk{});
}

}  // namespace braid::amqp
