// docs/rules.md promises that its examples are loaded by a test: this one.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/clock.h"
#include "rules/rule_book.h"

namespace waylay::rules {
namespace {

std::vector<std::string> examples(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string page = text.str();
  std::vector<std::string> found;
  constexpr std::string_view kBegin = "```json\n", kEnd = "```";
  for (size_t at = page.find(kBegin); at != std::string::npos; at = page.find(kBegin, at)) {
    at += kBegin.size();
    found.push_back(page.substr(at, page.find(kEnd, at) - at));
  }
  return found;
}

TEST(Documentation, ItsExamplesAreRules) {
  RuleBook book;
  std::vector<std::string> all = examples(WAYLAY_SOURCE_DIR "/docs/rules.md");
  EXPECT_GE(all.size(), 2u);
  for (const std::string& example : all) {
    Result<std::vector<std::string>> added = book.add(example, "docs/rules.md", Time{});
    EXPECT_TRUE(added) << (added ? "" : added.error().message) << "\n" << example;
  }
}

}  // namespace
}  // namespace waylay::rules
