#include "rules/rule_reader.h"

#include "rules/duration.h"
#include "rules/respond_reader.h"
#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

std::string error_of(std::string_view json) {
  Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(json, "a.json");
  return rules ? "(none)" : rules.error().message;
}

// A rule with a name and a match, and these members.
std::string with(std::string_view members) {
  return R"({"name": "r", "match": "", )" + std::string(members) + "}";
}

TEST(RuleReader, ReadsEveryMember) {
  auto rules = read_rules(R"(
    // a comment
    {"rules": [{
      "name": "all", "match": "http.host == \"a\"", "comment": "why", "enabled": true, "times": 3,
      "status": 429, "reason": "Slow", "delay": "1.5s",
      "headers": {"set": {"A": "1"}, "add": {"B": ["2", "3"]}, "remove": ["C"]}
    }, /* another */ {
      "name": "mock", "match": "", "respond": {"status": 404, "headers": {"X": "y"}, "body_base64": "aGk="}
    }, {"name": "up", "match": "", "request_headers": {"set": {"X-Debug": "1"}}}]})",
                          "a.json");
  ASSERT_TRUE(rules) << rules.error().message;
  ASSERT_EQ(rules->size(), 3u);
  const Rule& all = *(*rules)[0];
  EXPECT_EQ(all.name(), "all");
  EXPECT_EQ(all.origin(), "a.json");
  EXPECT_EQ(all.tally().left(), 3u);
  EXPECT_EQ(all.acts_at(), match::Moment::Response);
  EXPECT_EQ(all.actions().status, 429);
  EXPECT_EQ(all.actions().delay->first_ns, 1'500 * kMillisecond_ns);
  ASSERT_EQ(all.actions().response_headers.add.size(), 2u);
  EXPECT_EQ(all.actions().response_headers.add[1].second.text(), "3");
  const Rule& mock = *(*rules)[1];
  EXPECT_EQ(mock.acts_at(), match::Moment::Request);
  EXPECT_EQ(mock.actions().respond->body.text(), "hi");
  EXPECT_EQ(mock.actions().respond->reason, "Not Found");
  EXPECT_EQ((*rules)[2]->acts_at(), match::Moment::Request);
}

TEST(RuleReader, TakesOneRuleAnArrayOrAnObjectOfRules) {
  EXPECT_EQ(read_rules(with(R"("status": 503)"), "x")->size(), 1u);
  EXPECT_EQ(read_rules("[" + with(R"("status": 503)") + "]", "x")->size(), 1u);
  EXPECT_EQ(read_rules(R"({"rules": []})", "x")->size(), 0u);
  EXPECT_EQ(error_of("7"), "a.json: must be an array of rules, not a number");
  EXPECT_EQ(error_of(R"({"rules": {}})"), "a.json: /rules: must be an array of rules, not an object");
}

