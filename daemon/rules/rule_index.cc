#include "rules/rule_index.h"

#include <algorithm>

#include "base/bytes.h"

namespace waylay::rules {
namespace {

char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Whether the SNI names another host than the request does, if there is one: nearly always it is the same.
bool is_another_name(const match::Subject& subject) {
  match::Value name = subject.value(match::Field::TlsServerName, {}), host = subject.value(match::Field::HttpHost, {});
  const auto *one = std::get_if<std::string_view>(&name), *other = std::get_if<std::string_view>(&host);
  return !one || !other || *one != *other;
}

}  // namespace

// FNV-1a: the keys are short, and come from rules; what clients send is only looked up.
size_t RuleIndex::Hash::operator()(std::string_view text) const {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(lowered(c))) * 0x100000001b3;
  return hash;
}

bool RuleIndex::Equal::operator()(std::string_view a, std::string_view b) const {
  return equals_ignoring_case(a, b);
}

std::vector<std::string> RuleIndex::required(const match::Expression& match, match::Field field) {
  return field == match::Field::HttpHost ? match.hosts() : match.required(field);
}

RuleIndex::RuleIndex(std::span<const Row> rows, std::span<const match::Field> fields) {
  auto for_values = [fields](const Row& row, auto visit) {
    for (size_t i = 0; i < kFields.size(); ++i) {
      if (std::ranges::find(fields, kFields[i]) == fields.end()) continue;
      if (std::vector<std::string> values = required(*row.match, kFields[i]); !values.empty()) visit(i, values);
    }
  };
  std::array<std::unordered_map<std::string, size_t, Hash, Equal>, kFields.size()> counts;
  for (const Row& row : rows)
    for_values(row, [&](size_t i, const std::vector<std::string>& values) {
      for (const std::string& value : values) ++counts[i][value];
    });
  for (const Row& row : rows) {
    Lists* lists = nullptr;
    std::vector<std::string> keys;
    size_t smallest = SIZE_MAX;
    for_values(row, [&](size_t i, std::vector<std::string>& values) {
      size_t crowd = 0;
      for (const std::string& value : values) crowd = std::max(crowd, counts[i][value]);
      if (crowd >= smallest) return;
      smallest = crowd;
      lists = &by_field_[i];
      keys = std::move(values);
    });
    if (!lists) {
      any_.push_back(row.rule);
      continue;
    }
    keyed_ = true;
    for (const std::string& key : keys) (*lists)[key].push_back(row.rule);
  }
}

RuleIndex::Cursors::Cursors(const RuleIndex& index, const match::Subject& subject) {
  add(index.any_);
  for (size_t i = 0; i < kFields.size(); ++i) {
    const Lists& lists = index.by_field_[i];
    if (lists.empty()) continue;
    look_up(lists, subject, kFields[i]);
    if (kFields[i] == match::Field::HttpHost && is_another_name(subject))
      look_up(lists, subject, match::Field::TlsServerName);
  }
}

void RuleIndex::Cursors::add(std::span<const uint32_t> list) {
  if (!list.empty()) rest_[count_++] = list;
}

void RuleIndex::Cursors::look_up(const Lists& lists, const match::Subject& subject, match::Field field) {
  match::Value value = subject.value(field, {});
  const auto* text = std::get_if<std::string_view>(&value);
  if (!text) return;
  auto found = lists.find(field == match::Field::HttpHost ? match::host_without_port(*text) : *text);
  if (found != lists.end()) add(found->second);
}

// The smallest number, which may stand in several lists.
uint32_t RuleIndex::Cursors::take() {
  uint32_t smallest = UINT32_MAX;
  for (size_t i = 0; i < count_; ++i) smallest = std::min(smallest, rest_[i].front());
  for (size_t i = 0; i < count_;) {
    if (rest_[i].front() == smallest) rest_[i] = rest_[i].subspan(1);
    if (rest_[i].empty()) {
      rest_[i] = rest_[--count_];
    } else {
      ++i;
    }
  }
  return smallest;
}

}  // namespace waylay::rules
