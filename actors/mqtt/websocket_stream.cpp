// Braid, Apache-2.0.
#include "actors/mqtt/websocket_stream.hpp"

#include <optional>
#include <utility>

#include "codecs/websocket/frames.hpp"
#include "model/receive_buffer.hpp"
#include "runtime/log.hpp"

namespace braid::mqtt {

namespace {

/// Both the handler of the TCP stream and the body of the one that the session holds. The session may let go of it
/// inside any callback, so each callback keeps it alive to its own end and looks again before it goes on.
class WebSocket final : public StreamHandler, public std::enable_shared_from_this<WebSocket> {
 public:
  WebSocket(Loop& loop, std::unique_ptr<Stream> tcp, websocket::Policy policy, std::string received)
      : loop_(loop), tcp_(std::move(tcp)), policy_(policy), head_(std::move(received)) {}

  virtual ~WebSocket() = default;

  Stream* tcp() const { return tcp_.get(); }

  void start(StreamHandler& handler) {
    handler_ = &handler;
    tcp_->start(*this);
    if (!head_.empty()) later([](WebSocket& self) { self.advance(); });
  }

  void write(std::vector<Bytes> chunks) {
    std::size_t bytes = 0;
    for (const auto& chunk : chunks) bytes += chunk.size();
    if (phase_ != Phase::open || bytes == 0) return;
    chunks.insert(chunks.begin(), Bytes::copy(websocket::binary_header(bytes)));
    tcp_->write(std::move(chunks));
  }
  void set_marks(std::size_t low_bytes, std::size_t high_bytes) {
    high_mark_ = high_bytes;
    tcp_->set_marks(low_bytes, high_bytes);
  }

  void pause() {
    paused_ = true;
    pause_or_resume();
  }
  void resume() {
    if (!std::exchange(paused_, false)) return;
    pause_or_resume();
    if (phase_ == Phase::open) later([](WebSocket& self) { self.offer(); });
  }

  /// The session ends the connection.
  void say_goodbye() {
    if (std::exchange(phase_, Phase::ended) == Phase::open)
      tcp_->write(Bytes::copy(websocket::close_frame(websocket::status_normal)));
  }
  void abort() {
    phase_ = Phase::ended;
    tcp_->abort();
  }
  void let_go() {
    handler_ = nullptr;
    phase_ = Phase::ended;
    tcp_.reset();
  }

  void on_read(ReceiveBuffer& received) override {
    const auto alive = shared_from_this();
    if (phase_ == Phase::open) {
      frames_->feed(received.readable(), payload_);
      received.skip(received.size());
      return deliver();
    }
    if (phase_ == Phase::handshake) head_ += received.readable();
    received.skip(received.size());
    advance();
  }
  void on_drained() override {
    const auto alive = shared_from_this();
    choked_ = false;
    pause_or_resume();
    if (handler_) handler_->on_drained();
  }
  void on_closed(CloseReason reason) override {
    const auto alive = shared_from_this();
    phase_ = Phase::ended;
    if (auto* handler = std::exchange(handler_, nullptr)) handler->on_closed(reason);
  }

 private:
  enum class Phase : std::uint8_t { handshake, open, ended };

  template <class Work>
  void later(Work work) {
    loop_.post([weak = weak_from_this(), work] {
      if (const auto self = weak.lock()) work(*self);
    });
  }

  void advance() {
    if (phase_ != Phase::handshake) return;
    auto answer = websocket::shake_hands(head_, policy_);
    using Outcome = websocket::Handshake::Outcome;
    if (answer.outcome == Outcome::need_more) return;
    if (!answer.response.empty()) tcp_->write(Bytes::copy(answer.response));
    if (answer.outcome == Outcome::refused) return refuse(answer.reason);
    phase_ = Phase::open;
    frames_.emplace();
    frames_->feed(std::string_view(head_).substr(answer.bytes), payload_);
    head_ = {};
    deliver();
  }

