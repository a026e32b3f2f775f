#include "cli/scenario_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace waylay::cli {
namespace {

using ::testing::HasSubstr;

Scenario some() {
  Scenario scenario;
  scenario.name = "some";
  scenario.parameters = {{"match", "which", "http.host"}, {"rate", "share", 0.5}};
  scenario.rules = Json::parse(
      R"([{"name": "some", "match": "(${match}) and aws.service", "probability": "${rate}", "comment": "${rate}!"}])");
  return scenario;
}

TEST(Scenario, FillsItsParametersIn) {
  EXPECT_EQ(some().rules_with({})->dump(),
            R"([{"name":"some","match":"(http.host) and aws.service","probability":0.5,"comment":"0.5!"}])");
  EXPECT_EQ(some().rules_with({{"match", "tls.sni == \"a\""}, {"rate", "0.25"}})->dump(),
            R"([{"name":"some","match":"(tls.sni == \"a\") and aws.service","probability":0.25,"comment":"0.25!"}])");
}

TEST(Scenario, RefusesAParameterThatItDoesNotHave) {
  EXPECT_THAT(some().rules_with({{"raet", "1"}}).error().message, HasSubstr("did you mean rate?"));
  EXPECT_THAT(some().rules_with({{"rate", "often"}}).error().message, HasSubstr("\"often\" is no number"));
}

TEST(Scenario, ThoseOfTheProductSayWhatHappensAndHowLong) {
  Result<std::vector<Scenario>> all = read_scenarios(WAYLAY_SOURCE_DIR "/scenarios");
  ASSERT_TRUE(all) << all.error().message;
  std::set<std::string> names;
  for (const Scenario& scenario : *all) {
    EXPECT_THAT(scenario.path, HasSubstr("/" + scenario.name + ".json"));
    EXPECT_GT(scenario.description.size(), 150u) << scenario.name;
    names.insert(scenario.name);
    for (std::string_view parameter : {"match", "for"})
      EXPECT_TRUE(std::ranges::any_of(scenario.parameters, [&](const auto& each) { return each.name == parameter; }))
          << scenario.name << " " << parameter;
    Result<Json> rules = scenario.rules_with({{"match", "THE MATCH"}, {"for", "THE TIME"}});
    ASSERT_TRUE(rules);
    EXPECT_EQ(rules->dump().find("${"), std::string::npos) << scenario.name << " has a mark for no parameter";
    for (const Json& rule : *rules) {
      EXPECT_THAT(rule["match"].get<std::string>(), HasSubstr("THE MATCH")) << scenario.name;
      EXPECT_EQ(rule["for"], "THE TIME") << scenario.name;
      EXPECT_TRUE(rule["name"].get<std::string>().starts_with(scenario.name)) << scenario.name;
    }
  }
  for (const char* name : {"talk", "s3-slowdown", "dynamodb-hot-partition", "flaky-network", "slow-first-byte",
                           "expired-credentials", "dribbling-body", "tls-renewal"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Scenario, AFileThatIsNoneIsRefused) {
  EXPECT_FALSE(read_scenario(WAYLAY_SOURCE_DIR "/docs/openapi.json"));
  EXPECT_FALSE(read_scenario("/nonexistent.json"));
}

}  // namespace
}  // namespace waylay::cli
