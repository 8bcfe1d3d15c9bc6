// Braid, Apache-2.0.
//
// What the harness tells a load generator: `--name value` pairs. A name that the generator does not ask for is an
// error, so that a misspelt workload does not silently measure something else.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

namespace braid::bench {

class Options {
 public:
  Options(int argc, char** argv) {
    if (argc % 2 == 0) throw std::runtime_error("arguments are pairs: --name value");
    for (int i = 1; i < argc; i += 2) {
      const std::string name = argv[i];
      if (!name.starts_with("--")) throw std::runtime_error("'" + name + "' is not a name: --name value");
      values_[name.substr(2)] = argv[i + 1];
    }
  }

  std::string text(const std::string& name, const std::string& otherwise) {
    asked_.insert(name);
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) {
    const auto given = text(name, "");
    return given.empty() ? otherwise : std::stoull(given);
  }
  double real(const std::string& name, double otherwise) {
    const auto given = text(name, "");
    return given.empty() ? otherwise : std::stod(given);
  }
  bool flag(const std::string& name) { return number(name, 0) != 0; }

  /// To be called when everything was asked for.
  void finish() const {
    for (const auto& [name, value] : values_)
      if (!asked_.contains(name)) throw std::runtime_error("nobody asks for --" + name);
  }

 private:
  std::map<std::string, std::string> values_;
  std::set<std::string> asked_;
};

}  // namespace braid::bench
