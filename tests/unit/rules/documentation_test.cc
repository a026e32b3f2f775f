// The examples of docs/rules.md are rules. That they do what the page says is an end-to-end test's.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "rules/rule_book.h"
#include "support/page.h"

namespace waylay::rules {
namespace {

std::vector<std::string> examples(const std::string& page) {
  std::vector<std::string> found;
  constexpr std::string_view kBegin = "```json\n", kEnd = "```";
  for (size_t at = page.find(kBegin); at != std::string::npos; at = page.find(kBegin, at)) {
    at += kBegin.size();
    found.push_back(page.substr(at, page.find(kEnd, at) - at));
  }
  return found;
}

TEST(Documentation, ItsExamplesAreRules) {
  std::vector<std::string> all = examples(Page("rules.md").text());
  EXPECT_GE(all.size(), 15u);
  for (const std::string& example : all) {
    RuleBook book;
    Result<std::vector<std::string>> added = book.add(example, "docs/rules.md", Time{});
    EXPECT_TRUE(added) << (added ? "" : added.error().message) << "\n" << example;
  }
}

}  // namespace
}  // namespace waylay::rules
