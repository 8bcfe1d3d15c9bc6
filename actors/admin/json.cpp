// Braid, Apache-2.0.
//
// The one source that includes nlohmann/json. Reading goes through its events rather than its tree, so that depth is
// limited before memory is spent and a name that comes twice is seen; writing uses it for the quoting of texts.
#include "actors/admin/json.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "config/yaml.hpp"

namespace braid {
namespace {

constexpr std::size_t max_depth = 32;

/// Receives nlohmann's events; returning false ends the parse with `error`.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Json root;
  std::string error;

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(static_cast<std::int64_t>(value))); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      return add(Json(Json::Value(static_cast<double>(value))));
    return add(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(Json(Json::Value(value))); }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t&) override { return fail("binary values have no place here"); }

  bool start_object(std::size_t) override { return open(Level{true, {}, {}, {}, {}}); }
  bool start_array(std::size_t) override { return open(Level{false, {}, {}, {}, {}}); }
  bool key(string_t& name) override {
    if (!levels_.back().names.insert(name).second) return fail("the name '" + name + "' comes twice");
    levels_.back().name = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& exception) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: ..."
    const std::string text = exception.what();
    const auto at = text.find(" at ");
    return fail(at == std::string::npos ? "not valid JSON" : text.substr(at + 4));
  }

 private:
  struct Level {
    bool is_object = false;
    Json::Object members;
    Json::Array items;
    std::set<std::string> names;
    std::string name;
  };

  bool fail(std::string text) {
    if (error.empty()) error = std::move(text);
    return false;
  }
  bool open(Level level) {
    if (levels_.size() == max_depth) return fail("nested too deeply");
    levels_.push_back(std::move(level));
    return true;
  }
  bool close() {
    auto level = std::move(levels_.back());
    levels_.pop_back();
    return add(level.is_object ? Json(std::move(level.members)) : Json(std::move(level.items)));
  }
  bool add(Json value) {
    if (levels_.empty())
      root = std::move(value);
    else if (levels_.back().is_object)
      levels_.back().members.emplace_back(std::move(levels_.back().name), std::move(value));
    else
      levels_.back().items.push_back(std::move(value));
    return true;
  }

  std::vector<Level> levels_;
};

std::string dump(const nlohmann::json& scalar) {
  return scalar.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_json(const Json& value, bool indented, std::size_t depth, std::string& out) {
  auto new_line = [&](std::size_t level) {
    if (indented) out += '\n' + std::string(2 * level, ' ');
  };
  auto sequence = [&](const auto& items, char open, char close, auto write_item) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      new_line(depth + 1);
      write_item(item);
    }
    if (!items.empty()) new_line(depth);
    out += close;
  };
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, Json::Array>) {
          sequence(v, '[', ']', [&](const Json& item) { write_json(item, indented, depth + 1, out); });
        } else if constexpr (std::is_same_v<T, Json::Object>) {
          sequence(v, '{', '}', [&](const Json::Member& member) {
            out += dump(member.first) + (indented ? ": " : ":");
            write_json(member.second, indented, depth + 1, out);
          });
        } else {
          out += dump(v);
        }
      },
      value.value());
}

bool is_empty(const Json& value) {
  const auto* array = value.get<Json::Array>();
  const auto* object = value.get<Json::Object>();
  return (array && array->empty()) || (object && object->empty());
}
bool is_block(const Json& value) {
  return (value.get<Json::Array>() || value.get<Json::Object>()) && !is_empty(value);
}

void write_yaml(const Json& value, std::size_t depth, std::string& out) {
  const std::string indent(2 * depth, ' ');
  if (!is_block(value)) {
    if (const auto* text = value.get<std::string>())
      out += quote_yaml(*text);
    else
      write_json(value, false, 0, out);
    out += '\n';
    return;
  }
  bool first = true;  // the first line follows a "- " or stands at the start of the document
  auto begin = [&] {
    if (!first) out += indent;
    first = false;
  };
  if (const auto* array = value.get<Json::Array>()) {
    for (const auto& item : *array) {
      begin();
      out += "- ";
      write_yaml(item, depth + 1, out);
    }
    return;
  }
  for (const auto& [name, member] : *value.get<Json::Object>()) {
    begin();
    out += quote_yaml(name) + ":";
    if (is_block(member))
      out += '\n' + std::string(2 * (depth + 1), ' ');
    else
      out += ' ';
    write_yaml(member, depth + 1, out);
  }
}

}  // namespace

const Json* Json::find(std::string_view name) const {
  const auto* object = get<Object>();
  if (!object) return nullptr;
  const auto at =
      std::find_if(object->begin(), object->end(), [&](const Member& member) { return member.first == name; });
  return at == object->end() ? nullptr : &at->second;
}

std::string_view Json::type_name() const {
  constexpr std::string_view names[] = {"null",   "true or false", "a number", "a number",
                                        "a text", "a list",        "an object"};
  return names[value_.index()];
}

Result<Json, std::string> parse_json(std::string_view text) {
  Builder builder;
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root);
  return Unexpected{builder.error.empty() ? std::string("not valid JSON") : std::move(builder.error)};
}

std::string to_json(const Json& value, bool indented) {
  std::string out;
  write_json(value, indented, 0, out);
  return out;
}

std::string to_yaml(const Json& value) {
  std::string out;
  write_yaml(value, 0, out);
  return out;
}

}  // namespace braid
