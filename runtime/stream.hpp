// Braid, Apache-2.0.
//
// A TCP connection as a session sees it. Small writes are what brokers do all day, so nothing is sent when `write` is
// called: what a turn of the loop wrote goes out in one system call at its end. Reading stops when the session says so,
// and what the peer does not take is counted in `unsent_bytes`: both directions push back.
//
// All of this belongs to one loop and is used on its thread only. Callbacks are never run inside a call of the session.
// Destroying a stream ends the connection at once and silently.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/bytes.hpp"
#include "model/result.hpp"

namespace braid {

class ReceiveBuffer;  // model/receive_buffer.hpp

struct Address {
  std::string ip;
  std::uint16_t port = 0;
  /// "127.0.0.1:1883", "[::1]:1883"
  std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

/// Why a connection ended.
struct CloseReason {
  enum class Kind : std::uint8_t {
    peer_closed,    ///< the peer ended it in order
    failed,         ///< the network did, or the peer with a reset
    closed,         ///< we did, and everything written was handed to the network
    close_timeout,  ///< we did, and the peer did not take everything before the deadline
    aborted,        ///< we did, at once
  };
  Kind kind = Kind::failed;
  int system_error = 0;  ///< errno when kind is failed
  std::string text() const;
};

class StreamHandler {
 public:
  /// Bytes arrived. Take what is whole; what is left stays for the next time.
  virtual void on_read(ReceiveBuffer& received) = 0;
  /// unsent_bytes() had passed the high mark and has fallen to the low mark.
  virtual void on_drained() = 0;
  /// The last callback, exactly once. The stream may be destroyed in it.
  virtual void on_closed(CloseReason reason) = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  /// Callbacks begin, in a later turn at the earliest. Once.
  virtual void start(StreamHandler& handler) = 0;

  /// Queued, sent at the end of the turn. Ignored after close or abort.
  virtual void write(Bytes bytes) = 0;
  virtual void write(std::vector<Bytes> chunks) = 0;
  /// Written and not yet taken by the system.
  virtual std::size_t unsent_bytes() const = 0;
  /// When on_drained is called; 64 KiB and 256 KiB unless told.
  virtual void set_marks(std::size_t low_bytes, std::size_t high_bytes) = 0;

  /// After pause no on_read comes until resume; both may be called inside on_read. Bytes that the handler left in the
  /// buffer are offered again in a later turn after resume, even when nothing new arrives.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// Ends the connection when everything written was sent, at the latest after `deadline_ms`. No on_read from now on.
  virtual void close(std::int64_t deadline_ms = 5000) = 0;
  /// Like close, for a session that ends now: no callback comes any more, and destroying the stream does not hurry it.
  virtual void close_and_forget(std::int64_t deadline_ms = 5000) = 0;
  /// Ends the connection at once (a reset for the peer); on_closed comes in a later turn.
  virtual void abort() = 0;

  /// The other end, and the address on our side that it dialled.
  virtual const Address& peer() const = 0;
  virtual const Address& local_address() const = 0;
};

/// Accepts connections until it is destroyed.
class Listener {
 public:
  virtual ~Listener() = default;
  /// With the port that the system chose when it was asked for 0.
  virtual const Address& address() const = 0;
  /// Connections wait in the system's queue while paused.
  virtual void pause() = 0;
  virtual void resume() = 0;
};

class Network {
 public:
  using Accepted = std::function<void(std::unique_ptr<Stream>)>;
  using Connected = std::function<void(Result<std::unique_ptr<Stream>, std::string>)>;

  virtual ~Network() = default;

  /// Each loop of a node may listen at the same address; the system spreads connections over them, and a connection
  /// stays on the loop that accepted it. Another process at the address is an error, a sentence that names it.
  virtual Result<std::unique_ptr<Listener>, std::string> listen(const std::string& bind, std::uint16_t port,
                                                                Accepted accepted) = 0;
  /// `host` is a name or an address. `connected` runs on the loop, later, exactly once.
  virtual void connect(const std::string& host, std::uint16_t port, std::int64_t timeout_ms, Connected connected) = 0;
};

}  // namespace braid
