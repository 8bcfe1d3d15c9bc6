// Braid, Apache-2.0.
//
// Fetch: record batches from partitions. The work is in fetch_work.hpp, since it may wait.
#include "actors/kafka/fetch_work.hpp"
#include "actors/kafka/handlers/handlers.hpp"
#include "actors/kafka/session.hpp"

namespace braid::kafka {

void fetch(Session& session, const Call& call, FetchRequest request) {
  session.enqueue_fetch(std::make_shared<FetchWork>(session, call, std::move(request)));
}

}  // namespace braid::kafka
