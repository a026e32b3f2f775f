#include "match/lexer.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace waylay::match {

namespace {

struct Spelling {
  std::string_view text;
  TokenKind kind;
  Operator compare = Operator::Equal;
};

constexpr auto kKeywords = std::to_array<Spelling>({
    {"and", TokenKind::And},
    {"or", TokenKind::Or},
    {"not", TokenKind::Not},
    {"in", TokenKind::In},
    {"eq", TokenKind::Compare, Operator::Equal},
    {"ne", TokenKind::Compare, Operator::NotEqual},
    {"lt", TokenKind::Compare, Operator::Less},
    {"gt", TokenKind::Compare, Operator::Greater},
    {"le", TokenKind::Compare, Operator::LessOrEqual},
    {"ge", TokenKind::Compare, Operator::GreaterOrEqual},
    {"contains", TokenKind::Compare, Operator::Contains},
    {"matches", TokenKind::Compare, Operator::Matches},
    {"true", TokenKind::Constant},
    {"false", TokenKind::Constant},
});

// Longer ones first.
constexpr auto kSymbols = std::to_array<Spelling>({
    {"==", TokenKind::Compare, Operator::Equal},
    {"!=", TokenKind::Compare, Operator::NotEqual},
    {"<=", TokenKind::Compare, Operator::LessOrEqual},
    {">=", TokenKind::Compare, Operator::GreaterOrEqual},
    {"&&", TokenKind::And},
    {"||", TokenKind::Or},
    {"..", TokenKind::DotDot},
    {"<", TokenKind::Compare, Operator::Less},
    {">", TokenKind::Compare, Operator::Greater},
    {"~", TokenKind::Compare, Operator::Matches},
    {"!", TokenKind::Not},
    {"(", TokenKind::OpenParenthesis},
    {")", TokenKind::CloseParenthesis},
    {"{", TokenKind::OpenBrace},
    {"}", TokenKind::CloseBrace},
    {"[", TokenKind::OpenBracket},
    {"]", TokenKind::CloseBracket},
    {",", TokenKind::Comma},
});

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == ':' || c == '/';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The mistakes that people who come from other languages make.
std::string_view symbol_problem(char c) {
  switch (c) {
    case '=':
      return "= is not an operator; write == to compare";
    case '&':
      return "& is not an operator; write && or and";
    case '|':
      return "| is not an operator; write || or or";
    case '\'':
      return "strings stand in double quotes";
    case '-':
      return "unexpected -; names with a dash stand in quotes, as in http.header[\"x-amz-target\"]";
    case '*':
      return "* is not a wildcard; write matches \"^worker-.*\"";
    default:
      return {};
  }
}

class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(source), text_(source.text()) {}

  Tokens run() {
    do {
      read_token();
    } while (out_.tokens.back().kind != TokenKind::End && out_.tokens.back().kind != TokenKind::Bad);
    return std::move(out_);
  }

 private:
  void read_token() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    std::string_view rest = text_.substr(at_);
    if (rest.empty()) return add(TokenKind::End, 0);
    if (rest.starts_with('"')) return read_string();
    if (rest.starts_with("r\"")) return read_raw_string();
    for (const Spelling& symbol : kSymbols) {
      if (rest.starts_with(symbol.text)) return add(symbol.kind, symbol.text.size(), symbol.compare);
    }
    bool negative = rest.size() > 1 && rest[0] == '-' && is_digit(rest[1]);
    if (is_word(rest[0]) || negative) return read_word(rest);
    refuse_character(rest);
  }

  // A name, a keyword or a constant: letters, digits and . : / up to what else there is, or to the .. of a range; its
  // first character, which may be a sign, is known to be one.
  void read_word(std::string_view rest) {
    auto end = std::ranges::find_if_not(rest.begin() + 1, rest.end(), is_word);
    std::string_view word = rest.substr(0, static_cast<size_t>(end - rest.begin()));
    word = word.substr(0, word.find(".."));
    for (const Spelling& keyword : kKeywords) {
      if (word == keyword.text) return add(keyword.kind, word.size(), keyword.compare);
    }
    bool name = is_letter(word[0]) && word.find_first_of(":/") == std::string_view::npos;
    add(name ? TokenKind::Word : TokenKind::Constant, word.size());
  }

  void read_raw_string() {
    size_t end = text_.find('"', at_ + 2);
    if (end == std::string_view::npos) return refuse({at_, 2}, "the raw string has no closing quote");
    std::string string(text_.substr(at_ + 2, end - at_ - 2));
    add(TokenKind::String, end + 1 - at_);
    out_.tokens.back().string = std::move(string);
    out_.tokens.back().plain = true;
  }

  void read_string() {
    std::string string;
    bool plain = true;
    size_t i = at_ + 1;
    while (i < text_.size() && text_[i] != '"') {
      if (text_[i] != '\\') {
        string += text_[i++];
        continue;
      }
      plain = false;
      size_t size = read_escape(text_.substr(i), string);
      if (size == 0) return refuse_escape(i);
      i += size;
    }
    if (i >= text_.size()) return refuse({at_, 1}, "the string has no closing quote");
    add(TokenKind::String, i + 1 - at_);
    out_.tokens.back().string = std::move(string);
    out_.tokens.back().plain = plain;
  }

  // How long the escape at the beginning of `text` is, its byte appended to `to`; 0 if it is none.
  static size_t read_escape(std::string_view text, std::string& to) {
    if (text.size() < 2) return 0;
    switch (text[1]) {
      case '"':
        to += '"';
        return 2;
      case '\\':
        to += '\\';
        return 2;
      case 'n':
        to += '\n';
        return 2;
      case 'r':
        to += '\r';
        return 2;
      case 't':
        to += '\t';
        return 2;
      case 'x':
        break;
      default:
        return 0;
    }
    if (text.size() < 4 || hex_digit(text[2]) < 0 || hex_digit(text[3]) < 0) return 0;
    to += static_cast<char>(hex_digit(text[2]) * 16 + hex_digit(text[3]));
    return 4;
  }

  void refuse_escape(size_t place) {
    if (place + 1 >= text_.size()) return refuse({at_, 1}, "the string has no closing quote");
    refuse({place, 1 + character_length(text_.substr(place + 1))},
           "not an escape; these are \\\" \\\\ \\n \\r \\t and \\xHH, and a backslash is itself in r\"...\"");
  }

  void refuse_character(std::string_view rest) {
    size_t length = character_length(rest);
    std::string_view known = symbol_problem(rest[0]);
    if (!known.empty()) return refuse({at_, length}, known);
    refuse({at_, length}, "unexpected " + std::string(rest.substr(0, length)));
  }

  void refuse(Range where, std::string_view problem) {
    out_.error = source_.error(where, problem);
    add(TokenKind::Bad, 0);
  }

  void add(TokenKind kind, size_t size, Operator compare = Operator::Equal) {
    out_.tokens.push_back({kind, {at_, size}, compare, {}, false});
    at_ += size;
  }

  const Source& source_;
  std::string_view text_;
  size_t at_ = 0;
  Tokens out_;
};

}  // namespace

Tokens tokenize(const Source& source) {
  return Lexer(source).run();
}

}  // namespace waylay::match
