#include "match/parser.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/nearest.h"
#include "match/operand.h"

namespace waylay::match {

namespace {

// RFC 9110 section 5.6.2.
bool is_header_name(std::string_view name) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return !name.empty() && name.find_first_not_of(kToken) == std::string_view::npos;
}

bool is_keyword(std::string_view word) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"and", "or", "not", "in", "eq", "ne", "lt", "gt", "le", "ge", "contains", "matches", "true", "false"});
  return std::ranges::find(kWords, word) != kWords.end();
}

// A name as it may stand in an error.
std::string shown(std::string_view word) {
  constexpr size_t kLongest = 64;
  return std::string(word.substr(0, kLongest)) + (word.size() > kLongest ? "..." : "");
}

// Recursive descent, one function for each line of the grammar; a failing one leaves the program half made, to be
// thrown away.
//
//   any     = all { or all }
//   all     = unary { and unary }
//   unary   = not unary | "(" any ")" | test
//   test    = field [ comparison literal | [not] in set ]
//   field   = name [ "[" string "]" ]
//   set     = "{" element { "," element } "}"
//   element = literal [ ".." literal ]
class Parser {
 public:
  Parser(const Source& source, Tokens tokens, Program& program)
      : source_(source), tokens_(std::move(tokens)), program_(program) {}

  Result<void> parse() {
    if (is(TokenKind::End)) return {};
    if (Result<void> parsed = parse_any(); !parsed) return parsed;
    if (is(TokenKind::End)) return {};
    return unexpected_after_test();
  }

 private:
  Result<void> parse_any() {
    size_t begin = program_.nodes.size();
    if (Result<void> parsed = parse_all(); !parsed) return parsed;
    if (!is(TokenKind::Or)) return {};
    while (accept(TokenKind::Or)) {
      if (Result<void> parsed = parse_all(); !parsed) return parsed;
    }
    put_above(begin, NodeKind::Any);
    return {};
  }

  Result<void> parse_all() {
    size_t begin = program_.nodes.size();
    if (Result<void> parsed = parse_unary(); !parsed) return parsed;
    if (!is(TokenKind::And)) return {};
    while (accept(TokenKind::And)) {
      if (Result<void> parsed = parse_unary(); !parsed) return parsed;
    }
    put_above(begin, NodeKind::All);
    return {};
  }

  Result<void> parse_unary() {
    if (!is(TokenKind::Not) && !is(TokenKind::OpenParenthesis)) return parse_test();
    if (++nesting_ > Expression::kMostNesting) {
      return refuse(now().where,
                    "nested too deep, at most " + std::to_string(Expression::kMostNesting) + " levels are allowed");
    }
    Result<void> parsed = is(TokenKind::Not) ? parse_not() : parse_parentheses();
    --nesting_;
    return parsed;
  }

  Result<void> parse_not() {
    size_t begin = program_.nodes.size();
    advance();
    if (Result<void> parsed = parse_unary(); !parsed) return parsed;
    put_above(begin, NodeKind::Not);
    return {};
  }

  Result<void> parse_parentheses() {
    Range opened = now().where;
    advance();
    if (Result<void> parsed = parse_any(); !parsed) return parsed;
    if (accept(TokenKind::CloseParenthesis)) return {};
    if (is(TokenKind::End)) return refuse(opened, "this parenthesis is not closed");
    return unexpected_after_test();
  }

  Result<void> parse_test() {
    Result<Node> field = parse_field();
    if (!field) return fail(field);
    Node node = *field;
    if (is(TokenKind::Compare)) return parse_comparison(node);
    if (accept(TokenKind::In)) return parse_set(node);
    if (is(TokenKind::Not) && next().kind == TokenKind::In) {
      size_t begin = program_.nodes.size();
      advance();
      advance();
      if (Result<void> parsed = parse_set(node); !parsed) return parsed;
      put_above(begin, NodeKind::Not);
      return {};
    }
    node.kind = NodeKind::Present;
    program_.nodes.push_back(node);
    return {};
  }

