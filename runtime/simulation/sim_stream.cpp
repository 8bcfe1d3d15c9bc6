// Braid, Apache-2.0.
//
// How bytes, ends and resets travel between the two ends of a simulated connection.
#include "runtime/simulation/sim_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/simulation/sim_loop.hpp"

namespace braid {
namespace {
/// How late the end of a machine, or of a line, is noticed at most.
constexpr std::int64_t kNoticeMostUs = 2'000'000;
}  // namespace

SimConnection::SimConnection(SimSwitch& world, std::uint64_t number, SimLoop& client, SimLoop& server,
                             Address client_address, Address server_address)
    : switch_(world), number_(number) {
  ends_[0].loop = &client;
  ends_[1].loop = &server;
  ends_[0].own = ends_[1].peer = std::move(client_address);
  ends_[1].own = ends_[0].peer = std::move(server_address);
}

std::unique_ptr<Stream> SimConnection::open(int end) {
  auto stream = std::make_unique<SimStream>(shared_from_this(), end, ends_[end].peer, ends_[end].own);
  ends_[end].facade = stream.get();
  return stream;
}

/// Pieces of all magnitudes: single bytes that split every header, and large ones.
std::size_t SimConnection::random_piece() {
  Random& random = switch_.core().random;
  std::size_t most = 1;
  for (std::uint64_t doublings = random.below(20); doublings > 0; --doublings) most *= 2;
  most = std::min(most, std::max<std::size_t>(switch_.core().options.chunk_max_bytes, 1));
  return 1 + static_cast<std::size_t>(random.below(most));
}

void SimConnection::write(int end, Bytes bytes) {
  End& self = ends_[end];
  if (self.closing || self.finished || bytes.empty()) return;
  self.queue_bytes += bytes.size();
  self.queue.push_back(std::move(bytes));
  if (self.queue_bytes > self.high_mark) self.above_mark = true;
  request_flush(end);
}

void SimConnection::request_flush(int end) {
  if (std::exchange(ends_[end].flush_requested, true)) return;
  ends_[end].loop->at_turn_end([self = shared_from_this(), end] {
    self->ends_[end].flush_requested = false;
    self->flush(end);
  });
}

void SimConnection::flush(int end) {
  End& self = ends_[end];
  const SimOptions& options = switch_.core().options;
  while (!self.finished && !broken_ && !self.queue.empty() && self.under_way < options.window_bytes) {
    const std::size_t size =
        std::min({random_piece(), self.queue.front().size(), options.window_bytes - self.under_way});
    Bytes piece = self.queue.front().slice(0, size);
    if (size == self.queue.front().size())
      self.queue.pop_front();
    else
      self.queue.front() = self.queue.front().slice(size);
    self.queue_bytes -= size;
    self.under_way += size;
    if (switch_.core().random.chance_per_million(options.break_per_million)) return break_off();
    send_piece(end, std::move(piece));
  }
  if (self.finished) return;
  if (self.closing && self.queue.empty() && !self.end_sent && !broken_) {
    self.end_sent = true;
    send_piece(end, Bytes{});
    if (self.deadline.value != 0) self.loop->cancel(std::exchange(self.deadline, TimerId{}));
    finish(end, {CloseReason::Kind::closed, 0});
    return;
  }
  check_marks(end);
}

void SimConnection::check_marks(int end) {
  End& self = ends_[end];
  if (!self.above_mark || self.queue_bytes > self.low_mark || self.closing) return;
  self.above_mark = false;
  if (self.handler) self.handler->on_drained();
}

void SimConnection::send_piece(int end, Bytes piece) {
  const std::uint64_t number = ends_[end].next_sent++;
  switch_.send(ends_[end].loop->host().node, *ends_[other(end)].loop, SimEvent::packet, number_ << 24 ^ piece.size(),
               [self = shared_from_this(), to = other(end), number, piece = std::move(piece)]() mutable {
                 self->arrive(to, number, std::move(piece));
               });
}

void SimConnection::arrive(int end, std::uint64_t number, Bytes piece) {
  End& self = ends_[end];
  if (self.finished || broken_) return;
  self.early.emplace(number, std::move(piece));
  for (auto next = self.early.begin(); next != self.early.end() && next->first == self.next_arrival;
       next = self.early.erase(next)) {
    ++self.next_arrival;
    if (next->second.empty())
      self.end_arrived = true;
    else
      self.arrived.push_back(std::move(next->second));
  }
  deliver(end);
}

void SimConnection::deliver(int end, bool again) {
  End& self = ends_[end];
  if (self.finished) return;
  if (!self.closing && (!self.started || self.paused)) return;
  std::size_t taken = 0;
  for (; !self.arrived.empty(); self.arrived.pop_front()) {
    const Bytes& piece = self.arrived.front();
    taken += piece.size();
    if (self.closing) continue;  // read into the void
    const auto room = self.received.writable(piece.size());
    std::memcpy(room.data(), piece.data(), piece.size());
    self.received.commit(piece.size());
  }
  if (taken > 0) {
    // The sender learns that there is room again.
    switch_.send(self.loop->host().node, *ends_[other(end)].loop, SimEvent::control, number_,
                 [connection = shared_from_this(), from = other(end), taken] {
                   connection->ends_[from].under_way -= taken;
                   connection->flush(from);
                 });
  }
  if ((taken > 0 || (again && !self.received.empty())) && !self.closing && self.handler)
    self.handler->on_read(self.received);
  if (self.end_arrived && !self.finished && (self.closing || !self.paused)) {
    flush(end);
    if (!self.finished) finish(end, {CloseReason::Kind::peer_closed, 0});
  }
}

void SimConnection::close(int end, std::int64_t deadline_ms) {
  End& self = ends_[end];
  if (self.closing || self.finished) return;
  self.closing = true;
  self.deadline = self.loop->after(deadline_ms, [connection = shared_from_this(), end] {
    connection->ends_[end].deadline = TimerId{};
    connection->reset_other(end);
    connection->finish(end, {CloseReason::Kind::close_timeout, 0});
  });
  request_flush(end);
}

void SimConnection::abort(int end) {
  End& self = ends_[end];
  if (self.closing || self.finished) return;
  self.closing = true;
  self.queue.clear();
  self.queue_bytes = 0;
  self.end_sent = true;
  reset_other(end);
  switch_.core().in(0, *self.loop, SimEvent::control, number_, [connection = shared_from_this(), end] {
    connection->finish(end, {CloseReason::Kind::aborted, 0});
  });
}

/// The facade was destroyed: the system closes the socket, in order if everything that came was read.
void SimConnection::drop(int end) {
  End& self = ends_[end];
  self.facade = nullptr;
  self.handler = nullptr;
  if (self.finished) return;
  if (self.deadline.value != 0) self.loop->cancel(std::exchange(self.deadline, TimerId{}));
  const bool unread = !self.arrived.empty();
  if (!self.end_sent && !broken_ && self.loop->alive()) {
    if (unread)
      reset_other(end);
    else
      send_piece(end, Bytes{});
  }
  finish(end, {CloseReason::Kind::aborted, 0});
}

void SimConnection::reset_other(int end) {
  switch_.send(ends_[end].loop->host().node, *ends_[other(end)].loop, SimEvent::control, number_,
               [self = shared_from_this(), to = other(end)] {
                 self->finish(to, {CloseReason::Kind::failed, ECONNRESET});
               });
}

void SimConnection::finish(int end, CloseReason reason) {
  End& self = ends_[end];
  if (std::exchange(self.finished, true)) return;
  if (self.deadline.value != 0) self.loop->cancel(std::exchange(self.deadline, TimerId{}));
  self.queue.clear();
  self.queue_bytes = 0;
  self.arrived.clear();
  self.early.clear();
  if (StreamHandler* const told = std::exchange(self.handler, nullptr)) told->on_closed(std::move(reason));
}

void SimConnection::break_off() {
  if (std::exchange(broken_, true)) return;
  for (const int end : {0, 1}) {
    if (ends_[end].finished || !ends_[end].loop->alive()) continue;
    switch_.core().in(switch_.core().random.between(0, kNoticeMostUs), *ends_[end].loop, SimEvent::fault, number_,
                      [self = shared_from_this(), end] {
                        self->finish(end, {CloseReason::Kind::failed, ECONNRESET});
                      });
  }
}

void SimConnection::lose(int end) {
  ends_[end].handler = nullptr;
  ends_[end].finished = true;
  break_off();
}

SimStream::~SimStream() {
  if (connection_) connection_->drop(end_);
}

void SimStream::start(StreamHandler& handler) {
  if (!connection_ || end().finished || end().closing) return;
  end().handler = &handler;
  end().started = true;
  resume_reading();
}

void SimStream::write(Bytes bytes) {
  if (connection_) connection_->write(end_, std::move(bytes));
}

void SimStream::write(std::vector<Bytes> chunks) {
  for (Bytes& chunk : chunks) write(std::move(chunk));
}

std::size_t SimStream::unsent_bytes() const {
  return connection_ ? end().queue_bytes : 0;
}

void SimStream::set_marks(std::size_t low_bytes, std::size_t high_bytes) {
  if (!connection_) return;
  end().low_mark = low_bytes;
  end().high_mark = std::max(low_bytes, high_bytes);
}

void SimStream::pause_reading() {
  if (connection_) end().paused = true;
}

void SimStream::resume_reading() {
  if (!connection_ || end().finished) return;
  end().paused = false;
  // What has arrived meanwhile, or was left in the buffer, is told in a later turn, never inside this call.
  if (end().started && (!end().arrived.empty() || end().end_arrived || !end().received.empty()))
    end().loop->post([connection = connection_, end = end_] { connection->deliver(end, true); });
}

void SimStream::close(std::int64_t deadline_ms) {
  if (connection_) connection_->close(end_, deadline_ms);
}

void SimStream::close_and_forget(std::int64_t deadline_ms) {
  if (!connection_) return;
  end().handler = nullptr;
  end().facade = nullptr;
  const auto connection = std::exchange(connection_, nullptr);
  connection->close(end_, deadline_ms);
}

void SimStream::abort() {
  if (connection_) connection_->abort(end_);
}

}  // namespace braid
