// Braid, Apache-2.0.
#include "apps/braid/ask.hpp"

#include "apps/braid/exit_codes.hpp"
#include "apps/braid/output.hpp"

namespace braid {

int complain(std::ostream& err, const ClientError& error) {
  err << "braid: " << error.text << '\n';
  return error.exit_code;
}

std::string text_of(const Json& object, std::string_view name) {
  const auto* member = object.find(name);
  if (!member) return "";
  const auto* text = member->get<std::string>();
  return text ? *text : to_json(*member);
}

std::string pairs_of(const Json& object, std::string_view name) {
  std::string list;
  const auto* inner = object.find(name);
  const auto* members = inner ? inner->get<Json::Object>() : nullptr;
  if (members)
    for (const auto& member : *members)
      list += (list.empty() ? "" : " ") + member.first + "=" + text_of(*inner, member.first);
  return list;
}

int ask_and_print(const Arguments& arguments, const std::string& method, const std::string& path,
                  const std::string& body, std::ostream& out, std::ostream& err, const PrintTable& print) {
  const auto client = AdminClient::to(arguments.broker);
  if (!client) return complain(err, client.error());
  const auto answer = client->request(method, path, body);
  if (!answer) return complain(err, answer.error());
  if (arguments.output == OutputForm::table)
    print(*answer);
  else
    print_json(out, arguments.output, *answer);
  return exit_code::ok;
}

}  // namespace braid
