// Braid, Apache-2.0.
//
// The one list of methods. Everything that has to be done for each of them (dispatch by number, printing, tests over
// all methods) walks this list; adding a method is its struct and one word here.
#pragma once

#include <variant>

#include "codecs/amqp/methods/access.hpp"
#include "codecs/amqp/methods/basic.hpp"
#include "codecs/amqp/methods/channel.hpp"
#include "codecs/amqp/methods/confirm.hpp"
#include "codecs/amqp/methods/connection.hpp"
#include "codecs/amqp/methods/exchange.hpp"
#include "codecs/amqp/methods/queue.hpp"
#include "codecs/amqp/methods/tx.hpp"

namespace braid::amqp {

template <class... Methods>
struct MethodList {
  using Variant = std::variant<Methods...>;
  static constexpr std::size_t size = sizeof...(Methods);
  /// Calls `visit(Method{})` for each.
  template <class F>
  static constexpr void for_each(F&& visit) {
    (visit(Methods{}), ...);
  }
};

/// By class and method number.
// clang-format off
using Methods = MethodList<
    ConnectionStart, ConnectionStartOk, ConnectionSecure, ConnectionSecureOk, ConnectionTune, ConnectionTuneOk,
    ConnectionOpen, ConnectionOpenOk, ConnectionClose, ConnectionCloseOk, ConnectionBlocked, ConnectionUnblocked,
    ConnectionUpdateSecret, ConnectionUpdateSecretOk,
    ChannelOpen, ChannelOpenOk, ChannelFlow, ChannelFlowOk, ChannelClose, ChannelCloseOk,
    AccessRequest, AccessRequestOk,
    ExchangeDeclare, ExchangeDeclareOk, ExchangeDelete, ExchangeDeleteOk, ExchangeBind, ExchangeBindOk,
    ExchangeUnbind, ExchangeUnbindOk,
    QueueDeclare, QueueDeclareOk, QueueBind, QueueBindOk, QueuePurge, QueuePurgeOk, QueueDelete, QueueDeleteOk,
    QueueUnbind, QueueUnbindOk,
    BasicQos, BasicQosOk, BasicConsume, BasicConsumeOk, BasicCancel, BasicCancelOk, BasicPublish, BasicReturn,
    BasicDeliver, BasicGet, BasicGetOk, BasicGetEmpty, BasicAck, BasicReject, BasicRecoverAsync, BasicRecover,
    BasicRecoverOk, BasicNack,
    ConfirmSelect, ConfirmSelectOk,
    TxSelect, TxSelectOk, TxCommit, TxCommitOk, TxRollback, TxRollbackOk>;
// clang-format on

/// Any method.
using Method = Methods::Variant;

}  // namespace braid::amqp
