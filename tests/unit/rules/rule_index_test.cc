#include "rules/rule_index.h"

#include <random>

#include "support/allocations.h"
#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

using match::Field;

struct Indexed {
  std::vector<match::Expression> matches;
  RuleIndex index;

  explicit Indexed(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) matches.push_back(match::Expression::compile(text).value());
    std::vector<RuleIndex::Row> rows;
    for (uint32_t i = 0; i < matches.size(); ++i) rows.push_back({i, &matches[i]});
    index = RuleIndex(rows);
  }
  std::vector<uint32_t> visited(const match::Subject& subject) const {
    std::vector<uint32_t> rules;
    index.visit(subject, [&](uint32_t rule) {
      rules.push_back(rule);
      return true;
    });
    return rules;
  }
};

TEST(RuleIndex, FindsARuleByTheFieldThatTellsItFromTheOthers) {
  Indexed rules({R"(http.host == "a" and http.request.uri.path == "/1")",
                 R"(http.host == "a" and http.request.uri.path == "/2")", R"(http.host == "b")",
                 R"(aws.operation == "PutObject" and aws.service == "s3")", R"(http.request.uri contains "x")",
                 R"(tls.sni == "C")"});
  match::FakeSubject subject;
  subject.with(Field::HttpHost, "A:8443").with(Field::HttpRequestUriPath, "/2").with(Field::TlsServerName, "c");
  EXPECT_EQ(rules.visited(subject), (std::vector<uint32_t>{1, 4, 5}));
  subject = match::FakeSubject();
  subject.with(Field::AwsOperation, "PutObject").with(Field::TlsServerName, "b");
  EXPECT_EQ(rules.visited(subject), (std::vector<uint32_t>{2, 3, 4}));
}

TEST(RuleIndex, StopsWhenItIsToldTo) {
  Indexed rules({"", R"(http.host == "a")", ""});
  match::FakeSubject subject;
  subject.with(Field::HttpHost, "a");
  int visits = 0;
  rules.index.visit(subject, [&](uint32_t) { return ++visits < 2; });
  EXPECT_EQ(visits, 2);
  EXPECT_TRUE(RuleIndex().empty());
  EXPECT_FALSE(rules.index.empty());
}

// Whatever is in the index, no rule that matches is left out, and each is visited once and in order.
TEST(RuleIndex, LeavesOutNoRuleThatMatches) {
  std::mt19937 random(5);
  auto pick = [&](std::initializer_list<std::string_view> from) {
    return std::string(from.begin()[random() % from.size()]);
  };
  auto test = [&] {
    return pick({"http.host", "tls.sni", "http.request.method", "aws.operation", "http.request.uri.path"}) + " " +
           pick({"== \"a\"", "== \"b\"", "in {\"a\", \"c\"}", "!= \"a\"", "contains \"b\""});
  };
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i)
    texts.push_back("(" + test() + pick({" and ", " or "}) + test() + ")" + pick({" and ", " or "}) + test());
  Indexed rules(texts);
  for (int i = 0; i < 300; ++i) {
    match::FakeSubject subject;
    for (Field field : {Field::HttpHost, Field::TlsServerName, Field::HttpRequestMethod, Field::AwsOperation,
                        Field::HttpRequestUriPath})
      if (random() % 4 != 0) subject.with(field, pick({"a", "b", "c", "B"}));
    std::vector<uint32_t> visited = rules.visited(subject);
    EXPECT_TRUE(std::ranges::is_sorted(visited));
    EXPECT_EQ(std::ranges::adjacent_find(visited), visited.end());
    for (uint32_t rule = 0; rule < texts.size(); ++rule)
      if (rules.matches[rule].matches(subject)) EXPECT_TRUE(std::ranges::binary_search(visited, rule)) << texts[rule];
  }
}

TEST(RuleIndex, ARequestThatNoRuleIsForAllocatesNothing) {
  std::string json;
  for (int i = 0; i < 1000; ++i)
    json += (i == 0 ? "[" : ", ") + std::string(R"({"name": "r)") + std::to_string(i) +
            R"(", "match": "http.host == \"bucket-with-a-long-name-)" + std::to_string(i) +
            R"(.s3.amazonaws.com\" and http.request.method == \"PUT\"", "fault": "aws:slowdown"})";
  RuleSet rules = rule_set(json + "]");
  Exchange exchange("bucket-with-a-long-name-7.S3.amazonaws.com");
  size_t before = allocations;
  Plan plan = exchange.at_request(rules);
  bool may = rules.may_answer(exchange.subject, kNow);
  size_t after = allocations;
  // FakeSubject, unlike a flow's, looks a field up by a key that it makes: short, so that it is no allocation either.
  EXPECT_EQ(after - before, 0u);
  EXPECT_TRUE(plan.empty());
  EXPECT_TRUE(may);
}

}  // namespace
}  // namespace waylay::rules
