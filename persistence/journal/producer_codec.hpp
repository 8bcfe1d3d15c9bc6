// Braid, Apache-2.0.
//
// Producer states as bytes, for footers and checkpoints.
#pragma once

#include "model/byte_io.hpp"
#include "persistence/journal/producer_state.hpp"

namespace braid::journal {

/// Appends the states that hold nothing at or behind `end`: batches that were noted but failed to be written stay out.
void encode_producers(const ProducerStates&, Offset end, ByteWriter& out);
/// Reads what encode_producers wrote over `into`; false if the bytes are impossible.
bool decode_producers(ByteReader& in, ProducerStates& into);

}  // namespace braid::journal
