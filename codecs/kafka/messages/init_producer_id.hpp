// Braid, Apache-2.0.
//
// Gives a producer its identity. Since version 3 a producer that has lost its place asks for the next epoch of the
// identity that it has (KIP-360); with a transactional id it also ends what an earlier incarnation left open.
#pragma once

#include <cstdint>
#include <optional>

#include "codecs/kafka/errors.hpp"
#include "codecs/kafka/schema.hpp"
#include "codecs/kafka/types.hpp"

namespace braid::kafka {

struct InitProducerIdRequest {
  static constexpr MessageInfo info{"InitProducerIdRequest", 22, {0, 6}, 2};

  std::optional<Text> transactional_id{std::in_place};  ///< null for a producer that is idempotent only
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;  ///< -1 to be given one
  std::int16_t producer_epoch = -1;
  bool enable2_pc = false;  ///< two-phase commit with an outer coordinator (KIP-939)
  bool keep_prepared_txn = false;

  template <class V>
  static void describe(V& v) {
    v(&InitProducerIdRequest::transactional_id, "transactional_id", since(0).nullable_since(0));
    v(&InitProducerIdRequest::transaction_timeout_ms, "transaction_timeout_ms", since(0));
    v(&InitProducerIdRequest::producer_id, "producer_id", since(3));
    v(&InitProducerIdRequest::producer_epoch, "producer_epoch", since(3));
    v(&InitProducerIdRequest::enable2_pc, "enable2_pc", since(6));
    v(&InitProducerIdRequest::keep_prepared_txn, "keep_prepared_txn", since(6));
  }
  friend bool operator==(const InitProducerIdRequest&, const InitProducerIdRequest&) = default;
};

struct InitProducerIdResponse {
  static constexpr MessageInfo info{"InitProducerIdResponse", 22, {0, 6}, 2};

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;
  /// Of a transaction kept open for two-phase commit; -1 when there is none.
  std::int64_t ongoing_txn_producer_id = -1;
  std::int16_t ongoing_txn_producer_epoch = -1;

  template <class V>
  static void describe(V& v) {
    v(&InitProducerIdResponse::throttle_time_ms, "throttle_time_ms", since(0).ignorable());
    v(&InitProducerIdResponse::error_code, "error_code", since(0));
    v(&InitProducerIdResponse::producer_id, "producer_id", since(0));
    v(&InitProducerIdResponse::producer_epoch, "producer_epoch", since(0));
    v(&InitProducerIdResponse::ongoing_txn_producer_id, "ongoing_txn_producer_id", since(6));
    v(&InitProducerIdResponse::ongoing_txn_producer_epoch, "ongoing_txn_producer_epoch", since(6));
  }
  friend bool operator==(const InitProducerIdResponse&, const InitProducerIdResponse&) = default;
};

}  // namespace braid::kafka
