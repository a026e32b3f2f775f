#include "rules/difference.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>

#include "rules/rule.h"

namespace waylay::rules {
namespace {

using Json = nlohmann::ordered_json;
using ByName = std::unordered_map<std::string_view, size_t>;

ByName places_of(const RuleList& rules) {
  ByName places;
  for (size_t i = 0; i < rules.size(); ++i) places.emplace(rules[i]->name(), i);
  return places;
}

Json text_of(const Rule& rule) {
  return Json::parse(rule.text(), nullptr, false);
}

Json names_and_texts(const RuleList& rules) {
  Json all = Json::array();
  for (const auto& rule : rules) all.push_back({{"name", rule->name()}, {"rule", text_of(*rule)}});
  return all;
}

void say(std::string& words, std::string_view what, const std::vector<std::string_view>& names) {
  if (names.empty()) return;
  words.append(words.empty() ? "" : "; ").append(what);
  for (size_t i = 0; i < names.size(); ++i) words.append(i == 0 ? " " : ", ").append(names[i]);
}

std::vector<std::string_view> names_in(const RuleList& rules) {
  std::vector<std::string_view> names;
  for (const auto& rule : rules) names.push_back(rule->name());
  return names;
}

}  // namespace

Difference compare(const RuleList& before, const RuleList& after) {
  Difference difference;
  ByName former = places_of(before), later = places_of(after);
  std::vector<size_t> former_places;
  for (const auto& rule : after) {
    auto found = former.find(rule->name());
    if (found == former.end()) {
      difference.added.push_back(rule);
      continue;
    }
    former_places.push_back(found->second);
    if (before[found->second]->text() != rule->text()) difference.changed.push_back({before[found->second], rule});
  }
  std::ranges::copy_if(before, std::back_inserter(difference.removed),
                       [&](const auto& rule) { return !later.contains(rule->name()); });
  difference.reordered = !std::ranges::is_sorted(former_places);
  return difference;
}

std::string to_json(const Difference& difference) {
  Json changed = Json::array();
  for (const Difference::Changed& each : difference.changed)
    changed.push_back(
        {{"name", each.after->name()}, {"before", text_of(*each.before)}, {"after", text_of(*each.after)}});
  Json json = {{"added", names_and_texts(difference.added)},
               {"removed", names_and_texts(difference.removed)},
               {"changed", std::move(changed)},
               {"reordered", difference.reordered}};
  return json.dump();
}

std::string in_words(const Difference& difference) {
  std::vector<std::string_view> changed;
  for (const Difference::Changed& each : difference.changed) changed.push_back(each.after->name());
  std::string words;
  say(words, "added", names_in(difference.added));
  say(words, "removed", names_in(difference.removed));
  say(words, "changed", changed);
  if (difference.reordered) words += words.empty() ? "another order" : "; another order";
  return words.empty() ? "nothing changed" : words;
}

}  // namespace waylay::rules
