// Every action as the reader reads it, and what a plan has of it.
#include "rules/actions.h"

#include "body/edit.h"
#include "rules/rule_book.h"
#include "unit/rules/support.h"

namespace waylay::rules {
namespace {

using match::Moment;

std::string error_of(std::string_view members, std::string_view match = "") {
  Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(rule_json(members, match), "a");
  return rules ? "(none)" : rules.error().message;
}

std::shared_ptr<Rule> rule_with(std::string_view members, std::string_view match = "") {
  Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(rule_json(members, match), "a");
  if (rules) return rules->front();
  ADD_FAILURE() << rules.error().message;
  return nullptr;
}

Plan plan_of(std::string_view members, Moment moment, const Exchange& exchange = Exchange()) {
  return rule_set(rule_json(members)).plan(exchange.subject, moment, exchange.call, exchange.request, kNow);
}

http::Head signed_request(std::string_view signed_headers, std::string_view digest = "") {
  http::Head head = http::Head::request("PUT", "/bucket/key");
  head.add("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, SignedHeaders=" +
                                std::string(signed_headers) + ", Signature=00");
  if (!digest.empty()) head.add("x-amz-content-sha256", digest);
  return head;
}

TEST(Actions, SayWhenTheyAct) {
  struct Row {
    std::string_view members, match;
    Moment moment;
  };
  for (const Row& row : {
           Row{R"("delay": "1s")", "", Moment::Request},
           {R"("delay": "1s", "at": "response")", "", Moment::Response},
           {R"("delay": "1s")", "http.response.code == 503", Moment::Response},
           {R"("fault": "aws:throttle", "at": "response")", "", Moment::Response},
           {R"("throttle": {"down": "1KiB"})", "", Moment::Request},
           {R"("keep_messages": true)", "", Moment::Request},
           {R"("keep_messages": "1MiB")", "http.response.code == 101", Moment::Response},
           {R"("body": "x")", "", Moment::Response},
           {R"("body": "{{response.body.text}}!")", "", Moment::ResponseBody},
           {R"("request_body": "x")", "", Moment::Request},
           {R"("respond": {"body": "{{body.json[\"$.id\"]}}"})", "", Moment::RequestBody},
           {R"("respond": {})", "body.text contains \\\"x\\\"", Moment::RequestBody},
           {R"("status": 503)", "response.body.text contains \\\"x\\\"", Moment::ResponseBody},
           {R"("abort": "rst")", "", Moment::Request},
           {R"("abort": {"how": "rst", "after_bytes": 0})", "", Moment::Response},
           {R"("abort": "bad-chunk")", "", Moment::Response},
           {R"("abort": "goaway")", "", Moment::Response},
           {R"("handler": {"url": "http://127.0.0.1:9000"})", "", Moment::Request},
           {R"("handler": {"url": "unix:/run/h.sock", "phase": "response"})", "", Moment::Response},
           {R"("rate_limit": {"rate": "1/s"})", "", Moment::Request},
           {R"("upstream": {"port": 8443})", "", Moment::Hello},
           {R"("upstream": {"port": 8443})", "http.host == \\\"a\\\"", Moment::Request},
           {R"("upstream": {"host": "10.0.0.5", "rewrite_host": true})", "", Moment::Request},
           {R"("block": true)", "tls.sni == \\\"a\\\"", Moment::Hello},
           {R"("block": true)", "http.request.method == \\\"PUT\\\"", Moment::Request},
           {R"("block": true, "attempts": 1)", "", Moment::Request},
           {R"("passthrough": true)", "", Moment::Hello},
           {R"("tls": "expired")", "", Moment::Hello},
       })
    if (std::shared_ptr<Rule> rule = rule_with(row.members, row.match))
      EXPECT_EQ(match::to_string(rule->acts_at()), match::to_string(row.moment)) << row.members << " " << row.match;
}

TEST(Actions, DelaysAreDrawnFromTheRulesSeed) {
  auto delays = [](std::string_view delay) {
    RuleSet rules = rule_set(rule_json(R"("seed": 7, "delay": )" + std::string(delay)));
    Exchange exchange;
    std::vector<int64_t> drawn;
    for (int i = 0; i < 2000; ++i) drawn.push_back(exchange.at_request(rules).delay_ns);
    return drawn;
  };
  for (std::string_view shape :
       {R"({"uniform": ["10ms", "50ms"]})", R"({"normal": {"mean": "80ms", "deviation": "20ms"}})",
        R"({"lognormal": {"median": "80ms", "sigma": 0.5}})"})
    EXPECT_EQ(delays(shape), delays(shape)) << shape;

  std::vector<int64_t> uniform = delays(R"({"uniform": ["10ms", "50ms"]})");
  EXPECT_GE(*std::ranges::min_element(uniform), 10 * kMillisecond_ns);
  EXPECT_LE(*std::ranges::max_element(uniform), 50 * kMillisecond_ns);
  auto middle = [](std::vector<int64_t> values) {
    std::ranges::sort(values);
    return static_cast<double>(values[values.size() / 2]) / kMillisecond_ns;
  };
  EXPECT_NEAR(middle(uniform), 30, 2);
  EXPECT_NEAR(middle(delays(R"({"normal": {"mean": "80ms", "deviation": "20ms"}})")), 80, 3);
  EXPECT_NEAR(middle(delays(R"({"lognormal": {"median": "80ms", "sigma": 0.5}})")), 80, 5);
}

TEST(Actions, ADelayThatIsDrawnKeepsWithinItsLimits) {
  Random random(1);
  Delay wild{.shape = Delay::Shape::Lognormal, .first_ns = kMostDelay_ns, .sigma = 4};
  Delay below{.shape = Delay::Shape::Normal, .first_ns = 1, .second_ns = kSecond_ns};
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(wild.draw(random), kMostDelay_ns);
    EXPECT_GE(below.draw(random), 0);
  }
}

TEST(Actions, TheSameUseDrawsTheSameChunkDelays) {
  auto delays = [] {
    Plan plan = plan_of(R"("seed": 3, "chunk_delay": {"uniform": ["1ms", "9ms"]})", Moment::Request);
    std::vector<int64_t> drawn;
    for (int i = 0; i < 20; ++i) drawn.push_back(plan.pace.next_chunk_delay_ns());
    return drawn;
  };
  EXPECT_EQ(delays(), delays());
  EXPECT_NE(delays()[0], delays()[1]);
}

TEST(Actions, TheSlowestThrottleHoldsAndChunkDelaysAddUp) {
  RuleSet rules = rule_set(R"([{"name": "a", "match": "", "throttle": {"up": "10KiB", "down": "2KB"}},
                              {"name": "b", "match": "", "throttle": {"down": "1KiB"}, "chunk_delay": "1ms"},
                              {"name": "c", "match": "", "chunk_delay": "2ms"}])");
  Plan plan = Exchange().at_request(rules);
  EXPECT_EQ(plan.pace.up, 10'240u);
  EXPECT_EQ(plan.pace.down, 1024u);
  EXPECT_EQ(plan.pace.next_chunk_delay_ns(), 3 * kMillisecond_ns);
}

TEST(Actions, AbortsSayHowAndWhere) {
  EXPECT_EQ(plan_of(R"("abort": "fin")", Moment::Request).abort->how, Abort::How::Close);
  Plan plan = plan_of(R"("abort": {"how": "stall", "after_bytes": 100, "for": "30s"})", Moment::Response);
  ASSERT_TRUE(plan.abort);
  EXPECT_EQ(plan.abort->how, Abort::How::Stall);
  EXPECT_EQ(plan.abort->after_bytes, 100u);
  EXPECT_EQ(plan.abort->for_ns, 30 * kSecond_ns);
  EXPECT_EQ(plan.applied.front().what, "abort stall after 100 bytes");
  EXPECT_EQ(error_of(R"("abort": {"how": "rst", "for": "1s"})"), "a: /abort/for: goes with \"stall\"");
  EXPECT_EQ(error_of(R"("abort": {"how": "goaway", "after_bytes": 1})"),
            "a: /abort/after_bytes: \"goaway\" comes behind a whole response");
  EXPECT_EQ(error_of(R"("abort": {"after_bytes": 1})"), "a: /abort: needs \"how\"");
}

TEST(Actions, AnAbortWithinTheResponseKeepsWhatRulesWantOfIt) {
  RuleSet rules = rule_set(R"([{"name": "a", "match": "", "headers": {"set": {"X": "1"}}},
                              {"name": "b", "match": "", "abort": {"how": "rst", "after_bytes": 5}}])");
  EXPECT_FALSE(Exchange().at_response(rules).response_headers.empty());
  RuleSet before = rule_set(R"([{"name": "a", "match": "", "headers": {"set": {"X": "1"}}},
                               {"name": "b", "match": "", "abort": "rst", "at": "response"}])");
  EXPECT_TRUE(Exchange().at_response(before).response_headers.empty());
}

TEST(Actions, TemplatesTakeTheExchangesValues) {
  Exchange exchange;
  exchange.subject.with(match::Field::HttpRequestUriPath, "/a \"b\"&<c>").with(match::Field::ProcPid, 7);
  Plan plan = plan_of(
      R"("respond": {"headers": {"X-Path": "{{http.request.uri.path}}"},
         "body": "{{http.request.uri.path | json}} {{ http.request.uri.path|xml }} {{http.request.uri.path | url}} {{proc.pid}} {{http.cookie}}{{\"{{\"}}"})",
      Moment::Request, exchange);
  ASSERT_TRUE(plan.respond);
  EXPECT_EQ(plan.respond->fields, (Fields{{"X-Path", "/a \"b\"&<c>"}}));
  EXPECT_EQ(plan.respond->body, R"(/a \"b\"&<c> /a &quot;b&quot;&amp;&lt;c&gt; %2Fa%20%22b%22%26%3Cc%3E 7 {{)");
}

