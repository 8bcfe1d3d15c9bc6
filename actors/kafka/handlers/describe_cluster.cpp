// Braid, Apache-2.0.
//
// DescribeCluster: the nodes and what they are called. Clients of the broker port may not ask it about controllers:
// there is no port of theirs.
#include "actors/kafka/handlers/authorized_operations.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

namespace {
constexpr std::int8_t kBrokers = 1, kControllers = 2;
}

void describe_cluster(Session& session, const Call& call, DescribeClusterRequest request) {
  DescribeClusterResponse response;
  if (request.endpoint_type != kBrokers) {
    const bool known = request.endpoint_type == kControllers;
    response.error_code = known ? ErrorCode::mismatched_endpoint_type : ErrorCode::unsupported_endpoint_type;
    response.error_message = known ? Text::literal("this is a broker's port, not a controller's")
                                   : Text::literal("there is no such kind of endpoint");
    return session.respond(call, response);
  }
  response.cluster_id = Text(session.services().cluster_id);
  response.controller_id = session.node_id();
  DescribeClusterResponse::Broker broker;
  broker.broker_id = session.node_id();
  broker.host = Text(session.endpoint().host);
  broker.port = session.endpoint().port;
  response.brokers.push_back(std::move(broker));
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  session.respond(call, response);
}

}  // namespace braid::kafka
