// The text of an expression while it is compiled, and how to point at a place in it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace waylay::match {

// A piece of the text, in bytes.
struct Range {
  size_t begin = 0;
  size_t size = 0;
};

class Source {
 public:
  explicit Source(std::string_view text) : text_(text) {}  // borrowed

  std::string_view text() const { return text_; }
  std::string_view text(Range range) const { return text_.substr(range.begin, range.size); }

  // Of kind Invalid, in three lines: "line L, column C: problem", the line of the source (its surroundings, if it is
  // long), and a caret below the first character of `where`, with a tail below the rest.
  Error error(Range where, std::string_view problem) const;

  // A piece of a string's value, given as where the string stands; all of it, unless each byte stands in the source as
  // it is (`plain`).
  Range within_string(Range string, bool plain, Range piece) const;

  // Text that cannot be shown or stored is refused at once: too long, not UTF-8, or with control characters other than
  // blanks.
  Result<void> check() const;

 private:
  std::string_view text_;
};

// The length of the UTF-8 character that `text` begins with; 0 if it begins with none (or is empty).
size_t character_length(std::string_view text);

}  // namespace waylay::match
