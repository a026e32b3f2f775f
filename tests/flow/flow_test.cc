// Stories of one intercepted connection; see support_playbook.h.
#include "flow/flow.h"

#include <gtest/gtest.h>

#include "flow/support_playbook.h"

namespace waylay::flow {
namespace {

using Story = Playbook::Setup;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: origin.test\r\nX-Odd:  spaced  \r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nx-CASE: Kept\r\n\r\nhello";

// Each story is told in one piece and byte by byte.
class Pieces : public testing::TestWithParam<size_t> {
 protected:
  Story story(std::string rules = {}) {
    Story told;
    told.piece = GetParam();
    told.rules = std::move(rules);
    return told;
  }
};
INSTANTIATE_TEST_SUITE_P(Delivered, Pieces, testing::Values(0, 1, 7));

TEST_P(Pieces, RelaysAnExchangeByteForByte) {
  Playbook play(story());
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), kOk) << play.transcript();
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->status, 200);
  EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Complete);
  EXPECT_EQ(play.exchanges()[0]->response_body, 5u);
  EXPECT_EQ(play.facts().outcome, Outcome::Intercepted);
  EXPECT_NE(play.issuer_seen_by_client().find("Waylay CA waylay"), std::string::npos);
}

TEST_P(Pieces, KeepsAConnectionForManyExchanges) {
  Playbook play(story());
  for (int i = 0; i < 5; ++i) {
    play.client_says(kGet);
    EXPECT_EQ(play.take_origin_got(), kGet);
    play.origin_says(kOk);
    EXPECT_EQ(play.take_client_got(), kOk);
  }
  EXPECT_EQ(play.connections(), 1);
  EXPECT_EQ(play.exchanges().size(), 5u);
}

TEST_P(Pieces, AnswersPipelinedRequestsInOrder) {
  Playbook play(story());
  play.client_says(std::string(kGet) + "POST /b HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 3\r\n\r\nabc" +
                   std::string(kGet));
  EXPECT_EQ(play.take_origin_got(), kGet) << "the second request waits for the first one's response";
  play.origin_says(kOk);
  EXPECT_EQ(play.take_origin_got(), "POST /b HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 3\r\n\r\nabc");
  play.origin_says(kOk);
  EXPECT_EQ(play.take_origin_got(), kGet);
  play.origin_says(kOk);
  EXPECT_EQ(play.exchanges().size(), 3u);
}

TEST_P(Pieces, StreamsChunkedBodiesWithTrailersBothWays) {
  Playbook play(story());
  std::string request =
      "PUT /c HTTP/1.1\r\nHost: origin.test\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwiki\r\n0\r\nX-Sum: "
      "1\r\n\r\n";
  std::string response =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
  play.client_says(request);
  EXPECT_EQ(play.origin_got(), request);
  play.origin_says(response);
  EXPECT_EQ(play.client_got(), response);
  ASSERT_EQ(play.exchanges().size(), 1u);
  EXPECT_EQ(play.exchanges()[0]->request_body, 4u);
  EXPECT_EQ(play.exchanges()[0]->response_body, 13u);
}

