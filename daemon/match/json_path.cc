#include "match/json_path.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace waylay::match {

namespace {

constexpr std::string_view kSelectsMany = "a path names one value: wildcards, slices, filters and .. name several";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 9535 section 2.5.1: what a name may begin with where it stands without quotes.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_in_name(char c) {
  return begins_name(c) || is_digit(c);
}

// The character that an escape stands for; nothing where it is none.
std::optional<char> unescaped(char c) {
  constexpr std::string_view kLetters = "bfnrt\\/\"'", kCharacters = "\b\f\n\r\t\\/\"'";
  size_t at = kLetters.find(c);
  return at == std::string_view::npos ? std::nullopt : std::optional(kCharacters[at]);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<JsonPath::Problem> read(std::vector<JsonPath::Step>& steps) {
    if (!accept('$')) refuse("a path begins with $, as in $.Item.id");
    while (at_ < text_.size() && !problem_) {
      if (accept('.'))
        read_name(steps);
      else if (accept('['))
        read_bracket(steps);
      else
        refuse("expected .name or [index]; a name with other characters stands in brackets and quotes: $['a-b']");
    }
    return problem_;
  }

 private:
  void read_name(std::vector<JsonPath::Step>& steps) {
    if (next() == '.' || next() == '*') return refuse(kSelectsMany);
    if (!begins_name(next())) return refuse("expected a name; other names stand in brackets and quotes: $['a-b']");
    size_t begin = at_;
    while (at_ < text_.size() && is_in_name(text_[at_])) ++at_;
    steps.emplace_back(std::string(text_.substr(begin, at_ - begin)));
  }

  void read_bracket(std::vector<JsonPath::Step>& steps) {
    if (next() == '"' || next() == '\'')
      read_quoted(steps);
    else
      read_index(steps);
    if (problem_) return;
    if (next() == ',' || next() == ':') return refuse(kSelectsMany);
    if (!accept(']')) refuse("expected ]");
  }

  void read_quoted(std::vector<JsonPath::Step>& steps) {
    size_t begin = at_;
    char quote = text_[at_++];
    std::string name;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (!accept('\\')) {
        name += text_[at_++];
        continue;
      }
      std::optional<char> character = unescaped(next());
      if (!character)
        return refuse("not an escape; \\\\ \\/ \\\" \\' \\b \\f \\n \\r \\t are, others stand as they are");
      name += *character;
      ++at_;
    }
    if (at_ == text_.size()) return refuse({begin, 1}, "this quote is not closed");
    ++at_;
    steps.emplace_back(std::move(name));
  }

  void read_index(std::vector<JsonPath::Step>& steps) {
    if (next() == '*' || next() == '?' || next() == ':') return refuse(kSelectsMany);
    if (next() == '-') return refuse("indexes are counted from the beginning, the first is 0");
    size_t begin = at_, index = 0;
    while (is_digit(next())) ++at_;
    std::string_view digits = text_.substr(begin, at_ - begin);
    if (digits.empty()) return refuse("expected an index, or a name in quotes");
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc()) return refuse({begin, digits.size()}, "the index is too large");
    if (digits.size() > 1 && digits[0] == '0') return refuse({begin, digits.size()}, "an index does not begin with 0");
    steps.emplace_back(index);
  }

  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool accept(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void refuse(std::string_view what) { refuse({at_, 1}, what); }
  struct Place {
    size_t begin, size;
  };
  void refuse(Place place, std::string_view what) {
    problem_ = JsonPath::Problem{place.begin, place.size, std::string(what)};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::optional<JsonPath::Problem> problem_;
};

}  // namespace

std::variant<JsonPath, JsonPath::Problem> JsonPath::parse(std::string_view text) {
  JsonPath path;
  if (std::optional<Problem> problem = Reader(text).read(path.steps_)) return *std::move(problem);
  return path;
}

}  // namespace waylay::match
