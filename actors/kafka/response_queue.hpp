// Braid, Apache-2.0.
//
// Requests of a connection are worked on side by side and must be answered in their order: clients match answers to
// requests by position. An answer that is ready waits here until all before it are. What waits, requests and answers,
// is counted in bytes, so that the session can stop reading. Pure: no sockets and no clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "model/bytes.hpp"

namespace braid::kafka {

class ResponseQueue {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  /// What a request costs beside its bytes: a client that sends tiny ones without reading answers is stopped too.
  static constexpr std::size_t kRequestOverheadBytes = 512;

  /// Takes a request's place; returns its number.
  std::uint64_t open(std::size_t request_bytes) {
    places_.emplace_back();
    places_.back().charged_bytes = request_bytes + kRequestOverheadBytes;
    bytes_ += places_.back().charged_bytes;
    return first_ + places_.size() - 1;
  }
  bool is_open(std::uint64_t number) const {
    return number >= first_ && number - first_ < places_.size() && !places_[number - first_].answered;
  }
  /// At `deadline_ms` the session calls `expired`, unless the request has been answered.
  void set_deadline(std::uint64_t number, std::int64_t deadline_ms, std::function<void()> expired) {
    if (!is_open(number)) return;
    places_[number - first_].deadline_ms = deadline_ms;
    places_[number - first_].expired = std::move(expired);
  }
  /// This one waits for other clients and may do so for long (joining a group): nobody waits for it at the end.
  void set_patient(std::uint64_t number) {
    if (is_open(number)) places_[number - first_].patient = true;
  }
  /// The answer; nothing for a request that has none (Produce with acks=0). Ignored for one that was answered.
  void answer(std::uint64_t number, std::vector<Bytes> chunks) {
    if (!is_open(number)) return;
    Place& place = places_[number - first_];
    bytes_ -= place.charged_bytes;
    place.charged_bytes = 0;
    for (const Bytes& chunk : chunks) place.charged_bytes += chunk.size();
    bytes_ += place.charged_bytes;
    place.answered = true;
    place.expired = nullptr;
    place.deadline_ms = kNever;
    place.chunks = std::move(chunks);
  }
  /// Hands over the answers whose turn it is.
  template <class Write>
  void flush(Write&& write) {
    while (!places_.empty() && places_.front().answered) {
      std::vector<Bytes> chunks = std::move(places_.front().chunks);
      bytes_ -= places_.front().charged_bytes;
      places_.pop_front();
      ++first_;
      if (!chunks.empty()) write(std::move(chunks));
    }
  }

  /// What has to be done for the next request that is due at `now_ms`; null when there is none.
  std::function<void()> take_expired(std::int64_t now_ms) {
    for (Place& place : places_) {
      if (place.deadline_ms > now_ms) continue;
      place.deadline_ms = kNever;
      return std::exchange(place.expired, nullptr);
    }
    return nullptr;
  }
  std::int64_t next_deadline_ms() const {
    std::int64_t next_ms = kNever;
    for (const Place& place : places_) next_ms = std::min(next_ms, place.deadline_ms);
    return next_ms;
  }

  bool empty() const { return places_.empty(); }
  std::size_t size() const { return places_.size(); }
  /// Everything that is not answered is patient.
  bool only_patient() const {
    return std::all_of(places_.begin(), places_.end(),
                       [](const Place& place) { return place.answered || place.patient; });
  }
  /// Requests that are worked on, and answers that wait for their turn.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Place {
    bool answered = false;
    bool patient = false;
    std::size_t charged_bytes = 0;
    std::int64_t deadline_ms = kNever;
    std::function<void()> expired;
    std::vector<Bytes> chunks;
  };
  std::deque<Place> places_;
  std::uint64_t first_ = 0;  ///< number of the first place
  std::size_t bytes_ = 0;
};

}  // namespace braid::kafka
