#include "rules/template.h"

#include <charconv>

#include "base/bytes.h"
#include "base/nearest.h"
#include "match/expression.h"

namespace waylay::rules {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}";

Error bad(std::string what) {
  return Error::local(ErrorKind::Invalid, std::move(what));
}

// Where the character or the text stands outside of quotes, as the expression language quotes.
size_t find_unquoted(std::string_view text, std::string_view what) {
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text.substr(i).starts_with(what)) {
      return i;
    }
  }
  return std::string_view::npos;
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.starts_with('"') && text.find('"', 1) == text.size() - 1;
}

void append_decimal(std::string& text, double number) {
  char digits[32];
  auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), number);
  text.append(digits, end);
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20;
}

void append_hex(std::string& text, char c) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  text += kDigits[static_cast<unsigned char>(c) >> 4];
  text += kDigits[static_cast<unsigned char>(c) & 15];
}

void append_json(std::string& text, char c) {  // RFC 8259 section 7
  if (c == '"' || c == '\\') {
    text += '\\';
    text += c;
  } else if (is_control(c)) {
    append_hex(text += "\\u00", c);
  } else {
    text += c;
  }
}

void append_xml(std::string& text, char c) {
  constexpr std::pair<char, std::string_view> kEntities[] = {
      {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}};
  for (const auto& [character, entity] : kEntities)
    if (c == character) {
      text += entity;
      return;
    }
  bool allowed = !is_control(c) || c == '\t' || c == '\n' || c == '\r';  // XML 1.0 section 2.2
  text += allowed ? c : '?';
}

void append_url(std::string& text, char c) {  // RFC 3986 section 2.3
  constexpr std::string_view kUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  if (kUnreserved.find(c) != std::string_view::npos) {
    text += c;
  } else {
    append_hex(text += '%', c);
  }
}

}  // namespace

struct Template::Compiler {
  Template made;
  std::string text;  // since the last value

  Result<void> read(std::string_view from) {
    for (;;) {
      size_t open = from.find(kOpen);
      text.append(from.substr(0, open));
      if (open == std::string_view::npos) return {};
      from.remove_prefix(open + kOpen.size());
      size_t close = find_unquoted(from, kClose);
      if (close == std::string_view::npos)
        return fail(bad(R"("{{" has no "}}" behind it; two braces as text are {{"{{"}})"));
      if (Result<void> value = read_value(trim(from.substr(0, close))); !value) return value;
      from.remove_prefix(close + kClose.size());
    }
  }

  Result<void> read_value(std::string_view inside) {
    if (is_quoted(inside)) {
      text.append(inside.substr(1, inside.size() - 2));
      return {};
    }
    size_t bar = find_unquoted(inside, "|");
    Result<Escape> escape = Escape::None;
    if (bar != std::string_view::npos) escape = read_escape(trim(inside.substr(bar + 1)));
    if (!escape) return fail(escape);
    Result<match::Expression> expression = match::Expression::compile(trim(inside.substr(0, bar)));
    if (!expression) return fail(std::move(expression).error().with("in {{" + std::string(inside) + "}}"));
    std::optional<match::Expression::BareField> field = expression->bare_field();
    if (!field)
      return fail(bad("{{" + std::string(inside) + "}} is not a field: write {{http.host}} or {{http.header[\"x\"]}}"));
    std::optional<match::JsonPath> path;
    if (field->path) path = *field->path;
    made.parts_.push_back({std::move(text), field->field, std::string(field->key), std::move(path), *escape});
    text.clear();
    return {};
  }

  static Result<Escape> read_escape(std::string_view name) {
    if (name == "json") return Escape::Json;
    if (name == "xml") return Escape::Xml;
    if (name == "url") return Escape::Url;
    return fail(bad("\"" + std::string(name) + "\" is not an escape: json, xml or url" +
                    did_you_mean(name, {"json", "xml", "url"})));
  }
};

Template Template::plain(std::string text) {
  Template made;
  made.text_ = std::move(text);
  return made;
}

Result<Template> Template::compile(std::string_view text) {
  Compiler compiler;
  if (Result<void> read = compiler.read(text); !read) return fail(read);
  compiler.made.text_ = std::move(compiler.text);
  return std::move(compiler.made);
}

std::vector<match::Field> Template::fields() const {
  std::vector<match::Field> fields;
  fields.reserve(parts_.size());
  for (const Part& part : parts_) fields.push_back(part.field);
  return fields;
}

std::string Template::render(const match::Subject& subject) const {
  std::string text;
  for (const Part& part : parts_) {
    text += part.before;
    append_value(text, part, subject);
  }
  text += text_;
  return text;
}

void Template::append_value(std::string& text, const Part& part, const match::Subject& subject) {
  match::Value value = part.path ? subject.json(part.field, *part.path) : subject.value(part.field, part.key);
  if (const auto* string = std::get_if<std::string_view>(&value)) return append_escaped(text, *string, part.escape);
  if (const auto* number = std::get_if<int64_t>(&value)) text += std::to_string(*number);
  if (const auto* decimal = std::get_if<double>(&value)) append_decimal(text, *decimal);
  if (const auto* boolean = std::get_if<bool>(&value)) text += *boolean ? "true" : "false";
  if (const auto* address = std::get_if<Address>(&value)) text += address->unmapped().ip_text();
}

void Template::append_escaped(std::string& text, char c, Escape escape) {
  switch (escape) {
    case Escape::None:
      text += c;
      return;
    case Escape::Json:
      return append_json(text, c);
    case Escape::Xml:
      return append_xml(text, c);
    case Escape::Url:
      return append_url(text, c);
  }
}

void Template::append_escaped(std::string& text, std::string_view value, Escape escape) {
  for (char c : value) append_escaped(text, c, escape);
}

}  // namespace waylay::rules
