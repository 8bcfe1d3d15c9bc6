// Braid, Apache-2.0.
//
// The payload of a method frame to a method and back. All methods are decoded through one table of functions, by class
// and method number; which of them may come when, and from which side, is the session's.
#pragma once

#include <string>
#include <string_view>

#include "codecs/amqp/errors.hpp"
#include "codecs/amqp/registry.hpp"

namespace braid::amqp {

/// Views in `into` show the payload. An error says which method it was in, as far as that could be read.
Check decode_method(std::string_view payload, const TableLimits& limits, Method& into);

/// What a method says of itself.
const MethodInfo& info_of(const Method&);
/// The same by number; nullptr when there is no such method.
const MethodInfo* find_method(MethodId);

/// "basic.ack{delivery-tag=7, multiple=true}"
std::string print(const Method&);

}  // namespace braid::amqp