  /// Behind a feed: what the frames want to say, then what they brought.
  void deliver() {
    if (auto output = frames_->take_output(); !output.empty()) tcp_->write(Bytes::copy(output));
    // A peer that sends pings and does not read the pongs is not read either.
    if (tcp_->unsent_bytes() > high_mark_) {
      choked_ = true;
      pause_or_resume();
    }
    offer();
  }

  void offer() {
    if (phase_ != Phase::open || paused_ || !handler_) return;
    if (!payload_.empty()) handler_->on_read(payload_);
    // A session that has paused has not seen what stood before the end yet: the end waits, as it would in the socket.
    if (phase_ != Phase::open || (paused_ && !payload_.empty())) return;
    if (frames_->end() == websocket::Frames::End::refused) return refuse(frames_->reason());
    if (frames_->end() == websocket::Frames::End::closed) end();
  }

  void refuse(std::string_view reason) {
    BRAID_LOG_LIMITED(warning, "mqtt", {{"peer", tcp_->peer().text()}}, "closed: {}", reason);
    end();
  }
  void end() {
    phase_ = Phase::ended;
    tcp_->close();
  }

  void pause_or_resume() {
    const bool wanted = paused_ || choked_;
    if (!tcp_ || wanted == tcp_paused_) return;
    tcp_paused_ = wanted;
    if (wanted)
      tcp_->pause_reading();
    else
      tcp_->resume_reading();
  }

  Loop& loop_;
  std::unique_ptr<Stream> tcp_;  ///< null when the session has let go
  StreamHandler* handler_ = nullptr;
  const websocket::Policy policy_;
  Phase phase_ = Phase::handshake;
  std::string head_;  ///< of the handshake, as far as it has come
  std::optional<websocket::Frames> frames_;
  ReceiveBuffer payload_;
  std::size_t high_mark_ = 256 << 10;
  bool paused_ = false;  ///< by the session
  bool choked_ = false;  ///< too much is unsent
  bool tcp_paused_ = false;
};

class WebSocketStream final : public Stream {
 public:
  explicit WebSocketStream(std::shared_ptr<WebSocket> socket)
      : socket_(std::move(socket)), peer_(tcp().peer()), local_(tcp().local_address()) {}
  ~WebSocketStream() override { socket_->let_go(); }

  void start(StreamHandler& handler) override { socket_->start(handler); }
  void write(Bytes bytes) override {
    std::vector<Bytes> one;
    one.push_back(std::move(bytes));
    socket_->write(std::move(one));
  }
  void write(std::vector<Bytes> chunks) override { socket_->write(std::move(chunks)); }
  std::size_t unsent_bytes() const override { return tcp().unsent_bytes(); }
  void set_marks(std::size_t low_bytes, std::size_t high_bytes) override { socket_->set_marks(low_bytes, high_bytes); }
  void pause_reading() override { socket_->pause(); }
  void resume_reading() override { socket_->resume(); }
  void close(std::int64_t deadline_ms) override {
    socket_->say_goodbye();
    tcp().close(deadline_ms);
  }
  void close_and_forget(std::int64_t deadline_ms) override {
    socket_->say_goodbye();
    tcp().close_and_forget(deadline_ms);
  }
  void abort() override { socket_->abort(); }
  const Address& peer() const override { return peer_; }
  const Address& local_address() const override { return local_; }

 private:
  Stream& tcp() const { return *socket_->tcp(); }
  const std::shared_ptr<WebSocket> socket_;
  const Address peer_, local_;
};

}  // namespace

std::unique_ptr<Stream> open_websocket(Loop& loop, std::unique_ptr<Stream> tcp, websocket::Policy policy,
                                       std::string received) {
  return std::make_unique<WebSocketStream>(
      std::make_shared<WebSocket>(loop, std::move(tcp), policy, std::move(received)));
}

}  // namespace braid::mqtt