TEST_P(Pieces, PassesInformationalResponsesOn) {
  Playbook play(story());
  play.client_says("PUT /c HTTP/1.1\r\nHost: origin.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  play.origin_says("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(play.take_client_got(), "HTTP/1.1 100 Continue\r\n\r\n");
  play.client_says("ok");
  play.origin_says("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + std::string(kOk));
  EXPECT_EQ(play.exchanges().size(), 1u);
}

TEST_P(Pieces, KnowsThatHeadAnd304HaveNoBody) {
  Playbook play(story());
  play.client_says("HEAD / HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  EXPECT_EQ(play.exchanges().size(), 1u);
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n");
  EXPECT_EQ(play.exchanges().size(), 2u);
}

TEST_P(Pieces, BecomesABlindRelayAfterAnUpgrade) {
  Playbook play(story());
  play.client_says("GET /ws HTTP/1.1\r\nHost: origin.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  play.origin_says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi");
  EXPECT_TRUE(play.client_got().ends_with("\x81\x02hi"));
  play.take_origin_got();
  play.client_says("any \x00 bytes");
  EXPECT_EQ(play.origin_got(), std::string_view("any \x00 bytes"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Upgraded);
}

TEST_P(Pieces, ReadsABodyUntilTheUpstreamCloses) {
  Playbook play(story());
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\n\r\nsome");
  play.origin_says(" more");
  play.origin_closes();
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\n\r\nsome more");
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Complete);
  EXPECT_TRUE(play.client_saw_close_notify());
  EXPECT_TRUE(play.flow().finished());
}

// RFC 9112 section 9.6: behind the last message of a connection there is no other, whatever a peer may send.
TEST_P(Pieces, ReadsNothingBehindARequestThatSaysClose) {
  for (std::string first :
       {"GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: x, close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    Playbook play(story());
    play.client_says(first + std::string(kGet));
    play.origin_says(kOk);
    EXPECT_EQ(play.origin_got(), first) << play.transcript();
    EXPECT_EQ(play.client_got(), kOk) << play.transcript();
    EXPECT_TRUE(play.client_saw_close_notify());
    EXPECT_TRUE(play.flow().finished()) << play.transcript();
  }
}

TEST_P(Pieces, SendsNoRequestAfterAResponseThatSaysClose) {
  for (std::string first : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"}) {
    Playbook play(story());
    play.client_says(std::string(kGet) + std::string(kGet));
    play.origin_says(first);
    EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
    EXPECT_EQ(play.client_got(), first) << play.transcript();
    EXPECT_TRUE(play.flow().finished()) << play.transcript();
  }
}

TEST_P(Pieces, SendsNoInformationalResponseToAnOldClient) {
  Playbook play(story());
  play.client_says("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  play.origin_says("HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 502 ")) << play.transcript();
  EXPECT_TRUE(play.client_saw("CloseClient"));
}

// An upstream that is tired of an idle connection may reset it. The answer before that belongs to the client.
TEST(Flow, DeliversAnAnswerWhateverTheUpstreamDoesAfterIt) {
  Playbook play;
  play.client_says(kGet);
  play.client_stops_reading();
  play.origin_says(kOk);
  play.origin_resets();
  EXPECT_FALSE(play.client_saw("ResetClient")) << play.transcript();
  play.client_reads_again();
  EXPECT_EQ(play.client_got(), kOk) << play.transcript();
  EXPECT_TRUE(play.client_saw("CloseClient"));
}

TEST_P(Pieces, NeverHidesATruncation) {
  Playbook play(story());
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\n\r\nsome");
  play.origin_closes(false);
  EXPECT_FALSE(play.client_saw_close_notify()) << "the client must see that the stream was cut";
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Truncated);
}

TEST_P(Pieces, ShowsAShortBodyAsTheUpstreamDid) {
  Playbook play(story());
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  play.origin_closes();
  EXPECT_EQ(play.client_got(), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Truncated);
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, TurnsAnUpstreamResetIntoAClientReset) {
  Playbook play;
  play.client_says(kGet);
  play.origin_resets();
  EXPECT_TRUE(play.client_saw("ResetClient"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::UpstreamFailed);
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, ResetsTheClientWhenTheUpstreamRefuses) {
  Playbook play;
  play.origin_refuses_connections("connecting to 192.0.2.10:443: Connection refused");
  play.run();
  EXPECT_TRUE(play.client_saw("ResetClient")) << play.transcript();
  EXPECT_EQ(play.facts().outcome, Outcome::Failed);
  EXPECT_NE(play.facts().reason.find("Connection refused"), std::string::npos);
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, ShowsNoLeafWhenTheUpstreamsCertificateIsBad) {
  Story story;
  story.origin_name = "elsewhere.test";
  Playbook play(story);
  play.run();
  EXPECT_TRUE(play.issuer_seen_by_client().empty()) << "no certificate may reach the client";
  EXPECT_NE(play.client_error().find("alert"), std::string::npos) << play.client_error();
  EXPECT_EQ(play.facts().outcome, Outcome::Failed);
  EXPECT_NE(play.facts().reason.find("elsewhere.test"), std::string::npos) << play.facts().reason;
  EXPECT_TRUE(play.origin_got().empty());
}

TEST(Flow, ReachesTheUpstreamBeforeItAnswersTheClient) {
  Playbook play;
  play.run();
  ASSERT_GE(play.commands().size(), 2u);
  EXPECT_EQ(play.commands()[0], "ConnectUpstream 192.0.2.10:443");
  EXPECT_EQ(play.commands()[1], "RequestLeaf origin.test mirrored");
}

TEST(Flow, ClosesTheClientWhenAnIdleUpstreamCloses) {
  Playbook play;
  play.client_says(kGet);
  play.origin_says(kOk);
  play.origin_closes();
  EXPECT_TRUE(play.client_saw("CloseClient"));
  EXPECT_TRUE(play.client_saw_close_notify());
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, ClosesTheUpstreamWhenAnIdleClientCloses) {
  Playbook play;
  play.client_says(kGet);
  play.origin_says(kOk);
  play.client_closes();
  EXPECT_TRUE(play.client_saw("CloseUpstream"));
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, MirrorsAHalfCloseAndStillDeliversTheAnswer) {
  Playbook play;
  play.client_says(kGet);
  play.client_closes();
  EXPECT_TRUE(play.client_saw("ShutdownUpstream"));
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), kOk) << play.transcript();
}

TEST(Flow, RecordsAClientThatLeaves) {
  Playbook play;
  play.client_says(kGet);
  play.client_resets();
  EXPECT_TRUE(play.client_saw("ResetUpstream"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::ClientGone);
  EXPECT_TRUE(play.flow().finished());
}

// --- Rules ---

TEST_P(Pieces, ChangesTheStatusAndLeavesTheBodyAsItCame) {
  Playbook play(story(R"({"name": "talk", "match": "http.response.code == 200", "status": 429})"));
  play.client_says(kGet);
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 5\r\nx-CASE: Kept\r\n\r\nhello");
  const ExchangeFacts& facts = *play.exchanges().at(0);
  EXPECT_EQ(facts.upstream_status, 200);
  EXPECT_EQ(facts.status, 429);
  EXPECT_TRUE(facts.injected());
  EXPECT_EQ(facts.applied.at(0).rule, "talk");
}

TEST_P(Pieces, GivesABodylessResponseALengthWhenItsNewStatusWantsOne) {
  Playbook play(story(R"({"name": "talk", "match": "", "status": 500})"));
  play.client_says("DELETE /x HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  play.origin_says("HTTP/1.1 204 No Content\r\nx: y\r\n\r\n");
  EXPECT_EQ(play.client_got(), "HTTP/1.1 500 Internal Server Error\r\nx: y\r\nContent-Length: 0\r\n\r\n");
}

TEST_P(Pieces, AnswersInTheUpstreamsPlaceWithoutNeedingIt) {
  Playbook play(story(R"({"name": "mock", "match": "http.host == \"origin.test\"",
                          "respond": {"status": 200, "headers": {"x-mock": "1"}, "body": "mocked"}})"));
  play.origin_refuses_connections();
  play.client_says("POST /m HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 200 OK\r\n")) << play.transcript();
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\nmocked"));
  EXPECT_NE(play.client_got().find("Content-Length: 6\r\n"), std::string::npos);
  play.client_says(kGet);
  EXPECT_EQ(play.exchanges().size(), 2u) << "the connection stays usable";
  EXPECT_EQ(play.connections(), 0);
}

TEST_P(Pieces, ConnectsLateWhenOneOfTheExchangesNeedsTheUpstream) {
  Playbook play(
      story(R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})"));
  play.client_says("GET /mock HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  EXPECT_EQ(play.connections(), 0);
  play.take_client_got();
  play.client_says(kGet);
  EXPECT_EQ(play.connections(), 1);
  EXPECT_EQ(play.origin_got(), kGet);
  play.origin_says(kOk);
  EXPECT_EQ(play.take_client_got(), kOk);
  play.origin_closes();
  EXPECT_FALSE(play.client_saw("CloseClient"));
  play.client_says(kGet);
  EXPECT_EQ(play.connections(), 2) << play.transcript();
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), kOk);
}

TEST(Flow, ResetsTheClientWhenALateUpstreamIsMissing) {
  Story story;
  story.rules =
      R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})";
  Playbook play(story);
  play.origin_refuses_connections();
  play.client_says(kGet);
  EXPECT_TRUE(play.client_saw("ResetClient"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::UpstreamFailed);
}

TEST(Flow, GivesUpALateUpstreamThatNeverAnswersTheHandshake) {
  Story story;
  story.rules =
      R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})";
  Playbook play(story);
  play.origin_never_answers();
  play.client_says(kGet);
  play.client_closes();
  play.wait(61'000);
  EXPECT_TRUE(play.client_saw("ResetClient")) << play.transcript();
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::UpstreamFailed);
  EXPECT_NE(play.exchanges().at(0)->error.find("handshake"), std::string::npos) << play.exchanges().at(0)->error;
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, ClosesAConnectionWithoutUpstreamWhenNoneCanBeHadAnyMore) {
  Story story;
  story.rules =
      R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})";
  Playbook idle(story);
  idle.client_says("GET /mock HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  idle.flow().on_no_more_upstreams({});
  idle.run();
  EXPECT_TRUE(idle.client_saw_close_notify()) << "a clean end, which every client expects of an idle connection";
  EXPECT_TRUE(idle.flow().finished());

  Playbook connected(story);
  connected.client_says(kGet);
  connected.flow().on_no_more_upstreams({});
  connected.origin_says(kOk);
  EXPECT_EQ(connected.client_got(), kOk);
  EXPECT_FALSE(connected.flow().finished()) << "what is open is carried until it ends";
  connected.origin_closes();
  EXPECT_TRUE(connected.client_saw_close_notify());
  EXPECT_TRUE(connected.flow().finished());
}

