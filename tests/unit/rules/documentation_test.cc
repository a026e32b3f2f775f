// The examples of docs/rules.md are rules. That they do what the page says is an end-to-end test's.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "rules/actions_reader.h"
#include "rules/limits_reader.h"
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

// Whether a table of the page has a row for it.
bool has_row(const std::string& page, std::string_view name) {
  std::string cell = "`" + std::string(name) + "`";
  for (size_t at = page.find("\n| `"); at != std::string::npos; at = page.find("\n| `", at + 1))
    if (page.substr(at, page.find(" |", at + 3) - at).find(cell) != std::string::npos) return true;
  return false;
}

TEST(Documentation, HasARowAndAnExampleForEachActionAndLimit) {
  std::string page = Page("rules.md").text();
  std::vector<std::string_view> names = action_names();
  for (std::string_view limit : limit_names()) names.push_back(limit);
  names.insert(names.end(), {"while", "enabled"});
  std::vector<std::string> all = examples(page);
  for (std::string_view name : names) {
    EXPECT_TRUE(has_row(page, name)) << name;
    std::string member = "\"" + std::string(name) + "\":";
    auto shows = [&](const std::string& example) { return example.find(member) != std::string::npos; };
    EXPECT_TRUE(std::ranges::any_of(all, shows)) << name << " is to have an example";
  }
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
