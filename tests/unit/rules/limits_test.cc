#include "rules/limits.h"

#include <algorithm>
#include <thread>

#include "rules/json_reader.h"
#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

Time after(int64_t seconds) {
  return {kNow.steady_ns + seconds * kSecond_ns, kNow.wall_ns + seconds * kSecond_ns};
}

// Which of `count` matches in a row a rule acts on, as text: "..x" is the third only.
std::string taken(const Limits& limits, int count) {
  Tally tally(limits, kNow);
  std::string text;
  for (int i = 0; i < count; ++i) text += tally.take(0, kNow) ? 'x' : '.';
  return text;
}

TEST(Limits, WithoutAnyEveryMatchCounts) {
  Tally tally(Limits{}, kNow);
  EXPECT_TRUE(tally.take(0, kNow));
  EXPECT_TRUE(tally.take(7, after(1'000'000)));
  EXPECT_EQ(tally.hits(), 2u);
  EXPECT_FALSE(tally.is_over(after(1'000'000)));
}

TEST(Limits, AttemptsAreOfAnInvocationAndOthersAreNotCounted) {
  Tally tally({.first_attempt = 1, .last_attempt = 2, .times = 2}, kNow);
  EXPECT_FALSE(tally.take(0, kNow));  // no SDK that tells
  EXPECT_FALSE(tally.take(3, kNow));
  EXPECT_TRUE(tally.take(1, kNow));
  EXPECT_TRUE(tally.take(2, kNow));
  EXPECT_FALSE(tally.take(1, kNow));
  EXPECT_EQ(tally.hits(), 2u);
}

TEST(Limits, EveryTakesTheNth) {
  EXPECT_EQ(taken({.every = 3}, 7), "..x..x.");
  EXPECT_EQ(taken({.times = 1, .every = 2}, 6), ".x....");
}

TEST(Limits, ASeedRepeatsItsDecisions) {
  Limits limits{.probability = 0.3, .seed = 7};
  EXPECT_EQ(taken(limits, 200), taken(limits, 200));
  Limits other = limits;
  other.seed = 8;
  EXPECT_NE(taken(limits, 200), taken(other, 200));
  std::string many = taken(limits, 10'000);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(many, 'x')), 3000, 150);
}

TEST(Limits, AProbabilityOfNoneAndOfAllIsExact) {
  EXPECT_EQ(taken({.probability = 0.0}, 20), std::string(20, '.'));
  EXPECT_EQ(taken({.probability = 1.0}, 20), std::string(20, 'x'));
}

TEST(Limits, ADrawnSeedIsToldAndRepeatsTheRun) {
  Tally first({.probability = 0.5}, after(3));
  ASSERT_TRUE(first.seed());
  Tally again({.probability = 0.5, .seed = first.seed()}, after(9));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(first.take(0, after(9)).has_value(), again.take(0, after(9)).has_value()) << i;
  EXPECT_FALSE(Tally(Limits{.seed = 1}, kNow).seed());
}

TEST(Limits, ALifeEndsAtItsMoment) {
  Tally tally({.life_ns = 10 * kSecond_ns}, after(100));
  EXPECT_EQ(tally.life_left_ns(after(104)), 6 * kSecond_ns);
  EXPECT_TRUE(tally.take(0, after(109)));
  EXPECT_FALSE(tally.take(0, after(110)));
  EXPECT_TRUE(tally.is_over(after(110)));
  EXPECT_EQ(tally.hits(), 1u);
}

TEST(Limits, PerMinuteHoldsInAnySixtySeconds) {
  Tally tally({.per_minute = 2}, kNow);
  EXPECT_TRUE(tally.take(0, after(0)));
  EXPECT_TRUE(tally.take(0, after(50)));
  EXPECT_FALSE(tally.take(0, after(59)));
  EXPECT_TRUE(tally.take(0, after(60)));
  EXPECT_FALSE(tally.take(0, after(100)));
  EXPECT_TRUE(tally.take(0, after(110)));
  EXPECT_FALSE(tally.is_over(after(110)));
}

TEST(Limits, AreExactOverManyThreads) {
  Limits limits{.times = 100, .every = 2, .probability = 0.5, .seed = 3, .per_minute = 150};
  Tally tally(limits, kNow);
  std::vector<std::thread> threads;
  std::atomic<int> acted{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) acted += tally.take(1, kNow).has_value();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(acted, 100);
  EXPECT_EQ(tally.left(), 0u);
}

TEST(Limits, ASeededRunOverManyThreadsTakesAsManyAsOverOne) {
  Limits limits{.probability = 0.25, .seed = 11};
  std::string alone = taken(limits, 2000);
  Tally tally(limits, kNow);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) tally.take(0, kNow);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(static_cast<ptrdiff_t>(tally.hits()), std::ranges::count(alone, 'x'));
}