TEST(Flow, ShowsTheReasonAsAPageWhereThatIsSet) {
  Story story;
  story.rules =
      R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})";
  story.error_page = true;
  Playbook play(story);
  play.origin_refuses_connections("connection refused");
  play.client_says(kGet);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << play.transcript();
  EXPECT_NE(play.client_got().find("connection refused"), std::string::npos);
}

TEST(Flow, AnswersAnExpectationAtOnceAndCloses) {
  Story story;
  story.rules = R"({"name": "mock", "match": "", "respond": {"status": 503, "body": "no"}})";
  Playbook play(story);
  play.client_says("PUT /k HTTP/1.1\r\nHost: origin.test\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 503 ")) << play.transcript();
  EXPECT_NE(play.client_got().find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(play.flow().finished());
}

TEST_P(Pieces, TreatsAMocksAnswerAsItWouldTheUpstreams) {
  Playbook play(story(R"({"rules": [
      {"name": "mock", "match": "", "respond": {"status": 200, "headers": {"x-a": "1"}, "body": "m"}},
      {"name": "trick", "match": "http.response.code == 200", "status": 429, "headers": {"set": {"x-a": "2"}}},
      {"name": "late", "match": "http.request.uri == \"/late\" and http.response.code == 200", "delay": "1s"}]})"));
  play.client_says(kGet);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 429 Too Many Requests\r\n")) << play.transcript();
  EXPECT_NE(play.client_got().find("x-a: 2\r\n"), std::string::npos);
  EXPECT_TRUE(play.take_client_got().ends_with("\r\n\r\nm"));
  play.client_says("GET /late HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  EXPECT_TRUE(play.client_got().empty());
  play.wait(1001);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 429 ")) << play.transcript();
  ASSERT_EQ(play.exchanges().size(), 2u);
  EXPECT_EQ(play.exchanges()[1]->applied.size(), 3u);
}

