// Braid, Apache-2.0.
#include "actors/kafka/fetch_sessions.hpp"

#include <limits>

namespace braid::kafka {

// -- one session ------------------------------------------------------------------------------------------------------

template <class TopicLike>
std::string FetchSession::key_of(const TopicLike& topic) const {
  if (!by_id) return topic.topic.str();
  return std::string(reinterpret_cast<const char*>(topic.topic_id.bytes.data()), topic.topic_id.bytes.size());
}

std::int32_t FetchSession::next_epoch(std::int32_t epoch) {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

void FetchSession::update(const FetchRequest& request) {
  for (const FetchRequest::Topic& named : request.topics) {
    if (named.partitions.empty()) continue;
    const auto [at, added] = topics_.try_emplace(key_of(named));
    Topic& topic = at->second;
    if (added) {
      if (!by_id) topic.name = Text(named.topic.view());  // copied: the request's block is not kept
      topic.id = named.topic_id;
    }
    for (const FetchRequest::Partition& wanted : named.partitions) {
      const auto known = topic.partitions.find(wanted.partition);
      if (known != topic.partitions.end()) {
        known->second->wanted = wanted;
        continue;
      }
      order_.push_back({&topic, wanted, -1, -1});
      topic.partitions.emplace(wanted.partition, std::prev(order_.end()));
    }
  }
  for (const FetchRequest::ForgottenTopic& forgotten : request.forgotten_topics_data) {
    const auto at = topics_.find(key_of(forgotten));
    if (at == topics_.end()) continue;
    for (const std::int32_t index : forgotten.partitions) {
      const auto known = at->second.partitions.find(index);
      if (known == at->second.partitions.end()) continue;
      order_.erase(known->second);
      at->second.partitions.erase(known);
    }
    if (at->second.partitions.empty()) topics_.erase(at);
  }
}

FetchSession::Partition* FetchSession::find(const FetchRequest::Topic& topic, std::int32_t index) {
  const auto at = topics_.find(key_of(topic));
  if (at == topics_.end()) return nullptr;
  const auto known = at->second.partitions.find(index);
  return known == at->second.partitions.end() ? nullptr : &*known->second;
}

void FetchSession::move_to_end(Partition& partition) {
  order_.splice(order_.end(), order_, partition.topic->partitions.at(partition.wanted.partition));
}

// -- all of a loop ----------------------------------------------------------------------------------------------------

FetchSessionRef FetchSessions::find(std::int32_t id, std::int64_t now_ms) {
  const auto at = slots_.find(id);
  if (at == slots_.end()) return nullptr;
  at->second.used_ms = now_ms;
  by_use_.splice(by_use_.end(), by_use_, at->second.place);
  return at->second.session;
}

FetchSessionRef FetchSessions::create(const FetchRequest& request, bool by_id, std::int64_t now_ms) {
  std::size_t named = 0;
  for (const FetchRequest::Topic& topic : request.topics) named += topic.partitions.size();
  if (named == 0 || !make_room(named, 1, now_ms, 0)) return nullptr;
  const std::int32_t id = new_id();
  auto session = std::make_shared<FetchSession>(id, by_id);
  session->update(request);
  by_use_.push_back(id);
  slots_.emplace(id, Slot{session, now_ms, session->size(), std::prev(by_use_.end())});
  partitions_ += session->size();
  return session;
}

bool FetchSessions::update(FetchSession& session, const FetchRequest& request, std::int64_t now_ms) {
  std::size_t named = 0;
  for (const FetchRequest::Topic& topic : request.topics) named += topic.partitions.size();
  // Most of these are known already, so they are counted only when there might not be room for all.
  if (partitions_ + named > limits_.partitions && !make_room(named, 0, now_ms, session.id)) {
    remove(session.id);
    return false;
  }
  session.update(request);
  const auto at = slots_.find(session.id);
  if (at == slots_.end()) return false;
  partitions_ += session.size();
  partitions_ -= at->second.partitions;
  at->second.partitions = session.size();
  if (session.size() > 0) return true;
  remove(session.id);
  return false;
}

void FetchSessions::remove(std::int32_t id) {
  const auto at = slots_.find(id);
  if (at == slots_.end()) return;
  partitions_ -= at->second.partitions;
  by_use_.erase(at->second.place);
  slots_.erase(at);
}

bool FetchSessions::make_room(std::size_t partitions, std::size_t slots, std::int64_t now_ms, std::int32_t except) {
  while (slots_.size() + slots > limits_.slots || partitions_ + partitions > limits_.partitions) {
    if (by_use_.empty() || by_use_.front() == except) return false;
    if (now_ms - slots_.at(by_use_.front()).used_ms <= limits_.idle_ms) return false;
    remove(by_use_.front());
  }
  return true;
}

std::int32_t FetchSessions::new_id() {
  const auto loops = static_cast<std::int32_t>(limits_.loops), loop = static_cast<std::int32_t>(limits_.loop);
  for (;;) {
    const auto random = static_cast<std::int32_t>(random_() & 0x7fffffff);
    const std::int32_t base = random - random % loops;
    if (base > std::numeric_limits<std::int32_t>::max() - loop) continue;
    if (const std::int32_t id = base + loop; id != 0 && slots_.count(id) == 0) return id;
  }
}

}  // namespace braid::kafka
