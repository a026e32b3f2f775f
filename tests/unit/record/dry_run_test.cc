#include "record/dry_run.h"

#include <array>
#include <nlohmann/json.hpp>

#include "unit/record/support.h"

namespace waylay::record {
namespace {

using Json = nlohmann::json;

DryRun run_of(const std::string& match, const std::string& more = "") {
  std::string rule = R"({"name": "r", "match": ")" + match + R"(", "reason": "x")" + more + "}";
  Result<DryRun> run = DryRun::of(std::array{rules::Document{rule, "test"}}, at_ms(0));
  EXPECT_TRUE(run) << (run ? "" : run.error().message);
  return std::move(*run);
}

Json after(DryRun run, const std::vector<flow::ExchangeFacts>& exchanges) {
  for (const flow::ExchangeFacts& exchange : exchanges) run.see(exchange);
  return Json::parse(run.to_json())["rules"][0];
}

TEST(DryRun, CountsWhatMatchesAndWhatItsLimitsLetThrough) {
  Json count = after(run_of(R"(aws.service == \"s3\")", R"(, "times": 2)"),
                     {Made(1), Made(2).not_aws("GET", "/"), Made(3), Made(4)});
  EXPECT_EQ(count["matched"], 3);
  EXPECT_EQ(count["would_act"], 2);
  EXPECT_EQ(count["unknown"], 0);
  EXPECT_EQ(count["examples"], (std::vector<int>{1, 3, 4}));
}

TEST(DryRun, KeepsTheNewestExamples) {
  std::vector<flow::ExchangeFacts> many;
  for (uint64_t id = 1; id <= 9; ++id) many.push_back(Made(id));
  EXPECT_EQ(after(run_of(""), many)["examples"], (std::vector<int>{5, 6, 7, 8, 9}));
}

TEST(DryRun, DoesNotPretendToKnowBodies) {
  Json count =
      after(run_of(R"(body.text contains \"x\" and aws.service == \"s3\")"), {Made(1), Made(2).not_aws("GET", "/")});
  EXPECT_EQ(count["matched"], 0);
  EXPECT_EQ(count["unknown"], 1);  // the other one is not to S3, whatever its body was
  EXPECT_EQ(count["unknown_fields"], std::vector<std::string>{"body.text"});
  EXPECT_EQ(count["unknown_examples"], std::vector<int>{1});
}

TEST(DryRun, DoesNotPretendToKnowSecrets) {
  Made secret(1);
  secret.facts().request->add("Authorization", "[redacted]");
  Json count = after(run_of(R"(http.header[\"authorization\"] contains \"AKID\")"), {secret, Made(2)});
  EXPECT_EQ(count["unknown"], 1);
  EXPECT_EQ(count["matched"], 0);
}

TEST(DryRun, SeesTheUpstreamsAnswerBehindWhatAnotherRuleMadeOfIt) {
  DryRun run = run_of("http.response.code == 200");
  Json count = after(std::move(run), {Made(1).rewritten("slow", 429), Made(2).injected("fault", 200), Made(3)});
  EXPECT_EQ(count["examples"], (std::vector<int>{1, 3}));
  EXPECT_EQ(count["unknown_examples"], std::vector<int>{2});  // the upstream was never asked
}

TEST(DryRun, SaysWhatIsWrongWithARule) {
  std::string rule = R"({"name": "r", "match": "http.hots"})";
  Result<DryRun> run = DryRun::of(std::array{rules::Document{rule, "a.json"}}, at_ms(0));
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().message.substr(0, 14), "a.json: /match");
}

TEST(DryRun, TellsHowManyItLookedAtAndMissed) {
  DryRun run = run_of("");
  run.see(Made(1));
  run.lost(7);
  Json json = Json::parse(run.to_json());
  EXPECT_EQ(json["seen"], 1);
  EXPECT_EQ(json["lost"], 7);
}

}  // namespace
}  // namespace waylay::record