TEST(Flow, AbortsAsARuleSays) {
  Story story;
  story.rules = R"({"name": "cut", "match": "http.request.method == \"GET\"", "abort": "rst"})";
  Playbook play(story);
  play.client_says(kGet);
  EXPECT_TRUE(play.client_saw("ResetClient"));
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Aborted);
  EXPECT_TRUE(play.origin_got().empty());
  EXPECT_TRUE(play.client_got().empty());
}

TEST(Flow, HoldsARequestForAsLongAsARuleDelaysIt) {
  Story story;
  story.rules = R"({"name": "slow", "match": "http.request.method == \"GET\"", "delay": "500ms"})";
  Playbook play(story);
  play.client_says(kGet);
  EXPECT_TRUE(play.origin_got().empty());
  play.wait(400);
  EXPECT_TRUE(play.origin_got().empty());
  play.wait(101);
  EXPECT_EQ(play.origin_got(), kGet);
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), kOk);
}

TEST(Flow, HoldsAResponseForAsLongAsARuleDelaysIt) {
  Story story;
  story.rules = R"({"name": "slow", "match": "http.response.code == 200", "delay": "500ms"})";
  Playbook play(story);
  play.client_says(kGet);
  play.origin_says(kOk);
  EXPECT_TRUE(play.client_got().empty());
  play.origin_closes();  // even then: the answer was given
  play.wait(501);
  EXPECT_EQ(play.client_got(), kOk) << play.transcript();
}

