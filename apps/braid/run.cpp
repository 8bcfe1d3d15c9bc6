// Braid, Apache-2.0.
#include "apps/braid/commands.hpp"
#include "apps/braid/exit_codes.hpp"
#include "config/reference.hpp"
#include "config/version.hpp"

namespace braid {

int run(int count, const char* const* words, std::ostream& out, std::ostream& err) {
  const auto [arguments, exit_early] = parse_arguments(count, words, out, err);
  if (exit_early) return *exit_early;
  switch (arguments.command) {
    case Command::serve:
      return serve(arguments, out, err);
    case Command::health:
      return health(arguments, out, err);
    case Command::topic_create:
      return topic_create(arguments, out, err);
    case Command::topic_list:
      return topic_list(arguments, out, err);
    case Command::topic_describe:
      return topic_describe(arguments, out, err);
    case Command::topic_delete:
      return topic_delete(arguments, out, err);
    case Command::vhost_create:
      return vhost_create(arguments, out, err);
    case Command::vhost_list:
      return vhost_list(arguments, out, err);
    case Command::vhost_delete:
      return vhost_delete(arguments, out, err);
    case Command::policy_set:
      return policy_set(arguments, out, err);
    case Command::policy_list:
      return policy_list(arguments, out, err);
    case Command::policy_delete:
      return policy_delete(arguments, out, err);
    case Command::settings_show:
      return settings_show(arguments, out, err);
    case Command::settings_reference:
      out << settings_reference();
      return exit_code::ok;
    case Command::version:
      out << "braid " << version << "\n";
      return exit_code::ok;
  }
  return exit_code::usage;
}

}  // namespace braid
