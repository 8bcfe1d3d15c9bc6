// Braid, Apache-2.0.
//
// Messages from the client: checked, routed by the loop's copy of the virtual host, and gathered into batches per set
// of queues (publish_batches.hpp). A message whose queues have it, or that no queue gets, is confirmed; one that a
// queue refused or could not store is rejected (basic.nack).
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "actors/amqp/session/session.hpp"
#include "actors/topic_bridge/bridge.hpp"
#include "actors/topic_bridge/names.hpp"
#include "runtime/log.hpp"

namespace braid::amqp {

namespace {

/// What a message costs beside its bytes, so that empty ones count as well.
constexpr std::uint64_t kMessageOverheadBytes = 64;

}  // namespace

/// A batch on its way to the hosts of its queues.
struct Session::Flight {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::size_t left = 0;
  std::uint32_t refused_from = UINT32_MAX;  ///< records from here on were not taken by all queues
  std::vector<Receipt> receipts;
};

void Session::handle(Channel& channel, const BasicPublish& method) {
  channel.publish = method;
  channel.content.begin(BasicPublish::info.id);
  if (!std::exchange(channel.kept, true)) assembling_.push_back(channel.number);
}

bool Session::check_publish(Channel& channel, const BasicProperties& properties, MethodId method) {
  if (properties.has(PropertyFlag::user_id) && properties.user_id != user_) {
    fail(channel, ReplyCode::precondition_failed,
         fmt::format("user_id property set to '{}' but authenticated user was '{}'", properties.user_id, user_),
         method);
    return false;
  }
  if (properties.has(PropertyFlag::expiration) && !parse_expiration(properties.expiration)) {
    fail(channel, ReplyCode::precondition_failed, fmt::format("invalid expiration '{}'", properties.expiration),
         method);
    return false;
  }
  if (const auto refused = check_sender_selected(properties)) {
    fail(channel, *refused, method);
    return false;
  }
  return true;
}

void Session::publish(Channel& channel, const Bytes& read) {
  has_published_ = true;
  ++services_.metrics.amqp_published;
  publish_message(channel, read, Reach::unknown);
}

void Session::publish_message(Channel& channel, const Bytes& read, Reach asked) {
  constexpr MethodId method = BasicPublish::info.id;
  const ContentHeader& header = channel.content.header();
  const BasicProperties& properties = header.properties;
  if (channel.publish.immediate) return fail(channel, ReplyCode::not_implemented, "immediate=true", method);
  const auto exchange = vhost_->topology().publishable(channel.publish.exchange);
  if (!exchange) return fail(channel, exchange.error(), method);
  if (!check_publish(channel, properties, method)) return;

  PublishBatches::Message message;
  message.publish.exchange = channel.publish.exchange;
  message.publish.routing_key = channel.publish.routing_key;
  message.publish.properties = header.encoded;
  message.publish.body = channel.content.body();
  if (properties.has(PropertyFlag::expiration)) message.publish.expiration = properties.expiration;
  message.persistent = properties.persistent();
  message.priority = properties.priority;
  if (properties.has(PropertyFlag::reply_to) && properties.reply_to == reply_queue) {
    if (!channel.takes_replies)
      return fail(channel, ReplyCode::precondition_failed, "fast reply consumer does not exist", method);
    BasicProperties answered_to = properties;
    const std::string address = reply_address(channel);
    answered_to.reply_to = address;
    ByteWriter encoded;
    encode_properties(encoded, answered_to);
    scratch_ = encoded.view();
    message.publish.properties = scratch_;
  }
  if (properties.has(PropertyFlag::headers)) {
    if (const auto bcc = properties.headers.find("BCC")) {
      message.publish.bcc = bcc->as_array();
      message.publish.properties = without_header(message.publish.properties, "BCC", more_scratch_);
    }
  }

  if (channel.publish.exchange.empty() && publish_reply(channel, header)) {
    confirm_at_once(channel);
    return channel.content.reset();
  }
  const Routed routed = vhost_->topology().route(*exchange, {channel.publish.routing_key, properties});
  bool unroutable = routed.queues.empty() && routed.delayed.empty();
  if (channel.publish.mandatory && routed.delayed.empty() && routed.queues.size() == 1 &&
      vhost_->place(routed.queues.front()).exclusive_to == bridge_owner) {
    if (asked == Reach::unknown) asked = reach(channel.publish.routing_key);
    if (asked == Reach::unknown) {
      channel.content.keep(read);
      return find_subscribers(channel);
    }
    unroutable = asked == Reach::nobody;
  }
  if (unroutable) {
    if (channel.publish.mandatory) {
      if (channel.transaction) {
        FrameWriter frames;
        write_return(frames, channel, channel.publish, ReplyCode::no_route, message.publish.properties);
        for (Bytes& chunk : frames.finish()) {
          channel.transaction->returned_bytes += chunk.size();
          channel.transaction->returns.push_back(std::move(chunk));
        }
      } else {
        write_return(out(), channel, channel.publish, ReplyCode::no_route, message.publish.properties);
      }
    }
    confirm_at_once(channel);
    return channel.content.reset();
  }
  const std::uint64_t number = channel.confirming ? channel.confirms.open() : 0;
  if (arrived_.value < 0) arrived_ = loop().wall_clock();
  const Receipt receipt{channel.number, channel.serial, number, 1, 0};
  PublishBatches& batches = channel.transaction ? channel.transaction->batches : batches_;
  const Receipt* wanted = number != 0 || channel.transaction ? &receipt : nullptr;
  const std::size_t parts = routed.delayed.size() + (routed.queues.empty() ? 0 : 1);
  if (number != 0 && parts > 1) channel.in_parts.emplace(number, InParts{parts});
  bool fits = routed.queues.empty() || batches.add(*vhost_, routed.queues, message, arrived_, wanted);
  for (const ExchangeNumber waiting : routed.delayed)
    fits = fits && batches.add_delayed(vhost_->topology().exchange_name(waiting), delay_ms(properties), message,
                                       arrived_, wanted);
  if (!fits) {
    channel.content.reset();
    return fail(channel, ReplyCode::precondition_failed, "message size is larger than a batch can be", method);
  }
  channel.content.reset();
  if (channel.transaction &&
      batches.bytes() + channel.transaction->returned_bytes > services_.settings.limits.max_inflight_bytes)
    fail_connection(ReplyCode::resource_error, "a transaction larger than limits.max_inflight_bytes", method);
}

void Session::confirm_at_once(Channel& channel) {
  if (!channel.confirming) return;
  channel.confirms.finish(channel.confirms.open());
  note_confirms(channel);
}

/// What this loop knows of it.
Session::Reach Session::reach(std::string_view routing_key) {
  const auto name = to_topic_name(routing_key);
  if (!name) return Reach::nobody;
  if (services_.routes.topic_for(*name, services_.directory)) return Reach::somebody;
  return services_.interest.loops(first_level(*name)) == 0 ? Reach::nobody : Reach::unknown;
}

/// Asks the loops with subscribers near that name; the channel waits, so that its messages and confirms stay in order.
void Session::find_subscribers(Channel& channel) {
  struct Found {
    int missing;
    bool any;
  };
  const auto name = to_topic_name(channel.publish.routing_key);
  const FindSubscribers request{Bytes::copy(*name), bridge_client()};
  LoopSet loops = services_.interest.loops(first_level(*name));
  const auto found = std::make_shared<Found>(Found{std::popcount(loops), false});
  channel.busy = true;
  const auto one_less = [this, found, number = channel.number, serial = channel.serial](bool any) {
    found->any = found->any || any;
    if (--found->missing > 0) return;
    turn([&] {
      answered(number, serial,
               [&](Channel& there) { publish_message(there, {}, found->any ? Reach::somebody : Reach::nobody); });
    });
  };
  for (std::size_t at = 0; loops != 0; ++at, loops >>= 1) {
    if (!(loops & 1)) continue;
    ask(
        this, services_.routers[at], request, [one_less](const SubscribersFound& there) { one_less(there.any); },
        [one_less](const caf::error&) { one_less(true); });
  }
}

void Session::write_return(FrameWriter& to, Channel& channel, const BasicPublish& method, ReplyCode code,
                           std::string_view properties) {
  const BasicReturn returned{code, name_of(code), method.exchange, method.routing_key};
  Bytes body;
  const auto pieces = channel.content.body();
  std::size_t bytes = 0;
  for (const auto piece : pieces) bytes += piece.size();
  ByteWriter copy(std::max<std::size_t>(bytes, 1));
  for (const auto piece : pieces) copy.raw(piece);
  body = copy.finish();
  encode_content(to, channel.number, frame_max_, returned, properties, body);
}

// -- on their way -----------------------------------------------------------------------------------------------------

void Session::send_publishes() {
  arrived_ = Timestamp{-1};
  if (batches_.empty()) return;
  for (SealedBatch& sealed : batches_.take()) send_batch(std::move(sealed));
}

void Session::send_batch(SealedBatch sealed) {
  auto flight = std::make_shared<Flight>();
  flight->number = flights_.open();
  flight->bytes = sealed.batch.size() + sealed.count * kMessageOverheadBytes;
  flight->left = sealed.targets.size();
  flight->receipts = std::move(sealed.receipts);
  in_flight_bytes_ += flight->bytes;
  for (SealedBatch::Target& target : sealed.targets) {
    const auto one_less = [this, flight](std::uint32_t refused_from) {
      flight->refused_from = std::min(flight->refused_from, refused_from);
      if (--flight->left == 0) turn([&] { finished(*flight); });
    };
    const auto published = [this, one_less](const Published& reply) {
      if (reply.error != QueueErrc::none) {
        BRAID_LOG_LIMITED(warning, "amqp", {{"peer", peer_}, {"client", client_name_}},
                          "messages were not stored (error {} of a queue host)", static_cast<unsigned>(reply.error));
        return one_less(0);
      }
      std::uint32_t from = UINT32_MAX;
      for (const auto& refusal : reply.refused) from = std::min(from, refusal.from);
      one_less(from);
    };
    const auto failed = [one_less](caf::error) { one_less(0); };
    if (sealed.delay_ms > 0)
      ask(this, services_.amqp_delays,
          DelayMessages{vhost_->name(), sealed.delayed_at, sealed.delay_ms, sealed.batch, sealed.persistent}, published,
          failed);
    else
      ask(this, services_.queues[target.loop],
          PublishToQueues{sealed.batch, std::move(target.queues), sealed.priority, sealed.persistent}, published,
          failed);
  }
}

void Session::finished(Flight& flight) {
  in_flight_bytes_ -= flight.bytes;
  flights_.finish(flight.number);
  for (const Receipt& receipt : flight.receipts) resolve(receipt, flight.refused_from);
  flights_.take_finished([](std::uint64_t, std::uint32_t, bool) {});
  publishes_arrived();
}

void Session::resolve(const Receipt& receipt, std::uint32_t refused_from) {
  Channel* channel = find(receipt.channel, receipt.serial);
  if (!channel || channel->closing) return;
  if (receipt.first == 0) {  // of a transaction, which has a word for all of them
    if (receipt.record + receipt.count > refused_from) channel->commit_failed = true;
    return;
  }
  for (std::uint32_t i = 0; i < receipt.count; ++i) {
    bool good = receipt.record + i < refused_from;
    if (const auto part = channel->in_parts.find(receipt.first + i); part != channel->in_parts.end()) {
      good = part->second.good = part->second.good && good;
      if (--part->second.left > 0) continue;
      channel->in_parts.erase(part);
    }
    channel->confirms.finish(receipt.first + i, good);
  }
  note_confirms(*channel);
}

void Session::publishes_arrived() {
  std::vector<Waiting> ready;
  std::erase_if(waiting_for_publishes_, [&](Waiting& waiting) {
    if (waiting.behind > flights_.first()) return false;
    ready.push_back(std::move(waiting));
    return true;
  });
  for (const Waiting& waiting : ready) answered(waiting.channel, waiting.serial, waiting.work);
  if (!flights_.empty()) return;
  if (phase_ == Phase::leaving) return drop_exclusive_queues();
  if (draining_) drain();
}

// -- confirms ---------------------------------------------------------------------------------------------------------

void Session::note_confirms(Channel& channel) {
  if (!std::exchange(channel.confirms_due, true)) confirms_due_.push_back(channel.number);
}

void Session::write_confirms() {
  for (const ChannelNumber number : confirms_due_) {
    Channel* channel = find(number);
    if (!channel || !std::exchange(channel->confirms_due, false) || channel->closing || !is_open()) continue;
    channel->confirms.take_finished([&](std::uint64_t last, std::uint32_t count, bool good) {
      if (good)
        write(number, BasicAck{{last}, count > 1});
      else
        write(number, BasicNack{{last}, count > 1, false});
    });
  }
  confirms_due_.clear();
}

}  // namespace braid::amqp
