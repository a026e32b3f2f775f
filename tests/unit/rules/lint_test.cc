#include "rules/lint.h"

#include "rules/json_reader.h"
#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

Result<std::vector<Warning>> lint_text(std::string_view json, std::string_view origin) {
  return lint(std::array{Document{json, origin}});
}

std::vector<std::string> kinds(const std::string& rules) {
  Result<std::vector<Warning>> warnings = lint_text(rules, "a.json");
  if (!warnings) return {warnings.error().message};
  std::vector<std::string> kinds;
  for (const Warning& warning : *warnings) kinds.push_back(warning.rule + ": " + std::string(warning.kind));
  return kinds;
}

// One rule with these members.
std::vector<std::string> of(std::string_view members) {
  return kinds(R"({"name": "r", "match": "", )" + std::string(members) + "}");
}

using Kinds = std::vector<std::string>;

TEST(Lint, IsSilentOnWhatDoesAsItSeems) {
  for (const char* members :
       {R"("fault": "aws:throttle")", R"("respond": {"status": 200, "body": "{}"})", R"("delay": "1s")",
        R"("status": 201)", R"("respond": {"status": 404, "body": "no"})", R"("abort": "rst")",
        R"("status": 429, "enabled": false)", R"("headers": {"remove": ["Retry-After"]})"})
    EXPECT_EQ(of(members), Kinds{}) << members;
}

TEST(Lint, ABare429IsNotRetriedByBotocoresNewerModes) {
  EXPECT_EQ(of(R"("status": 429)"), Kinds{"r: bare-429"});
  EXPECT_EQ(of(R"("respond": {"status": 429, "body": "slow down"})"), Kinds{"r: bare-429"});
  for (const char* code : {"SlowDown", "ThrottlingException", "RequestThrottledException"})
    EXPECT_EQ(of(R"("respond": {"status": 429, "body": "<Error><Code>)" + std::string(code) + R"(</Code></Error>"})"),
              Kinds{})
        << code;
}

TEST(Lint, AnErrorsStatusWithTheOriginalBodyHasNoCode) {
  EXPECT_EQ(of(R"("status": 503)"), Kinds{"r: empty-error-code"});
  EXPECT_EQ(of(R"("status": 399)"), Kinds{"r: redirect-without-location"});
}

TEST(Lint, RetryAfterIsIgnoredByBotocore) {
  EXPECT_EQ(of(R"("headers": {"set": {"retry-after": "1"}})"), Kinds{"r: retry-after-ignored"});
  EXPECT_EQ(of(R"("fault": "aws:throttle", "headers": {"add": {"Retry-After": "1"}})"),
            Kinds{"r: retry-after-ignored"});
  EXPECT_EQ(of(R"("respond": {"status": 503, "headers": {"Retry-After": "1"}})"), Kinds{"r: retry-after-ignored"});
}

// The rule's match and what it does.
std::vector<std::string> matching(std::string_view match, std::string_view members) {
  std::string escaped;
  for (char c : match) escaped += c == '"' ? "\\\"" : std::string(1, c);
  return kinds(R"({"name": "r", "match": ")" + escaped + R"(", )" + std::string(members) + "}");
}

TEST(Lint, SomeBodiesAreNotEdited) {
  const char* edit = R"("body": {"regex": "a", "with": "b"})";
  EXPECT_EQ(of(edit), Kinds{});
  EXPECT_EQ(matching("http.response.code == 206", edit), Kinds{"r: edit-of-part"});
  EXPECT_EQ(matching("http.response.code in {200, 206}", edit), Kinds{});
  EXPECT_EQ(matching("http.request.method == \"HEAD\"", edit), Kinds{"r: edit-of-head"});
  EXPECT_EQ(matching("http.response.header[\"Content-Encoding\"] == \"dcb\"", edit), Kinds{"r: unknown-coding"});
  EXPECT_EQ(matching("http.response.header[\"content-encoding\"] in {\"dcb\", \"zstd\"}", edit), Kinds{});
  EXPECT_EQ(matching("http.response.header[\"content-encoding\"] == \"\\\\x00\"", edit), Kinds{});
}

