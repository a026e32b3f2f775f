// What rules will not do although they seem to: each warning names the fact and the fix. The facts on SDKs were
// measured with botocore 1.29 and 1.43 and the AWS SDK for JavaScript v3.
//
// Rules that are not enabled are not looked at.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/rule_book.h"

namespace waylay::rules {

struct Warning {
  std::string_view kind;  // "bare-429", for programs
  std::string rule, origin;
  std::string fact, fix;  // for people
};

// `rules` in the order in which they apply; warnings in the same order.
std::vector<Warning> lint(const RuleList& rules);

// Of rules that are not loaded, such as files'; each document by itself. Errors as when they are loaded.
Result<std::vector<Warning>> lint(std::span<const Document> documents);

std::string to_json(std::span<const Warning> warnings);  // an array

}  // namespace waylay::rules
