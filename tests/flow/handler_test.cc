// Handlers in an exchange: what they are told, and what comes of each of their answers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "flow/support_playbook.h"

namespace waylay::flow {
namespace {

using Json = nlohmann::json;

Playbook::Setup with_handler(const std::string& more = "") {
  Playbook::Setup setup;
  setup.rules = R"([{"name": "hook", "match": "", "handler": {"url": "http://127.0.0.1:9000")" + more + "}}]";
  return setup;
}

rules::Response teapot() {
  rules::Response response;
  response.status = 418;
  response.reason = "I'm a teapot";
  response.fields = {{"X-From", "handler"}};
  response.body = "tea";
  return response;
}

std::unexpected<Error> broken() {
  return fail(Error::local(ErrorKind::Unavailable, "the handler is away"));
}

constexpr std::string_view kPost = "POST /a?b=c HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 4\r\n\r\nbody";

TEST(Handlers, AnswerInTheOriginsPlace) {
  Playbook play(with_handler());
  play.client_says(kPost);
  ASSERT_EQ(play.handler_calls().size(), 1u) << play.transcript();
  Json event = Json::parse(play.handler_calls()[0].event);
  EXPECT_EQ(event["httpMethod"], "POST");
  EXPECT_EQ(event["path"], "/a");
  EXPECT_EQ(event["body"], "body");
  EXPECT_EQ(event["requestContext"]["container"]["name"], "job");
  EXPECT_EQ(event["requestContext"]["process"]["pid"], 4711);
  EXPECT_EQ(play.client_got(), "");
  play.handler_answers(hook::Answer(teapot()));
  EXPECT_EQ(play.client_got(), "HTTP/1.1 418 I'm a teapot\r\nX-From: handler\r\nContent-Length: 3\r\n\r\ntea");
  EXPECT_EQ(play.origin_got(), "");
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->applied.at(0).rule, "hook");
}

TEST(Handlers, LetThroughWhatTheyAnswerWithNull) {
  Playbook play(with_handler());
  play.client_says(kPost);
  play.handler_answers(hook::Answer());
  EXPECT_EQ(play.origin_got(), kPost);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

TEST(Handlers, ThatFailAreA502) {
  Playbook play(with_handler());
  play.client_says(kPost);
  play.handler_answers(broken());
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << play.transcript();
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\nthe handler is away\n"));
  EXPECT_EQ(play.origin_got(), "");
}

TEST(Handlers, ThatFailOpenAreAsIfTheyWereNotThere) {
  Playbook play(with_handler(R"(, "fail": "open")"));
  play.client_says(kPost);
  play.handler_answers(broken());
  EXPECT_EQ(play.origin_got(), kPost);
  play.origin_says("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(play.client_got(), "HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->notes, std::vector<std::string>{"the handler is away"});
}

TEST(Handlers, OfTheResponsePhaseAreToldBothMessagesAndReplaceTheResponse) {
  Playbook play(with_handler(R"(, "phase": "response")"));
  play.client_says(kPost);
  EXPECT_EQ(play.origin_got(), kPost);
  EXPECT_TRUE(play.handler_calls().empty());
  play.origin_says("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nplain");
  ASSERT_EQ(play.handler_calls().size(), 1u) << play.transcript();
  Json event = Json::parse(play.handler_calls()[0].event);
  EXPECT_EQ(event["body"], "body");
  EXPECT_EQ(event["response"]["statusCode"], 200);
  EXPECT_EQ(event["response"]["body"], "plain");
  EXPECT_EQ(event["response"]["headers"]["X-A"], "1");
  EXPECT_EQ(play.client_got(), "");
  play.handler_answers(hook::Answer(teapot()));
  EXPECT_EQ(play.take_client_got(), "HTTP/1.1 418 I'm a teapot\r\nX-From: handler\r\nContent-Length: 3\r\n\r\ntea");
  play.client_says("GET /next HTTP/1.1\r\nHost: origin.test\r\n\r\n");  // the connection goes on
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  play.handler_answers(hook::Answer());
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

TEST(Handlers, AreNotWaitedForWhenTheClientIsGone) {
  Playbook play(with_handler());
  play.client_says(kPost);
  play.client_resets();
  EXPECT_TRUE(play.client_saw("CancelHandler")) << play.transcript();
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::ClientGone);
}

TEST(Handlers, AreSparedAfterFailuresInARow) {
  Playbook play(with_handler(R"(, "breaker": {"failures": 1, "pause": "10s"})"));
  play.client_says(kPost);
  play.handler_answers(broken());
  play.client_says(kPost);
  EXPECT_EQ(play.handler_calls().size(), 1u);
  EXPECT_NE(play.take_client_got().find("spared for a while"), std::string::npos);
  play.wait(10'000);
  play.client_says(kPost);
  ASSERT_EQ(play.handler_calls().size(), 2u);
  play.handler_answers(hook::Answer(teapot()));
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 418"));
}

}  // namespace
}  // namespace waylay::flow
