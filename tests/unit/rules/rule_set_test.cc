#include "rules/rule_set.h"

#include <chrono>
#include <thread>

#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> names;
  for (const auto& applied : plan.applied) names.push_back(applied.rule);
  return names;
}

TEST(RuleSet, AnEmptySetWantsNothing) {
  EXPECT_TRUE(Exchange().at_request(RuleSet()).empty());
  EXPECT_TRUE(Exchange().at_response(RuleSet()).empty());
  EXPECT_FALSE(RuleSet().may_answer(Exchange().subject, kNow));
}

TEST(RuleSet, RewritesAStatusAtTheResponseWithItsUsualReason) {
  RuleSet rules = rule_set(R"({"name": "talk", "match": "http.response.code == 200", "status": 429})");
  EXPECT_TRUE(Exchange().at_request(rules).empty());
  Plan plan = Exchange().at_response(rules);
  EXPECT_EQ(plan.status, 429);
  EXPECT_EQ(plan.reason, "Too Many Requests");
  ASSERT_EQ(plan.applied.size(), 1u);
  EXPECT_EQ(plan.applied[0].what, "status 429");
  EXPECT_TRUE(plan.applied[0].injected);
  EXPECT_TRUE(Exchange("a", 500).at_response(rules).empty());
  EXPECT_EQ(Exchange().at_response(rule_set(R"({"name": "r", "match": "", "status": 429, "reason": "Mine"})")).reason,
            "Mine");
}

TEST(RuleSet, FaultsAtTheRequestWithTheServicesShape) {
  RuleSet rules = rule_set(
      R"({"name": "r", "match": "http.host contains \"s3\"", "fault": "aws:slowdown", "headers": {"set": {"Server": "me"}}})");
  EXPECT_TRUE(rules.may_answer(Exchange().subject, kNow));
  Plan plan = Exchange().at_request(rules);
  ASSERT_TRUE(plan.respond);
  EXPECT_EQ(plan.respond->status, 503);
  EXPECT_NE(plan.respond->body.find("<Code>SlowDown</Code>"), std::string::npos);
  Fields servers = plan.respond->fields;
  std::erase_if(servers, [](const auto& field) { return field.first != "Server"; });
  EXPECT_EQ(servers, (Fields{{"Server", "me"}})) << "the rule's headers edit the fault's";
  EXPECT_TRUE(plan.response_headers.empty());
  EXPECT_TRUE(Exchange().at_response(rules).empty());
}

TEST(RuleSet, FaultsAtTheResponseWhenItsMatchNeedsOne) {
  RuleSet rules = rule_set(R"([{"name": "first", "match": "", "status": 500, "headers": {"set": {"X": "1"}}},
                               {"name": "r", "match": "http.response.code == 200", "fault": "aws:slowdown"}])");
  EXPECT_FALSE(rules.may_answer(Exchange().subject, kNow));
  EXPECT_TRUE(Exchange().at_request(rules).empty());
  Plan plan = Exchange().at_response(rules);
  EXPECT_EQ(plan.respond->status, 503);
  EXPECT_FALSE(plan.status) << "there is nothing left to rewrite";
  EXPECT_TRUE(plan.response_headers.empty());
}

TEST(RuleSet, AppliesAllInOrderUntilOneAnswers) {
  RuleSet rules = rule_set(R"([
    {"name": "a", "match": "", "delay": "10ms"},
    {"name": "off", "match": "", "delay": "1s", "enabled": false},
    {"name": "other", "match": "http.host == \"example.org\"", "delay": "1s"},
    {"name": "b", "match": "", "delay": "5ms", "request_headers": {"add": {"X": "1"}}},
    {"name": "c", "match": "", "respond": {"body": "mine"}},
    {"name": "never", "match": "", "abort": "rst"}])");
  Plan plan = Exchange().at_request(rules);
  EXPECT_EQ(names(plan), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(plan.delay_ns, 15 * kMillisecond_ns);
  EXPECT_EQ(plan.request_headers.add, (Fields{{"X", "1"}}));
  EXPECT_EQ(plan.respond->body, "mine");
  EXPECT_FALSE(plan.abort);
  EXPECT_EQ(plan.applied[1].what, "delay 5ms, request headers");
  EXPECT_EQ(rules.rules()[5]->tally().hits(), 0u);
}

TEST(RuleSet, AHeaderEditAloneIsNoInjection) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", "headers": {"set": {"X": "1"}}})");
  Plan plan = Exchange().at_response(rules);
  EXPECT_FALSE(plan.applied[0].injected);
  EXPECT_EQ(plan.response_headers.set, (Fields{{"X", "1"}}));
}

TEST(RuleSet, AnswersHeadWithoutABody) {
  Exchange exchange;
  exchange.request = http::Head::request("HEAD", "/bucket/key");
  for (const char* action : {R"("respond": {"body": "x"})", R"("fault": "aws:slowdown")"})
    EXPECT_EQ(exchange.at_request(rule_set(R"({"name": "r", "match": "", )" + std::string(action) + "}")).respond->body,
              "")
        << action;
}

