#include "base/nearest.h"

#include <algorithm>

#include "base/bytes.h"

namespace waylay {
namespace {

constexpr size_t kMost = 3;
constexpr size_t kLongest = 64;  // no name is longer; it bounds the work as well

// Levenshtein's distance, with one row.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// Somebody who wrote the beginning of a name, or the last part of a dotted one ("host" for "http.host"), is near it
// too.
bool is_part(std::string_view part, std::string_view name) {
  if (name.starts_with(part)) return part.size() > 2;
  return name.size() > part.size() && name.ends_with(part) && name[name.size() - part.size() - 1] == '.';
}

}  // namespace

std::vector<std::string_view> nearest_names(std::string_view written, const std::vector<std::string_view>& candidates) {
  if (written.empty() || written.size() > kLongest) return {};
  size_t farthest = std::max<size_t>(2, written.size() / 3);
  std::string lowered = to_lower(written);
  std::vector<std::pair<size_t, std::string_view>> near;
  for (std::string_view candidate : candidates) {
    std::string name = to_lower(candidate);
    size_t away = is_part(lowered, name) ? 1 : edit_distance(lowered, name);
    if (away <= farthest && away < name.size()) near.emplace_back(away, candidate);
  }
  std::ranges::sort(near);
  std::vector<std::string_view> names;
  for (auto& [away, name] : near)
    if (names.size() < kMost && std::ranges::find(names, name) == names.end()) names.push_back(name);
  return names;
}

std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& candidates) {
  std::vector<std::string_view> names = nearest_names(written, candidates);
  if (names.empty()) return "";
  std::string text = "; did you mean ";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text + "?";
}

}  // namespace waylay
