#include "match/fields.h"

#include <algorithm>
#include <compare>
#include <string>

#include "base/check.h"

namespace waylay::match {

namespace {

constexpr bool table_is_in_order() {
  for (size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].field != static_cast<Field>(i)) return false;
  }
  return static_cast<size_t>(Field::ExchangeRule) + 1 == kFields.size();
}
static_assert(table_is_in_order(), "info() indexes the table by the enumeration");

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

bool ends_with_component(std::string_view name, std::string_view component) {
  return name.size() > component.size() && name.ends_with(component) && name[name.size() - component.size() - 1] == '.';
}

// How far `name` is from what was written: somebody who wrote only the last part of a name ("host") is near it too.
size_t distance(std::string_view written, std::string_view name) {
  return ends_with_component(name, written) ? 1 : edit_distance(written, name);
}

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::Boolean:
      return "boolean";
    case Type::Integer:
      return "integer";
    case Type::String:
      return "string";
    case Type::Address:
      return "address";
    case Type::Duration:
      return "duration";
    case Type::Size:
      return "size";
  }
  CHECK(!"a type");
}

std::string_view to_string(Moment moment) {
  switch (moment) {
    case Moment::Connect:
      return "connect";
    case Moment::Hello:
      return "hello";
    case Moment::Request:
      return "request";
    case Moment::Response:
      return "response";
    case Moment::End:
      return "end";
  }
  CHECK(!"a moment");
}

const FieldInfo* find_field(std::string_view name) {
  if (name.empty()) return nullptr;
  for (const FieldInfo& field : kFields) {
    if (field.name == name || std::ranges::find(field.aliases, name) != field.aliases.end()) return &field;
  }
  return nullptr;
}

std::vector<std::string_view> nearest_fields(std::string_view name) {
  constexpr size_t kMost = 3;
  constexpr size_t kLongest = 64;  // no name is nearly as long; it also bounds the work
  if (name.empty() || name.size() > kLongest) return {};

  struct Candidate {
    size_t distance;
    std::string_view name;
    auto operator<=>(const Candidate&) const = default;
  };
  std::vector<Candidate> candidates;
  size_t farthest = std::max<size_t>(2, name.size() / 3);
  auto consider = [&](std::string_view candidate) {
    size_t away = candidate.empty() ? farthest + 1 : distance(name, candidate);
    if (away <= farthest) candidates.push_back({away, candidate});
  };
  for (const FieldInfo& field : kFields) {
    consider(field.name);
    for (std::string_view alias : field.aliases) consider(alias);
  }
  std::ranges::sort(candidates);
  if (candidates.size() > kMost) candidates.resize(kMost);

  std::vector<std::string_view> names;
  names.reserve(candidates.size());
  for (const Candidate& candidate : candidates) names.push_back(candidate.name);
  return names;
}

}  // namespace waylay::match
