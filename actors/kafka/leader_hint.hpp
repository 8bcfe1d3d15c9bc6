// Braid, Apache-2.0.
//
// Where to go instead (KIP-951): with "not the leader" and "fenced" a response names the leader of the partition and
// its address, which saves the client a round of metadata. Produce from version 10, Fetch from 16.
#pragma once

#include "actors/kafka/session.hpp"

namespace braid::kafka {

inline bool wants_leader(ErrorCode error) {
  return error == ErrorCode::not_leader_or_follower || error == ErrorCode::fenced_leader_epoch;
}

/// Fills in `place.current_leader`, and the address in the response unless it is there.
template <class Response, class Partition>
void add_leader_hint(const Session& session, const PartitionPlacement& partition, Response& response,
                     Partition& place) {
  place.current_leader.leader_id = session.node_id();
  place.current_leader.leader_epoch = session.services().leader_epoch(partition).value;
  if (!response.node_endpoints.empty()) return;
  typename Response::NodeEndpoint endpoint;
  endpoint.node_id = session.node_id();
  endpoint.host = Text(session.endpoint().host);
  endpoint.port = session.endpoint().port;
  response.node_endpoints.push_back(std::move(endpoint));
}

}  // namespace braid::kafka