TEST(Flow, ReplacesAResponseThatARuleRecognises) {
  Story story;
  story.rules = R"({"name": "swap", "match": "http.response.code == 200", "respond": {"status": 418, "body": "tea"}})";
  Playbook play(story);
  play.client_says(kGet);
  play.origin_says(kOk);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 418 ")) << play.transcript();
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\ntea"));
  play.take_client_got();
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(play.client_got(), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

TEST(Flow, DoesNotWaitForEverForTheRestOfAReplacedResponse) {
  Story story;
  story.rules = R"({"name": "swap", "match": "http.response.code == 200", "respond": {"status": 418, "body": "tea"}})";
  Playbook play(story);
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n");
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\ntea")) << play.transcript();
  play.wait(10'000);
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Complete) << play.transcript();
  EXPECT_TRUE(play.client_saw_close_notify());
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, DropsNoMoreThanAMebibyteOfAReplacedResponse) {
  Story story;
  story.rules = R"({"name": "swap", "match": "http.response.code == 200", "respond": {"status": 418, "body": "tea"}})";
  Playbook play(story);
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  for (int i = 0; i < 17; ++i) play.origin_says(chunk);
  EXPECT_TRUE(play.client_saw_close_notify()) << play.transcript();
  EXPECT_TRUE(play.flow().finished());
}

TEST_P(Pieces, SwitchesNoProtocolWhenARuleRewritesThatAnswer) {
  Playbook play(story(R"({"name": "deny", "match": "http.response.code == 101", "status": 500})"));
  play.client_says("GET /ws HTTP/1.1\r\nHost: origin.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  play.origin_says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 500 Internal Server Error\r\n")) << play.transcript();
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\n")) << "nothing of the other protocol";
  EXPECT_NE(play.client_got().find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Complete);
  EXPECT_TRUE(play.flow().finished());
}

TEST(Flow, KeepsTheRulesThatAnExchangeBeganWith) {
  Playbook play;
  play.client_says(kGet);
  ASSERT_TRUE(play.rules().add(R"({"name": "late", "match": "", "status": 500})", "story", Time{}));
  play.origin_says(kOk);
  EXPECT_EQ(play.take_client_got(), kOk);
  play.client_says(kGet);
  play.origin_says(kOk);
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 500 "));
}

TEST(Flow, LearnsTheOperationFromAFormBody) {
  Story story;
  story.name = "sqs.eu-west-1.amazonaws.com";
  story.rules =
      R"({"name": "send", "match": "aws.operation == \"SendMessage\"", "respond": {"status": 503, "body": "x"}})";
  Playbook play(story);
  play.client_says(
      "POST / HTTP/1.1\r\nHost: sqs.eu-west-1.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/sqs/aws4_request, SignedHeaders=host, "
      "Signature=0\r\n"
      "Content-Length: 32\r\n\r\nAction=SendMessage&MessageBody=1");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 503 ")) << play.transcript();
  EXPECT_EQ(play.exchanges().at(0)->call.operation, "SendMessage");
}

