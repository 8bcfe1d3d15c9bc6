// Braid, Apache-2.0.
//
// InitProducerId: an identity for an idempotent producer. One that comes back with its old identity (KIP-360) gets a
// new one, whether or not it has epochs left: without transactions nothing hangs on the old, and Kafka does the same.
// An idempotent producer that wants the next epoch of its identity takes it by itself; partitions follow
// (producer_state). Transactional producers are refused (find_coordinator.cpp).
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {

/// All of these are tried again by the producer.
ErrorCode allocation_error(Errc error) {
  return error == Errc::none ? ErrorCode::none : ErrorCode::coordinator_not_available;
}

}  // namespace

void init_producer_id(Session& session, const Call& call, InitProducerIdRequest request) {
  InitProducerIdResponse refused;
  refused.producer_epoch = -1;
  if (request.transactional_id) {
    refused.error_code = request.transactional_id->empty() ? ErrorCode::invalid_request
                                                           : ErrorCode::transactional_id_authorization_failed;
    return session.respond(call, refused);
  }
  // Half an identity is none.
  if ((request.producer_id == -1) != (request.producer_epoch == -1)) {
    refused.error_code = ErrorCode::invalid_request;
    return session.respond(call, refused);
  }
  session.services().producer_ids.take(&session, session.services().catalog,
                                       [&session, call, refused](Errc error, ProducerId id) {
                                         InitProducerIdResponse response = refused;
                                         response.error_code = allocation_error(error);
                                         response.producer_id = id.value;
                                         if (error == Errc::none) response.producer_epoch = 0;
                                         session.respond(call, response);
                                       });
}

}  // namespace braid::kafka
