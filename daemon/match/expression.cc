#include "match/expression.h"

#include <algorithm>

#include "match/evaluate.h"
#include "match/parser.h"
#include "match/requirement.h"

namespace waylay::match {

namespace {

bool names_field(const Node& node) {
  return node.kind == NodeKind::Present || node.kind == NodeKind::Compare || node.kind == NodeKind::In;
}

// What can be said about the program as a whole.
void summarize(Program& program) {
  for (const Node& node : program.nodes) {
    if (names_field(node)) program.fields.push_back(node.field);
  }
  std::ranges::sort(program.fields);
  auto rest = std::ranges::unique(program.fields);
  program.fields.erase(rest.begin(), rest.end());
  for (Field field : program.fields) program.known_at = std::max(program.known_at, info(field).moment);
  program.hosts = required_values(
      program, [](const Node& node) { return node.field == Field::HttpHost || node.field == Field::TlsServerName; });
  program.methods = required_values(program, [](const Node& node) { return node.field == Field::HttpRequestMethod; });
}

bool is_port(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<Expression> Expression::compile(std::string_view text) {
  Source source(text);
  if (Result<void> checked = source.check(); !checked) return fail(checked);
  auto program = std::make_unique<Program>();
  if (Result<void> parsed = parse(source, *program); !parsed) return fail(parsed);
  program->text = text;
  summarize(*program);
  return Expression(std::move(program));
}

Expression::Expression() : Expression(std::make_unique<Program>()) {}
Expression::Expression(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Truth Expression::evaluate(const Subject& subject, Moment now) const {
  return match::evaluate(*program_, subject, now);
}
Moment Expression::known_at() const {
  return program_->known_at;
}
bool Expression::asks_at(Moment moment) const {
  return std::ranges::any_of(program_->fields, [&](Field field) { return info(field).moment == moment; });
}
const std::vector<std::string>& Expression::hosts() const {
  return program_->hosts;
}
const std::vector<std::string>& Expression::methods() const {
  return program_->methods;
}
std::vector<std::string> Expression::required(Field field, std::string_view key) const {
  return required_values(*program_,
                         [&](const Node& node) { return node.field == field && program_->keys[node.key] == key; });
}
std::optional<Expression::BareField> Expression::bare_field() const {
  if (program_->nodes.size() != 1 || program_->nodes.front().kind != NodeKind::Present) return std::nullopt;
  const Node& node = program_->nodes.front();
  bool takes_path = info(node.field).key == Key::JsonPath;
  return BareField{node.field, program_->keys[node.key], takes_path ? &program_->paths[node.path] : nullptr};
}
const std::vector<Field>& Expression::fields() const {
  return program_->fields;
}
const std::string& Expression::text() const {
  return program_->text;
}

std::string_view host_without_port(std::string_view host) {
  size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || !is_port(host.substr(colon + 1))) return host;
  bool literal = host.starts_with('[');  // an IPv6 address in brackets; one without has no port
  bool after_literal = literal && host[colon - 1] == ']';
  bool only = host.find(':') == colon;
  return (literal ? after_literal : only) ? host.substr(0, colon) : host;
}

}  // namespace waylay::match
