// Braid, Apache-2.0.
//
// Reading, writing and ending one TCP connection.
#include "runtime/uv/uv_connection.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "runtime/uv/uv_loop.hpp"
#include "runtime/uv/uv_network.hpp"

namespace braid {
namespace {

/// One hand-over to the system at most: small enough that progress of a slow peer is seen.
constexpr std::size_t kChunksPerWrite = 128;
constexpr std::size_t kBytesPerWrite = 512 << 10;
/// A peer that is silent so long is asked whether it still lives.
constexpr unsigned kKeepAliveSeconds = 60;
/// Queues of idle connections keep room for this many chunks.
constexpr std::size_t kIdleChunks = 16;

uv_handle_t* handle(uv_tcp_t* tcp) {
  return reinterpret_cast<uv_handle_t*>(tcp);
}
uv_stream_t* stream(uv_tcp_t* tcp) {
  return reinterpret_cast<uv_stream_t*>(tcp);
}
UvConnection& owner(void* data) {
  return *static_cast<UvConnection*>(static_cast<UvHandleOwner*>(data));
}

}  // namespace

UvConnection::UvConnection(UvLoop& loop) : loop_(loop) {
  uv_tcp_init(loop.uv(), &tcp_);
  tcp_.data = static_cast<UvHandleOwner*>(this);
}

std::unique_ptr<Stream> UvConnection::open() {
  uv_tcp_nodelay(&tcp_, 1);
  uv_tcp_keepalive(&tcp_, 1, kKeepAliveSeconds);
  Address peer;
  sockaddr_storage address{};
  int length = sizeof address;
  if (uv_tcp_getpeername(&tcp_, reinterpret_cast<sockaddr*>(&address), &length) == 0)
    peer = socket_address(reinterpret_cast<sockaddr*>(&address));
  auto made = std::make_unique<UvStream>(*this, std::move(peer));
  facade_ = made.get();
  return made;
}

Address UvConnection::local_address() const {
  sockaddr_storage address{};
  int length = sizeof address;
  if (uv_tcp_getsockname(&tcp_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return socket_address(reinterpret_cast<sockaddr*>(&address));
}

void UvConnection::discard() {
  release(false);
}

void UvConnection::abandon() {
  handler_ = nullptr;
  flush_requested_ = false;
  release(false);
}

void UvConnection::read_start() {
  if (reading_ || state_ == State::closing) return;
  reading_ = true;
  uv_read_start(
      stream(&tcp_),
      [](uv_handle_t* uv, std::size_t, uv_buf_t* buffer) {
        auto& self = owner(uv->data);
        if (self.state_ == State::open) {
          const auto room = self.received_.writable();
          *buffer = uv_buf_init(reinterpret_cast<char*>(room.data()), static_cast<unsigned>(room.size()));
        } else {
          *buffer = uv_buf_init(self.loop_.scratch(), UvLoop::kScratchBytes);
        }
      },
      [](uv_stream_t* uv, ssize_t count, const uv_buf_t*) { owner(uv->data).on_read(count); });
}

void UvConnection::on_read(std::ptrdiff_t count) {
  if (state_ == State::open) {
    received_.commit(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count > 0) {
      if (handler_) handler_->on_read(received_);
      return;
    }
  }
  if (count >= 0) return;
  reading_ = false;
  if (count == UV_EOF) {
    peer_ended_ = true;
    if (state_ == State::draining) return;  // what is queued may still be wanted
    if (state_ == State::open) send_queued();
    end({CloseReason::Kind::peer_closed, 0});
  } else {
    end({CloseReason::Kind::failed, static_cast<int>(-count)});
  }
}

void UvConnection::write(Bytes bytes) {
  assert(loop_.may_touch());
  if (state_ != State::open || bytes.empty()) return;
  queue_bytes_ += bytes.size();
  queue_.push_back(std::move(bytes));
  request_flush();
}

void UvConnection::request_flush() {
  if (!above_mark_ && unsent() > high_mark_) above_mark_ = true;
  if (!writing_) request_turn();
}

void UvConnection::request_turn() {
  if (std::exchange(flush_requested_, true)) return;
  static_cast<UvNetwork&>(loop_.network()).flush_later(*this);
}

/// What the handler left in the buffer when it paused is given to it again, though nothing new may arrive.
void UvConnection::offer_later() {
  offer_ = true;
  request_turn();
}

std::size_t UvConnection::unsent() const {
  return queue_bytes_ + uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&tcp_));
}

/// Drops `sent` bytes from the front of `chunks`; returns how many chunks are gone wholly.
std::size_t UvConnection::drop_sent(std::vector<Bytes>& chunks, std::size_t& first, std::size_t sent) {
  const std::size_t before = first;
  while (sent > 0 && sent >= chunks[first].size()) {
    sent -= chunks[first].size();
    chunks[first++] = Bytes{};
  }
  if (sent > 0) chunks[first] = chunks[first].slice(sent);
  if (first == chunks.size()) {
    if (chunks.capacity() > kIdleChunks)
      chunks = {};
    else
      chunks.clear();
    first = 0;
  }
  return first - before;
}

void UvConnection::flush() {
  flush_requested_ = false;
  if (dead_) {
    delete this;
    return;
  }
  if (std::exchange(offer_, false) && handler_ && !paused_ && state_ == State::open && !received_.empty())
    handler_->on_read(received_);
  send_queued();
}

void UvConnection::send_queued() {
  while (!writing_ && queue_bytes_ > 0 && state_ != State::closing) {
    std::array<uv_buf_t, kChunksPerWrite> buffers;
    std::size_t count = 0, bytes = 0;
    for (std::size_t i = queue_first_; i < queue_.size() && count < buffers.size() && bytes < kBytesPerWrite; ++i) {
      const Bytes& chunk = queue_[i];
      buffers[count++] = uv_buf_init(const_cast<char*>(chunk.view().data()), static_cast<unsigned>(chunk.size()));
      bytes += chunk.size();
    }
    const int sent = uv_try_write(stream(&tcp_), buffers.data(), static_cast<unsigned>(count));
    if (sent < 0 && sent != UV_EAGAIN) return end({CloseReason::Kind::failed, -sent});
    const std::size_t done = sent > 0 ? static_cast<std::size_t>(sent) : 0;
    if (done < bytes) {
      // The system takes no more: libuv waits until it does.
      in_flight_.assign(std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(queue_first_)),
                        std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(queue_first_ + count)));
      queue_first_ += count;
      queue_bytes_ -= bytes;
      if (queue_first_ == queue_.size()) {
        queue_.clear();
        queue_first_ = 0;
      }
      std::size_t first = 0;
      drop_sent(in_flight_, first, done);
      count = 0;
      for (std::size_t i = first; i < in_flight_.size(); ++i)
        buffers[count++] =
            uv_buf_init(const_cast<char*>(in_flight_[i].view().data()), static_cast<unsigned>(in_flight_[i].size()));
      writing_ = true;
      write_request_ = std::make_unique<uv_write_t>();
      write_request_->data = tcp_.data;
      const int error = uv_write(write_request_.get(), stream(&tcp_), buffers.data(), static_cast<unsigned>(count),
                                 [](uv_write_t* request, int status) { owner(request->data).on_written(status); });
      if (error != 0) {
        writing_ = false;
        return end({CloseReason::Kind::failed, -error});
      }
      break;
    }
    queue_bytes_ -= bytes;
    drop_sent(queue_, queue_first_, done);
  }
  check_marks();
  shut_when_sent();
}

