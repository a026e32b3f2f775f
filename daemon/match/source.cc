#include "match/source.h"

#include <algorithm>
#include <string>

#include "match/expression.h"

namespace waylay::match {

namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

size_t count_characters(std::string_view text) {
  return text.size() - static_cast<size_t>(std::ranges::count_if(text, is_continuation));
}

// The line that holds a place, cut down to what fits on a screen.
struct Excerpt {
  std::string text;
  size_t place = 0;  // the place, in bytes of text
};

Excerpt excerpt(std::string_view line, size_t place) {
  constexpr size_t kAround = 72;
  size_t begin = place > kAround ? place - kAround : 0;
  size_t end = std::min(line.size(), place + kAround);
  while (begin > 0 && is_continuation(line[begin])) --begin;
  while (end < line.size() && is_continuation(line[end])) ++end;
  std::string before = begin > 0 ? "..." : "";
  std::string after = end < line.size() ? "..." : "";
  return {before + std::string(line.substr(begin, end - begin)) + after, before.size() + place - begin};
}

// As wide as the text before the caret; tabs stay tabs, so that it stands right whatever their width.
std::string padding(std::string_view before) {
  std::string blanks;
  for (char c : before) {
    if (!is_continuation(c)) blanks += c == '\t' ? '\t' : ' ';
  }
  return blanks;
}

}  // namespace

size_t character_length(std::string_view text) {
  if (text.empty()) return 0;
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  // RFC 3629 section 4: the length, and the least and greatest second byte.
  size_t length = 1;
  unsigned least = 0x80, greatest = 0xbf;
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xc2 && byte(0) <= 0xdf)
    length = 2;
  else if (byte(0) >= 0xe0 && byte(0) <= 0xef)
    length = 3;
  else if (byte(0) >= 0xf0 && byte(0) <= 0xf4)
    length = 4;
  else
    return 0;
  if (byte(0) == 0xe0) least = 0xa0;
  if (byte(0) == 0xed) greatest = 0x9f;  // surrogates
  if (byte(0) == 0xf0) least = 0x90;
  if (byte(0) == 0xf4) greatest = 0x8f;
  if (text.size() < length || byte(1) < least || byte(1) > greatest) return 0;
  return std::ranges::all_of(text.substr(1, length - 1), is_continuation) ? length : 0;
}

Error Source::error(Range where, std::string_view problem) const {
  std::string_view before = text_.substr(0, where.begin);
  size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  size_t line_end = std::min(text_.find('\n', where.begin), text_.size());
  if (line_end > where.begin && text_[line_end - 1] == '\r') --line_end;
  std::string_view line = text_.substr(line_begin, line_end - line_begin);

  auto number = static_cast<size_t>(std::ranges::count(before, '\n')) + 1;
  size_t column = count_characters(before.substr(line_begin)) + 1;
  Excerpt shown = excerpt(line, where.begin - line_begin);
  size_t tail = count_characters(std::string_view(shown.text).substr(shown.place).substr(0, where.size));

  std::string message = "line " + std::to_string(number) + ", column " + std::to_string(column) + ": ";
  message.append(problem).append("\n  ").append(shown.text).append("\n  ");
  message += padding(std::string_view(shown.text).substr(0, shown.place)) + "^";
  if (tail > 1) message.append(tail - 1, '~');
  return Error::local(ErrorKind::Invalid, std::move(message));
}

Range Source::within_string(Range string, bool plain, Range piece) const {
  if (!plain) return string;
  size_t quote = text(string).find('"');  // r"..." has one letter before it
  return {string.begin + quote + 1 + piece.begin, piece.size};
}

Result<void> Source::check() const {
  for (size_t i = 0; i < text_.size();) {
    // What may not be shown is not shown: the excerpt ends before it.
    auto refuse = [&](std::string_view problem) { return fail(Source(text_.substr(0, i)).error({i, 0}, problem)); };
    if (i >= Expression::kMostBytes) {
      return refuse("the expression is too long, at most " + std::to_string(Expression::kMostBytes) +
                    " bytes are allowed");
    }
    size_t length = character_length(text_.substr(i));
    bool blank = text_[i] == '\t' || text_[i] == '\n' || text_[i] == '\r';
    bool control = static_cast<unsigned char>(text_[i]) < 0x20 || text_[i] == 0x7f;
    if (length == 0) return refuse("not UTF-8; write a byte of a string as \\xHH");
    if (control && !blank) return refuse("control character; write a byte of a string as \\xHH");
    i += length;
  }
  return {};
}

}  // namespace waylay::match