TEST(Flow, LearnsTheTableFromADynamoDbBody) {
  Story story;
  story.name = "dynamodb.eu-west-1.amazonaws.com";
  story.rules = R"({"name": "hot", "match": "aws.table == \"orders\"", "fault": "aws:throttle"})";
  Playbook play(story);
  std::string head =
      "POST / HTTP/1.1\r\nHost: dynamodb.eu-west-1.amazonaws.com\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n"
      "Content-Type: application/x-amz-json-1.0\r\n";
  play.client_says(head + "Content-Length: 22\r\n\r\n{\"TableName\":\"others\"}");
  play.origin_says(kOk);
  EXPECT_EQ(play.take_client_got(), kOk);
  play.client_says(head + "Content-Length: 22\r\n\r\n{\"TableName\":\"orders\"}");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 400 ")) << play.transcript();
  EXPECT_EQ(play.exchanges().at(1)->call.table, "orders");
}

// --- Smuggling and bad bytes ---

TEST_P(Pieces, RefusesAnAmbiguousRequestAndSendsNothingUp) {
  Playbook play(story());
  play.client_says(
      "POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 400 Bad Request\r\n")) << play.transcript();
  EXPECT_TRUE(play.origin_got().empty());
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Refused);
  EXPECT_TRUE(play.client_saw("CloseClient"));
}

TEST_P(Pieces, RefusesAnAmbiguousResponse) {
  Playbook play(story());
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << play.transcript();
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Refused);
}

TEST(Flow, NeverTakesAnUnaskedResponseForTheNextOne) {
  Playbook play;
  play.client_says(kGet);
  play.origin_says(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  EXPECT_EQ(play.client_got(), kOk);
  EXPECT_TRUE(play.flow().finished()) << play.transcript();
}

TEST(Flow, NeverTakesAnEarlyResponseForThatOfALaterRequest) {
  Playbook play;
  play.client_says("POST /1 HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 4\r\n\r\nbo");
  play.origin_says(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  EXPECT_EQ(play.client_got(), kOk);
  play.client_says("dy" + std::string(kGet));
  EXPECT_EQ(play.client_got(), kOk) << play.transcript();
  EXPECT_EQ(play.exchanges().at(1)->end, ExchangeEnd::Refused);
  EXPECT_TRUE(play.flow().finished());
}

TEST_P(Pieces, RefusesToSwitchProtocolsWhenNobodyAsked) {
  Playbook play(story());
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << play.transcript();
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::Refused);
  EXPECT_TRUE(play.flow().finished());
}

// --- Passing through ---

TEST_P(Pieces, PassesThroughWhatIsNotTls) {
  Playbook play(story());
  play.client_sends_raw("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(play.origin_got_raw(), "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(play.facts().outcome, Outcome::PassedThrough);
  EXPECT_NE(play.facts().reason.find("not TLS"), std::string::npos);
}

TEST(Flow, CountsTheRecordsOfWhatItPassesThrough) {
  Rejections rejections;
  Story first;
  first.client_trusts_us = false;
  first.rejections = &rejections;
  Playbook refusing(first);
  refusing.run();
  Story second;
  second.rejections = &rejections;
  second.client_trusts_us = false;
  Playbook play(second);
  play.client_says(kGet);
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), kOk) << play.transcript();
  const FlowFacts& facts = play.flow().facts();
  EXPECT_EQ(facts.outcome, Outcome::PassedThrough);
  for (const Traffic* traffic : {&facts.from_client, &facts.from_upstream}) {
    EXPECT_TRUE(traffic->records.is_tls());
    EXPECT_GE(traffic->records.count(), 3u) << "hello, the end of the handshake, data";
    EXPECT_EQ(traffic->first.steady_ns, facts.opened.steady_ns);
  }
  uint16_t last = facts.from_client.records.first().back();
  EXPECT_EQ(last, kGet.size() + 17) << "a TLS 1.3 record: content, its type and 16 octets of protection";
}

