// Braid, Apache-2.0.
#include "persistence/catalog/client_quotas.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace braid {
namespace {

constexpr std::size_t max_name_bytes = 1024;

constexpr std::array quota_rows{
    QuotaInfo{"consumer_byte_rate", "bytes a second that Fetch answers with"},
    QuotaInfo{"controller_mutation_rate", "partitions a second that are created and deleted"},
    QuotaInfo{"producer_byte_rate", "bytes a second that Produce brings"},
};

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    if (is_plain(c)) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) {
      result += text[i];
      continue;
    }
    unsigned byte = 0;
    if (text[i] != '%' || i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (error != std::errc{} || end != text.data() + i + 3) return std::nullopt;
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

}  // namespace

std::span<const QuotaInfo> quota_table() {
  return quota_rows;
}

std::string quota_entity_problem(const QuotaEntity& entity) {
  if (entity.empty()) return "a quota is for somebody";
  for (const auto& [type, name] : entity) {
    if (type != kQuotaUser && type != kQuotaClientId)
      return "quotas for \"" + type.substr(0, 100) + "\" are not enforced; there are those of a user and a client-id";
    if (name && name->empty()) return "the name of a " + type + " is not empty";
    if (name && name->size() > max_name_bytes) return "the name of a " + type + " is too long";
  }
  return {};
}

std::string quota_value_problem(std::string_view key, double value) {
  if (std::none_of(quota_rows.begin(), quota_rows.end(), [&](const QuotaInfo& info) { return info.key == key; }))
    return "quota \"" + std::string(key.substr(0, 100)) + "\" is not enforced";
  if (!std::isfinite(value) || value <= 0) return "quota " + std::string(key) + " has to be greater than 0";
  if (key.ends_with("_byte_rate") && value != std::floor(value))
    return "quota " + std::string(key) + " has to be a whole number";
  return {};
}

std::string encode_quota_entity(const QuotaEntity& entity) {
  std::string text;
  for (const auto& [type, name] : entity) {
    if (!text.empty()) text += ',';
    text += escaped(type);
    if (name) text += '=' + escaped(*name);
  }
  return text;
}

std::optional<QuotaEntity> decode_quota_entity(std::string_view text) {
  QuotaEntity entity;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t equals = part.find('=');
    auto type = unescaped(part.substr(0, equals));
    std::optional<std::string> name;
    if (equals != std::string_view::npos) {
      name = unescaped(part.substr(equals + 1));
      if (!name) return std::nullopt;
    }
    if (!type || !entity.emplace(std::move(*type), std::move(name)).second) return std::nullopt;
  }
  return entity;
}

std::string encode_quota_value(double value) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

std::optional<double> decode_quota_value(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void set_quota(ClientQuotas& quotas, const QuotaEntity& entity, std::string_view key, std::optional<double> value) {
  if (value) {
    quotas[entity].insert_or_assign(std::string(key), *value);
    return;
  }
  const auto found = quotas.find(entity);
  if (found == quotas.end()) return;
  if (const auto old = found->second.find(key); old != found->second.end()) found->second.erase(old);
  if (found->second.empty()) quotas.erase(found);
}

}  // namespace braid
