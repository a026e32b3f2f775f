#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/base64.h"
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

using Json = nlohmann::json;

TEST(RuleBook, TellsEveryVersionWithWhoMadeIt) {
  RuleBook book;
  ASSERT_TRUE(book.add("[" + rule("a") + "," + rule("b") + "]", "talk.json", By(kNow, "uid=0 pid=7")));
  ASSERT_TRUE(book.replace("[" + rule("b", R"("status": 500)") + "," + rule("c") + "]", "talk.json", kNow));
  book.switch_faults(false, kNow);
  Json versions = Json::parse(book.history_to_json());
  ASSERT_EQ(versions.size(), 4u);
  EXPECT_EQ(versions[0]["version"], book.version());
  EXPECT_EQ(versions[0]["what"], "off: rules that inject do not act");
  EXPECT_EQ(versions[0]["faults"], false);
  EXPECT_EQ(versions[1]["what"], "talk.json: added c; removed a; changed b");
  EXPECT_EQ(versions[2]["what"], "talk.json: added a, b");
  EXPECT_EQ(versions[2]["who"], "uid=0 pid=7");
  EXPECT_EQ(versions[2]["at"], to_iso8601(kNow.wall_ns));
  EXPECT_EQ(versions[2]["rules"], 2);
  EXPECT_EQ(versions[3]["what"], "the daemon started");
}

TEST(RuleBook, KeepsTheLastHundredVersions) {
  RuleBook book;
  for (int i = 0; i < 120; ++i) book.switch_faults(i % 2 != 0, kNow);
  EXPECT_EQ(Json::parse(book.history_to_json()).size(), History::kMostVersions);
  Result<std::string> gone = book.rollback(1, kNow);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "there is no version 1 of the rules (any more); 22 to 121 are kept");
}

TEST(RuleBook, TellsWhatChangedBetweenVersionsAndWhatWouldChange) {
  RuleBook book;
  ASSERT_TRUE(book.add("[" + rule("a") + "," + rule("b") + "]", "api", kNow));
  uint64_t first = book.version();
  ASSERT_TRUE(book.replace("[" + rule("b", R"("status": 500)") + "," + rule("a") + "," + rule("c") + "]", "api", kNow));
  Json difference = Json::parse(*book.difference(first, 0));
  EXPECT_EQ(difference["added"][0]["name"], "c");
  EXPECT_EQ(difference["removed"], Json::array());
  EXPECT_EQ(difference["changed"][0]["before"]["status"], 503);
  EXPECT_EQ(difference["changed"][0]["after"]["status"], 500);
  EXPECT_EQ(difference["reordered"], true);
  EXPECT_EQ(Json::parse(*book.difference(book.version(), 0))["reordered"], false);
  EXPECT_EQ(book.difference(99, 0).error().kind, ErrorKind::NotFound);

  std::string only_c = rule("c");
  Json planned = Json::parse(*book.difference(std::array{Document{only_c, "c.json"}}));
  EXPECT_EQ(planned["removed"].size(), 2u);
  EXPECT_EQ(names(book).size(), 3u);  // only asked
  Directory directory;
  directory.write("a.json", rule("file"));
  EXPECT_EQ(Json::parse(*book.difference_of_directory(directory.path()))["added"][0]["name"], "file");
  directory.write("b.json", "[" + rule("x", R"("status": 1)") + "]");
  EXPECT_FALSE(book.difference_of_directory(directory.path()));
}

TEST(RuleBook, BringsAVersionBackAndRulesThatAreThereGoOnCounting) {
  Directory directory;
  directory.write("a.json", rule("file", R"("status": 503, "times": 3)"));
  RuleBook book;
  ASSERT_TRUE(book.load_directory(directory.path(), kNow));
  ASSERT_TRUE(book.add(rule("api", R"("status": 503, "times": 3)"), "api", kNow));
  uint64_t good = book.version();
  Exchange().at_response(*book.current());
  directory.write("a.json", rule("other"));
  ASSERT_TRUE(book.load_directory(directory.path(), kNow));
  EXPECT_EQ(*book.rollback(good, kNow), "added file; removed other");
  EXPECT_EQ(names(book), (std::vector<std::string>{"file", "api"}));
  EXPECT_EQ(book.current()->rules()[0]->tally().left(), 3u);  // it comes back, and begins
  EXPECT_EQ(book.current()->rules()[1]->tally().left(), 2u);  // it was there all the time
  uint64_t version = book.version();
  EXPECT_EQ(*book.rollback(good, kNow), "nothing changed");
  EXPECT_EQ(book.version(), version);
}

