// Braid, Apache-2.0.
//
// The one list of requests that the codec knows. Everything that has to be done for each of them (the table of
// versions, tests over all messages, the fuzz target, a session's dispatch) walks this list; adding a request is one
// line here.
#pragma once

#include <type_traits>

#include "codecs/kafka/api_keys.hpp"
#include "codecs/kafka/messages/api_versions.hpp"
#include "codecs/kafka/messages/create_topics.hpp"
#include "codecs/kafka/messages/delete_topics.hpp"
#include "codecs/kafka/messages/fetch.hpp"
#include "codecs/kafka/messages/find_coordinator.hpp"
#include "codecs/kafka/messages/heartbeat.hpp"
#include "codecs/kafka/messages/init_producer_id.hpp"
#include "codecs/kafka/messages/join_group.hpp"
#include "codecs/kafka/messages/leave_group.hpp"
#include "codecs/kafka/messages/list_offsets.hpp"
#include "codecs/kafka/messages/metadata.hpp"
#include "codecs/kafka/messages/offset_commit.hpp"
#include "codecs/kafka/messages/offset_fetch.hpp"
#include "codecs/kafka/messages/produce.hpp"
#include "codecs/kafka/messages/sync_group.hpp"

namespace braid::kafka {

template <ApiKey Key, class RequestType, class ResponseType>
struct Api {
  static constexpr ApiKey key = Key;
  using Request = RequestType;
  using Response = ResponseType;
  static constexpr Versions versions = Request::info.versions;

  static_assert(Request::info.key == static_cast<std::int16_t>(Key) && Response::info.key == Request::info.key);
  static_assert(Request::info.versions == Response::info.versions, "a request is answered in its own version");
  static_assert(Request::info.first_flexible == Response::info.first_flexible);
};

template <class... Apis>
struct ApiList {
  /// Calls `visit(Api{})` for each.
  template <class F>
  static void for_each(F&& visit) {
    (visit(Apis{}), ...);
  }
  /// Calls `visit(Api{})` for the one with this key; false when there is none.
  template <class F>
  static bool with(ApiKey key, F&& visit) {
    return ((Apis::key == key && (visit(Apis{}), true)) || ...);
  }
};

/// By ascending key.
using Apis = ApiList<Api<ApiKey::produce, ProduceRequest, ProduceResponse>,                           //
                     Api<ApiKey::fetch, FetchRequest, FetchResponse>,                                 //
                     Api<ApiKey::list_offsets, ListOffsetsRequest, ListOffsetsResponse>,              //
                     Api<ApiKey::metadata, MetadataRequest, MetadataResponse>,                        //
                     Api<ApiKey::offset_commit, OffsetCommitRequest, OffsetCommitResponse>,           //
                     Api<ApiKey::offset_fetch, OffsetFetchRequest, OffsetFetchResponse>,              //
                     Api<ApiKey::find_coordinator, FindCoordinatorRequest, FindCoordinatorResponse>,  //
                     Api<ApiKey::join_group, JoinGroupRequest, JoinGroupResponse>,                    //
                     Api<ApiKey::heartbeat, HeartbeatRequest, HeartbeatResponse>,                     //
                     Api<ApiKey::leave_group, LeaveGroupRequest, LeaveGroupResponse>,                 //
                     Api<ApiKey::sync_group, SyncGroupRequest, SyncGroupResponse>,                    //
                     Api<ApiKey::api_versions, ApiVersionsRequest, ApiVersionsResponse>,              //
                     Api<ApiKey::create_topics, CreateTopicsRequest, CreateTopicsResponse>,           //
                     Api<ApiKey::delete_topics, DeleteTopicsRequest, DeleteTopicsResponse>,           //
                     Api<ApiKey::init_producer_id, InitProducerIdRequest, InitProducerIdResponse>     //
                     >;

}  // namespace braid::kafka
