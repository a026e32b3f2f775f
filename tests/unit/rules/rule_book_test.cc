#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "waylay-rules-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }
  void write(const std::string& name, std::string_view text) const { std::ofstream(path_ / name) << text; }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

std::string rule(std::string_view name, std::string_view members = R"("status": 503)") {
  return R"({"name": ")" + std::string(name) + R"(", "match": "", )" + std::string(members) + "}";
}

std::vector<std::string> names(const RuleBook& book) {
  std::vector<std::string> names;
  for (const auto& one : book.current()->rules()) names.push_back(one->name());
  return names;
}

TEST(RuleBook, AddsAndRemovesByName) {
  RuleBook book;
  uint64_t version = book.version();
  EXPECT_EQ(*book.add("[" + rule("a") + "," + rule("slow-s3") + "]", "api", kNow),
            (std::vector<std::string>{"a", "slow-s3"}));
  EXPECT_EQ(names(book), (std::vector<std::string>{"a", "slow-s3"}));
  EXPECT_GT(book.version(), version);
  EXPECT_EQ(book.current()->version(), book.version());
  EXPECT_TRUE(book.remove("a", kNow));
  EXPECT_EQ(names(book), std::vector<std::string>{"slow-s3"});
  Result<void> gone = book.remove("slwo-s3", kNow);
  EXPECT_EQ(gone.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(gone.error().message, "there is no rule \"slwo-s3\"; did you mean slow-s3?");
  EXPECT_EQ(book.remove_all(kNow), 1u);
  EXPECT_TRUE(book.current()->empty());
}

TEST(RuleBook, ChangesNothingWhenAnythingIsWrong) {
  RuleBook book;
  ASSERT_TRUE(book.add(rule("a"), "api", kNow));
  uint64_t version = book.version();
  EXPECT_EQ(book.add("[" + rule("b") + "," + rule("a") + "]", "api", kNow).error().kind, ErrorKind::Conflict);
  EXPECT_EQ(book.add("[" + rule("b") + "," + rule("c", R"("status": 1)") + "]", "api", kNow).error().kind,
            ErrorKind::Invalid);
  EXPECT_FALSE(book.replace("nonsense", "api", kNow));
  EXPECT_EQ(names(book), std::vector<std::string>{"a"});
  EXPECT_EQ(book.version(), version);
}

TEST(RuleBook, AnExchangeKeepsTheSetItBeganWith) {
  RuleBook book;
  ASSERT_TRUE(book.add(rule("a"), "api", kNow));
  std::shared_ptr<const RuleSet> before = book.current();
  book.remove_all(kNow);
  EXPECT_EQ(before->rules().size(), 1u);
  EXPECT_EQ(Exchange().at_response(*before).status, 503);
}

TEST(RuleBook, CountersSurviveAReplaceThatLeavesTheRuleAsItIs) {
  RuleBook book;
  std::string limited = rule("a", R"("status": 503, "times": 3)");
  ASSERT_TRUE(book.add(limited, "api", kNow));
  std::shared_ptr<const RuleSet> before = book.current();
  Exchange().at_response(*before);
  ASSERT_TRUE(book.replace("[" + rule("new") + "," + limited + "]", "api", kNow));
  EXPECT_EQ(book.current()->rules()[1]->tally().left(), 2u);
  Exchange().at_response(*before);  // an exchange of before counts as well
  EXPECT_EQ(book.current()->rules()[1]->tally().left(), 1u);
  ASSERT_TRUE(book.replace(rule("a", R"("status": 500, "times": 3)"), "api", kNow));
  EXPECT_EQ(book.current()->rules()[0]->tally().left(), 3u);
}

TEST(RuleBook, SwitchesEverythingThatInjectsOffAndOnAgain) {
  RuleBook book;
  ASSERT_TRUE(book.add("[" + rule("edit", R"("headers": {"set": {"X": "1"}})") + "," + rule("fault") + "," +
                           rule("mock", R"("respond": {})") + "]",
                       "api", kNow));
  EXPECT_TRUE(book.faults());
  book.switch_faults(false, kNow);
  EXPECT_FALSE(book.faults());
  EXPECT_EQ(names(book), (std::vector<std::string>{"edit", "fault", "mock"}));
  EXPECT_FALSE(Exchange().at_request(*book.current()).respond);
  EXPECT_FALSE(book.current()->may_answer(Exchange().subject, kNow));
  ASSERT_TRUE(book.add(rule("new"), "api", kNow));  // stays off
  Plan plan = Exchange().at_response(*book.current());
  ASSERT_EQ(plan.applied.size(), 1u);
  EXPECT_EQ(plan.applied[0].rule, "edit");
  EXPECT_EQ(book.current()->rules()[1]->tally().hits(), 0u);
  nlohmann::json shown = nlohmann::json::parse(book.to_json(kNow));
  EXPECT_EQ(shown[0]["state"], "active");
  EXPECT_EQ(shown[1]["state"], "off");
  book.switch_faults(true, kNow);
  EXPECT_EQ(Exchange().at_response(*book.current()).status, 503);
  EXPECT_TRUE(Exchange().at_request(*book.current()).respond);
}

TEST(RuleBook, LoadsADirectoryInNameOrderBeforeTheApisRules) {
  Directory directory;
  directory.write("b.json", rule("b"));
  directory.write("a.json", "// first\n[" + rule("a1") + "," + rule("a2") + "]");
  directory.write(".a.json.swp.json", "editors leave this");
  directory.write("readme.txt", "not a rule");
  fs::create_directory(directory.path() + "/sub.json");
  RuleBook book;
  ASSERT_TRUE(book.add(rule("api"), "api", kNow));
  EXPECT_EQ(*book.load_directory(directory.path(), kNow), 3u);
  EXPECT_EQ(names(book), (std::vector<std::string>{"a1", "a2", "b", "api"}));
  EXPECT_EQ(book.remove("b", kNow).error().kind, ErrorKind::Conflict);
  EXPECT_EQ(book.remove_all(kNow), 1u);
  EXPECT_EQ(names(book), (std::vector<std::string>{"a1", "a2", "b"}));
}

TEST(RuleBook, KeepsItsRulesWhenAFileOfTheDirectoryIsWrong) {
  Directory directory;
  directory.write("a.json", rule("a", R"("status": 503, "times": 2)"));
  RuleBook book;
  ASSERT_TRUE(book.load_directory(directory.path(), kNow));
  Exchange().at_response(*book.current());
  directory.write("b.json", "[" + rule("b", R"("status": 42)") + "]");
  Result<size_t> loaded = book.load_directory(directory.path(), kNow);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, directory.path() + "/b.json: /0/status: 42 is not an HTTP status (100 to 599)");
  EXPECT_EQ(names(book), std::vector<std::string>{"a"});
  directory.write("b.json", rule("a"));
  EXPECT_EQ(book.load_directory(directory.path(), kNow).error().message,
            directory.path() + "/b.json: there is a rule \"a\" already, from " + directory.path() + "/a.json");
  directory.write("b.json", rule("b"));
  EXPECT_EQ(*book.load_directory(directory.path(), kNow), 2u);
  EXPECT_EQ(book.current()->rules()[0]->tally().left(), 1u);
  ASSERT_TRUE(book.add(rule("c"), "api", kNow));
  directory.write("c.json", rule("c"));
  EXPECT_EQ(book.load_directory(directory.path(), kNow).error().kind, ErrorKind::Conflict);
}

TEST(RuleBook, AMissingDirectoryIsAnEmptyOne) {
  RuleBook book;
  EXPECT_EQ(*book.load_directory("/nonexistent/rules.d", kNow), 0u);
  Directory directory;
  directory.write("file", "");
  EXPECT_FALSE(book.load_directory(directory.path() + "/file", kNow));
}

TEST(RuleBook, ShowsRulesWithOriginHitsAndWhatIsLeft) {
  RuleBook book;
  ASSERT_TRUE(book.add("[" + rule("a", R"("status": 503, "times": 3)") + "," + rule("b") + "]", "api", kNow));
  Exchange().at_response(*book.current());
  nlohmann::json shown = nlohmann::json::parse(book.to_json(kNow));
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0]["name"], "a");
  EXPECT_EQ(shown[0]["source"], "api");
  EXPECT_EQ(shown[0]["origin"], "api");
  EXPECT_EQ(shown[0]["acts_at"], "response");
  EXPECT_EQ(shown[0]["hits"], 1);
  EXPECT_EQ(shown[0]["times_left"], 2);
  EXPECT_EQ(shown[0]["rule"]["status"], 503);
  EXPECT_TRUE(shown[1]["times_left"].is_null());
}

}  // namespace
}  // namespace waylay::rules
