// Braid, Apache-2.0.
#include "actors/amqp/session/credentials.hpp"

namespace braid::amqp {

namespace {

/// authorization identity, NUL, user, NUL, password
std::optional<Credentials> read_plain(std::string_view response) {
  const auto first = response.find('\0');
  if (first == std::string_view::npos) return {};
  const auto second = response.find('\0', first + 1);
  if (second == std::string_view::npos || response.find('\0', second + 1) != std::string_view::npos) return {};
  return Credentials{std::string(response.substr(first + 1, second - first - 1)),
                     std::string(response.substr(second + 1))};
}

std::optional<Credentials> read_amqplain(std::string_view response, const TableLimits& limits) {
  if (check_table(response, limits)) return {};
  const Table table(response);
  const auto user = table.find("LOGIN"), password = table.find("PASSWORD");
  if (!user || !password || !user->is_bytes() || !password->is_bytes()) return {};
  return Credentials{std::string(user->as_text()), std::string(password->as_text())};
}

}  // namespace

std::optional<Credentials> read_credentials(std::string_view mechanism, std::string_view response,
                                            const TableLimits& limits) {
  return mechanism == "PLAIN" ? read_plain(response) : read_amqplain(response, limits);
}

bool known_user(const Credentials& credentials) {
  return credentials.user == "guest" && credentials.password == "guest";
}

}  // namespace braid::amqp