Limits read(std::string_view members) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", )" + std::string(members) + "}");
  return rules.rules().empty() ? Limits{} : rules.rules()[0]->limits();
}

TEST(Limits, WhatMakesSomethingGoWrongLivesAnHourUnlessItSaysOtherwise) {
  for (const char* members :
       {R"("fault": "aws:slowdown")", R"("abort": "rst")", R"("status": 400)", R"("delay": "1s")"})
    EXPECT_EQ(read(members).life_ns, 3600 * kSecond_ns) << members;
  for (const char* members : {R"("respond": {})", R"("status": 201)", R"("headers": {"set": {"X": "1"}})",
                              R"("fault": "aws:slowdown", "for": "forever")"})
    EXPECT_EQ(read(members).life_ns, std::nullopt) << members;
  EXPECT_EQ(read(R"("respond": {}, "for": "90s")").life_ns, 90 * kSecond_ns);
}

TEST(Limits, AreReadFromARule) {
  Limits limits = read(
      R"("status": 503, "attempts": "1-2", "times": 9, "every": 3, "probability": 0.25, "seed": 7, "per_minute": 30)");
  EXPECT_EQ(limits.first_attempt, 1);
  EXPECT_EQ(limits.last_attempt, 2);
  EXPECT_EQ(limits.times, 9u);
  EXPECT_EQ(limits.every, 3u);
  EXPECT_EQ(limits.probability, 0.25);
  EXPECT_EQ(limits.seed, 7u);
  EXPECT_EQ(limits.per_minute, 30u);
  limits = read(R"("status": 503, "attempts": 3, "probability": 1)");
  EXPECT_EQ(limits.first_attempt, 3);
  EXPECT_EQ(limits.last_attempt, 3);
  EXPECT_EQ(limits.seed, std::nullopt);
}

TEST(Limits, NameThePlaceOfAWrongValue) {
  auto error = [](std::string_view members) {
    auto rules = read_rules(R"({"name": "r", "match": "", "status": 503, )" + std::string(members) + "}", "a");
    return rules ? "(none)" : rules.error().message;
  };
  for (const char* attempts : {R"("")", R"("0")", R"("2-1")", R"("1-")", R"("-2")", R"("1-2-3")", "0", "-1", "1.5",
                               "true", R"("1001")", R"("99999999999")"})
    EXPECT_EQ(error(R"("attempts": )" + std::string(attempts)),
              "a: /attempts: is which attempts of an SDK's call: \"1-2\", or 3 for the third alone; the first is 1")
        << attempts;
  EXPECT_EQ(error(R"("for": "soon")"),
            "a: /for: \"soon\" is not how long a rule lives: write \"10m\" or \"1.5h\" (units ns us ms s m h), at most "
            "8760h, or \"forever\"");
  EXPECT_NE(error(R"("for": "0s")"), "(none)");
  EXPECT_NE(error(R"("for": "8761h")"), "(none)");
  EXPECT_EQ(error(R"("every": 0)"), "a: /every: must be at least 1: every Nth match");
  EXPECT_EQ(error(R"("probability": 1.1)"), "a: /probability: must be a number from 0 to 1, such as 0.25");
  EXPECT_EQ(error(R"("probability": "0.5")"), "a: /probability: must be a number from 0 to 1, such as 0.25");
  EXPECT_EQ(error(R"("seed": 1)"), "a: /seed: goes with \"probability\", \"ramp\" or a delay that is drawn by chance");
  EXPECT_EQ(error(R"("probability": 0.5, "seed": -1)"), "a: /seed: must be at least 0");
  EXPECT_EQ(error(R"("per_minute": 100001)"), "a: /per_minute: must be at most 100000");
  EXPECT_EQ(error(R"("per_minute": 0)"), "a: /per_minute: must be at least 1; \"enabled\": false turns a rule off");
}

TEST(Limits, ARuleSetAsksForTheCallsAttempt) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", "fault": "aws:slowdown", "attempts": "1-2"})");
  Exchange exchange;
  for (auto [attempt, acts] : {std::pair{0, false}, {1, true}, {2, true}, {3, false}}) {
    exchange.call.attempt = attempt;
    EXPECT_EQ(exchange.at_request(rules).respond.has_value(), acts) << attempt;
  }
}

