#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "cli/rule_file.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<CommandLine> parse_words(std::vector<std::string> words) {
  return parse_command_line(words);
}

std::string refusal(std::vector<std::string> words) {
  Result<CommandLine> line = parse_words(std::move(words));
  return line ? "" : line.error().message;
}

TEST(CommandLine, TakesOptionsInEveryUsualForm) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"flows", "--follow", "--limit", "5", "--match", "a"},
                                             {"flows", "-f", "-n5", "-m", "a"},
                                             {"flows", "-fn", "5", "--match=a"},
                                             {"--color", "never", "flows", "-f", "--limit=5", "-ma"}}) {
    Result<CommandLine> line = parse_words(words);
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(line->verb->name, "flows");
    EXPECT_TRUE(line->parsed.has("--follow"));
    EXPECT_EQ(line->parsed.last("--limit"), "5");
    EXPECT_EQ(line->parsed.last("--match"), "a");
  }
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndBehindTheVerb) {
  EXPECT_EQ(parse_words({"--runtime-dir", "/a", "status"})->parsed.last("--runtime-dir"), "/a");
  EXPECT_EQ(parse_words({"status", "--runtime-dir=/a"})->parsed.last("--runtime-dir"), "/a");
}

TEST(CommandLine, CollectsRepeatedOptionsInOrder) {
  EXPECT_THAT(parse_words({"attach", "web", "--port", "443", "-p", "8443"})->parsed.all("--port"),
              ElementsAre("443", "8443"));
}

TEST(CommandLine, LeavesACommandOfItsOwnAlone) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"run", "--insist", "--", "curl", "--help", "-f"},
                                                                 {"run", "--insist", "curl", "--help", "-f"}}) {
    Result<CommandLine> line = parse_words(words);
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_TRUE(line->parsed.has("--insist"));
    EXPECT_FALSE(line->parsed.has("--help"));
    EXPECT_THAT(line->parsed.arguments, ElementsAre("curl", "--help", "-f"));
  }
}

TEST(CommandLine, KnowsVerbsOfTwoWords) {
  EXPECT_EQ(parse_words({"rules", "add", "x"})->verb->name, "rules add");
  EXPECT_EQ(parse_words({"rules"})->verb->name, "rules list");
  EXPECT_EQ(parse_words({"rules", "--json"})->verb->name, "rules list");
  EXPECT_THAT(refusal({"rules", "ad"}), HasSubstr("did you mean"));
}

TEST(CommandLine, SaysWhatIsWrongAndWhatWasMeant) {
  EXPECT_THAT(refusal({"atach", "x"}), HasSubstr("attach"));
  EXPECT_THAT(refusal({"status", "--jsn"}), HasSubstr("--json"));
  EXPECT_THAT(refusal({"status", "-x"}), HasSubstr("-x"));
  EXPECT_THAT(refusal({"attach"}), HasSubstr("TARGET"));
  EXPECT_THAT(refusal({"attach", "a", "b"}), HasSubstr("\"b\""));
  EXPECT_THAT(refusal({"flows", "--limit"}), HasSubstr("--limit N"));
  EXPECT_THAT(refusal({"flows", "--json=1"}), HasSubstr("takes no value"));
  EXPECT_THAT(refusal({"flows", "--limit", "1", "--limit", "2"}), HasSubstr("twice"));
  EXPECT_THAT(refusal({"status", "x"}), HasSubstr("\"x\""));
}

TEST(CommandLine, AsksForHelpWithoutItsArguments) {
  EXPECT_TRUE(parse_words({"attach", "--help"})->parsed.has("--help"));
  EXPECT_TRUE(parse_words({"-h"})->parsed.has("--help"));
  EXPECT_TRUE(parse_words({"--version"})->parsed.has("--version"));
}

TEST(Verbs, HaveUniqueNamesOptionsThatAreDocumentedAndExamplesThatParse) {
  std::set<std::string_view> names;
  for (const Verb& verb : verbs()) {
    EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
    EXPECT_FALSE(verb.summary.empty());
    EXPECT_FALSE(verb.examples.empty()) << verb.name;
    for (const Option& option : verb.options) {
      EXPECT_THAT(std::string(option.name), StartsWith("--"));
      EXPECT_FALSE(option.help.empty());
      EXPECT_THAT(help_of(verb), HasSubstr(synopsis_of(option)));
    }
  }
}