TEST(Lint, BodiesOfStreamsAreNotCollected) {
  const char* header = R"("headers": {"set": {"a": "b"}})";
  EXPECT_EQ(matching("http.response.content_type == \"text/event-stream\"", R"("body": "x")"),
            Kinds{"r: body-of-stream"});
  EXPECT_EQ(matching("http.header[\"accept\"] == \"text/event-stream\"", R"("body": "x")"), Kinds{"r: body-of-stream"})
      << "what is asked for";
  EXPECT_EQ(matching("http.header[\"accept\"] == \"text/event-stream\"", R"("headers": {"remove": ["x"]})"), Kinds{});
  EXPECT_EQ(matching("http.response.content_type == \"text/event-stream\"",
                     R"("handler": {"url": "unix:/run/h.sock", "phase": "response"})"),
            Kinds{"r: body-of-stream"});
  EXPECT_EQ(
      matching("http.content_type == \"application/grpc-web+proto\"", R"("handler": {"url": "unix:/run/h.sock"})"),
      Kinds{"r: body-of-stream"});
  EXPECT_EQ(matching("http.host == \"a\" and http.response.content_type == \"text/event-stream\" and "
                     "response.body.text contains \"a\"",
                     header),
            Kinds{"r: body-of-stream"});
  EXPECT_EQ(matching("http.content_type == \"application/grpc\" and body.text contains \"a\"", header),
            Kinds{"r: body-of-stream"});
  EXPECT_EQ(matching("http.content_type == \"application/grpc\"", header), Kinds{});
}

TEST(Lint, ARedirectNeedsALocation) {
  EXPECT_EQ(of(R"("status": 302)"), Kinds{"r: redirect-without-location"});
  EXPECT_EQ(of(R"("respond": {"status": 307})"), Kinds{"r: redirect-without-location"});
  EXPECT_EQ(of(R"("respond": {"status": 304})"), Kinds{});
  EXPECT_EQ(of(R"("respond": {"status": 302, "headers": {"location": "/"}})"), Kinds{});
  EXPECT_EQ(of(R"("status": 302, "headers": {"set": {"Location": "/"}})"), Kinds{});
}

TEST(Lint, AnErrorIsRetriedByAllOnlyUnderTheUsualStatus) {
  EXPECT_EQ(of(R"("respond": {"status": 400, "body": "<Error><Code>SlowDown</Code></Error>"})"),
            Kinds{"r: slowdown-400"});
  EXPECT_EQ(of(R"("respond": {"status": 503, "body": "<Error><Code>SlowDown</Code></Error>"})"), Kinds{});
  EXPECT_EQ(of(R"("respond": {"status": 509})"), Kinds{"r: status-509"});
}

TEST(Lint, AHeaderAloneDoesNotCodeABody) {
  EXPECT_EQ(of(R"("respond": {"headers": {"Content-Encoding": "gzip"}, "body": "plain"})"),
            Kinds{"r: encoding-without-coding"});
  EXPECT_EQ(of(R"("headers": {"remove": ["Content-Encoding"]})"), Kinds{});
}

Kinds of_match(std::string_view match, std::string_view action = R"("reason": "x")") {
  return kinds(R"({"name": "r", "match": ")" + std::string(match) + R"(", )" + std::string(action) + "}");
}

TEST(Lint, AMatchThatExcludesItselfNeverMatches) {
  EXPECT_EQ(of_match(R"(http.request.method == \"GET\" and http.request.method == \"PUT\")"),
            Kinds{"r: never-matches"});
  EXPECT_EQ(of_match("http.response.code > 599"), Kinds{"r: never-matches"});
  EXPECT_EQ(of_match(R"(http.request.method == \"GET\" or http.request.method == \"PUT\")"), Kinds{});
}

