// Braid, Apache-2.0.
//
// librabbitmq as the tests use it: one connection, calls that wait for their answers, and the reply code and text of
// what was refused. A call that is refused returns an empty value; `code` and `text` say why.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

struct amqp_connection_state_t_;
struct amqp_rpc_reply_t_;
struct amqp_basic_properties_t_;

namespace braid::e2e {

/// Arguments are texts or integers: what tests need.
struct AmqpValue {
  std::optional<std::string> text = {};
  std::int64_t number = 0;
  AmqpValue(const char* value) : text(value) {}
  AmqpValue(std::string value) : text(std::move(value)) {}
  AmqpValue(int value) : number(value) {}
};
using AmqpTable = std::map<std::string, AmqpValue>;

struct AmqpOptions {
  std::string vhost = "/", user = "guest", password = "guest";
  int channel_max = 0, frame_max = 131072, heartbeat_s = 0;
};
struct AmqpProperties {
  bool persistent = false;
  std::optional<int> priority = {};
  std::optional<std::string> content_type = {}, correlation_id = {}, reply_to = {}, expiration = {}, message_id = {},
                             type = {}, user_id = {}, app_id = {};
  std::optional<std::uint64_t> timestamp = {};
  std::map<std::string, std::string> headers = {};
};
struct AmqpMessage {
  std::string body, exchange, routing_key, consumer_tag;
  std::uint64_t tag = 0;
  std::uint32_t left = 0;  ///< of basic.get
  bool redelivered = false;
  AmqpProperties properties;
};
struct AmqpQueue {
  std::string name;
  std::uint32_t messages = 0, consumers = 0;
};
struct QueueOptions {
  bool passive = false, durable = false, exclusive = false, auto_delete = false;
  AmqpTable arguments = {};
};
struct ExchangeOptions {
  bool passive = false, durable = false, auto_delete = false, internal = false;
  AmqpTable arguments = {};
};
struct ConsumeOptions {
  std::string tag = {};
  bool no_ack = false, exclusive = false;
  AmqpTable arguments = {};
};

class AmqpClient {
 public:
  /// Connects, logs in and opens channel 1; `connected` says whether that went well.
  explicit AmqpClient(std::uint16_t port, const AmqpOptions& options = {});
  ~AmqpClient();
  AmqpClient(const AmqpClient&) = delete;
  AmqpClient& operator=(const AmqpClient&) = delete;

  bool connected() const { return connected_; }
  /// Of the last call that was refused: 0 for none, -1 when the connection broke without a word.
  int code() const { return code_; }
  const std::string& text() const { return text_; }

  /// Calls are for this channel from now on.
  AmqpClient& on(std::uint16_t channel);
  bool open(std::uint16_t channel);
  bool close_channel();
  /// connection.close and its answer.
  bool close();
  /// Ends the socket without a word.
  void drop();

  std::optional<AmqpQueue> declare(const std::string& queue, const QueueOptions& options = {});
  bool declare_exchange(const std::string& name, const std::string& type, const ExchangeOptions& options = {});
  bool bind(const std::string& queue, const std::string& exchange, const std::string& key = {},
            const AmqpTable& arguments = {});
  bool unbind(const std::string& queue, const std::string& exchange, const std::string& key = {});
  bool bind_exchange(const std::string& destination, const std::string& source, const std::string& key = {});
  std::optional<std::uint32_t> purge(const std::string& queue);
  std::optional<std::uint32_t> delete_queue(const std::string& queue, bool if_unused = false, bool if_empty = false);
  bool delete_exchange(const std::string& name, bool if_unused = false);

  /// Without waiting for anything.
  bool publish(const std::string& exchange, const std::string& key, const std::string& body,
               const AmqpProperties& properties = {}, bool mandatory = false, bool immediate = false);
  bool confirm_select();
  /// Waits until publishes up to this number are confirmed; false when one was rejected or the time is up.
  bool wait_confirmed(std::uint64_t number, int timeout_ms = 10000);
  std::uint64_t confirmed() const { return confirmed_; }
  std::uint64_t confirm_frames() const { return confirm_frames_; }
  bool rejected() const { return rejected_; }

  bool qos(std::uint16_t prefetch, bool global = false);
  /// The consumer's tag.
  std::optional<std::string> consume(const std::string& queue, const ConsumeOptions& options = {});
  bool cancel(const std::string& tag);
  /// The next delivery; nothing when none comes in time or the connection or channel ends.
  std::optional<AmqpMessage> next(int timeout_ms = 5000);
  std::optional<AmqpMessage> get(const std::string& queue, bool no_ack = false);
  /// Waits for basic.return; its code and the message.
  std::optional<std::pair<int, AmqpMessage>> returned(int timeout_ms = 5000);
  bool ack(std::uint64_t tag, bool multiple = false);
  bool nack(std::uint64_t tag, bool multiple = false, bool requeue = true);
  bool reject(std::uint64_t tag, bool requeue);
  bool recover();
  bool tx_select();
  bool tx_commit();
  bool tx_rollback();
  /// Reads until the broker closes the channel or the connection; the reply code.
  int wait_closed(int timeout_ms = 5000);

 private:
  bool check(const amqp_rpc_reply_t_& reply);
  bool check();
  /// Reads one method frame that came by itself, with its message if it has one. False: nothing came in time.
  bool pump(int timeout_ms);
  AmqpMessage read_message();

  amqp_connection_state_t_* handle_ = nullptr;
  bool connected_ = false;
  std::uint16_t channel_ = 1;
  int code_ = 0;
  std::string text_;
  std::vector<AmqpMessage> deliveries_;
  std::vector<std::pair<int, AmqpMessage>> returns_;
  std::uint64_t confirmed_ = 0, confirm_frames_ = 0;
  bool rejected_ = false;
};

}  // namespace braid::e2e