TEST(Verbs, AreInHelpCompletionAndTheManualPage) {
  for (const Verb& verb : verbs()) {
    std::string first(verb.name.substr(0, verb.name.find(' ')));
    EXPECT_THAT(general_help(), HasSubstr(std::string(verb.name)));
    for (const char* shell : {"bash", "zsh", "fish"}) {
      std::string script = completion_script(shell);
      EXPECT_THAT(script, HasSubstr(first)) << shell;
      for (const Option& option : verb.options)
        EXPECT_THAT(script, HasSubstr(std::string(option.name.substr(2)))) << shell << " " << verb.name;
    }
  }
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(completion_script(shell), HasSubstr("waylay scenarios list --names")) << shell;
  EXPECT_EQ(completion_script("tcsh"), "");
  std::string page = man_page_text();
  EXPECT_THAT(page, HasSubstr("waylay rules add"));
  EXPECT_THAT(page, HasSubstr("\\-\\-remove\\-request\\-header"));
}

struct Told {
  int exit = 0;
  std::string out, errors;
};

Told tell(std::vector<std::string> words) {
  std::ostringstream out, errors;
  int exit = run_tool(words, out, errors);
  return {exit, out.str(), errors.str()};
}

TEST(Tool, EndsWithTheStatusThatScriptsRelyOn) {
  EXPECT_EQ(tell({"--version"}).exit, kOk);
  EXPECT_EQ(tell({"help", "rules"}).exit, kOk);
  EXPECT_EQ(tell({"help", "nonsense"}).exit, kUsage);
  EXPECT_EQ(tell({}).exit, kUsage);
  EXPECT_EQ(tell({"flows", "--color", "sometimes"}).exit, kUsage);
  EXPECT_EQ(tell({"completion", "tcsh"}).exit, kUsage);
  EXPECT_EQ(tell({"detach"}).exit, kUsage);
  EXPECT_EQ(tell({"attach", "x", "--port", "70000"}).exit, kUsage);
  EXPECT_EQ(tell({"show", "x1"}).exit, kUsage);
}

TEST(Tool, SaysThatNobodyAnswersAndWhatToDo) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"status"}, {"flows"}, {"attach", "web"}, {"run", "--", "true"}}) {
    std::vector<std::string> all = words;
    all.insert(all.begin(), {"--runtime-dir", "/nonexistent"});
    Told told = tell(all);
    EXPECT_EQ(told.exit, kUnreachable);
    EXPECT_THAT(told.errors, HasSubstr("/nonexistent/"));
    EXPECT_THAT(told.errors, HasSubstr("systemctl start waylayd"));
  }
}

Result<Json> rule(std::vector<std::string> words) {
  words.insert(words.begin(), {"rules", "add", "name"});
  Result<CommandLine> line = parse_words(words);
  if (!line) return fail(line);
  return rule_of(line->parsed);
}

TEST(RuleOptions, BecomeTheRuleThatTheDaemonReads) {
  EXPECT_EQ(rule({"--status", "429", "--reason", "Slow", "--times", "2", "--match", "http.host == \"a\""})->dump(),
            R"({"name":"name","match":"http.host == \"a\"","status":429,"reason":"Slow","times":2})");
  EXPECT_EQ(rule({"--abort", "--attempts", "1-2", "--for", "10m", "--every", "3", "--probability", "0.25", "--seed",
                  "7", "--per-minute", "30"})
                ->dump(),
            R"({"name":"name","match":"","abort":"rst","attempts":"1-2","for":"10m","every":3,"seed":7,)"
            R"("per_minute":30,"probability":0.25})");
  EXPECT_FALSE(rule({"--abort", "--probability", "often"}));
  EXPECT_EQ(
      rule({"--set-header", "A: b", "--add-header", "C:d", "--add-header", "C: e", "--remove-header", "F"})->dump(),
      R"({"name":"name","match":"","headers":{"set":{"A":"b"},"add":{"C":["d","e"]},"remove":["F"]}})");
  EXPECT_EQ(
      rule({"--respond", "418", "--reason", "Teapot", "--body", "short", "--set-header", "A: b"})->dump(),
      R"({"name":"name","match":"","respond":{"status":418,"reason":"Teapot","headers":{"A":"b"},"body":"short"}})");
  EXPECT_EQ(rule({"--set-request-header", "A: b"})->dump(),
            R"({"name":"name","match":"","request_headers":{"set":{"A":"b"}}})");
  EXPECT_EQ(rule({"--abort"})->dump(), R"({"name":"name","match":"","abort":"rst"})");
  EXPECT_EQ(rule({"--fault", "aws:slowdown", "--delay", "200ms"})->dump(),
            R"({"name":"name","match":"","delay":"200ms","fault":"aws:slowdown"})");
}

TEST(RuleOptions, AreRefusedWhenTheyMakeNoSense) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--status", "many"},
                                             {"--body", "x"},
                                             {"--respond", "200", "--body", "x", "--body-file", "y"},
                                             {"--respond", "200", "--body-file", "/nonexistent"},
                                             {"--respond", "200", "--remove-header", "x"},
                                             {"--set-header", "no colon"},
                                             {"--times", ""}})
    EXPECT_FALSE(rule(words)) << words[0];
}

}  // namespace
}  // namespace waylay::cli