TEST(RuleSet, FindsRulesOfAHostByRequestOrServerNameInTheSetsOrder) {
  RuleSet rules = rule_set(R"([
    {"name": "a", "match": "http.host == \"A.example\"", "delay": "1ms"},
    {"name": "b", "match": "tls.sni == \"b.example\"", "delay": "1ms"},
    {"name": "c", "match": "http.host in {\"a.example\", \"c.example\"}", "delay": "1ms"},
    {"name": "any", "match": "http.request.method == \"GET\"", "delay": "1ms"}])");
  auto asked = [&](const char* host, const char* sni) {
    Exchange exchange(host);
    exchange.subject = match::FakeSubject();
    exchange.subject.with(match::Field::HttpHost, host).with(match::Field::HttpRequestMethod, "GET");
    if (*sni) exchange.subject.with(match::Field::TlsServerName, sni);
    return names(exchange.at_request(rules));
  };
  EXPECT_EQ(asked("a.example", "a.example"), (std::vector<std::string>{"a", "c", "any"}));
  EXPECT_EQ(asked("A.EXAMPLE:8443", ""), (std::vector<std::string>{"a", "c", "any"}));
  EXPECT_EQ(asked("c.example", "B.example"), (std::vector<std::string>{"b", "c", "any"}));
  EXPECT_EQ(asked("d.example", "d.example"), (std::vector<std::string>{"any"}));
}

TEST(RuleSet, MayAnswerAsksOnlyWhatTheHelloTells) {
  match::FakeSubject hello;
  hello.with(match::Field::TlsServerName, "s3.eu-west-1.amazonaws.com").with(match::Field::ContainerName, "web");
  struct Row {
    const char* rule;
    bool may;
  };
  for (const Row& row : {
           Row{R"("match": "http.host == \"s3.eu-west-1.amazonaws.com\"", "respond": {})", true},
           {R"("match": "http.host == \"example.org\"", "respond": {})", false},
           {R"("match": "tls.sni == \"example.org\"", "respond": {})", false},
           {R"("match": "container.name == \"other\"", "fault": "aws:slowdown")", false},
           {R"("match": "container.name == \"web\" && http.request.method == \"GET\"", "fault": "aws:slowdown")", true},
           {R"("match": "aws.service == \"s3\"", "abort": "rst")", true},
           {R"("match": "aws.service == \"s3\"", "abort": "rst", "enabled": false)", false},
           {R"("match": "aws.service == \"s3\"", "status": 503)", false},
           {R"("match": "http.response.code == 200", "respond": {})", false},
       })
    EXPECT_EQ(rule_set(R"({"name": "r", )" + std::string(row.rule) + "}").may_answer(hello, kNow), row.may) << row.rule;
}

TEST(RuleSet, MayAnswerNoMoreWhenTheLimitIsReached) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", "respond": {}, "times": 1})");
  EXPECT_TRUE(rules.may_answer(Exchange().subject, kNow));
  EXPECT_TRUE(Exchange().at_request(rules).respond);
  EXPECT_FALSE(rules.may_answer(Exchange().subject, kNow));
  EXPECT_FALSE(Exchange().at_request(rules).respond);
}

TEST(RuleSet, CountsExactlyOverManyThreads) {
  RuleSet rules = rule_set(R"({"name": "r", "match": "", "fault": "aws:slowdown", "times": 1000})");
  std::atomic<int> applied{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) applied += Exchange().at_request(rules).respond.has_value();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(applied, 1000);
  EXPECT_EQ(rules.rules()[0]->tally().hits(), 1000u);
  EXPECT_EQ(rules.rules()[0]->tally().left(), 0u);
}

// Counted instead of timed: a thousand rules for other hosts are not even looked at.
TEST(RuleSet, EvaluatesOnlyRulesOfTheHost) {
  class Counting : public match::FakeSubject {
   public:
    match::Value value(match::Field field, std::string_view key) const override {
      ++asked;
      return FakeSubject::value(field, key);
    }
    mutable int asked = 0;
  };
  std::string json = "[";
  for (int i = 0; i < 1000; ++i)
    json += R"({"name": "r)" + std::to_string(i) + R"(", "match": "http.host == \"h)" + std::to_string(i) +
            R"(\"", "delay": "1ms"},)";
  json.back() = ']';
  RuleSet rules = rule_set(json);
  Counting subject;
  subject.with(match::Field::HttpHost, "h7");
  Exchange exchange;
  Plan plan = rules.plan(subject, match::Moment::Request, exchange.call, exchange.request, kNow);
  EXPECT_EQ(names(plan), std::vector<std::string>{"r7"});
  EXPECT_LT(subject.asked, 10);
}

TEST(HeaderEdits, RemoveThenSetThenAdd) {
  HeaderEdits edits{{{"A", "1"}}, {{"B", "2"}}, {"B"}};
  http::Head head = http::Head::response(200, "OK");
  head.add("b", "old");
  head.add("a", "old");
  head.add("a", "old");
  edits.apply(head);
  EXPECT_EQ(head.raw(), "HTTP/1.1 200 OK\r\na: 1\r\nB: 2\r\n\r\n");
  Fields fields{{"b", "old"}, {"a", "old"}, {"a", "old"}};
  edits.apply(fields);
  EXPECT_EQ(fields, (Fields{{"A", "1"}, {"B", "2"}}));
}

}  // namespace
}  // namespace waylay::rules