TEST(Flow, PassesThroughAClientThatWaitsForTheServer) {
  Playbook silent;
  silent.client_sends_raw("");
  silent.wait(3001);
  EXPECT_EQ(silent.facts().outcome, Outcome::PassedThrough);
}

TEST(Flow, PassesThroughAClientThatRefusedUsBefore) {
  Rejections rejections;
  Story story;
  story.client_trusts_us = false;
  story.rejections = &rejections;
  {
    Playbook first(story);
    first.run();
    EXPECT_EQ(first.facts().outcome, Outcome::Failed);
    EXPECT_NE(first.facts().reason.find("unknown_ca"), std::string::npos) << first.facts().reason;
  }
  Playbook second(story);
  second.client_says(kGet);
  EXPECT_EQ(second.facts().outcome, Outcome::PassedThrough);
  EXPECT_NE(second.facts().reason.find("refused our certificate before"), std::string::npos);
  EXPECT_NE(second.issuer_seen_by_client().find("Waylay CA origin"), std::string::npos)
      << "the origin's own certificate";
  EXPECT_EQ(second.origin_got(), kGet);
  second.origin_says(kOk);
  EXPECT_EQ(second.client_got(), kOk);
}

TEST(Flow, LearnsNothingWhenToldToInsist) {
  Rejections rejections;
  Story story;
  story.client_trusts_us = false;
  story.rejections = &rejections;
  story.insist = true;
  Playbook(story).run();
  EXPECT_EQ(rejections.size(), 0u);
}

TEST(Flow, TakesAnEndRightAfterTheHandshakeForARefusal) {
  Rejections rejections;
  Story story;
  story.rejections = &rejections;
  {
    Playbook node(story);  // verifies after the handshake, then leaves without a word
    node.run();
    node.client_closes();
  }
  EXPECT_EQ(rejections.size(), 1u);
}

TEST(Flow, TakesALateEndOfAnUnusedConnectionForNothing) {
  Rejections rejections;
  Story story;
  story.rejections = &rejections;
  Playbook play(story);
  play.run();
  play.wait(5000);
  play.client_closes();
  EXPECT_EQ(rejections.size(), 0u);
}

TEST(Flow, TakesNoEarlyEndForARefusalByAProcessThatTalksOverOurLeaf) {
  Rejections rejections;
  Story story;
  story.rejections = &rejections;
  Playbook(story).client_says(kGet);
  Playbook probe(story);  // a health check: connects, shakes hands, leaves
  probe.run();
  probe.client_closes();
  EXPECT_EQ(rejections.size(), 0u);
}

TEST(Flow, TakesAnEarlyEndBackOnceTheProcessTalksOverOurLeaf) {
  Rejections rejections;
  Story story;
  story.rejections = &rejections;
  Playbook first(story);
  first.run();
  Playbook second(story);  // a browser opens two connections, and drops one before it uses the other
  second.run();
  second.client_closes();
  EXPECT_EQ(rejections.size(), 1u);
  first.client_says(kGet);
  EXPECT_EQ(rejections.size(), 0u);
}

TEST(Flow, TakesNoAlertBackWhenTheProcessTalksOverOurLeaf) {
  Rejections rejections;
  Story story;
  story.rejections = &rejections;
  Playbook first(story);
  first.run();
  story.client_trusts_us = false;
  Playbook(story).run();
  story.client_trusts_us = true;
  first.client_says(kGet);
  EXPECT_EQ(rejections.size(), 1u);
}

TEST(Flow, BelievesAnAlertAlsoOfAProcessThatTalkedOverOurLeaf) {
  Rejections rejections;
  Story story;
  story.rejections = &rejections;
  Playbook(story).client_says(kGet);
  story.client_trusts_us = false;
  Playbook(story).run();
  EXPECT_EQ(rejections.size(), 1u);
}

// --- Half-closed ---

