// Braid, Apache-2.0.
//
// See header_index.hpp.
#include "actors/amqp/topology/header_index.hpp"

#include <optional>

#include "actors/routing/index/hash.hpp"

namespace braid::amqp {

namespace {

constexpr std::string_view match_argument = "x-match";

struct Mode {
  bool any = false;
  bool with_x = false;
};

Mode mode_of(const Table& arguments) {
  const auto value = arguments.find(match_argument);
  if (!value || !value->is_text()) return {};
  const auto text = value->as_text();
  return {text == "any" || text == "any-with-x", text == "all-with-x" || text == "any-with-x"};
}

bool asks_for(std::string_view name, const Mode& mode) {
  return mode.with_x ? name != match_argument : !name.starts_with("x-");
}

bool satisfied(const Field& asked, const Table& headers) {
  const auto value = headers.find(asked.name);
  return value && (asked.value.type() == FieldType::none || same_value(asked.value, *value));
}

}  // namespace

bool same_value(const FieldValue& a, const FieldValue& b) {
  if (a.is_integer() || b.is_integer()) return a.is_integer() && b.is_integer() && a.as_integer() == b.as_integer();
  if (a.is_real() || b.is_real()) return a.is_real() && b.is_real() && a.as_real() == b.as_real();
  if (a.is_bytes() || b.is_bytes()) return a.is_bytes() && b.is_bytes() && a.as_text() == b.as_text();
  return a == b;
}

Refusal check_header_arguments(const Table& arguments) {
  const auto value = arguments.find(match_argument);
  if (!value) return {};
  if (!value->is_text()) {
    std::string text = "Invalid x-match field type " + std::string(name_of(value->type())) + " (value ";
    value->print(text);
    return TopologyError{ReplyCode::precondition_failed, text + "); expected longstr"};
  }
  const auto text = value->as_text();
  if (text == "all" || text == "any" || text == "all-with-x" || text == "any-with-x") return {};
  return TopologyError{ReplyCode::precondition_failed, "Invalid x-match field value <<\"" + std::string(text) +
                                                           "\">>; expected all, any, all-with-x, or any-with-x"};
}

bool headers_match(const Table& arguments, const Table& headers) {
  const Mode mode = mode_of(arguments);
  for (const Field& asked : arguments) {
    if (!asks_for(asked.name, mode)) continue;
    if (satisfied(asked, headers) == mode.any) return mode.any;
  }
  return !mode.any;
}

std::uint64_t HeaderIndex::hash_of(std::string_view name) const {
  return routing::hash_text(name, seed_);
}

/// Values that same_value takes for equal have one hash.
std::uint64_t HeaderIndex::hash_of(const Field& field) const {
  const std::uint64_t name = hash_of(field.name);
  const FieldValue& value = field.value;
  if (value.is_integer()) return routing::fold_multiply(name ^ static_cast<std::uint64_t>(value.as_integer()), 3);
  if (value.is_bytes()) return routing::hash_text(value.as_text(), name);
  return routing::fold_multiply(name, 5);
}

template <class Visit>
void HeaderIndex::each_asked(const Table& arguments, Visit&& visit) const {
  const Mode mode = mode_of(arguments);
  for (const Field& asked : arguments)
    if (asks_for(asked.name, mode)) visit(asked.value.type() == FieldType::none ? hash_of(asked.name) : hash_of(asked));
}

std::size_t HeaderIndex::hanging_at(std::uint64_t hash) const {
  const auto found = entries_.find(hash);
  return found == entries_.end() ? 0 : found->second.size();
}

void HeaderIndex::add(std::uint32_t binding, const Table& arguments) {
  const Entry entry{binding, arguments};
  if (mode_of(arguments).any)
    return each_asked(arguments, [&](std::uint64_t hash) { entries_[hash].push_back(entry); });
  std::optional<std::uint64_t> least;
  each_asked(arguments, [&](std::uint64_t hash) {
    if (!least || hanging_at(hash) < hanging_at(*least)) least = hash;
  });
  (least ? entries_[*least] : unconditional_).push_back(entry);  // "all" of nothing always matches
}

bool HeaderIndex::take_off(std::uint64_t hash, std::uint32_t binding) {
  const auto found = entries_.find(hash);
  if (found == entries_.end()) return false;
  const bool was_there = std::erase_if(found->second, [=](const Entry& one) { return one.binding == binding; }) > 0;
  if (found->second.empty()) entries_.erase(found);
  return was_there;
}

void HeaderIndex::remove(std::uint32_t binding, const Table& arguments) {
  const bool any = mode_of(arguments).any;
  bool done = false;
  each_asked(arguments, [&](std::uint64_t hash) {
    if (any || !done) done = take_off(hash, binding) || done;
  });
  if (!any && !done) std::erase_if(unconditional_, [=](const Entry& one) { return one.binding == binding; });
}

}  // namespace braid::amqp
