#include "cli/line_diff.h"

#include <algorithm>
#include <cstdint>

namespace waylay::cli {
namespace {

constexpr size_t kMostCells = 4'000'000;  // of the table below; texts beyond are shown as replaced as a whole

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The length of the longest common subsequence of what is left from each pair of lines on.
class Table {
 public:
  Table(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b)
      : width_(b.size() + 1), cells_((a.size() + 1) * width_) {
    for (size_t i = a.size(); i-- > 0;)
      for (size_t j = b.size(); j-- > 0;)
        cell(i, j) = a[i] == b[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
  }
  uint32_t at(size_t i, size_t j) const { return cells_[i * width_ + j]; }

 private:
  uint32_t& cell(size_t i, size_t j) { return cells_[i * width_ + j]; }
  size_t width_;
  std::vector<uint32_t> cells_;
};

}  // namespace

std::vector<std::string> line_diff(std::string_view before, std::string_view after) {
  std::vector<std::string_view> a = lines_of(before), b = lines_of(after);
  std::vector<std::string> out;
  auto say = [&out](char sign, std::string_view line) { out.push_back(sign + std::string(line)); };
  size_t i = 0, j = 0;
  if ((a.size() + 1) * (b.size() + 1) <= kMostCells) {
    Table table(a, b);
    while (i < a.size() && j < b.size()) {
      if (a[i] == b[j]) {
        say(' ', a[i++]);
        ++j;
      } else if (table.at(i + 1, j) >= table.at(i, j + 1)) {
        say('-', a[i++]);
      } else {
        say('+', b[j++]);
      }
    }
  }
  while (i < a.size()) say('-', a[i++]);
  while (j < b.size()) say('+', b[j++]);
  return out;
}

}  // namespace waylay::cli
