// What rules do to an exchange on its way: pace, faults, other upstreams, bodies that are collected. Time is the
// story's own.
#include <gtest/gtest.h>

#include "flow/flow.h"
#include "flow/support_playbook.h"

namespace waylay::flow {
namespace {

using Story = Playbook::Setup;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n";
constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string rule(std::string_view actions, std::string_view match = "") {
  std::string text(match);
  for (size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return R"({"name": "r", "match": ")" + text + "\", " + std::string(actions) + "}";
}

std::string response_of(size_t octets) {
  std::string body;
  for (size_t i = 0; i < octets; ++i) body.push_back(static_cast<char>('a' + i % 26));
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(octets) + "\r\n\r\n" + body;
}

size_t body_octets(const std::string& message) {
  size_t head = message.find("\r\n\r\n");
  return head == std::string::npos ? 0 : message.size() - head - 4;
}

class Actions : public testing::TestWithParam<size_t> {
 protected:
  Story story(std::string rules) {
    Story told;
    told.piece = GetParam();
    told.rules = std::move(rules);
    return told;
  }
  static void wait_in_steps(Playbook& play, int milliseconds) {
    for (int i = 0; i < milliseconds; i += 10) play.wait(10);
  }
};
INSTANTIATE_TEST_SUITE_P(Delivered, Actions, testing::Values(0, 1, 7));

// --- Pace ---

TEST_P(Actions, ThrottlesAResponseToItsRateAndLosesNothing) {
  Playbook play(story(rule(R"("throttle": {"down": "1000B"})")));
  play.client_says(kGet);
  std::string response = response_of(3000);
  play.origin_says(response);
  EXPECT_LE(body_octets(play.client_got()), 100u) << "no burst at the beginning";
  wait_in_steps(play, 1000);
  EXPECT_NEAR(static_cast<double>(body_octets(play.client_got())), 1000, 100);
  wait_in_steps(play, 1000);
  EXPECT_NEAR(static_cast<double>(body_octets(play.client_got())), 2000, 100);
  EXPECT_TRUE(play.exchanges().empty());
  wait_in_steps(play, 1200);
  EXPECT_EQ(play.client_got(), response);
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Complete);
  EXPECT_EQ(play.exchanges()[0]->response_body, 3000u);
  EXPECT_TRUE(play.exchanges()[0]->applied.at(0).injected);
}

TEST_P(Actions, ThrottledChunksAreFramedAnewAndKeepTheirTrailers) {
  Playbook play(story(rule(R"("throttle": {"down": "100B"})")));
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\nX-Sum: 1\r\n\r\n");
  wait_in_steps(play, 200);
  EXPECT_EQ(play.client_got(),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n2\r\nef\r\n0\r\nX-Sum: "
            "1\r\n\r\n");
  EXPECT_EQ(play.exchanges().size(), 1u);
}

TEST_P(Actions, ThrottlesARequestToo) {
  Playbook play(story(rule(R"("throttle": {"up": "1000B"})")));
  std::string request = "PUT /a HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x');
  play.client_says(request);
  wait_in_steps(play, 1000);
  EXPECT_NEAR(static_cast<double>(body_octets(play.origin_got())), 1000, 100);
  wait_in_steps(play, 1200);
  EXPECT_EQ(play.origin_got(), request);
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), kHello);
  EXPECT_EQ(play.exchanges().size(), 1u);
}

TEST_P(Actions, HoldsLittleOfAThrottledBody) {
  Playbook play(story(rule(R"("throttle": {"down": "1KiB"})")));
  play.client_says(kGet);
  play.origin_says(response_of(4 * 1024 * 1024));
  EXPECT_FALSE(play.flow().wants_upstream_bytes(1)) << "the upstream feels how slow the way is";
  EXPECT_LT(play.facts().bytes_from_upstream, 200u * 1024);
}

TEST(OneAction, DelaysEachPartOfABody) {
  Story told;
  told.rules = rule(R"("chunk_delay": "100ms")");
  Playbook play(told);
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  play.origin_says("cd");
  EXPECT_EQ(body_octets(play.client_got()), 0u);
  play.wait(100);
  EXPECT_EQ(body_octets(play.client_got()), 2u);
  play.wait(50);
  EXPECT_EQ(body_octets(play.client_got()), 2u);
  play.wait(50);
  EXPECT_EQ(body_octets(play.client_got()), 4u);
  EXPECT_EQ(play.exchanges().size(), 1u);
}