TEST(Lint, AMatchOnBodiesAloneCollectsThemAll) {
  EXPECT_EQ(of_match(R"(body.text contains \"x\")"), Kinds{"r: collects-every-body"});
  EXPECT_EQ(of_match(R"(http.host == \"a\" and body.text contains \"x\")"), Kinds{});
}

TEST(Lint, AFaultThatWaitsForTheResponseComesAfterTheWork) {
  EXPECT_EQ(of_match("http.response.code == 200", R"("fault": "aws:internal")"), Kinds{"r: fault-after-the-work"});
  EXPECT_EQ(of_match("aws.service", R"("fault": "aws:internal")"), Kinds{});
}

TEST(Lint, AFaultEndsBySomething) {
  EXPECT_EQ(of(R"("fault": "aws:internal", "for": "forever")"), Kinds{"r: endless-fault"});
  EXPECT_EQ(of(R"("fault": "aws:internal", "for": "forever", "times": 3)"), Kinds{});
  EXPECT_EQ(of(R"("respond": {}, "for": "forever")"), Kinds{});
}

// The second of two rules, where `earlier` comes before it.
Kinds behind(std::string_view earlier, std::string_view later = R"("match": "http.host == \"a\"", "delay": "1s")") {
  return kinds(R"([{"name": "e", )" + std::string(earlier) + R"(}, {"name": "r", )" + std::string(later) + "}]");
}

TEST(Lint, ARuleBehindOneThatAlwaysAnswersNeverActs) {
  EXPECT_EQ(behind(R"("match": "", "fault": "aws:throttle")"), Kinds{"r: shadowed"});
  EXPECT_EQ(behind(R"("match": " http.host == \"a\" ", "respond": {})"), Kinds{"r: shadowed"});
  EXPECT_EQ(behind(R"("match": "", "abort": "rst")", R"("match": "http.host == \"a\"", "status": 201)"),
            Kinds{"r: shadowed"});
}

TEST(Lint, ARuleBehindOneThatLetsSomePassMayAct) {
  EXPECT_EQ(behind(R"("match": "http.host == \"b\"", "respond": {})"), Kinds{});
  EXPECT_EQ(behind(R"("match": "", "delay": "1s")"), Kinds{});
  EXPECT_EQ(behind(R"("match": "", "respond": {}, "enabled": false)"), Kinds{});
  for (const char* limit :
       {R"("times": 1)", R"("attempts": 1)", R"("every": 2)", R"("probability": 0.5)", R"("per_minute": 1)"})
    EXPECT_EQ(behind(R"("match": "", "respond": {}, )" + std::string(limit)), Kinds{}) << limit;
  // A mock's answer is asked about as an upstream's.
  EXPECT_EQ(behind(R"("match": "", "respond": {})", R"("match": "", "status": 201)"), Kinds{});
}

TEST(Lint, NamesTheFactTheFixAndThePlace) {
  Result<std::vector<Warning>> warnings = lint_text(
      R"([{"name": "a", "match": "", "abort": "rst"}, {"name": "b", "match": "", "delay": "1s"}])", "rules.json");
  ASSERT_TRUE(warnings);
  Json json = Json::parse(to_json(*warnings));
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["kind"], "shadowed");
  EXPECT_EQ(json[0]["rule"], "b");
  EXPECT_EQ(json[0]["origin"], "rules.json");
  EXPECT_EQ(json[0]["fact"], "never acts: rule \"a\" comes before it, has the same match and ends the exchange");
  EXPECT_EQ(json[0]["fix"], "put it before \"a\", or narrow that one's match or limit it");
  EXPECT_EQ(lint_text("[1]", "rules.json").error().message, "rules.json: /0: must be an object, not a number");
}

}  // namespace
}  // namespace waylay::rules
