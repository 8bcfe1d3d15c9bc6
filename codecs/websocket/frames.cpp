// Braid, Apache-2.0.
#include "codecs/websocket/frames.hpp"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace braid::websocket {

namespace {
constexpr char final_binary = '\x82';
constexpr char final_close = '\x88';
}  // namespace

struct Frames::Callbacks {
  static Frames& self(void* user) { return *static_cast<Frames*>(user); }

  static ssize_t receive(wslay_event_context_ptr context, std::uint8_t* into, std::size_t room, int, void* user) {
    auto& frames = self(user);
    const auto size = frames.end_ == End::refused ? 0 : std::min(room, frames.input_.size());
    if (size == 0) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    std::memcpy(into, frames.input_.data(), size);
    frames.input_.remove_prefix(size);
    return static_cast<ssize_t>(size);
  }
  static ssize_t send(wslay_event_context_ptr, const std::uint8_t* bytes, std::size_t size, int, void* user) {
    self(user).output_.append(reinterpret_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
  }
  static void frame_begins(wslay_event_context_ptr, const wslay_event_on_frame_recv_start_arg* frame, void* user) {
    self(user).in_control_ = wslay_is_ctrl_frame(frame->opcode);
    if (frame->opcode == WSLAY_TEXT_FRAME)
      self(user).refuse(status_unsupported, "a WebSocket text frame [MQTT-6.0.0-1]");
  }
  static void payload(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* chunk, void* user) {
    auto& frames = self(user);
    if (frames.in_control_ || frames.end_ != End::none || chunk->data_length == 0) return;
    const auto room = frames.payload_->writable(chunk->data_length);
    std::memcpy(room.data(), chunk->data, chunk->data_length);
    frames.payload_->commit(chunk->data_length);
  }
};

Frames::Frames() {
  static const wslay_event_callbacks callbacks = {Callbacks::receive, Callbacks::send, nullptr, Callbacks::frame_begins,
                                                  Callbacks::payload, nullptr,         nullptr};
  if (wslay_event_context_server_init(&context_, &callbacks, this) != 0) throw std::bad_alloc();
  wslay_event_config_set_no_buffering(context_, 1);
}

Frames::~Frames() {
  wslay_event_context_free(context_);
}

void Frames::refuse(std::uint16_t status, std::string_view reason) {
  if (end_ != End::none) return;
  end_ = End::refused;
  reason_ = reason;
  wslay_event_queue_close(context_, status, nullptr, 0);
}

void Frames::feed(std::string_view received, ReceiveBuffer& payload) {
  if (end_ != End::none) return;
  input_ = received;
  payload_ = &payload;
  const int result = wslay_event_recv(context_);
  if (end_ == End::none && (result != 0 || !wslay_event_get_read_enabled(context_))) {
    // libwslay has put its closing frame, if there is one, into its queue.
    end_ = wslay_event_get_close_received(context_) ? End::closed : End::refused;
    reason_ = "a frame that breaks the protocol of WebSocket (RFC 6455)";
  }
  wslay_event_send(context_);
  input_ = {};
  payload_ = nullptr;
}

std::string Frames::take_output() {
  return std::exchange(output_, {});
}

std::string binary_header(std::size_t payload_bytes) {
  std::string header(1, final_binary);
  const auto number = [&](int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      header.push_back(static_cast<char>(payload_bytes >> shift));
  };
  if (payload_bytes < 126) {
    number(1);
  } else if (payload_bytes <= 0xffff) {
    header.push_back(126);
    number(2);
  } else {
    header.push_back(127);
    number(8);
  }
  return header;
}

std::string close_frame(std::uint16_t status) {
  return {final_close, 2, static_cast<char>(status >> 8), static_cast<char>(status)};
}

}  // namespace braid::websocket
