#include "rules/names.h"

#include <algorithm>
#include <unordered_map>

#include "rules/rule_reader.h"

namespace waylay::rules {

Result<void> check_unique(const std::vector<std::shared_ptr<Rule>>& rules, const RuleList& others) {
  std::unordered_map<std::string_view, const Rule*> by_name;
  for (const auto& rule : others) by_name.emplace(rule->name(), rule.get());
  for (const auto& rule : rules)
    if (auto [found, is_new] = by_name.emplace(rule->name(), rule.get()); !is_new)
      return fail(Error::local(ErrorKind::Conflict, rule->origin() + ": there is a rule \"" + rule->name() +
                                                        "\" already, from " + found->second->origin()));
  if (by_name.size() > kMostRules)
    return fail(Error::local(ErrorKind::Limit, std::to_string(by_name.size()) + " rules; at most " +
                                                   std::to_string(kMostRules) + " are held"));
  return {};
}

std::vector<std::string> names_of(const RuleList& rules) {
  std::vector<std::string> names;
  for (const auto& rule : rules) names.push_back(rule->name());
  return names;
}

const Rule* find_rule(const RuleList& rules, std::string_view name) {
  auto found = std::ranges::find(rules, name, [](const auto& rule) -> std::string_view { return rule->name(); });
  return found == rules.end() ? nullptr : found->get();
}

}  // namespace waylay::rules