TEST_P(Actions, ShowsATruncationAfterAllThatCameBeforeIt) {
  Playbook play(story(rule(R"("throttle": {"down": "100B"})")));
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  play.origin_closes();
  wait_in_steps(play, 200);
  EXPECT_TRUE(play.client_got().ends_with("only this")) << play.transcript();
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Truncated);
  EXPECT_TRUE(play.flow().finished());
}

// --- Faults ---

TEST_P(Actions, ResetsAfterSoManyOctetsOfTheBody) {
  Playbook play(story(rule(R"("abort": {"how": "rst", "after_bytes": 3})")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_TRUE(play.client_saw("ResetClient")) << play.transcript();
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Aborted);
  EXPECT_EQ(play.exchanges()[0]->response_body, 3u);
  EXPECT_EQ(play.exchanges()[0]->status, 200);
}

TEST_P(Actions, EndsTheConnectionWithinABody) {
  Playbook play(story(rule(R"("abort": {"how": "fin", "after_bytes": 3})")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_TRUE(play.client_saw("CloseClient"));
  EXPECT_TRUE(play.client_saw_close_notify());
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Aborted);
}

TEST_P(Actions, EndsTheConnectionBeforeTheHead) {
  Playbook play(story(rule(R"("abort": "fin")")));
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), "");
  EXPECT_EQ(play.client_got(), "");
  EXPECT_TRUE(play.client_saw("CloseClient"));
}

TEST_P(Actions, SaysThatABodyEndedBeforeItsAbort) {
  Playbook play(story(rule(R"("abort": {"how": "rst", "after_bytes": 300})")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), kHello);
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Complete);
  ASSERT_EQ(play.exchanges()[0]->notes.size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->notes[0], "the body ended before rst after 300 bytes");
}