  // A node that has a field and its key, and nothing else yet.
  Result<Node> parse_field() {
    if (!is(TokenKind::Word)) return unexpected_instead_of_field();
    const FieldInfo* field = find_field(spelling());
    if (field == nullptr) return refuse_unknown_field();
    Range where = now().where;
    advance();
    Node node;
    node.field = field->field;
    if (!is(TokenKind::OpenBracket) && field->key == Key::None) return node;
    if (field->key == Key::None) return refuse(now().where, std::string(field->name) + " takes no key in brackets");
    bool header = field->key == Key::HeaderName;
    std::string_view what = header ? "the name of a header" : "a path";
    if (!accept(TokenKind::OpenBracket)) {
      std::string name(field->name);
      return refuse(where, name + " needs " + std::string(what) + ", as in " + name +
                               (header ? "[\"x-amz-target\"]" : "[\"$.Item.id\"]"));
    }
    if (!is(TokenKind::String)) return expected(std::string(what) + " in double quotes");
    Result<void> parsed = header ? parse_header_name(node) : parse_path(node);
    if (!parsed) return fail(parsed);
    if (!accept(TokenKind::CloseBracket)) return expected("]");
    return node;
  }

  Result<void> parse_header_name(Node& node) {
    if (!is_header_name(now().string)) return refuse(now().where, "not the name of a header");
    program_.keys.push_back(to_lower(now().string));
    node.key = static_cast<uint32_t>(program_.keys.size() - 1);
    advance();
    return {};
  }

  Result<void> parse_path(Node& node) {
    std::variant<JsonPath, JsonPath::Problem> path = JsonPath::parse(now().string);
    if (const auto* problem = std::get_if<JsonPath::Problem>(&path)) {
      return refuse(source_.within_string(now().where, now().plain, {problem->begin, problem->size}),
                    "the path: " + problem->what);
    }
    program_.paths.push_back(std::move(std::get<JsonPath>(path)));
    node.path = static_cast<uint32_t>(program_.paths.size() - 1);
    advance();
    return {};
  }

  Result<void> parse_comparison(Node node) {
    const FieldInfo& field = info(node.field);
    Range where = now().where;
    node.kind = NodeKind::Compare;
    node.compare = now().compare;
    if (Result<void> checked = check_operator(source_, where, field, node.compare); !checked) return checked;
    advance();
    Result<Literal> literal = parse_literal(field);
    if (!literal) return fail(literal);
    Result<void> added = node.compare == Operator::Matches ? add_pattern(node, *literal) : add_operand(node, *literal);
    if (!added) return added;
    program_.nodes.push_back(node);
    return {};
  }

  Result<void> add_operand(Node& node, const Literal& literal) {
    Result<Operand> operand = make_operand(source_, info(node.field), node.compare, literal);
    if (!operand) return fail(operand);
    node.operand = static_cast<uint32_t>(program_.operands.size());
    program_.operands.push_back(std::move(*operand));
    return {};
  }

  Result<void> add_pattern(Node& node, const Literal& literal) {
    if (program_.patterns.size() == Expression::kMostPatterns) {
      return refuse(literal.where, "too many regular expressions, at most " +
                                       std::to_string(Expression::kMostPatterns) + " are allowed; join some with |");
    }
    Result<std::unique_ptr<re2::RE2>> pattern = make_pattern(source_, info(node.field), literal);
    if (!pattern) return fail(pattern);
    node.operand = static_cast<uint32_t>(program_.patterns.size());
    program_.patterns.push_back(std::move(*pattern));
    return {};
  }

  Result<void> parse_set(Node node) {
    node.kind = NodeKind::In;
    node.operand = static_cast<uint32_t>(program_.operands.size());
    Range opened = now().where;
    if (!accept(TokenKind::OpenBrace)) return expected("a set, as in {1, 2, 5..9}");
    do {
      Result<Operand> element = parse_element(info(node.field));
      if (!element) return fail(element);
      program_.operands.push_back(std::move(*element));
    } while (accept(TokenKind::Comma));
    if (is(TokenKind::End)) return refuse(opened, "this brace is not closed");
    if (!accept(TokenKind::CloseBrace)) return expected("a comma or }");
    node.operands = static_cast<uint32_t>(program_.operands.size()) - node.operand;
    program_.nodes.push_back(node);
    return {};
  }