void UvConnection::on_written(int status) {
  writing_ = false;
  in_flight_.clear();
  write_request_.reset();
  if (state_ == State::closing) return;
  if (status != 0) return end({CloseReason::Kind::failed, -status});
  send_queued();
}

void UvConnection::check_marks() {
  if (!above_mark_ || unsent() > low_mark_ || state_ != State::open) return;
  above_mark_ = false;
  if (handler_) handler_->on_drained();
}

void UvConnection::close(std::int64_t deadline_ms) {
  if (state_ != State::open) return;
  state_ = State::draining;
  deadline_ = loop_.after(deadline_ms, [this] {
    deadline_ = TimerId{};
    end({state_ == State::lingering ? CloseReason::Kind::closed : CloseReason::Kind::close_timeout, 0});
  });
  if (queue_bytes_ == 0 && !writing_) request_flush();  // nothing to send: shut down at the turn's end
}

void UvConnection::shut_when_sent() {
  if (state_ != State::draining || queue_bytes_ > 0 || writing_) return;
  state_ = State::lingering;
  shutdown_request_ = std::make_unique<uv_shutdown_t>();
  shutdown_request_->data = tcp_.data;
  const int error = uv_shutdown(shutdown_request_.get(), stream(&tcp_), [](uv_shutdown_t* request, int status) {
    auto& self = owner(request->data);
    if (self.state_ == State::closing) return;
    if (status != 0) return self.end({CloseReason::Kind::closed, 0});
    // Closing now would reset the connection if the peer has sent what was not read, and the peer would lose our last
    // bytes: wait for its end, reading into the void.
    if (self.peer_ended_) return self.end({CloseReason::Kind::closed, 0});
    self.read_start();
    self.notify({CloseReason::Kind::closed, 0});
  });
  if (error != 0) end({CloseReason::Kind::failed, -error});
}

