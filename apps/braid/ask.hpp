// Braid, Apache-2.0.
//
// What the commands that ask a running broker share: one request, and its answer as a table, JSON or YAML.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "apps/braid/arguments.hpp"
#include "apps/braid/client.hpp"

namespace braid {

/// Says what went wrong; returns the exit code.
int complain(std::ostream& err, const ClientError& error);

/// A member as text, for a table.
std::string text_of(const Json& object, std::string_view name);

/// Members of an object as "a=1 b=x".
std::string pairs_of(const Json& object, std::string_view name);

using PrintTable = std::function<void(const Json&)>;
int ask_and_print(const Arguments& arguments, const std::string& method, const std::string& path,
                  const std::string& body, std::ostream& out, std::ostream& err, const PrintTable& print);

}  // namespace braid