TEST(Flow, GivesUpAnAnswerThatNeverComesWhenTheClientHasClosed) {
  Playbook play;
  play.client_says(kGet);
  play.client_closes();
  EXPECT_FALSE(play.flow().finished());
  play.wait(301'000);
  EXPECT_TRUE(play.flow().finished()) << play.transcript();
  EXPECT_EQ(play.exchanges().at(0)->end, ExchangeEnd::ClientGone);
}

TEST(Flow, EndsAPassedThroughConnectionThatIsHalfClosedAndSilent) {
  Playbook play;
  play.client_sends_raw("GET / HTTP/1.0\r\n\r\n");
  play.client_closes();
  play.wait(200'000);
  play.flow().on_upstream_bytes(1, as_bytes(std::string_view("late")), Time{1'200 * kSecond_ns, 0});
  play.wait(200'000);
  EXPECT_FALSE(play.flow().finished()) << "bytes still came";
  play.wait(301'000);
  EXPECT_TRUE(play.flow().finished()) << play.transcript();
}

// --- Secrets ---

TEST(Flow, KeepsNoSecretInWhatItRecords) {
  Playbook play;
  play.client_says(
      "GET /k?X-Amz-Signature=CANARY1&x=1&X-Amz-Security-Token=CANARY2 HTTP/1.1\r\nHost: origin.test\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=CANARY3\r\nCookie: a=CANARY4\r\nX-Amz-Security-Token: CANARY5\r\n"
      "X-Api-Key: CANARY6\r\n\r\n");
  EXPECT_NE(play.origin_got().find("CANARY5"), std::string::npos) << "on the wire nothing is changed";
  play.origin_says(
      "HTTP/1.1 302 Found\r\nSet-Cookie: s=CANARY7\r\nLocation: https://u:CANARY8@h/?sig=CANARY9\r\nContent-Length: "
      "0\r\n\r\n");
  EXPECT_NE(play.client_got().find("CANARY7"), std::string::npos);
  const ExchangeFacts& facts = *play.exchanges().at(0);
  std::string kept = facts.request->raw() + facts.response->raw() + facts.target;
  EXPECT_EQ(kept.find("CANARY"), std::string::npos) << kept;
  EXPECT_NE(kept.find("x=1"), std::string::npos);
}

// --- Back-pressure ---

TEST(Flow, StopsReadingTheUpstreamWhileTheClientIsSlow) {
  Playbook play;
  play.client_says(kGet);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
  EXPECT_TRUE(play.flow().wants_upstream_bytes(1));
  play.flow().to_client().append(std::string(300 * 1024, 'x'));
  EXPECT_FALSE(play.flow().wants_upstream_bytes(1));
  EXPECT_TRUE(play.flow().wants_client_bytes());
}

TEST(Flow, AnswersNoMoreRequestsThanTheClientReadsAnswersOf) {
  Story story;
  story.rules =
      R"({"name": "mock", "match": "", "respond": {"status": 200, "body": ")" + std::string(100'000, 'm') + "\"}}";
  Playbook play(story);
  play.client_says(kGet);
  play.client_stops_reading();
  std::string many;
  for (int i = 0; i < 100; ++i) many += kGet;
  play.client_says(many);
  EXPECT_LT(play.flow().to_client().size(), 512u * 1024) << "ten megabytes of answers must not wait in memory";
  play.client_reads_again();
  EXPECT_EQ(play.exchanges().size(), 101u) << "all are answered in the end";
}

TEST(Flow, ListensToTheClientWhenWhatAnUpstreamDidNotTakeIsVoid) {
  Story story;
  story.rules =
      R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})";
  Playbook play(story);
  play.client_says(kGet);
  play.origin_says(kOk);
  play.flow().to_upstream(1).append(std::string(300 * 1024, 'x'));  // it stopped reading
  EXPECT_FALSE(play.flow().wants_client_bytes());
  play.flow().on_upstream_failed(1, Error::upstream(ErrorKind::System, "Connection reset by peer"), {});
  EXPECT_TRUE(play.flow().wants_client_bytes());
}

}  // namespace
}  // namespace waylay::flow
