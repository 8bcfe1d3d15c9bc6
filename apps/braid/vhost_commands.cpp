// Braid, Apache-2.0.
//
// `braid vhost ...`: AMQP's virtual hosts, over the paths that RabbitMQ's management API has for them.
#include "apps/braid/ask.hpp"
#include "apps/braid/commands.hpp"
#include "apps/braid/output.hpp"

namespace braid {
namespace {

const std::string api_vhosts = "/api/vhosts";

}  // namespace

int vhost_create(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "PUT", api_vhosts + "/" + escape_path(arguments.vhost), "{}", out, err,
                       [&](const Json&) { out << "created vhost " << arguments.vhost << '\n'; });
}

int vhost_list(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "GET", api_vhosts, {}, out, err, [&](const Json& answer) {
    std::vector<Row> rows{{"VHOST"}};
    if (const auto* all = answer.get<Json::Array>())
      for (const Json& vhost : *all) rows.push_back({text_of(vhost, "name")});
    print_table(out, rows);
  });
}

int vhost_delete(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  return ask_and_print(arguments, "DELETE", api_vhosts + "/" + escape_path(arguments.vhost), {}, out, err,
                       [&](const Json&) { out << "deleted vhost " << arguments.vhost << '\n'; });
}

}  // namespace braid
