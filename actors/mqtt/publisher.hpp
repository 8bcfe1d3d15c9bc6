// Braid, Apache-2.0.
//
// The way of a message from an MQTT client into the broker. What one read of a socket brought is gathered into one
// batch per partition, one for live subscribers and one for the keeper of retained messages, so that the cost of an
// actor message and of a record batch is paid per read. Owned by one actor, which gets the outcome of every publish
// that it wants to acknowledge.
//
// Batches of one actor are sent in the order of their reads. A read with retained messages is held back until the
// keeper has them, and what comes behind it waits too: a new subscriber must not get an older retained message behind a
// newer live one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "actors/mqtt/acknowledger.hpp"
#include "actors/mqtt/mapping.hpp"
#include "actors/services.hpp"
#include "codecs/mqtt/errors.hpp"
#include "codecs/mqtt/packets.hpp"
#include "codecs/mqtt/topic.hpp"
#include "model/fifo.hpp"

namespace braid::mqtt {

class Publisher {
 public:
  using Receipt = Acknowledger::Receipt;
  /// `publisher` is the client's number, for No Local; 0 for none.
  Publisher(Services& services, std::uint64_t publisher) : services_(services), publisher_(publisher) {}

  /// For whom the next messages are published.
  void speak_for(std::uint64_t publisher) { publisher_ = publisher; }
  /// Nothing of what was added is on its way any more.
  bool idle() const { return queue_.empty() && storing_.empty() && in_flight_bytes_ == 0; }

  /// Adds a message to those of the current read. `topic` is a valid topic name; the publish's own topic may be an
  /// alias. `acknowledger` is told of `receipt` for each part.
  void add(std::string_view topic, const Publish& publish, Acknowledger& acknowledger, Receipt receipt, Timestamp now);

  /// Sends what was added. `done(receipts, reason)` is called in `self`'s context whenever a part is finished.
  /// `self` answers RetainStored messages by calling `stored`.
  template <class Self, class Done>
  void flush(Self* self, Done done);
  template <class Done>
  void stored(const RetainStored& message, Done done);

  /// Bytes of batches that are on their way.
  std::size_t in_flight_bytes() const { return in_flight_bytes_; }

 private:
  using Receipts = std::vector<Receipt>;
  struct Group {
    TopicRef topic;  ///< null for live traffic
    PartitionId partition;
    BatchBuilder builder;
    std::string flags;
    Receipts receipts;
    Group(TopicRef stored_in, PartitionId where, std::size_t max_bytes)
        : topic(std::move(stored_in)), partition(where), builder(max_bytes) {}
  };
  struct Sealed {
    TopicRef topic;
    PartitionId partition;
    Bytes batch, flags;
    Receipts receipts;
    LoopSet loops = 0;  ///< for live traffic
  };
  struct Work {
    std::optional<Sealed> retained;
    std::vector<Sealed> batches;
    std::vector<std::string> late_levels;
    std::uint64_t publisher = 0;
    bool asked = false;
  };

  Group& group_for(const TopicRef& topic, PartitionId partition);
  bool put(Group& group, Timestamp now, std::string_view topic, const Publish& publish, std::uint8_t flags,
           Receipt receipt);
  static Sealed seal(Group& group);
  Work seal_all();
  template <class Self, class Done>
  void go_on(Self* self, Done done);
  template <class Self, class Done>
  void send_batches(Self* self, Work work, Done done);

  Services& services_;
  std::uint64_t publisher_;
  RecordEncoder encoder_;
  std::vector<Group> groups_;        ///< of the current read; few, searched in line
  std::unique_ptr<Group> retained_;  ///< of the current read, if it brought any
  LoopSet live_loops_ = 0;
  /// First levels of retained messages that nobody wanted when they came: asked for again when they are routed.
  std::vector<std::string> late_levels_;
  std::vector<Sealed> full_;  ///< groups of the current read that were full
  Fifo<Work> queue_;          ///< reads that wait behind retained messages
  std::uint64_t next_token_ = 1;
  std::vector<std::pair<std::uint64_t, Receipts>> storing_;  ///< retained messages that are not durable yet
  std::size_t in_flight_bytes_ = 0;
};

template <class Self, class Done>
void Publisher::flush(Self* self, Done done) {
  if (groups_.empty() && full_.empty() && !retained_) return;
  queue_.push_back(seal_all());
  if (queue_.size() == 1) go_on(self, std::move(done));
}

template <class Self, class Done>
void Publisher::go_on(Self* self, Done done) {
  while (!queue_.empty()) {
    Work& work = queue_.front();
    if (work.retained && !work.asked) {
      work.asked = true;
      Retain request;
      request.batch = work.retained->batch;
      request.publish_flags = work.retained->flags;
      request.token = next_token_++;
      request.stored = self;
      storing_.emplace_back(request.token, work.retained->receipts);
      const auto token = request.token;
      ask(
          self, services_.retained, std::move(request),
          [this, self, done, token](const Retained& retained) {
            if (retained.error != Errc::none) stored({token, retained.error}, done);
            queue_.front().retained.reset();
            go_on(self, done);
          },
          [this, self, done, token](caf::error) {
            stored({token, Errc::unknown_outcome}, done);
            queue_.front().retained.reset();
            go_on(self, done);
          });
      return;
    }
    if (work.retained) return;
    // Taken out first: what is done may publish more, and move the queue. It stays in front meanwhile, so that more
    // waits.
    send_batches(self, std::move(work), done);
    queue_.pop_front();
  }
}

template <class Self, class Done>
void Publisher::send_batches(Self* self, Work work, Done done) {
  LoopSet late_loops = 0;
  for (const auto& level : work.late_levels) late_loops |= services_.interest.loops(level);
  for (auto& sealed : work.batches) {
    if (!sealed.topic) {
      sealed.loops |= late_loops;
      const auto reason = sealed.loops == 0 ? ReasonCode::no_matching_subscribers : ReasonCode::success;
      for (std::size_t i = 0; sealed.loops != 0; ++i, sealed.loops >>= 1)
        if (sealed.loops & 1)
          self->send(services_.routers[i], PublishBatch{nullptr, sealed.batch, sealed.flags, work.publisher});
      in_flight_bytes_ -= sealed.batch.size();
      done(sealed.receipts, reason);
      continue;
    }
    const std::size_t bytes = sealed.batch.size();
    AppendBatch request;
    request.batch = std::move(sealed.batch);
    request.trusted = true;
    request.publish_flags = std::move(sealed.flags);
    request.publisher = work.publisher;
    services_.partitions.request(self, sealed.partition, std::move(request),
                                 [this, bytes, receipts = std::move(sealed.receipts), done](const Appended& appended) {
                                   in_flight_bytes_ -= bytes;
                                   done(receipts, reason_code(appended.error));
                                 });
  }
}

template <class Done>
void Publisher::stored(const RetainStored& message, Done done) {
  for (auto at = storing_.begin(); at != storing_.end(); ++at) {
    if (at->first != message.token) continue;
    const auto receipts = std::move(at->second);
    storing_.erase(at);
    done(receipts, reason_code(message.error));
    return;
  }
}

}  // namespace braid::mqtt
