// Braid, Apache-2.0.
//
// Included by the one source file of each message: the definitions behind `codec.hpp`, and the macro that turns them
// into code there and nowhere else.
#pragma once

#include "codecs/kafka/decoder.hpp"
#include "codecs/kafka/encoder.hpp"
#include "codecs/kafka/printer.hpp"
#include "codecs/kafka/schema_lister.hpp"

#define BRAID_KAFKA_INSTANTIATE(Message)                                                                 \
  template Result<Message, DecodeError> decode<Message>(ByteReader&, std::int16_t, const DecodeLimits&); \
  template Outcome<EncodeError> encode<Message>(FrameWriter&, const Message&, std::int16_t);             \
  template std::string print<Message>(const Message&, std::int16_t);                                     \
  template std::vector<FieldSchema> schema_of<Message>()