TEST(Limits, AnExpiredRuleActsNoMoreAndSaysSo) {
  RuleBook book;
  ASSERT_TRUE(book.add(R"({"name": "r", "match": "", "abort": "rst", "for": "10s"})", "api", after(100)));
  Exchange exchange;
  auto aborts = [&](Time now) {
    return book.current()->plan(exchange.subject, match::Moment::Request, exchange.call, exchange.request, now).abort;
  };
  EXPECT_TRUE(aborts(after(109)));
  EXPECT_TRUE(book.current()->may_answer(exchange.subject, after(109)));
  EXPECT_FALSE(aborts(after(110)));
  EXPECT_FALSE(book.current()->may_answer(exchange.subject, after(110)));
  auto shown = [&](Time now) { return Json::parse(book.to_json(now))[0]; };
  EXPECT_EQ(shown(after(103))["state"], "active");
  EXPECT_EQ(shown(after(103))["seconds_left"], 7);
  EXPECT_EQ(shown(after(103))["ends"], to_iso8601(after(110).wall_ns));
  EXPECT_EQ(shown(after(110))["state"], "expired");
  EXPECT_EQ(shown(after(110))["seconds_left"], 0);
}

TEST(Limits, SurviveAReloadThatLeavesTheRuleAsItIs) {
  RuleBook book;
  std::string rule =
      R"({"name": "r", "match": "", "status": 503, "for": "10s", "every": 2, "probability": 1, "per_minute": 9})";
  ASSERT_TRUE(book.replace(rule, "api", after(100)));
  uint64_t seed = book.current()->rules()[0]->tally().seed().value();
  EXPECT_TRUE(Exchange().at_response(*book.current()).empty());
  ASSERT_TRUE(book.replace(rule, "api", after(105)));
  const Tally& tally = book.current()->rules()[0]->tally();
  EXPECT_EQ(tally.seed(), seed);
  EXPECT_EQ(tally.life_left_ns(after(105)), 5 * kSecond_ns);
  EXPECT_EQ(Exchange().at_response(*book.current()).status, 503);  // the second match
  ASSERT_TRUE(book.replace(R"({"name": "r", "match": "", "status": 500, "for": "10s"})", "api", after(105)));
  EXPECT_EQ(book.current()->rules()[0]->tally().life_left_ns(after(105)), 10 * kSecond_ns);
}

TEST(Limits, ARampChangesTheProbabilityWithTheRulesAge) {
  Tally tally({.ramp = Ramp{.from = 0, .to = 0.5, .over_ns = 100 * kSecond_ns}, .seed = 7}, kNow);
  EXPECT_DOUBLE_EQ(tally.probability(kNow).value(), 0);
  EXPECT_DOUBLE_EQ(tally.probability(after(50)).value(), 0.25);
  EXPECT_DOUBLE_EQ(tally.probability(after(1000)).value(), 0.5);
  auto share = [&tally](int64_t at) {
    int acted = 0;
    for (int i = 0; i < 4000; ++i) acted += tally.take(0, after(at)).has_value();
    return acted / 4000.0;
  };
  EXPECT_DOUBLE_EQ(share(0), 0);
  EXPECT_NEAR(share(50), 0.25, 0.03);
  EXPECT_NEAR(share(200), 0.5, 0.03);
  EXPECT_EQ(tally.seed(), 7u);
}

TEST(Limits, AConditionHoldsOrTheRuleDoesNotActAndNothingIsCounted) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", "while": "time.hour >= 9 and container.name == \"a\"",
                              "status": 503, "times": 1})");
  Exchange exchange;
  exchange.subject.with(match::Field::ContainerName, "a").with(match::Field::TimeHour, 8);
  EXPECT_TRUE(exchange.at_response(rules).empty());
  Exchange later;
  later.subject.with(match::Field::ContainerName, "a").with(match::Field::TimeHour, 10);
  EXPECT_FALSE(later.at_response(rules).empty());
  EXPECT_TRUE(later.at_response(rules).empty());
}

