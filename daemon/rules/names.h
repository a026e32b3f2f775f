// A rule's name is its own in the whole book: counters, diffs and people go by it.
#pragma once

#include "rules/rule.h"

namespace waylay::rules {

// Conflict: a name of `rules` that `others` has already. Limit: more of both than kMostRules.
Result<void> check_unique(const std::vector<std::shared_ptr<Rule>>& rules, const RuleList& others);

std::vector<std::string> names_of(const RuleList& rules);
const Rule* find_rule(const RuleList& rules, std::string_view name);  // null: there is none

}  // namespace waylay::rules
