// Braid, Apache-2.0.
#include "codecs/amqp/content.hpp"

#include <algorithm>

namespace braid::amqp {

void ContentAssembler::begin(MethodId method) {
  reset();
  state_ = State::header;
  method_ = method;
}

void ContentAssembler::reset() {
  state_ = State::idle;
  pieces_.clear();
  kept_.clear();
  if (gathering_) {
    gathering_ = false;
    gathered_ = ByteWriter(0);
  }
}

Check ContentAssembler::fail(ReplyCode code, std::string_view sentence) {
  reset();
  return DecodeError{code, sentence, method_};
}

Check ContentAssembler::take(const Frame& frame, const ContentLimits& limits) {
  return state_ == State::header ? take_header(frame, limits) : take_body(frame);
}

Check ContentAssembler::take_header(const Frame& frame, const ContentLimits& limits) {
  if (frame.type != FrameType::header)
    return fail(ReplyCode::unexpected_frame, "expected a content header, got another frame");
  if (auto error = decode_content_header(frame.payload, limits.table, header_))
    return fail(error->code, error->sentence);
  if (header_.class_id != method_.class_id)
    return fail(ReplyCode::unexpected_frame, "expected a content header of the method's class, got another class");
  if (header_.body_bytes > limits.max_body_bytes)
    return fail(ReplyCode::precondition_failed, "message size is larger than configured max size");
  missing_bytes_ = header_.body_bytes;
  state_ = missing_bytes_ == 0 ? State::idle : State::body;
  return {};
}

Check ContentAssembler::take_body(const Frame& frame) {
  if (frame.type != FrameType::body)
    return fail(ReplyCode::unexpected_frame, "expected a content body, got another frame");
  if (frame.payload.size() > missing_bytes_)
    return fail(ReplyCode::frame_error, "a content body that is longer than its header said");
  if (frame.payload.empty()) return {};
  missing_bytes_ -= frame.payload.size();
  if (missing_bytes_ == 0) state_ = State::idle;
  if (gathering_ || (missing_bytes_ > 0 && frame.payload.size() < gather_below_bytes))
    gather(frame.payload);
  else
    pieces_.push_back(frame.payload);
  return {};
}

void ContentAssembler::gather(std::string_view piece) {
  if (!gathering_) {
    gathering_ = true;
    for (const auto earlier : pieces_) gathered_.raw(earlier);
  }
  gathered_.raw(piece);
  pieces_.assign(1, gathered_.view());
}

std::size_t ContentAssembler::memory_bytes() const {
  std::size_t bytes = pieces_.capacity() * sizeof(std::string_view) + kept_.capacity() * sizeof(Bytes);
  for (const Bytes& read : kept_) bytes += read.pinned();
  return bytes + gathered_.capacity();
}

}  // namespace braid::amqp
