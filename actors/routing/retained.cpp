// Braid, Apache-2.0.
#include "actors/routing/retained.hpp"

#include "actors/internal_topics.hpp"
#include "actors/mqtt/mapping.hpp"
#include "actors/mqtt/sys_values.hpp"
#include "runtime/log.hpp"

namespace braid {

namespace {

// In the log a retained message is a byte of publish flags and a record batch that holds it alone: the form in which
// all messages travel, so nothing else has to know how properties are written.
Bytes encode(std::uint8_t flags, const Bytes& batch) {
  ByteWriter writer(batch.size() + 1);
  writer.u8(flags);
  writer.raw(batch);
  return writer.finish();
}

std::size_t cost(const Publication& message) {
  return message.topic.size() + message.payload.size() + message.properties.size() + sizeof(Publication);
}

/// A message that is kept for long must not pin the large block it came in.
std::shared_ptr<const Publication> compacted(const std::shared_ptr<const Publication>& message) {
  auto copy = std::make_shared<Publication>(*message);
  copy->topic = copy->topic.compact();
  copy->payload = copy->payload.compact();
  copy->properties = copy->properties.compact();
  return copy;
}

}  // namespace

RetainedKeeper::behavior_type RetainedKeeper::make_behavior() {
  recover();
  return {
      [this](const Retain& request) { return retain(request); },
      [this](const MarkRetained&) {
        // Before the log is read there is no order yet: then a message may come both ways rather than not at all.
        return RetainedMarked{ready_ ? last_sequence_ : UINT64_MAX};
      },
      [this](const FindRetained& request) { return find(request); },
  };
}

void RetainedKeeper::recover() {
  const auto topic = services_.directory.find(kRetainedTopic);
  log_ = std::make_unique<StateLog>(services_.partitions, topic->partitions.at(0).id, StateLog::Limits{});
  log_->recover(
      this, [this](const Bytes& name, const std::optional<Bytes>& value) { replay(name, value); },
      [this](Errc error) {
        if (error != Errc::none) {
          log::error("retained", "retained messages cannot be read: {}; trying again", to_string(error));
          retry_ = after(1000, [this] { recover(); });
          return;
        }
        ready_ = true;
        count();
        for (auto& request : std::exchange(waiting_, {})) request();
      });
}

void RetainedKeeper::replay(const Bytes& topic, const std::optional<Bytes>& value) {
  if (!value) {
    index_.erase(topic.view());
    return;
  }
  if (value->empty()) return;
  const Bytes batch = value->slice(1);
  auto walker = BatchWalker::open(batch, batch.size());
  RecordView record;
  if (!walker || !walker->next(record) || !record.key) {
    log::error("retained", {{"topic", topic.view()}}, "a retained message in the log is malformed; it is left out");
    return;
  }
  put(mqtt::to_publication(topic, *walker, record, (*value)[0], 0));
}

void RetainedKeeper::put(Message message) {
  message = compacted(message);
  const std::size_t bytes = cost(*message);
  const std::string_view topic = message->topic.view();
  index_.put(topic, Kept{message, ++last_sequence_}, bytes);
}

caf::result<Retained> RetainedKeeper::retain(const Retain& request) {
  if (ready_) return apply(request);
  auto promise = std::make_shared<Promise<Retained>>(this);
  waiting_.push_back([this, promise, request] { promise->deliver(apply(request)); });
  return promise->later();
}

Retained RetainedKeeper::apply(const Retain& request) {
  if (index_.bytes() + request.batch.size() > services_.settings.mqtt_protocol.max_retained_bytes) {
    BRAID_LOG_LIMITED(warning, "retained", {},
                      "refused: retained messages take as much as mqtt.max_retained_bytes allows");
    return {Errc::overloaded};
  }
  auto walker = BatchWalker::open(request.batch, request.batch.size());
  if (!walker) return {Errc::corrupt_batch};
  std::vector<StateChange> changes;
  RecordView record;
  for (std::size_t i = 0; walker->next(record); ++i) {
    const std::uint8_t flags = i < request.publish_flags.size() ? request.publish_flags[i] : std::uint8_t{0};
    const Bytes topic = walker->share(*record.key);
    if (!record.value || record.value->empty()) {
      // A zero-byte payload clears [MQTT-3.3.1-6] and is not stored itself [MQTT-3.3.1-7].
      if (index_.erase(topic.view())) changes.push_back({topic, std::nullopt});
      continue;
    }
    put(mqtt::to_publication(topic, *walker, record, flags, 0));
    if (mqtt::is_broker_topic(topic.view())) continue;  // of no use after a restart
    BatchBuilder one;
    std::vector<HeaderView> headers;
    HeaderReader reader = record.headers;
    for (HeaderView header; reader.next(header);) headers.push_back(header);
    one.add(record.timestamp, record.key, record.value, headers);
    changes.push_back({topic, encode(flags, one.finish())});
  }
  count();
  store(std::move(changes), request);
  return {};
}

void RetainedKeeper::count() {
  services_.metrics.mqtt_retained = index_.size();
  services_.metrics.mqtt_retained_bytes = index_.bytes();
}

void RetainedKeeper::store(std::vector<StateChange> changes, const Retain& request) {
  const auto stored = [this, token = request.token, target = request.stored](Errc error) {
    if (target) send(target, RetainStored{token, error});
    if (log_->snapshot_due()) log_->snapshot(this, live(), loop().wall_clock());
  };
  if (changes.empty()) return stored(Errc::none);
  log_->put(this, std::move(changes), loop().wall_clock(), stored);
}

caf::result<RetainedFound> RetainedKeeper::find(const FindRetained& request) {
  if (ready_) return look_up(request);
  auto promise = std::make_shared<Promise<RetainedFound>>(this);
  waiting_.push_back([this, promise, request] { promise->deliver(look_up(request)); });
  return promise->later();
}

RetainedFound RetainedKeeper::look_up(const FindRetained& request) {
  RetainedFound found;
  std::vector<Message> expired;
  const auto now = loop().wall_clock();
  const auto page =
      index_.collect(request.filter.view(), request.position.view(), {.values = request.limit}, [&](const Kept& kept) {
        if (mqtt::remaining_expiry_s(*kept.message, now) == 0u)
          expired.push_back(kept.message);
        else if (kept.sequence <= request.as_of)
          found.messages.push_back(kept.message);
      });
  found.more = page.more;
  found.position = Bytes::copy(page.position);
  // [MQTT-3.3.2-5]; the log forgets them with the next snapshot.
  for (const auto& message : expired) index_.erase(message->topic.view());
  if (!expired.empty()) count();
  return found;
}

std::vector<StateChange> RetainedKeeper::live() {
  std::vector<StateChange> changes;
  index_.each([&](const Kept& kept) {
    const Message& message = kept.message;
    if (mqtt::is_broker_topic(message->topic.view())) return;
    BatchBuilder one;
    mqtt::RecordEncoder encoder;
    mqtt::Properties properties;
    // The block was written by us.
    if (mqtt::parse_properties(message->properties.view(), mqtt::place(mqtt::PacketType::publish), mqtt::Sender::client,
                               UINT16_MAX, properties))
      return;
    if (message->expiry_interval_s) {
      properties.present |= 1ull << static_cast<int>(mqtt::PropertyId::message_expiry_interval);
      properties.message_expiry_interval_s = *message->expiry_interval_s;
    }
    encoder.add(one, message->published, message->topic.view(), message->payload.view(), properties);
    const auto flags =
        static_cast<std::uint8_t>(message->qos | (message->retain ? PublishFlags::retain : std::uint8_t{0}));
    changes.push_back({message->topic, encode(flags, one.finish())});
  });
  return changes;
}

RetainedActor spawn_retained(Services& services) {
  return spawn_on<RetainedKeeper>(services.loop, services);
}

}  // namespace braid
