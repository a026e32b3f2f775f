// Rules from JSON. Everything that can be known to be wrong is an error here, so that a loaded rule can always act.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "rules/rule.h"

namespace waylay::rules {

constexpr size_t kMostRuleFileBytes = 4 * 1024 * 1024;  // a file or a request with rules
constexpr size_t kMostBodyBytes = 1024 * 1024;          // of a respond, held in memory for as long as the rule is
constexpr size_t kMostRules = 10'000;
constexpr int64_t kMostDelay_ns = 3600 * kSecond_ns;  // longer than any client waits

// `json` is one rule, {"rules": [...]} or [...]. Names are unique within it.
Result<std::vector<std::shared_ptr<Rule>>> read_rules(std::string_view json, std::string_view origin);

}  // namespace waylay::rules
