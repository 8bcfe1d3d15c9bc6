// Braid, Apache-2.0.
//
// The commands: each prints to `out`, complains to `err`, and returns an exit code.
#pragma once

#include <ostream>

#include "apps/braid/arguments.hpp"

namespace braid {

int serve(const Arguments& arguments, std::ostream& out, std::ostream& err);
int settings_show(const Arguments& arguments, std::ostream& out, std::ostream& err);

int health(const Arguments& arguments, std::ostream& out, std::ostream& err);
int topic_create(const Arguments& arguments, std::ostream& out, std::ostream& err);
int topic_list(const Arguments& arguments, std::ostream& out, std::ostream& err);
int topic_describe(const Arguments& arguments, std::ostream& out, std::ostream& err);
int topic_delete(const Arguments& arguments, std::ostream& out, std::ostream& err);
int vhost_create(const Arguments& arguments, std::ostream& out, std::ostream& err);
int vhost_list(const Arguments& arguments, std::ostream& out, std::ostream& err);
int vhost_delete(const Arguments& arguments, std::ostream& out, std::ostream& err);
int policy_set(const Arguments& arguments, std::ostream& out, std::ostream& err);
int policy_list(const Arguments& arguments, std::ostream& out, std::ostream& err);
int policy_delete(const Arguments& arguments, std::ostream& out, std::ostream& err);

/// Reads the command line and runs what it names.
int run(int count, const char* const* words, std::ostream& out, std::ostream& err);

}  // namespace braid