TEST(RuleReader, NamesTheLineAndColumnOfASyntaxError) {
  EXPECT_TRUE(error_of("{\n  \"name\": \"r\",\n  \"match\" \"\"\n}").starts_with("a.json: line 3, column 12: "))
      << error_of("{\n  \"name\": \"r\",\n  \"match\" \"\"\n}");
  EXPECT_TRUE(error_of("").starts_with("a.json: line 1, column 1: ")) << error_of("");
  EXPECT_EQ(error_of(R"({"name": "r", "name": "s"})"), "a.json: the key \"name\" stands twice in one object");
  EXPECT_EQ(error_of(std::string(40, '[') + std::string(40, ']')), "a.json: nested more than 32 levels deep");
  EXPECT_EQ(error_of(std::string(100'000, '[')), "a.json: nested more than 32 levels deep");
}

TEST(RuleReader, NamesThePlaceOfAWrongValue) {
  struct Row {
    std::string json, error;
  };
  for (const Row& row : {
           Row{R"({"rules": [)" + with(R"("status": 42)") + "]}",
               "a.json: /rules/0/status: 42 is not an HTTP status (100 to 599)"},
           {with(R"("status": 600)"), "a.json: /status: 600 is not an HTTP status (100 to 599)"},
           {with(R"("status": "503")"), "a.json: /status: must be a whole number, not text"},
           {with(R"("status": 503.5)"), "a.json: /status: must be a whole number, not a number with a fraction"},
           {with(R"("status": 18446744073709551615)"), "a.json: /status: must be a whole number, not a larger one"},
           {with(R"("status": 101)"),
            "a.json: /status: 101 is an interim status; an exchange ends with one of 200 to 599"},
           {with(R"("status": 204)"),
            "a.json: /status: a response with status 204 has no body, but the upstream's may have one: use "
            "\"respond\""},
           {with(R"("body": [{"json_patch": [{"op": "add", "path": "/a"}]}])"),
            "a.json: /body/0/json_patch/0: needs \"value\""},
           {with(R"("request_body": {"replace": "a", "regex": "b"})"), "a.json: /request_body/regex: unknown key"},
           {with(R"("stauts": 503)"), "a.json: /stauts: unknown key; did you mean status?"},
           {with(R"("a/b~c": 1)"), "a.json: /a~1b~0c: unknown key"},
           {with(R"("status": 503, "times": 0)"),
            "a.json: /times: must be at least 1; \"enabled\": false turns a rule off"},
           {with(R"("status": 503, "enabled": 1)"), "a.json: /enabled: must be true or false, not a number"},
           {with(R"("reason": "a\nb")"), "a.json: /reason: holds no line breaks and no control characters"},
           {with(R"("delay": "soon")"),
            "a.json: /delay: \"soon\" is not a delay: write \"200ms\" or \"1.5s\" (units ns us ms s m h), at most "
            "3600s"},
           {with(R"("delay": 200)"), "a.json: /delay: must be text in quotes, not a number"},
           {with(R"("abort": "rest")"),
            "a.json: /abort: \"rest\" is unknown: rst, fin, stall, bad-chunk, wrong-length or goaway; did you mean "
            "rst?"},
           {with(R"("fault": "aws:slowdwon")"),
            "a.json: /fault: unknown AWS error code \"slowdwon\"; did you mean SlowDown?"},
           {with(R"("headers": {"set": {"X": 1}})"),
            "a.json: /headers/set/X: a header's value must be text in quotes, not a number"},
           {with(R"("headers": {"set": {"X": "a\r\nb"}})"),
            "a.json: /headers/set/X: a header's value holds no line breaks and no control characters"},
           {with(R"("headers": {"set": {"a b": "1"}})"),
            "a.json: /headers/set/a b: is not a header name (RFC 9110 section 5.1)"},
           {with(R"("headers": {"remove": "X"})"),
            "a.json: /headers/remove: must be an array of header names, not text"},
           {with(R"("headers": {"remove": [1]})"), "a.json: /headers/remove/0: must be a header name, not a number"},
           {with(R"("headers": {"delete": []})"), "a.json: /headers/delete: unknown key"},
           {with(R"("respond": {"body": "a", "body_base64": "YQ=="})"),
            "a.json: /respond: \"body\" and \"body_base64\" are two ways to say one thing: give one of them"},
           {with(R"("respond": {"body_base64": "?"})"),
            "a.json: /respond/body_base64: is not base64 (RFC 4648 section 4, padded)"},
           {with(R"("respond": {"status": 304, "body": "a"})"),
            "a.json: /respond: a response with status 304 has no body"},
           {R"({"match": "", "status": 503})", "a.json: a rule needs a \"name\""},
           {R"({"name": "a b", "match": "", "status": 503})",
            "a.json: /name: a name is 1 to 64 letters, digits and . _ - : / @ +"},
           {R"({"name": "r", "status": 503})", "a.json: a rule needs a \"match\"; \"\" matches everything"},
           {"[" + with(R"("status": 503)") + ", " + with(R"("status": 500)") + "]",
            "a.json: /1/name: \"r\" is the name of /0 already"},
           {"[1]", "a.json: /0: must be an object, not a number"},
       })
    EXPECT_EQ(error_of(row.json), row.error);
}

TEST(RuleReader, RefusesWhatCouldNeverAct) {
  EXPECT_EQ(error_of(R"({"name": "r", "match": ""})"),
            "a.json: a rule needs an action, such as status, respond, fault, abort or delay");
  EXPECT_EQ(error_of(R"({"name": "r", "match": "http.response.code == 503", "request_headers": {"set": {"X": "1"}}})"),
            "a.json: /match: http.response.code is known only with the response: too late for \"request_headers\", "
            "which go with the request");
  EXPECT_EQ(error_of(R"({"name": "r", "match": "http.time > 1s", "status": 503})"),
            "a.json: /match: http.time is known only when the exchange is over: too late for any rule");
}

TEST(RuleReader, RefusesActionsThatContradictEachOther) {
  for (const char* members :
       {R"("respond": {}, "fault": "aws:slowdown")", R"("respond": {}, "abort": "rst")",
        R"("abort": "rst", "fault": "aws:slowdown")", R"("respond": {}, "status": 503)",
        R"("abort": "rst", "reason": "x")", R"("respond": {}, "headers": {"set": {"X": "1"}})",
        R"("abort": "rst", "headers": {"set": {"X": "1"}})", R"("respond": {}, "request_headers": {"set": {"X": "1"}})",
        R"("status": 503, "request_headers": {"set": {"X": "1"}})"})
    EXPECT_NE(error_of(with(members)), "(none)") << members;
  EXPECT_EQ(error_of(with(R"("fault": "aws:slowdown", "headers": {"set": {"Retry-After": "1"}}, "delay": "1s")")),
            "(none)");
}

TEST(RuleReader, RefusesEditsThatBreakFramingOrTheSignature) {
  for (const char* name : {"Content-Length", "transfer-encoding", "Connection", "Trailer", "Upgrade"}) {
    std::string edit = R"({"set": {")" + std::string(name) + R"(": "1"}})";
    std::string remove = R"({"remove": [")" + std::string(name) + R"("]})";
    for (const std::string& members :
         {"\"headers\": " + edit, "\"request_headers\": " + edit, "\"headers\": " + remove})
      EXPECT_NE(error_of(with(members)).find("a rule may not change this header"), std::string::npos) << members;
  }
  for (const char* name : {"Host", "Authorization", "X-Amz-Date", "x-amz-content-sha256", "x-amz-security-token"}) {
    EXPECT_NE(error_of(with(R"("request_headers": {"add": {")" + std::string(name) + R"(": "1"}})")).find("refuse"),
              std::string::npos)
        << name;
    EXPECT_EQ(error_of(with(R"("headers": {"add": {")" + std::string(name) + R"(": "1"}})")), "(none)") << name;
  }
  EXPECT_EQ(error_of(with(R"("request_headers": {"set": {"Host": "b"}})")),
            "a.json: /request_headers/set/Host: a rule may not change this header: SigV4 signs it, so that the service "
            "would refuse the request; \"upstream\" with \"rewrite_host\" changes it");
  EXPECT_NE(error_of(with(R"("respond": {"headers": {"Content-Length": "1"}})")), "(none)");
}

TEST(RuleReader, ShowsAnExpressionsErrorWithItsCaret) {
  std::string error = error_of(R"({"name": "r", "match": "http.hots == \"a\"", "status": 503})");
  EXPECT_TRUE(error.starts_with("a.json: /match: line 1, column 1: ")) << error;
  EXPECT_NE(error.find("http.host"), std::string::npos) << error;
  EXPECT_NE(error.find("\n  ^"), std::string::npos) << error;
}

TEST(RuleReader, HoldsItsLimits) {
  std::string body(kMostBodyBytes, 'x');
  EXPECT_EQ(error_of(with(R"("respond": {"body": ")" + body + "\"}")), "(none)");
  EXPECT_EQ(error_of(with(R"("respond": {"body": ")" + body + "x\"}")),
            "a.json: /respond/body: 1048577 bytes; a rule's body has at most 1 MiB");
  EXPECT_EQ(read_rules(std::string(kMostRuleFileBytes + 1, ' '), "a.json").error().kind, ErrorKind::Limit);
  std::string many = "[0";
  for (size_t i = 0; i < kMostRules; ++i) many += ",0";
  EXPECT_EQ(error_of(many + "]"), "a.json: 10001 rules; at most 10000 are taken");
}

TEST(Duration, NeedsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("200ms"), 200 * kMillisecond_ns);
  EXPECT_EQ(parse_duration("1.5s"), 1'500 * kMillisecond_ns);
  EXPECT_EQ(parse_duration("1ns"), 1);
  EXPECT_EQ(parse_duration("2m"), 120 * kSecond_ns);
  EXPECT_EQ(parse_duration("0s"), 0);
  for (const char* bad : {"", "5", "ms", "-1s", "1 s", "1s ", "1e3s", "nans", "inf s", "1d", "99999999999h", "0x1s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

}  // namespace
}  // namespace waylay::rules
