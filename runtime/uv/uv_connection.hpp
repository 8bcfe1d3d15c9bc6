// Braid, Apache-2.0.
//
// A TCP socket on libuv. The session holds a small facade (UvStream); the socket itself lives until libuv has closed
// it, which takes a turn more, or, after close_and_forget, until the peer has taken everything.
#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "model/receive_buffer.hpp"
#include "runtime/loop.hpp"
#include "runtime/stream.hpp"

namespace braid {

class UvLoop;
class UvStream;

/// What libuv's handles point to, so that the loop's end finds everything that is open.
class UvHandleOwner {
 public:
  /// The loop ends: close the handle and tell nobody.
  virtual void abandon() = 0;

 protected:
  ~UvHandleOwner() = default;
};

class UvConnection final : public UvHandleOwner {
 public:
  explicit UvConnection(UvLoop& loop);
  UvConnection(const UvConnection&) = delete;
  UvConnection& operator=(const UvConnection&) = delete;

  uv_tcp_t* tcp() { return &tcp_; }
  Address local_address() const;
  /// After accept or connect: sets the socket's options, learns its addresses, and makes the facade.
  std::unique_ptr<Stream> open();
  /// Closes what never was open.
  void discard();
  void abandon() override;

  /// Called by the network at the turn's end, once per request. Nobody else may: while it is requested the network has
  /// a pointer to this.
  void flush();
  void send_queued();

 private:
  friend class UvStream;
  friend class UvNetwork;

  enum class State : std::uint8_t {
    open,
    draining,   ///< close was called: what is queued goes out
    lingering,  ///< all is out and our end is shut; waiting for the peer's
    closing,    ///< libuv closes it
  };

  ~UvConnection() = default;
  void write(Bytes bytes);
  void request_flush();
  void request_turn();
  void offer_later();
  std::size_t unsent() const;
  void check_marks();
  void read_start();
  void on_read(std::ptrdiff_t count);
  void on_written(int status);
  void close(std::int64_t deadline_ms);
  void shut_when_sent();
  void end(CloseReason reason);
  void release(bool reset);
  void notify(CloseReason reason);
  std::size_t drop_sent(std::vector<Bytes>& chunks, std::size_t& first, std::size_t sent);

  UvLoop& loop_;
  uv_tcp_t tcp_{};
  UvStream* facade_ = nullptr;
  StreamHandler* handler_ = nullptr;
  ReceiveBuffer received_;

  std::vector<Bytes> queue_;  ///< from queue_first_ on: written and not handed to libuv
  std::size_t queue_first_ = 0;
  std::size_t queue_bytes_ = 0;
  std::vector<Bytes> in_flight_;  ///< kept while libuv writes them
  // Most connections need neither of them before their end, and idle ones are many.
  std::unique_ptr<uv_write_t> write_request_;
  std::unique_ptr<uv_shutdown_t> shutdown_request_;
  std::size_t low_mark_ = 64 << 10, high_mark_ = 256 << 10;
  TimerId deadline_;

  State state_ = State::open;
  bool writing_ = false;
  bool flush_requested_ = false;
  bool above_mark_ = false;
  bool paused_ = false;
  bool offer_ = false;  ///< what is in `received_` has to be offered once more
  bool reading_ = false;
  bool peer_ended_ = false;
  bool abort_pending_ = false;  ///< on_closed comes when libuv has closed it
  bool dead_ = false;           ///< closed by libuv, but still in the list of what is to be flushed
};

class UvStream final : public Stream {
 public:
  UvStream(UvConnection& connection, Address peer);
  ~UvStream() override;

  void start(StreamHandler& handler) override;
  void write(Bytes bytes) override;
  void write(std::vector<Bytes> chunks) override;
  std::size_t unsent_bytes() const override;
  void set_marks(std::size_t low_bytes, std::size_t high_bytes) override;
  void pause_reading() override;
  void resume_reading() override;
  void close(std::int64_t deadline_ms) override;
  void close_and_forget(std::int64_t deadline_ms) override;
  void abort() override;
  const Address& peer() const override { return peer_; }
  const Address& local_address() const override;

 private:
  friend class UvConnection;
  UvConnection* connection_;  ///< null when it is gone or not ours any more
  const Address peer_;
  mutable std::unique_ptr<const Address> local_;  ///< once somebody has asked for it
};

}  // namespace braid
