// Rules from JSON. Everything that can be known to be wrong is an error here, so that a loaded rule can always act.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "rules/json_reader.h"
#include "rules/rule.h"

namespace waylay::rules {

constexpr size_t kMostRuleFileBytes = 4 * 1024 * 1024;  // a file or a request with rules
constexpr size_t kMostRules = 10'000;

// `json` is one rule, {"rules": [...]} or [...]. Names are unique within it. Without `files`, rules that name files are
// errors.
Result<std::vector<std::shared_ptr<Rule>>> read_rules(std::string_view json, std::string_view origin,
                                                      Reader::Files files = nullptr);

std::vector<std::string_view> rule_names();  // the members of a rule

}  // namespace waylay::rules