TEST_P(Actions, SendsAChunkThatIsNone) {
  Playbook play(story(rule(R"("abort": {"how": "bad-chunk", "after_bytes": 5})")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(play.client_got().ends_with("\r\nno chunk\r\n")) << play.transcript();
  EXPECT_TRUE(play.client_saw("CloseClient"));
}

TEST_P(Actions, AnnouncesMoreThanItSends) {
  Playbook play(story(rule(R"("abort": "wrong-length")")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello");
  EXPECT_TRUE(play.client_saw("CloseClient"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Aborted);
}

TEST_P(Actions, FallsSilentForAWhileAndThenResets) {
  Playbook play(story(rule(R"("abort": {"how": "stall", "for": "10s"})")));
  play.client_says(kGet);
  play.wait(9'000);
  EXPECT_EQ(play.client_got() + play.origin_got(), "");
  EXPECT_TRUE(play.exchanges().empty());
  play.wait(1'000);
  EXPECT_TRUE(play.client_saw("ResetClient"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Aborted);
}

TEST_P(Actions, FallsSilentUntilTheClientGivesUp) {
  Playbook play(story(rule(R"("abort": {"how": "stall", "after_bytes": 2})")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_EQ(body_octets(play.client_got()), 2u);
  EXPECT_FALSE(play.flow().deadline_ns().has_value()) << "no timer runs";
  play.wait(3'600'000);
  EXPECT_TRUE(play.exchanges().empty());
  play.client_closes();
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Aborted);
  EXPECT_TRUE(play.flow().finished());
}

TEST_P(Actions, GoesAwayAfterAWholeResponse) {
  Playbook play(story(rule(R"("abort": "goaway")")));
  play.client_says(kGet);
  play.origin_says(kHello);
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\nhello"));
  EXPECT_NE(play.client_got().find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(play.client_saw("CloseClient"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Complete);
}

TEST_P(Actions, AbortsOurOwnAnswerToo) {
  Playbook play(story("[" + rule(R"("respond": {"status": 200, "body": "hello"})") + ", " +
                      R"({"name": "cut", "match": "", "abort": {"how": "fin", "after_bytes": 2}})" + "]"));
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), "");
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\nhe")) << play.transcript();
  EXPECT_TRUE(play.client_saw("CloseClient"));
}

// --- Another upstream ---

TEST_P(Actions, TakesOneRequestElsewhereAndTheNextOneBack) {
  Playbook play(story(
      rule(R"("upstream": {"host": "192.0.2.77", "port": 8443, "rewrite_host": true})", "http.request.uri == \"/a\"")));
  play.client_says(kGet);
  EXPECT_EQ(play.connections(), 2) << play.transcript();
  EXPECT_EQ(play.take_origin_got(), "GET /a HTTP/1.1\r\nHost: 192.0.2.77:8443\r\n\r\n");
  play.origin_says(kHello);
  EXPECT_EQ(play.take_client_got(), kHello);
  play.client_says("GET /b HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  EXPECT_EQ(play.connections(), 3);
  EXPECT_EQ(play.origin_got(), "GET /b HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), kHello);
  EXPECT_EQ(play.exchanges().size(), 2u);
}

// --- Bodies ---

constexpr std::string_view kPost = "POST /a HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 6\r\n\r\nsecret";

TEST_P(Actions, AnswersByWhatARequestsBodySays) {
  Playbook play(story(rule(R"("respond": {"status": 403, "body": "no"})", "body.text contains \"secret\"")));
  play.client_says(kPost);
  EXPECT_EQ(play.origin_got(), "");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 403 ")) << play.transcript();
  play.take_client_got();
  std::string chunked =
      "POST /a HTTP/1.1\r\nHost: origin.test\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nse\r\n2\r\nnd\r\n0\r\nA: "
      "b\r\n\r\n";
  play.client_says(chunked);
  EXPECT_EQ(play.origin_got(), chunked) << "what is only looked at stays as it came";
}

TEST_P(Actions, TellsAWaitingClientToSendTheBodyThatARuleNeeds) {
  Playbook play(story(rule(R"("request_headers": {"set": {"x-seen": "1"}})", "body.text contains \"secret\"")));
  play.client_says("POST /a HTTP/1.1\r\nHost: origin.test\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(play.take_client_got(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(play.origin_got(), "");
  play.client_says("secret");
  EXPECT_TRUE(play.origin_got().ends_with("x-seen: 1\r\n\r\nsecret")) << play.transcript();
  play.origin_says("HTTP/1.1 100 Continue\r\n\r\n" + std::string(kHello));
  EXPECT_EQ(play.client_got(), kHello) << "told once is enough";
}

TEST_P(Actions, ChangesAResponseByWhatItsBodySays) {
  Playbook play(story(rule(R"("status": 500)", "response.body.text contains \"ell\"")));
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(play.client_got(), "");
  play.origin_says("lo");
  EXPECT_EQ(play.client_got(), "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nhello");
  play.take_client_got();
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
  EXPECT_EQ(play.exchanges().size(), 2u);
}

TEST_P(Actions, ChangesAResponseByWhatTheRequestsBodySaid) {
  Playbook play(story(rule(R"("status": 500)", "body.text contains \"secret\"")));
  play.client_says(kPost);
  EXPECT_EQ(play.take_origin_got(), kPost);
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_P(Actions, EditsBothBodies) {
  Playbook play(story(R"([{"name": "up", "match": "", "request_body": {"regex": "secret", "with": "s"}},
                          {"name": "down", "match": "", "body": {"regex": "l", "with": ""}}])"));
  play.client_says(kPost);
  EXPECT_EQ(play.origin_got(), "POST /a HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 1\r\n\r\ns");
  play.origin_says(kHello);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nheo") << play.transcript();
  EXPECT_TRUE(play.exchanges().at(0)->notes.empty());
}

TEST(OneAction, ForwardsABodyThatIsTooLargeToBeCollected) {
  Story told;
  told.rules = rule(R"("status": 500)", "response.body.text contains \"ell\"");
  Playbook play(told);
  play.client_says(kGet);
  std::string response = response_of(kMostCollected + 1000);
  play.origin_says(response);
  EXPECT_TRUE(play.client_got() == response);
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->notes.size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->status, 200);
}

TEST(OneAction, DoesNotWaitForTheEndOfAStreamOfEvents) {
  Story told;
  told.rules = rule(R"("status": 500)", "response.body.text contains \"ell\"");
  Playbook play(told);
  play.client_says(kGet);
  std::string begun = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
  play.origin_says(begun);
  EXPECT_EQ(play.client_got(), begun);
}

TEST(OneAction, DoesNotWaitForABodyForEver) {
  Story told;
  told.rules = rule(R"("status": 500)", "response.body.text contains \"ell\"");
  Playbook play(told);
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  play.wait(30'000);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  play.origin_says("lo");
  EXPECT_EQ(play.client_got(), kHello);
  EXPECT_EQ(play.exchanges().at(0)->notes.size(), 1u);
}

}  // namespace
}  // namespace waylay::flow