void UvConnection::end(CloseReason reason) {
  if (state_ == State::closing) return;
  release(false);
  notify(std::move(reason));
}

void UvConnection::notify(CloseReason reason) {
  if (StreamHandler* const told = std::exchange(handler_, nullptr)) told->on_closed(std::move(reason));
}

void UvConnection::release(bool reset) {
  if (state_ == State::closing) return;
  state_ = State::closing;
  if (deadline_.value != 0) loop_.cancel(std::exchange(deadline_, TimerId{}));
  queue_.clear();
  queue_first_ = queue_bytes_ = 0;
  const uv_close_cb closed = [](uv_handle_t* uv) {
    auto* const self = &owner(uv->data);
    if (self->abort_pending_ && !self->loop_.stopped()) self->notify({CloseReason::Kind::aborted, 0});
    if (self->facade_) std::exchange(self->facade_, nullptr)->connection_ = nullptr;
    if (self->flush_requested_)
      self->dead_ = true;
    else
      delete self;
  };
  if (!reset || uv_tcp_close_reset(&tcp_, closed) != 0) uv_close(handle(&tcp_), closed);
}

UvStream::UvStream(UvConnection& connection, Address peer) : connection_(&connection), peer_(std::move(peer)) {}

const Address& UvStream::local_address() const {
  if (!local_) local_ = std::make_unique<const Address>(connection_ ? connection_->local_address() : Address{});
  return *local_;
}

UvStream::~UvStream() {
  if (!connection_) return;
  assert(connection_->loop_.may_touch());
  connection_->facade_ = nullptr;
  connection_->handler_ = nullptr;
  connection_->release(false);
}

void UvStream::start(StreamHandler& handler) {
  if (!connection_ || connection_->state_ != UvConnection::State::open) return;
  connection_->handler_ = &handler;
  if (!connection_->paused_) connection_->read_start();
}

void UvStream::write(Bytes bytes) {
  if (connection_) connection_->write(std::move(bytes));
}

void UvStream::write(std::vector<Bytes> chunks) {
  if (!connection_) return;
  for (Bytes& chunk : chunks) connection_->write(std::move(chunk));
}

std::size_t UvStream::unsent_bytes() const {
  return connection_ ? connection_->unsent() : 0;
}

void UvStream::set_marks(std::size_t low_bytes, std::size_t high_bytes) {
  if (!connection_) return;
  connection_->low_mark_ = low_bytes;
  connection_->high_mark_ = std::max(low_bytes, high_bytes);
}

void UvStream::pause_reading() {
  if (!connection_ || connection_->state_ != UvConnection::State::open) return;
  connection_->paused_ = true;
  if (std::exchange(connection_->reading_, false)) uv_read_stop(stream(&connection_->tcp_));
}

void UvStream::resume_reading() {
  if (!connection_ || connection_->state_ != UvConnection::State::open) return;
  connection_->paused_ = false;
  if (!connection_->handler_) return;
  connection_->read_start();
  if (!connection_->received_.empty()) connection_->offer_later();
}

void UvStream::close(std::int64_t deadline_ms) {
  if (connection_) connection_->close(deadline_ms);
}

void UvStream::close_and_forget(std::int64_t deadline_ms) {
  if (!connection_) return;
  connection_->handler_ = nullptr;
  connection_->facade_ = nullptr;
  std::exchange(connection_, nullptr)->close(deadline_ms);
}

void UvStream::abort() {
  if (!connection_ || connection_->state_ == UvConnection::State::closing) return;
  connection_->abort_pending_ = true;
  connection_->release(true);
}

}  // namespace braid
