// Braid, Apache-2.0.
//
// Built on libfyaml's events rather than its documents: events carry the position of every token, come one at a time,
// and leave depth and size under our own limits.
#include "config/yaml.hpp"

#include <libfyaml.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "model/utf8.hpp"

namespace braid {
namespace {

constexpr int max_depth = 16;
constexpr std::size_t max_file_bytes = 1u << 20;

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagnosticsDeleter {
  void operator()(fy_diag* diagnostics) const { fy_diag_destroy(diagnostics); }
};

class Reader {
 public:
  Reader(fy_parser* parser, fy_diag* diagnostics) : parser_(parser), diagnostics_(diagnostics) {}

  Result<YamlNode, YamlError> read() {
    YamlNode root;
    bool seen_document = false;
    while (Event event = next()) {
      switch (event->type) {
        case FYET_STREAM_START:
        case FYET_DOCUMENT_END:
          break;
        case FYET_DOCUMENT_START:
          if (seen_document) return at(*event, "a settings file holds one document");
          seen_document = true;
          break;
        case FYET_STREAM_END:
          return finish(std::move(root));
        default:
          if (!node(*event, root, 0)) return Unexpected{std::move(*error_)};
      }
    }
    return finish(std::move(root));
  }

 private:
  struct EventDeleter {
    fy_parser* parser;
    void operator()(fy_event* event) const { fy_parser_event_free(parser, event); }
  };
  using Event = std::unique_ptr<fy_event, EventDeleter>;

  Event next() {
    Event event(fy_parser_parse(parser_), EventDeleter{parser_});
    if (event) {
      // Events that stand for nothing written (an empty value) have no mark: they are where the last one was.
      if (const auto* mark = fy_event_start_mark(event.get())) {
        line_ = mark->line + 1;
        column_ = mark->column + 1;
      }
    }
    return event;
  }

  bool node(fy_event& event, YamlNode& into, int depth) {
    into.line = line_;
    into.column = column_;
    if (event.type == FYET_ALIAS || fy_event_get_anchor_token(&event))
      return fail("anchors and aliases ('&', '*') have no place in a settings file; quote a text that begins so");
    if (fy_event_get_tag_token(&event))
      return fail("tags ('!') have no place in a settings file; quote a text that begins so");
    switch (event.type) {
      case FYET_SCALAR:
        return scalar(event, into);
      case FYET_SEQUENCE_START:
        if (depth == max_depth) return fail("nested too deeply");
        into.kind = YamlNode::Kind::sequence;
        while (Event item = next()) {
          if (item->type == FYET_SEQUENCE_END) return true;
          if (!node(*item, into.items.emplace_back(), depth + 1)) return false;
        }
        return fail("the list does not end");
      case FYET_MAPPING_START:
        if (depth == max_depth) return fail("nested too deeply");
        into.kind = YamlNode::Kind::mapping;
        while (Event key = next()) {
          if (key->type == FYET_MAPPING_END) return true;
          if (!node(*key, into.keys.emplace_back(), depth + 1)) return false;
          Event value = next();
          if (!value) break;
          if (!node(*value, into.values.emplace_back(), depth + 1)) return false;
        }
        return fail("the mapping does not end");
      default:
        return fail("not expected here");
    }
  }

  bool scalar(fy_event& event, YamlNode& into) {
    fy_token* token = event.scalar.value;
    std::size_t size = 0;
    const char* text = token ? fy_token_get_text(token, &size) : nullptr;
    if (text) into.text.assign(text, size);
    const auto style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    // The mark of a quoted text is behind its quote.
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && into.column > 1) --into.column;
    const bool plain = style == FYSS_PLAIN;
    const bool null = plain && (into.text.empty() || into.text == "~" || into.text == "null");
    into.kind = null ? YamlNode::Kind::null : YamlNode::Kind::scalar;
    return true;
  }

  /// libfyaml's own first error wins over ours, which is then only its consequence.
  bool fail(std::string text) {
    error_ = library_error();
    if (!error_) error_ = YamlError{line_, column_, std::move(text)};
    return false;
  }

  Result<YamlNode, YamlError> at(fy_event&, std::string text) {
    fail(std::move(text));
    return Unexpected{std::move(*error_)};
  }

  Result<YamlNode, YamlError> finish(YamlNode root) {
    if (auto error = library_error()) return Unexpected{std::move(*error)};
    if (fy_parser_get_stream_error(parser_)) return Unexpected{YamlError{line_, column_, "not valid YAML"}};
    return root;
  }

  std::optional<YamlError> library_error() {
    void* position = nullptr;
    while (const auto* error = fy_diag_errors_iterate(diagnostics_, &position)) {
      if (error->type < FYET_ERROR) continue;
      return YamlError{std::max(error->line, 1), std::max(error->column, 1),
                       error->msg ? error->msg : "not valid YAML"};
    }
    return std::nullopt;
  }

  fy_parser* parser_;
  fy_diag* diagnostics_;
  int line_ = 1;
  int column_ = 1;
  std::optional<YamlError> error_;
};

/// What is refused before libfyaml sees it: bytes that YAML does not allow anyway, and directives. On a directive with
/// a zero byte in it the library never comes back.
std::optional<YamlError> refuse_unreadable(std::string_view text) {
  if (text.size() > max_file_bytes) return YamlError{1, 1, "larger than 1MiB: this is no settings file"};
  if (!is_utf8(text)) return YamlError{1, 1, "not UTF-8: this is no settings file"};
  int line = 1, column = 1;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f)
      return YamlError{line, column, "a control character has no place in a settings file"};
    if (c == '%' && column == 1)
      return YamlError{line, column, "directives ('%') have no place in a settings file; quote a text that begins so"};
    if (c == '\n') ++line;
    column = c == '\n' ? 1 : column + ((byte & 0xc0) == 0x80 ? 0 : 1);
  }
  return std::nullopt;
}

}  // namespace

Result<YamlNode, YamlError> parse_yaml(std::string_view text) {
  if (auto error = refuse_unreadable(text)) return Unexpected{std::move(*error)};
  if (text.empty()) return YamlNode{};
  // Errors are collected, not printed: libfyaml writes to stderr by itself unless it is given a place for them.
  fy_diag_cfg diagnostics_config;
  fy_diag_cfg_default(&diagnostics_config);
  diagnostics_config.fp = nullptr;
  diagnostics_config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  diagnostics_config.colorize = false;
  const std::unique_ptr<fy_diag, DiagnosticsDeleter> diagnostics(fy_diag_create(&diagnostics_config));
  if (!diagnostics) return Unexpected{YamlError{1, 1, "not readable as YAML"}};
  fy_diag_set_collect_errors(diagnostics.get(), true);

  fy_parse_cfg config{};
  config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_JSON_NONE);
  config.diag = diagnostics.get();
  const std::unique_ptr<fy_parser, ParserDeleter> parser(fy_parser_create(&config));
  if (!parser || fy_parser_set_string(parser.get(), text.data(), text.size()) != 0)
    return Unexpected{YamlError{1, 1, "not readable as YAML"}};
  return Reader(parser.get(), diagnostics.get()).read();
}

}  // namespace braid