TEST(Actions, WhatNoHeaderCanHoldIsABlankThere) {
  Exchange exchange;
  exchange.subject.with(match::Field::HttpUserAgent, "a\r\nSet-Cookie: b");
  Plan plan = plan_of(R"("headers": {"set": {"X": "{{http.user_agent}}"}})", Moment::Response, exchange);
  EXPECT_EQ(plan.response_headers.set, (Fields{{"X", "a  Set-Cookie: b"}}));
}

TEST(Actions, TemplatesAreCheckedWhenTheRuleIsLoaded) {
  EXPECT_NE(error_of(R"("respond": {"body": "{{http.hots}}"})").find("did you mean http.host?"), std::string::npos)
      << error_of(R"("respond": {"body": "{{http.hots}}"})");
  EXPECT_EQ(error_of(R"("respond": {"body": "{{http.response.code}}"})"),
            "a: {{http.response.code}} is not known yet when this rule acts, which is at the request; \"at\": "
            "\"response\" makes it act later");
  EXPECT_EQ(error_of(R"("headers": {"set": {"X": "{{http.time}}"}})"),
            "a: {{http.time}} is not known yet when this rule acts, which is at the response");
  EXPECT_NE(error_of(R"("respond": {"body": "{{http.host"})").find("has no \"}}\" behind it"), std::string::npos);
  EXPECT_NE(error_of(R"("respond": {"body": "{{http.host == \"a\"}}"})").find("is not a field"), std::string::npos);
  EXPECT_NE(error_of(R"("respond": {"body": "{{http.host | jsn}}"})").find("did you mean json?"), std::string::npos);
  EXPECT_EQ(error_of(R"("respond": {"body": "{{http.response.code}}"}, "at": "response")"), "(none)");
}

TEST(Actions, BodiesAreReplaced) {
  Plan plan = plan_of(R"("body": [{"replace": "one"}, "two"])", Moment::Response);
  ASSERT_EQ(plan.response_body.size(), 2u);
  EXPECT_EQ(plan.response_body[1].replacement, "two");
  EXPECT_EQ(plan.applied[plan.response_body[0].applied].rule, "r");
  EXPECT_TRUE(plan.applied[0].injected);
}

TEST(Actions, BodiesAreEdited) {
  Plan plan = plan_of(R"("body": [{"regex": "a", "with": "b"}, {"merge_patch": {"a": 1}}])", Moment::Response);
  ASSERT_EQ(plan.response_body.size(), 2u);
  EXPECT_EQ(plan.response_body[0].edit->apply(body::Content("cat")).value(), "cbt");
  EXPECT_EQ(plan.response_body[1].edit->what(), "merge_patch");
  EXPECT_EQ(plan.response_body[1].replacement, std::nullopt);
}

TEST(Actions, PartsThatASignatureCoversAreLeftOutAndThatIsSaid) {
  Exchange exchange;
  exchange.request = signed_request("content-type;host", "UNSIGNED-PAYLOAD");
  constexpr std::string_view kEdits =
      R"("request_headers": {"set": {"Content-Type": "a/b", "X-Debug": "1"}, "add": {"X-Amz-Meta-A": "1"}},
         "request_body": "x")";
  Plan plan = plan_of(kEdits, Moment::Request, exchange);
  EXPECT_EQ(plan.request_headers.set, (Fields{{"X-Debug", "1"}}));
  EXPECT_TRUE(plan.request_headers.add.empty());
  EXPECT_EQ(plan.request_body.size(), 1u);
  EXPECT_EQ(plan.applied.front().what,
            "request headers, request body; not applied, since the request's signature covers it: Content-Type; not "
            "applied, since the request's signature covers it: X-Amz-Meta-A");

  exchange.request = signed_request("host", "0123");
  EXPECT_TRUE(plan_of(kEdits, Moment::Request, exchange).request_body.empty());
  Plan broken = plan_of(R"("break_signature": true, )" + std::string(kEdits), Moment::Request, exchange);
  EXPECT_EQ(broken.request_body.size(), 1u);
  EXPECT_EQ(broken.request_headers.add.size(), 1u);
  EXPECT_EQ(plan_of(kEdits, Moment::Request).request_body.size(), 1u);  // not signed
}

TEST(Actions, APresignedUrlSignsItsHostButNotItsBody) {
  Exchange exchange;
  exchange.request = http::Head::request("PUT", "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host%3Bx-a");
  Plan plan = plan_of(R"("request_headers": {"set": {"X-A": "1", "X-B": "2"}}, "request_body": "x")", Moment::Request,
                      exchange);
  EXPECT_EQ(plan.request_headers.set, (Fields{{"X-B", "2"}}));
  EXPECT_EQ(plan.request_body.size(), 1u);
}

TEST(Actions, WithBreakSignatureTheSignaturesOwnHeadersMayBeEdited) {
  EXPECT_NE(error_of(R"("request_headers": {"set": {"X-Amz-Date": "1"}})").find("\"break_signature\": true allows it"),
            std::string::npos);
  EXPECT_EQ(error_of(R"("break_signature": true, "request_headers": {"set": {"X-Amz-Date": "1"}})"), "(none)");
  EXPECT_NE(error_of(R"("break_signature": true, "request_headers": {"set": {"Host": "1"}})"), "(none)");
}

TEST(Actions, ARedirectKeepsWhatItDoesNotName) {
  Address original = Address::parse("192.0.2.1:443").value();
  auto redirect = [](std::string_view upstream) {
    return *plan_of(R"("delay": "1s", "upstream": )" + std::string(upstream), Moment::Request).upstream;
  };
  EXPECT_EQ(redirect(R"({"host": "10.0.0.5", "port": 8443})").to(original).to_string(), "10.0.0.5:8443");
  EXPECT_EQ(redirect(R"({"host": "10.0.0.5"})").to(original).to_string(), "10.0.0.5:443");
  EXPECT_EQ(redirect(R"({"port": 8443})").to(original).to_string(), "192.0.2.1:8443");
  Redirect named = redirect(R"({"host": "mock", "address": "::1", "rewrite_sni": true})");
  EXPECT_EQ(named.to(original).to_string(), "[::1]:443");
  EXPECT_TRUE(named.rewrite_sni);
  EXPECT_NE(error_of(R"("upstream": {"host": "mock"})").find("give its \"address\" too"), std::string::npos);
  EXPECT_NE(error_of(R"("upstream": {"host": "a b"})").find("neither a host name nor an IP address"),
            std::string::npos);
  EXPECT_EQ(error_of(R"("upstream": {}))").find("(none)"), std::string::npos);
  EXPECT_EQ(error_of(R"("upstream": {"port": 1, "rewrite_sni": true})"),
            "a: /upstream: \"rewrite_host\" and \"rewrite_sni\" write the \"host\", which is missing");
}

TEST(Actions, ARewrittenHostIsNotSentWithASignatureThatCoversIt) {
  Exchange exchange;
  exchange.request = signed_request("host");
  Plan plan = plan_of(R"("upstream": {"host": "10.0.0.5", "rewrite_host": true})", Moment::Request, exchange);
  ASSERT_TRUE(plan.upstream);
  EXPECT_FALSE(plan.upstream->rewrite_host);
  EXPECT_NE(plan.applied[0].what.find("not applied"), std::string::npos);
}

TEST(Actions, OfConnectionsArePlannedWhenTheyBegin) {
  RuleSet rules = rule_set(R"([
      {"name": "redirect", "match": "tls.sni == \"a\"", "upstream": {"port": 8443}},
      {"name": "fault", "match": "tls.sni == \"a\"", "tls": {"certificate": "expired", "delay": "2s"}},
      {"name": "alert", "match": "tls.sni == \"b\"", "tls": {"alert": "handshake_failure"}},
      {"name": "pass", "match": "tls.sni == \"c\"", "passthrough": true},
      {"name": "block", "match": "tls.sni == \"d\"", "block": "rst"},
      {"name": "late", "match": "", "upstream": {"port": 1}}])");
  auto plan = [&rules](std::string_view name) {
    match::FakeSubject subject;
    subject.with(match::Field::TlsServerName, std::string(name));
    return rules.plan_connection(subject, kNow);
  };
  EXPECT_EQ(plan("a").upstream->port, 1);
  EXPECT_EQ(plan("a").tls.certificate, TlsFault::Certificate::Expired);
  EXPECT_EQ(plan("a").tls.delay_ns, 2 * kSecond_ns);
  EXPECT_EQ(plan("a").applied.size(), 3u);
  EXPECT_EQ(plan("b").tls.alert, 40);
  EXPECT_TRUE(plan("c").passthrough);
  EXPECT_EQ(plan("c").applied.back().rule, "pass");  // those behind it are not asked
  EXPECT_EQ(plan("d").block, Block::Reset);
  EXPECT_EQ(plan("e").applied.size(), 1u);
  EXPECT_TRUE(Exchange().at_request(rules).empty());
}

TEST(Actions, OfConnectionsNeedAMatchThatIsKnownThen) {
  EXPECT_EQ(
      error_of(R"("passthrough": true)", "http.host == \\\"a\\\""),
      "a: /match: http.host is not known when the connection begins: \"passthrough\" is decided by fields that are "
      "known with the ClientHello, such as tls.sni");
  EXPECT_NE(error_of(R"("tls": "expired", "status": 503)").find("make two rules of it"), std::string::npos);
  EXPECT_NE(error_of(R"("passthrough": true, "tls": "expired")").find("make two rules of it"), std::string::npos);
  EXPECT_NE(error_of(R"("tls": "expired", "attempts": 1)").find("limits of exchanges"), std::string::npos);
  EXPECT_NE(error_of(R"("tls": "expird")").find("did you mean expired?"), std::string::npos);
  EXPECT_NE(error_of(R"("tls": {"alert": "close_notify"})").find("is not a fatal TLS alert"), std::string::npos);
  EXPECT_NE(error_of(R"("tls": {"alert": "access_denied", "certificate": "expired"})").find("give one of them"),
            std::string::npos);
  EXPECT_NE(error_of(R"("passthrough": false)"), "(none)");
  EXPECT_NE(error_of(R"("block": false)"), "(none)");
}

TEST(Actions, ABlockedRequestIsRefusedOrReset) {
  Exchange exchange;
  auto block = [&](std::string_view how) {
    RuleSet rules = rule_set(rule_json("\"block\": " + std::string(how), "http.request.method == \\\"GET\\\""));
    return exchange.at_request(rules);
  };
  EXPECT_EQ(block("true").respond->status, 403);
  EXPECT_EQ(block("\"rst\"").abort->how, Abort::How::Reset);
}

TEST(Actions, AHandlerIsReadWhole) {
  std::shared_ptr<Rule> rule = rule_with(
      R"("handler": {"url": "http://localhost:9000/x", "phase": "response", "timeout": "2s", "concurrency": 3,
                     "fail": "open", "breaker": {"failures": 2, "pause": "10s"}})");
  ASSERT_TRUE(rule);
  const Handler& handler = *rule->actions().handler;
  EXPECT_EQ(handler.address->to_string(), "127.0.0.1:9000");
  EXPECT_EQ(handler.host, "localhost:9000");
  EXPECT_EQ(handler.path, "/x");
  EXPECT_EQ(handler.phase, Handler::Phase::Response);
  EXPECT_EQ(handler.timeout_ns, 2 * kSecond_ns);
  EXPECT_EQ(handler.concurrency, 3u);
  EXPECT_TRUE(handler.fail_open);
  EXPECT_EQ(handler.breaker_failures, 2u);
  EXPECT_EQ(handler.breaker_pause_ns, 10 * kSecond_ns);

  rule = rule_with(R"("handler": {"url": "unix:/run/handler.sock"})");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->actions().handler->socket_path, "/run/handler.sock");
  EXPECT_EQ(rule->actions().handler->path, "/2015-03-31/functions/function/invocations");
  EXPECT_FALSE(rule->actions().handler->fail_open);

  for (std::string_view url : {"https://a", "http://example.com:80/", "unix:relative", "http://127.0.0.1:x/"})
    EXPECT_NE(error_of(R"("handler": {"url": ")" + std::string(url) + "\"}"), "(none)") << url;
  EXPECT_NE(error_of(R"("handler": {})"), "(none)");
  EXPECT_NE(error_of(R"("handler": {"url": "unix:/a", "fail": "maybe"})"), "(none)");
  EXPECT_NE(error_of(R"("handler": {"url": "unix:/a", "concurrency": 0})"), "(none)");
}

TEST(Actions, WhatAnswersStandsAlone) {
  for (const char* members : {R"("respond": {}, "handler": {"url": "unix:/a"})", R"("block": true, "abort": "rst")",
                              R"("respond": {}, "body": "x")", R"("handler": {"url": "unix:/a"}, "status": 503)",
                              R"("respond": {}, "request_body": "x")", R"("respond": {}, "upstream": {"port": 1})",
                              R"("request_body": "x", "status": 503)", R"("request_body": "x", "at": "response")",
                              R"("status": 503, "at": "request")", R"("rate_limit": {"rate": "1/s"}, "status": 503)"})
    EXPECT_NE(error_of(members), "(none)") << members;
  EXPECT_EQ(error_of(R"("abort": {"how": "fin", "after_bytes": 1}, "status": 503, "headers": {"set": {"X": "1"}})"),
            "(none)");
}

TEST(Actions, NoFileIsReadForWhoeverSendsARule) {
  EXPECT_NE(error_of(R"("respond": {"file": "/etc/passwd"})").find("the daemon reads no files"), std::string::npos);
}

}  // namespace
}  // namespace waylay::rules
