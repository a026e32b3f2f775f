// What goes to people: colour only on a terminal, columns that fit its width, and nothing from a network that could
// speak to the terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waylay::cli {

enum class Color { Plain, Bold, Dim, Red, Green, Yellow, Blue, Magenta };

struct Terminal {
  bool color = false;
  size_t width = 0;  // 0: not a terminal, nothing is cut

  // `when` is auto, always or never. Looks at standard output, NO_COLOR and TERM.
  static Terminal of_standard_output(std::string_view when);
  std::string paint(Color color, std::string_view text) const;
};

// Control characters (C0, DEL, C1) become '?', so that a path or a header cannot write escape sequences.
// `lines`: line feeds may stay.
std::string harmless(std::string_view text, bool lines = false);

size_t columns_of(std::string_view text);                // code points of UTF-8
std::string cut(std::string_view text, size_t columns);  // with an ellipsis when it does not fit
std::string pad(std::string_view text, size_t columns);  // on the right
std::string pad_left(std::string_view text, size_t columns);

// Aligned columns; the last one is not padded, and cut to the terminal's width.
class Table {
 public:
  explicit Table(std::vector<std::string> titles);
  void align_right(size_t column);
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text(const Terminal& terminal) const;

 private:
  std::vector<std::string> titles_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

std::string human_duration(double milliseconds);  // "12 ms", "1.2 s", "3 min 5 s"
std::string short_duration(int64_t seconds);      // "2h 5m", "14m 3s", "7s": of a countdown
std::string human_size(uint64_t bytes);           // "0 B", "1.5 KiB"
std::string human_time(std::string_view iso8601,
                       int64_t now_s);  // local "10:11:12.345"; with the date when older than 20 h

}  // namespace waylay::cli
