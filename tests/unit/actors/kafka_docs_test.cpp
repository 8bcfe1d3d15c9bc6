// Braid, Apache-2.0.
//
// docs/kafka.md promises versions to people; the table of handlers promises them to clients. They are the same.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "actors/kafka/handlers.hpp"
#include "support/source_tree.hpp"

namespace braid::test {

TEST_CASE("docs/kafka.md lists exactly the requests and versions that are served") {
  std::ifstream file(source_tree() / "docs/kafka.md");
  REQUIRE(file);
  const std::regex row(R"(\| (\d+) \| (\w+) \| (\d+)-(\d+) \|.*)");
  std::map<int, std::string> documented, served;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row))
      documented[std::stoi(match[1])] = match[2].str() + " " + match[3].str() + "-" + match[4].str();
  }
  for (const kafka::ServedApi& api : kafka::served_apis())
    served[static_cast<int>(api.key)] = std::string(to_string(api.key)) + " " + std::to_string(api.versions.first) +
                                        "-" + std::to_string(api.versions.last);
  CHECK(documented == served);
}

}  // namespace braid::test