  Result<Operand> parse_element(const FieldInfo& field) {
    Result<Literal> low = parse_literal(field);
    if (!low) return fail(low);
    if (!accept(TokenKind::DotDot)) return make_operand(source_, field, Operator::Equal, *low);
    Result<Literal> high = parse_literal(field);
    if (!high) return fail(high);
    return make_range(source_, field, *low, *high);
  }

  Result<Literal> parse_literal(const FieldInfo& field) {
    if (is(TokenKind::Word)) return refuse_word_as_literal();
    if (!is(TokenKind::String) && !is(TokenKind::Constant)) {
      return expected("a value of type " + std::string(to_string(field.type)));
    }
    Result<Literal> literal = read_literal(source_, now());
    advance();
    return literal;
  }

  // The nodes from `begin` on become the children of a new one.
  void put_above(size_t begin, NodeKind kind) {
    Node node;
    node.kind = kind;
    node.size = static_cast<uint32_t>(program_.nodes.size() - begin + 1);
    program_.nodes.insert(program_.nodes.begin() + static_cast<std::ptrdiff_t>(begin), node);
  }

  const Token& now() const { return tokens_.tokens[at_]; }
  const Token& next() const { return tokens_.tokens[std::min(at_ + 1, tokens_.tokens.size() - 1)]; }
  bool is(TokenKind kind) const { return now().kind == kind; }
  std::string_view spelling() const { return source_.text(now().where); }
  void advance() { at_ = std::min(at_ + 1, tokens_.tokens.size() - 1); }
  bool accept(TokenKind kind) {
    if (!is(kind)) return false;
    advance();
    return true;
  }

  std::unexpected<Error> refuse(Range where, std::string_view problem) const {
    return fail(source_.error(where, problem));
  }

  std::unexpected<Error> expected(std::string_view what) const {
    if (is(TokenKind::Bad)) return fail(*tokens_.error);
    std::string found = is(TokenKind::End) ? "the end" : shown(spelling());
    return refuse(now().where, "expected " + std::string(what) + ", found " + found);
  }

  std::unexpected<Error> unexpected_after_test() const {
    if (is(TokenKind::Word) && is_keyword(to_lower(spelling()))) {
      return refuse(now().where, "operators are written in lower case: " + to_lower(spelling()));
    }
    if (is(TokenKind::CloseParenthesis)) return refuse(now().where, "no parenthesis is open here");
    bool value = is(TokenKind::String) || is(TokenKind::Constant);
    return expected(value ? "an operator before this value, such as ==" : "and, or, or the end");
  }

  std::unexpected<Error> unexpected_instead_of_field() const {
    if (is(TokenKind::String) || is(TokenKind::Constant)) {
      return refuse(now().where,
                    "a field stands on the left of an operator, the value on its right: http.response.code == 503");
    }
    return expected("the name of a field");
  }

  std::unexpected<Error> refuse_unknown_field() const {
    if (is_keyword(to_lower(spelling()))) {
      return refuse(now().where, "operators are written in lower case: " + to_lower(spelling()));
    }
    return refuse(now().where, "unknown field " + shown(spelling()) + did_you_mean(spelling(), field_names()));
  }

  std::unexpected<Error> refuse_word_as_literal() const {
    if (find_field(spelling()) != nullptr) {
      return refuse(now().where, "a field is compared with a value, not with another field");
    }
    std::string lower = to_lower(spelling());
    if (lower == "true" || lower == "false") return refuse(now().where, "write " + lower + " in lower case");
    return refuse(now().where, "strings stand in double quotes: \"" + shown(spelling()) + "\"");
  }

  const Source& source_;
  Tokens tokens_;
  Program& program_;
  size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

Result<void> parse(const Source& source, Program& program) {
  return Parser(source, tokenize(source), program).parse();
}

}  // namespace waylay::match