TEST(RuleBook, ReadsADirectoryThatIsAsItWasWithoutMakingAVersion) {
  Directory directory;
  directory.write("a.json", rule("a"));
  RuleBook book;
  ASSERT_TRUE(book.load_directory(directory.path(), kNow));
  uint64_t version = book.version();
  ASSERT_TRUE(book.load_directory(directory.path(), kNow));
  EXPECT_EQ(book.version(), version);
  fs::rename(directory.path() + "/a.json", directory.path() + "/b.json");
  ASSERT_TRUE(book.load_directory(directory.path(), kNow));
  EXPECT_EQ(book.current()->rules()[0]->origin(), directory.path() + "/b.json");
}

Result<RuleBook::Names> begin(RuleBook& book, Source source, std::string_view name, const std::string& json,
                              Time now = kNow) {
  return book.begin_group(source, name, std::array{Document{json, "test"}}, By(now, "uid=0 pid=7"));
}

TEST(RuleBook, AGroupComesAndGoesAsAWholeAndNothingElseTouchesIt) {
  RuleBook book;
  ASSERT_TRUE(book.add(rule("mine"), "api", kNow));
  ASSERT_TRUE(begin(book, Source::Hold, "1", "[" + rule("a") + "," + rule("b") + "]"));
  EXPECT_EQ(names(book), (std::vector<std::string>{"mine", "a", "b"}));
  EXPECT_EQ(begin(book, Source::Scenario, "talk", rule("a")).error().kind, ErrorKind::Conflict);
  EXPECT_EQ(book.remove("a", kNow).error().message,
            "rule \"a\" is held by uid=0 pid=7 and ends with that command; \"waylay off\" stops all faults");
  ASSERT_TRUE(book.replace(rule("other"), "api", kNow));
  EXPECT_EQ(book.remove_all(kNow), 1u);
  EXPECT_EQ(names(book), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*book.end_group(Source::Hold, "1", kNow), 2u);
  EXPECT_TRUE(book.current()->empty());
  EXPECT_EQ(book.end_group(Source::Hold, "1", kNow).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(*book.rollback(book.version() - 1, kNow), "nothing changed");  // a hold is not brought back
}

TEST(RuleBook, AScenarioIsStartedAgainOnlyWhenItIsOver) {
  RuleBook book;
  std::string brief = rule("a", R"("status": 503, "for": "10s")");
  ASSERT_TRUE(begin(book, Source::Scenario, "talk", brief));
  Result<RuleBook::Names> twice = begin(book, Source::Scenario, "talk", brief);
  EXPECT_EQ(twice.error().kind, ErrorKind::Conflict);
  EXPECT_NE(twice.error().message.find("the scenario talk runs already"), std::string::npos);
  Json shown = Json::parse(book.groups_to_json(Source::Scenario, kNow));
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0]["seconds_left"], 10);
  EXPECT_EQ(shown[0]["over"], false);
  Time later{kNow.steady_ns + 11 * kSecond_ns, kNow.wall_ns + 11 * kSecond_ns};
  EXPECT_EQ(Json::parse(book.groups_to_json(Source::Scenario, later))[0]["over"], true);
  ASSERT_TRUE(begin(book, Source::Scenario, "talk", brief, later));
  EXPECT_EQ(names(book), std::vector<std::string>{"a"});
  EXPECT_EQ(Json::parse(book.groups_to_json(Source::Hold, later)), Json::array());
}

TEST(RuleBook, TakesSeveralDocumentsAllOrNone) {
  RuleBook book;
  std::string good = rule("good"), bad = rule("bad", R"("status": 1)");
  Result<RuleBook::Names> names_or_error =
      book.add(std::array{Document{good, "good.json"}, Document{bad, "bad.json"}}, kNow);
  ASSERT_FALSE(names_or_error);
  EXPECT_EQ(names_or_error.error().message.substr(0, 17), "bad.json: /status");
  EXPECT_TRUE(book.current()->empty());
}

TEST(RuleBook, ReadsTheBodiesThatLieBesideItsFiles) {
  Directory directory;
  RuleBook book;
  auto load = [&](const std::string& file) {
    directory.write("a.json", R"([{"name": "mock", "match": "", "times": 5, "respond": {"file": ")" + file + "\"}}]");
    Result<size_t> loaded = book.load_directory(directory.path(), kNow);
    return loaded ? "" : loaded.error().message;
  };
  directory.write("body.html", std::string("{{no template}}\xff"));
  EXPECT_EQ(load("body.html"), "");
  EXPECT_NE(book.current()->rules()[0]->text().find(encode_base64("{{no template}}\xff")), std::string::npos);
  for (const char* path : {"/etc/passwd", "../body.html", "sub/body.html", ".."})
    EXPECT_NE(load(path).find("/0/respond/file: must be the name of a file beside the rules"), std::string::npos)
        << path;
  EXPECT_NE(load("absent").find("/0/respond/file: there is no such file"), std::string::npos);
}

}  // namespace
}  // namespace waylay::rules
