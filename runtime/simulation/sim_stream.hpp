// Braid, Apache-2.0.
//
// A simulated connection: two ends, each on its loop, and what is under way between them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>

#include "model/receive_buffer.hpp"
#include "runtime/simulation/sim_network.hpp"

namespace braid {

class SimStream;

class SimConnection : public std::enable_shared_from_this<SimConnection> {
 public:
  SimConnection(SimSwitch& world, std::uint64_t number, SimLoop& client, SimLoop& server, Address client_address,
                Address server_address);
  /// The end's facade, once per end.
  std::unique_ptr<Stream> open(int end);

  SimLoop& loop(int end) { return *ends_[end].loop; }
  bool broken() const { return broken_; }
  /// Both ends hear of it, sooner or later; what is under way is lost.
  void break_off();
  /// This end's machine is gone.
  void lose(int end);

 private:
  friend class SimStream;
  struct End {
    SimLoop* loop = nullptr;
    SimStream* facade = nullptr;
    StreamHandler* handler = nullptr;
    Address own, peer;
    // towards the other end
    std::deque<Bytes> queue;
    std::size_t queue_bytes = 0;
    std::size_t under_way = 0;
    std::uint64_t next_sent = 0;
    std::size_t low_mark = 64 << 10, high_mark = 256 << 10;
    TimerId deadline;
    bool flush_requested = false, above_mark = false;
    bool closing = false, end_sent = false;
    // from the other end
    std::map<std::uint64_t, Bytes> early;  ///< arrived before what comes before them; an empty one is the end
    std::uint64_t next_arrival = 0;
    std::deque<Bytes> arrived;
    ReceiveBuffer received;
    bool end_arrived = false, started = false, paused = false;
    bool finished = false;  ///< nothing is told to this end any more
  };

  static int other(int end) { return 1 - end; }
  void write(int end, Bytes bytes);
  void request_flush(int end);
  void flush(int end);
  void check_marks(int end);
  void send_piece(int end, Bytes piece);
  void arrive(int end, std::uint64_t number, Bytes piece);
  /// `again`: offers what the handler left in the buffer even when nothing new has arrived.
  void deliver(int end, bool again = false);
  void close(int end, std::int64_t deadline_ms);
  void abort(int end);
  void drop(int end);
  void reset_other(int end);
  void finish(int end, CloseReason reason);
  std::size_t random_piece();

  SimSwitch& switch_;
  const std::uint64_t number_;
  std::array<End, 2> ends_;
  bool broken_ = false;
};

class SimStream final : public Stream {
 public:
  SimStream(std::shared_ptr<SimConnection> connection, int end, Address peer, Address local)
      : connection_(std::move(connection)), end_(end), peer_(std::move(peer)), local_(std::move(local)) {}
  ~SimStream() override;

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
  const Address& local_address() const override { return local_; }

 private:
  SimConnection::End& end() const { return connection_->ends_[end_]; }
  std::shared_ptr<SimConnection> connection_;  ///< null when it is not ours any more
  const int end_;
  const Address peer_, local_;
};

}  // namespace braid