TEST(Limits, ARateLetsItsBurstPassAndThenItsRate) {
  TokenBuckets buckets({.per_second = 2, .burst = 3});
  int passed = 0;
  for (int i = 0; i < 10; ++i) passed += buckets.take("a", kNow);
  EXPECT_EQ(passed, 3);
  int64_t wait_ns = 0;
  EXPECT_FALSE(buckets.take("a", kNow, &wait_ns));
  EXPECT_EQ(wait_ns, kSecond_ns / 2);
  EXPECT_TRUE(buckets.take("b", kNow));  // a bucket of its own
  for (int i = 0; i < 10; ++i) passed += buckets.take("a", after(1));
  EXPECT_EQ(passed, 5);
  for (int i = 0; i < 10; ++i) passed += buckets.take("a", after(1000));
  EXPECT_EQ(passed, 8);  // no more than the burst, however long the pause
}

TEST(Limits, ARateIsExactOverThreads) {
  TokenBuckets buckets({.per_second = 1, .burst = 1000});
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) passed += buckets.take("a", kNow);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 1000);
}

TEST(Limits, MoreKeysThanAreHeldShareABucketUntilOneIsFullAgain) {
  TokenBuckets buckets({.per_second = 1, .burst = 1});
  for (size_t i = 0; i < TokenBuckets::kMostKeys; ++i) EXPECT_TRUE(buckets.take(std::to_string(i), kNow));
  EXPECT_TRUE(buckets.take("new", kNow));
  EXPECT_FALSE(buckets.take("another", kNow));
  EXPECT_TRUE(buckets.take("another", after(2)));
  EXPECT_TRUE(buckets.take("new", after(2)));
}

TEST(Limits, WhatExceedsARateGetsTheServicesOwnThrottle) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", "rate_limit": {"rate": "1/m", "burst": 1, "per": "host"}})");
  EXPECT_TRUE(Exchange().at_request(rules).empty());
  Plan plan = Exchange().at_request(rules);
  ASSERT_TRUE(plan.respond);
  EXPECT_EQ(plan.respond->status, 503);
  EXPECT_NE(plan.respond->body.find("SlowDown"), std::string::npos) << plan.respond->body;
  EXPECT_TRUE(plan.applied[0].injected);
  EXPECT_EQ(rules.rules()[0]->tally().hits(), 1u);
  EXPECT_FALSE(rules.may_answer(Exchange().subject, kNow));

  Exchange other("example.com");
  other.call = {};
  EXPECT_TRUE(other.at_request(rules).empty());
  plan = other.at_request(rules);
  EXPECT_EQ(plan.respond->status, 429);
  EXPECT_EQ(plan.respond->fields.back(), (Fields::value_type{"Retry-After", "60"}));
}

TEST(Limits, WhatExceedsARateMayGetWhatTheRuleSaysInstead) {
  RuleSet rules =
      rule_set(R"({"name": "r", "match": "", "rate_limit": {"rate": "1/h", "burst": 1}, "respond": {"status": 418}})");
  EXPECT_TRUE(Exchange().at_request(rules).empty());
  EXPECT_EQ(Exchange().at_request(rules).respond->status, 418);
}

TEST(Limits, OfChanceAndRateAreCheckedWhenTheRuleIsLoaded) {
  auto error_of = [](std::string_view members) {
    Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(rule_json(members), "a");
    return rules ? "(none)" : rules.error().message;
  };
  for (std::string_view members :
       {R"("status": 503, "ramp": {"to": 2, "over": "1m"})", R"("status": 503, "ramp": {"to": 0.5})",
        R"("status": 503, "ramp": {"over": "1m"}, "probability": 0.5)", R"("rate_limit": {})",
        R"("rate_limit": {"rate": "100"})", R"("rate_limit": {"rate": "0/s"})", R"("rate_limit": {"rate": "1/d"})",
        R"("rate_limit": {"rate": "1/s", "burst": 0})", R"("rate_limit": {"rate": "1/s", "per": "bukcet"})",
        R"("status": 503, "while": "http.host == \"a\"")", R"("status": 503, "while": "time.hour >")"})
    EXPECT_NE(error_of(members), "(none)") << members;
  EXPECT_EQ(error_of(R"("status": 503, "while": "http.host")"),
            "a: /while: http.host belongs to an exchange: a condition holds for connections, containers and times; say "
            "it in \"match\"");
  EXPECT_EQ(error_of(R"("delay": {"uniform": ["1ms", "2ms"]}, "seed": 1)"), "(none)");
  EXPECT_EQ(error_of(R"("status": 503, "ramp": {"from": 0.1, "to": 0.5, "over": "10m"}, "seed": 1)"), "(none)");
}

}  // namespace
}  // namespace waylay::rules
