// Stories of HTTP/2 connections: real TLS and real HTTP/2 at both ends, see support_playbook.h.
#include <gtest/gtest.h>

#include "flow/support_playbook.h"
#include "support/h2_frame.h"
#include "unit/http/h2_witness.h"
#include "unit/http/websocket_frames.h"

namespace waylay::flow {
namespace {

using http::H2Code;
using http::H2Stream;

constexpr Time kNow{1'000 * kSecond_ns, 0};
const std::string kTooManyPings = http::h2_frame(7, 0, 0, std::string("\0\0\0\1\0\0\0\xb", 8) + "too_many_pings");

class H2Story {
 public:
  explicit H2Story(Playbook::Setup setup = {}) : play(with_h2(std::move(setup))) {
    at_client.consumer = &client;
    begin_origin();
  }

  static Playbook::Setup with_h2(Playbook::Setup setup) {
    if (setup.client_alpn.size() == 1) setup.client_alpn = {"h2", "http/1.1"};
    if (setup.origin_alpn == "http/1.1") setup.origin_alpn = "h2";
    return setup;
  }
  void begin_origin() {
    origin = std::make_unique<http::H2Server>(at_origin);
    at_origin.consumer = origin.get();
  }
  // Says so much, and nothing of what the origin could answer: what the client hears of it.
  std::string client_hears(http::H2Client& says) {
    ByteQueue bytes;
    says.pull(bytes, 1 << 20);
    play.client_says(bytes.text());
    return play.take_client_got();
  }
  // Moves bytes until nothing moves.
  void run() {
    for (bool moved = true; moved;) {
      moved = false;
      ByteQueue bytes;
      client.pull(bytes, 1 << 24);
      if (!bytes.empty()) play.client_says(bytes.text()), moved = true;
      std::string got = play.take_origin_got();
      if (!got.empty()) origin->receive(as_bytes(got), kNow), moved = true;
      bytes.clear();
      if (play.connections() > 0) origin->pull(bytes, 1 << 24);
      if (!bytes.empty()) play.origin_says(bytes.text()), moved = true;
      got = play.take_client_got();
      if (!got.empty()) client.receive(as_bytes(got), kNow), moved = true;
    }
  }
  H2Stream& get(std::string_view path, bool ends = true) {
    H2Stream& stream = http::ask(client, http::get(path), ends);
    run();
    return stream;
  }
  void answer(size_t request, std::string_view body, bool ends = true) {
    H2Stream& stream = *at_origin.streams.at(request);
    origin->respond(stream, http::Head::http2_response(200), {}, false);
    origin->write(stream, as_bytes(body));
    if (ends) origin->end(stream);
    run();
  }
  const ExchangeFacts& exchange(size_t index) const { return *play.exchanges().at(index); }

  Playbook play;
  http::Witness at_client, at_origin;
  http::H2Client client{at_client, http::kStreamWindow};
  std::unique_ptr<http::H2Server> origin;
};

class H2Pieces : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Delivered, H2Pieces, testing::Values(0, 1, 50));

TEST_P(H2Pieces, RelaysAnExchangeOfEachStream) {
  Playbook::Setup setup;
  setup.piece = GetParam();
  H2Story story(setup);
  story.get("/a");
  story.get("/b");
  EXPECT_EQ(story.at_origin.said,
            "GET /a HTTP/2\r\nhost: example.org\r\n[ends][end]GET /b HTTP/2\r\nhost: example.org\r\n[ends][end]");
  story.answer(1, "second");
  story.answer(0, "first");
  EXPECT_EQ(story.at_client.body, "secondfirst") << story.play.transcript();
  ASSERT_EQ(story.play.exchanges().size(), 2u);
  EXPECT_EQ(story.exchange(0).request->target(), "/b");
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Complete);
  EXPECT_EQ(story.exchange(0).response_body, 6u);
  EXPECT_EQ(story.exchange(0).request->version(), "HTTP/2");
  EXPECT_EQ(story.play.connections(), 1);
  EXPECT_EQ(story.play.facts().client_tls.alpn, "h2");
  EXPECT_EQ(story.play.facts().upstream_tls.alpn, "h2");
}

TEST(H2Flow, MirrorsWhatTheUpstreamSpeaks) {
  Playbook::Setup setup;
  setup.client_alpn = {"h2", "http/1.1"};
  Playbook play(setup);
  play.client_says("GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  EXPECT_EQ(play.facts().client_tls.alpn, "http/1.1");
  EXPECT_EQ(play.origin_got(), "GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n");
}

// h2spec's "Settings Synchronization" wants the SETTINGS behind a client's own to be their acknowledgement.
// Beside a rule that may answer too: the upstream is asked then what it speaks.
class H2Settings : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Beside, H2Settings,
                         testing::Values("", R"({"name": "mock", "match": "http.request.uri == \"/mock\"",
                                                "respond": {"status": 200, "body": "m"}})"));

TEST_P(H2Settings, TheFirstOnesWaitForTheUpstreams) {
  Playbook::Setup setup;
  setup.rules = GetParam();
  H2Story story(setup);
  story.origin->mirror({true, 50});
  EXPECT_EQ(story.client_hears(story.client), "") << "the upstream's are not there";
  http::ask(story.client, http::get("/"), true);
  EXPECT_EQ(story.client_hears(story.client), "");
  story.origin->receive(as_bytes(story.play.take_origin_got()), kNow);
  EXPECT_EQ(story.at_origin.heads.size(), 1u) << "a request does not wait";
  ByteQueue settings;
  story.origin->pull(settings, 1 << 20);
  story.play.origin_says(settings.text());
  std::string heard = story.play.take_client_got();
  EXPECT_EQ(http::settings_in(heard), "SETTINGS 4=131072 6=131072 3=50 9=1 8=1; SETTINGS ACK; ");
  story.client.receive(as_bytes(heard), kNow);
  story.client_hears(story.client);
  story.play.client_says(std::string("\0\0\6\4\0\0\0\0\0\0\2\0\0\0\0", 15));
  EXPECT_EQ(http::settings_in(story.play.take_client_got()), "SETTINGS ACK; ");
}

TEST(H2Flow, TheFirstSettingsDoNotWaitForever) {
  H2Story story;
  story.origin->mirror({true, 100});
  EXPECT_EQ(story.client_hears(story.client), "");
  story.play.wait(1'100);
  std::string heard = story.play.take_client_got();
  EXPECT_EQ(http::settings_in(heard), "SETTINGS 4=131072 6=131072 3=100 9=1; SETTINGS ACK; ");
  story.client.receive(as_bytes(heard), kNow);
  story.run();
  EXPECT_TRUE(story.client.peer_settings().extended_connect) << "second ones say what the upstream's do";
}

TEST(H2Flow, TheFirstSettingsDoNotWaitForAnUpstreamThatIsGone) {
  H2Story story;
  EXPECT_EQ(story.client_hears(story.client), "");
  story.play.origin_resets();
  EXPECT_TRUE(http::settings_in(story.play.take_client_got()).starts_with("SETTINGS 4=131072"));
  EXPECT_TRUE(story.play.client_saw("CloseClient")) << story.play.transcript();
}

TEST(H2Flow, WhoBreaksHttp2BeforeTheUpstreamsSettingsHearsIt) {
  H2Story story;
  story.play.client_says("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(http::settings_in(story.play.client_got()).starts_with("SETTINGS 4=131072"));
  EXPECT_TRUE(story.play.client_saw("CloseClient")) << story.play.transcript();
}

TEST(H2Flow, StreamsBodiesAndTrailersBothWaysAtOnce) {
  H2Story story;
  H2Stream& asked = story.get("/grpc", false);
  story.client.write(asked, as_bytes("ping"));
  story.run();
  EXPECT_EQ(story.at_origin.body, "ping");
  story.answer(0, "pong", false);
  EXPECT_EQ(story.at_client.body, "pong") << "before the request has ended";
  http::Trailers checksum = {{"x-sum", "1"}};
  story.client.end(asked, &checksum);
  story.run();
  EXPECT_TRUE(story.at_origin.said.ends_with("[end x-sum=1]"));
  http::Trailers status = {{"grpc-status", "0"}};
  story.origin->end(*story.at_origin.streams.at(0), &status);
  story.run();
  EXPECT_TRUE(story.at_client.said.ends_with("[end grpc-status=0][closed NO_ERROR]")) << story.at_client.said;
  ASSERT_EQ(story.play.exchanges().size(), 1u);
  EXPECT_EQ(story.exchange(0).request_body, 4u);
  EXPECT_EQ(story.exchange(0).response_body, 4u);
}

TEST(H2Flow, ASlowStreamSlowsItsMirrorOnly) {
  H2Story story;
  story.at_client.consumer = nullptr;  // the client takes nothing in
  story.get("/slow");
  story.get("/other");
  H2Stream& slow = *story.at_origin.streams.at(0);
  story.origin->respond(slow, http::Head::http2_response(200), {}, false);
  std::string body(5'000'000, 'x');
  story.origin->write(slow, as_bytes(body));
  story.run();
  EXPECT_GT(slow.waiting(), 4'000'000u) << "two windows are under way";
  EXPECT_LT(story.at_client.body.size(), 200'000u);
  story.at_client.body.clear();
  story.answer(1, "quick");
  EXPECT_EQ(story.at_client.body, "quick");

  story.at_client.consumer = &story.client;
  story.client.consume(*story.at_client.streams.at(0), story.at_client.streams.at(0)->held());
  story.run();
  EXPECT_EQ(slow.waiting(), 0u);
}

TEST(H2Flow, ALargeUploadArrivesWhole) {
  H2Story story;
  H2Stream& asked = story.get("/up", false);
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += std::to_string(i);
  story.client.write(asked, as_bytes(body));
  story.client.end(asked);
  story.run();
  EXPECT_EQ(story.at_origin.body, body);
  EXPECT_TRUE(story.at_origin.said.ends_with("[end]"));
}

TEST(H2Flow, PassesResetsOn) {
  H2Story story;
  H2Stream& asked = story.get("/a");
  story.client.reset(asked, H2Code::Cancel);
  story.run();
  EXPECT_TRUE(story.at_origin.said.ends_with("[closed CANCEL by peer]")) << story.at_origin.said;
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::ClientGone);

  story.get("/b");
  story.answer(1, "half", false);
  story.origin->reset(*story.at_origin.streams.at(1), H2Code::EnhanceYourCalm);
  story.run();
  EXPECT_EQ(story.at_client.body, "half");
  EXPECT_TRUE(story.at_client.said.ends_with("[closed ENHANCE_YOUR_CALM by peer]")) << story.at_client.said;
  EXPECT_EQ(story.exchange(1).end, ExchangeEnd::Truncated);
  story.get("/c");
  story.answer(2, "still here");
  EXPECT_EQ(story.exchange(2).end, ExchangeEnd::Complete);
}

Playbook::Setup with_rules(std::string rules) {
  Playbook::Setup setup;
  setup.rules = std::move(rules);
  return setup;
}

// The client has an answer, and the upstream wants no more of its request.
struct EarlyAnswer : H2Story {
  EarlyAnswer() {
    get("/up", false);
    answer(0, "enough");
    origin->reset(*at_origin.streams.at(0), H2Code::NoError);
    run();
    EXPECT_EQ(at_client.body, "enough");
    EXPECT_TRUE(at_client.said.ends_with("[end]")) << at_client.said;
    EXPECT_EQ(exchange(0).end, ExchangeEnd::Complete);
  }
};

TEST(H2Flow, AnAnswerBeforeTheRequestsEndStopsTheRequest) {
  EarlyAnswer story;
  story.client.write(*story.at_client.streams.at(0), as_bytes(std::string(http::kStreamWindow, 'x')));
  story.run();
  EXPECT_EQ(story.at_client.streams.at(0)->waiting(), 0u);
  story.client.write(*story.at_client.streams.at(0), as_bytes("more"));
  story.run();
  EXPECT_EQ(story.at_client.streams.at(0)->waiting(), 4u) << "what nobody reads is not asked for";
  story.play.wait(200);
  story.run();
  EXPECT_TRUE(story.at_client.said.ends_with("[end][closed NO_ERROR]")) << story.at_client.said;
  EXPECT_EQ(story.at_origin.body, "");
  story.get("/next");
  story.answer(1, "still here");
  EXPECT_EQ(story.exchange(1).end, ExchangeEnd::Complete);
}

TEST(H2Flow, TheRestOfARequestIsNotAskedForWhileItsAnswerIsHeldBack) {
  H2Story story(with_rules(R"({"name": "late", "match": "http.response.code == 200", "delay": "3s"})"));
  H2Stream& stream = story.get("/up", false);
  story.answer(0, "enough");
  story.origin->reset(*story.at_origin.streams.at(0), H2Code::NoError);
  story.run();
  story.client.write(stream, as_bytes(std::string(3'000'000, 'x')));
  story.run();
  EXPECT_GE(stream.waiting(), 3'000'000 - 2 * http::kStreamWindow);
  story.play.wait(3'200);
  story.run();
  story.play.wait(200);
  story.run();
  EXPECT_EQ(story.at_client.body, "enough");
  EXPECT_TRUE(story.at_client.said.ends_with("[end][closed NO_ERROR]")) << story.at_client.said;
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Complete);
}

TEST(H2Flow, TheRestOfAnAnsweredRequestMayEndInOrder) {
  EarlyAnswer story;
  story.client.end(*story.at_client.streams.at(0));
  story.run();
  EXPECT_TRUE(story.at_client.said.ends_with("[end][closed NO_ERROR]")) << story.at_client.said;
  EXPECT_EQ(story.play.exchanges().size(), 1u);
}

TEST(H2Flow, TheRestOfAnAnsweredRequestIsToldWhatIsWrongWithIt) {
  EarlyAnswer story;
  story.play.client_says(std::string("\0\0\1\1\5\0\0\0\1\x82", 10));  // trailers: ":method: GET"
  story.run();
  EXPECT_TRUE(story.at_client.said.ends_with("[closed PROTOCOL_ERROR by peer]")) << story.at_client.said;
  EXPECT_EQ(story.play.exchanges().size(), 1u);
}

TEST(H2Flow, AConnectionThatClosesDoesNotWaitForTheRestOfAnAnsweredRequest) {
  EarlyAnswer story;
  story.play.client_closes();
  EXPECT_TRUE(story.play.client_saw("CloseClient")) << story.play.transcript();
  EXPECT_EQ(story.play.exchanges().size(), 1u);
}

TEST(H2Flow, TheUpstreamsGoAwayIsTheClientsGoAway) {
  H2Story story;
  story.get("/a");
  story.origin->shut_down(false);
  story.run();
  EXPECT_NE(story.at_client.said.find("[goaway NO_ERROR]"), std::string::npos);
  story.answer(0, "answered");
  EXPECT_EQ(story.at_client.body, "answered");
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Complete);
  EXPECT_TRUE(story.play.client_saw("CloseClient")) << story.play.transcript();
}

// The upstream leaves for a reason, and what was asked before is still answered.
void hold_that_the_client_is_told_why(H2Story& story) {
  story.play.origin_says(kTooManyPings);
  story.run();
  EXPECT_NE(story.at_client.said.find("[goaway ENHANCE_YOUR_CALM too_many_pings]"), std::string::npos)
      << story.at_client.said;
  story.answer(0, "answered");
  EXPECT_EQ(story.at_client.body, "answered");
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Complete);
  EXPECT_TRUE(story.play.client_saw("CloseClient")) << story.play.transcript();
}

TEST(H2Flow, TheUpstreamsGoAwayTellsTheClientWhy) {
  H2Story story;
  story.get("/a");
  hold_that_the_client_is_told_why(story);
}

TEST(H2Flow, TheClientIsToldWhyTheUpstreamLeavesAlsoAfterAWarning) {
  H2Story story;
  story.get("/a");
  story.origin->shut_down(false);
  story.run();
  EXPECT_NE(story.at_client.said.find("[goaway NO_ERROR]"), std::string::npos) << story.at_client.said;
  hold_that_the_client_is_told_why(story);
}

TEST(H2Flow, TheUpstreamsResetResetsEveryOpenStream) {
  H2Story story;
  story.get("/a");
  story.get("/b");
  story.answer(0, "whole");
  story.play.origin_resets();
  story.run();
  EXPECT_EQ(story.at_client.body, "whole");
  EXPECT_NE(story.at_client.said.find("[closed INTERNAL_ERROR by peer]"), std::string::npos) << story.at_client.said;
  ASSERT_EQ(story.play.exchanges().size(), 2u);
  EXPECT_EQ(story.exchange(1).end, ExchangeEnd::UpstreamFailed);
  EXPECT_TRUE(story.play.client_saw("CloseClient"));
}

TEST(H2Flow, AnUpstreamThatBreaksHttp2IsRefused) {
  H2Story story;
  story.get("/a");
  story.play.origin_says(std::string("\0\0\4\0\0\0\0\0\0abcd", 13));  // DATA on stream 0
  story.run();
  ASSERT_EQ(story.play.exchanges().size(), 1u);
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Refused);
  EXPECT_EQ(story.exchange(0).status, 502);
  EXPECT_NE(story.at_client.said.find("HTTP/2 502"), std::string::npos) << story.at_client.said;
}

TEST(H2Flow, AClientThatBreaksHttp2IsInTheLedger) {
  H2Story story;
  story.get("/a");
  story.play.client_says(std::string("\0\0\4\0\0\0\0\0\0abcd", 13));
  ASSERT_EQ(story.play.exchanges().size(), 2u) << story.play.transcript();
  EXPECT_TRUE(story.play.client_saw("CloseClient"));
}

TEST(H2Flow, TheClientsEndEndsTheStreams) {
  H2Story story;
  story.get("/a");
  story.play.client_closes();
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::ClientGone);
  EXPECT_TRUE(story.play.flow().finished() || story.play.client_saw("CloseUpstream")) << story.play.transcript();
}

http::H2Head websocket() {
  http::H2Head head = http::get("/chat");
  head.head = http::Head::http2_request("CONNECT", "/chat");
  head.head.add("host", "example.org");
  head.protocol = "websocket";
  return head;
}

TEST(H2Flow, CarriesAWebSocketsStream) {
  H2Story story;
  story.origin->mirror({true, 100});  // the origin's SETTINGS say that it takes extended CONNECT
  story.get("/");
  EXPECT_TRUE(story.client.peer_settings().extended_connect);
  H2Stream& socket = http::ask(story.client, websocket(), false);
  story.client.write(socket, as_bytes("early "));
  story.run();
  ASSERT_EQ(story.at_origin.heads.size(), 2u);
  EXPECT_EQ(story.at_origin.heads[1].protocol, "websocket");
  story.answer(1, "from origin", false);
  story.client.write(socket, as_bytes("from client"));
  story.run();
  EXPECT_EQ(story.at_origin.body, "early from client");
  EXPECT_EQ(story.at_client.body, "from origin");
  ASSERT_EQ(story.play.exchanges().size(), 1u);
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Upgraded);
  story.client.end(socket);
  story.origin->end(*story.at_origin.streams.at(1));
  story.run();
  EXPECT_TRUE(story.at_client.said.ends_with("[end][closed NO_ERROR]")) << story.at_client.said;
}

TEST(H2Flow, ReadsAWebSocketsMessagesFromTheFirstOn) {
  Playbook::Setup setup;
  setup.rules = R"({"name": "keep", "match": "", "keep_messages": true})";
  H2Story story(setup);
  story.origin->mirror({true, 100});
  story.get("/");
  http::H2Head head = http::get("/chat");
  head.head = http::Head::http2_request("CONNECT", "/chat");
  head.head.add("host", "example.org");
  head.protocol = "websocket";
  H2Stream& socket = http::ask(story.client, head, false);
  story.client.write(socket, as_bytes(http::frame(http::kText, "before the answer", "mask")));
  story.run();
  story.client.write(socket, as_bytes(http::frame(http::kPing, "", "mask")));
  story.run();
  std::string answer = http::frame(http::kBinary, "from origin");
  story.answer(1, answer, false);
  EXPECT_EQ(story.at_client.body, answer);
  ASSERT_EQ(story.play.exchanges().size(), 1u);
  EXPECT_EQ(story.exchange(0).conversation->protocol, "websocket");
  story.play.wait(1'000);
  ASSERT_EQ(story.play.changes().size(), 1u) << "it is told while it goes on";
  EXPECT_TRUE(story.play.changes()[0]->conversation->open);
  EXPECT_EQ(story.play.changes()[0]->conversation->from_client.text, 1u);
  story.client.write(socket, as_bytes(http::frame(http::kClose, http::close_payload(1001), "mask")));
  story.client.end(socket);
  story.run();
  story.origin->end(*story.at_origin.streams.at(1));
  story.run();
  ASSERT_EQ(story.play.changes().size(), 2u);
  const Conversation& conversation = *story.play.changes()[1]->conversation;
  EXPECT_FALSE(conversation.open);
  EXPECT_EQ(conversation.from_client.close_code, 1001);
  EXPECT_EQ(conversation.from_client.pings, 1u);
  EXPECT_EQ(conversation.from_upstream.binary, 1u);
  ASSERT_EQ(conversation.messages.size(), 4u);
  EXPECT_EQ(conversation.messages[0]->content, "before the answer");
}

TEST(H2Flow, AWebSocketEndsWithItsStream) {
  H2Story story;
  story.origin->mirror({true, 100});
  story.get("/");
  http::H2Head head = http::get("/chat");
  head.head = http::Head::http2_request("CONNECT", "/chat");
  head.head.add("host", "example.org");
  head.protocol = "websocket";
  http::ask(story.client, head, false);
  story.run();
  story.answer(1, http::frame(http::kText, "x"), false);
  story.origin->reset(*story.at_origin.streams.at(1), H2Code::Cancel);
  story.run();
  ASSERT_EQ(story.play.changes().size(), 1u);
  EXPECT_FALSE(story.play.changes()[0]->conversation->open);
}

TEST(H2Flow, CountsTheMessagesOfAGrpcCall) {
  H2Story story;
  http::H2Head head = http::get("/shop.Shop/List");
  head.head = http::Head::http2_request("POST", "/shop.Shop/List");
  head.head.add("host", "example.org");
  head.head.add("content-type", "application/grpc");
  H2Stream& call = http::ask(story.client, head, false);
  std::string one("\0\0\0\0\3one", 8), three("\0\0\0\0\5three", 10);
  story.client.write(call, as_bytes(one));
  story.client.end(call);
  story.run();
  H2Stream& stream = *story.at_origin.streams.at(0);
  http::Head answer = http::Head::http2_response(200);
  answer.add("content-type", "application/grpc+proto");
  story.origin->respond(stream, answer, {}, false);
  for (int i = 0; i < 3; ++i) story.origin->write(stream, as_bytes(three));
  http::Trailers status = {{"grpc-status", "0"}};
  story.origin->end(stream, &status);
  story.run();
  ASSERT_EQ(story.play.exchanges().size(), 1u);
  const Conversation& conversation = *story.exchange(0).conversation;
  EXPECT_EQ(conversation.protocol, "grpc");
  EXPECT_EQ(conversation.from_client.messages, 1u);
  EXPECT_EQ(conversation.from_upstream.messages, 3u);
  EXPECT_EQ(conversation.from_upstream.payload, 15u);
  EXPECT_FALSE(conversation.open);
}

// --- Rules ---

TEST(H2Flow, AHandlerThatLetsARequestGoOnWhoseUpstreamHasGoneEndsIt) {
  H2Story story;
  story.get("/a");
  auto added = story.play.rules().add(R"({"name": "hook", "match": "", "handler": {"url": "http://127.0.0.1:9000"}})",
                                      "story", kNow);
  ASSERT_TRUE(added) << added.error().message;
  H2Stream& stream = story.get("/b", false);
  story.play.origin_resets();
  story.client.end(stream);
  story.run();
  ASSERT_EQ(story.play.handler_calls().size(), 1u);
  story.play.handler_answers(hook::Answer());
  story.run();
  ASSERT_EQ(story.play.exchanges().size(), 2u);
  EXPECT_EQ(story.exchange(1).end, ExchangeEnd::UpstreamFailed);
  EXPECT_EQ(story.exchange(1).error, "the upstream closed the connection before the request was sent");
  EXPECT_TRUE(story.at_client.said.ends_with("[closed REFUSED_STREAM by peer]")) << story.at_client.said;
}

TEST(H2Flow, ARuleAnswersInTheUpstreamsPlace) {
  H2Story story(with_rules(
      R"({"name": "mock", "match": "http.request.uri == \"/a\"", "respond": {"status": 429, "headers": {"X-Made": "1"}, "body": "tea"}})"));
  story.get("/a");
  EXPECT_EQ(story.at_client.body, "tea") << story.play.transcript();
  EXPECT_TRUE(story.at_client.said.starts_with("HTTP/2 429")) << story.at_client.said;
  EXPECT_NE(story.at_client.said.find("x-made: 1\r\n"), std::string::npos) << story.at_client.said;
  EXPECT_NE(story.at_client.said.find("content-length: 3"), std::string::npos) << story.at_client.said;
  EXPECT_TRUE(story.at_client.said.ends_with("[end][closed NO_ERROR]")) << story.at_client.said;
  EXPECT_EQ(story.at_origin.said, "");
  EXPECT_TRUE(story.exchange(0).injected());
  story.get("/b");
  story.answer(0, "real");
  EXPECT_EQ(story.at_client.body, "teareal");
}

TEST(H2Flow, ARuleChangesTheStatusAndKeepsTheBody) {
  H2Story story(with_rules(R"({"name": "talk", "match": "http.response.code == 200", "status": 429})"));
  story.get("/a");
  story.answer(0, "body");
  EXPECT_TRUE(story.at_client.said.starts_with("HTTP/2 429\r\n"));
  EXPECT_EQ(story.at_client.body, "body");
  EXPECT_EQ(story.exchange(0).upstream_status, 200);
  EXPECT_EQ(story.exchange(0).status, 429);
}

TEST(H2Flow, ARulesAbortIsAResetOfThatStreamOnly) {
  H2Story story(with_rules(R"({"name": "cut", "match": "http.request.uri == \"/a\"", "abort": "rst"})"));
  story.get("/a");
  EXPECT_EQ(story.at_client.said, "[closed INTERNAL_ERROR by peer]");
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Aborted);
  story.get("/b");
  story.answer(0, "fine");
  EXPECT_EQ(story.at_client.body, "fine");
}

TEST(H2Flow, ADelayHoldsItsStreamOnly) {
  H2Story story(with_rules(R"({"name": "slow", "match": "http.request.uri == \"/a\"", "delay": "500ms"})"));
  story.get("/a");
  story.get("/b");
  EXPECT_EQ(story.at_origin.said, "GET /b HTTP/2\r\nhost: example.org\r\n[ends][end]");
  story.play.wait(600);
  story.run();
  EXPECT_TRUE(story.at_origin.said.ends_with("GET /a HTTP/2\r\nhost: example.org\r\n[ends][end]"));
}

TEST(H2Flow, ASlowAnswerWithoutBodyIsWholeWhereTheUpstreamsIs) {
  for (bool whole : {true, false}) {
    H2Story story(with_rules(R"({"name": "slow", "match": "", "throttle": {"down": "100KiB"}})"));
    http::H2Head head = http::get("/a");
    head.head = http::Head::http2_request("HEAD", "/a");
    head.head.add("host", "example.org");
    http::ask(story.client, head, true);
    story.run();
    H2Stream& stream = *story.at_origin.streams.at(0);
    story.origin->respond(stream, http::Head::http2_response(200), {}, false);
    story.run();
    EXPECT_EQ(story.at_client.said, "HTTP/2 200\r\n") << "the upstream has not ended it";
    if (whole) {
      story.origin->end(stream);
    } else {
      story.origin->reset(stream, H2Code::InternalError);
    }
    story.run();
    EXPECT_EQ(story.at_client.said.find("[end]") != std::string::npos, whole) << story.at_client.said;
    ASSERT_EQ(story.play.exchanges().size(), 1u);
    EXPECT_EQ(story.exchange(0).end, whole ? ExchangeEnd::Complete : ExchangeEnd::Truncated);
  }
}

TEST(H2Flow, ADelayOfTheResponseHoldsItsBody) {
  H2Story story(with_rules(R"({"name": "slow", "match": "http.response.code == 200", "delay": "500ms"})"));
  story.get("/a");
  story.answer(0, std::string(300'000, 'x'));
  EXPECT_EQ(story.at_client.said, "");
  EXPECT_GT(story.at_origin.streams.at(0)->waiting(), 100'000u) << "the window stays closed meanwhile";
  story.play.wait(600);
  story.run();
  EXPECT_EQ(story.at_client.body.size(), 300'000u);
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::Complete);
}

TEST(H2Flow, ARedirectMovesTheStreamsWhileNoneIsOpen) {
  H2Story story(with_rules(
      R"({"name": "move", "match": "http.request.uri == \"/a\"", "upstream": {"host": "192.0.2.99", "port": 8443}})"));
  story.get("/b");
  story.answer(0, "b");
  EXPECT_EQ(story.play.connections(), 1);
  story.at_origin.streams.clear();
  story.begin_origin();  // the other one
  story.get("/a");
  EXPECT_EQ(story.play.connections(), 2) << story.play.transcript();
  story.answer(0, "a");
  EXPECT_EQ(story.at_client.body, "ba") << story.play.transcript();
}

TEST(H2Flow, WhatATunnelsOriginSaysBehindADelayedAnswerArrives) {
  H2Story story(with_rules(R"({"name": "late", "match": "http.response.code == 200", "delay": "1s"})"));
  story.origin->mirror({true, 100});
  story.get("/");
  http::ask(story.client, websocket(), false);
  story.run();
  story.answer(1, "welcome");
  EXPECT_EQ(story.at_client.body, "");
  story.play.wait(1'100);
  story.run();
  EXPECT_EQ(story.at_client.body, "welcome") << story.play.transcript();
  EXPECT_NE(story.at_client.said.find("[end]"), std::string::npos) << story.at_client.said;
}

// --- An upstream that comes only when it is needed ---

constexpr std::string_view kMock =
    R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 200, "body": "m"}})";

TEST(H2Flow, AsksTheUpstreamWhatItSpeaksAndRemembersIt) {
  UpstreamProtocols protocols;
  for (int connections : {1, 0}) {  // the second client is answered without
    Playbook::Setup setup = with_rules(std::string(kMock));
    setup.protocols = &protocols;
    H2Story story(setup);
    story.get("/mock");
    EXPECT_EQ(story.at_client.body, "m");
    EXPECT_EQ(story.play.connections(), connections);
    EXPECT_EQ(story.play.facts().client_tls.alpn, "h2");
    story.get("/real");
    story.answer(0, "r");
    EXPECT_EQ(story.at_client.body, "mr") << story.play.transcript();
    EXPECT_EQ(story.play.connections(), 1);
  }
}

TEST(H2Flow, WhatAnUpstreamSaidThatIsGoneIsNotTheNextOnes) {
  H2Story story(with_rules(std::string(kMock)));
  story.play.run();  // both handshakes: nobody has asked for anything yet
  ASSERT_EQ(story.play.connections(), 1) << story.play.transcript();
  ByteQueue settings;
  story.origin->pull(settings, 1 << 20);
  story.play.origin_says(settings.text());
  story.play.origin_closes();
  story.begin_origin();
  story.get("/real");
  EXPECT_EQ(story.play.connections(), 2);
  story.answer(0, "r");
  EXPECT_EQ(story.at_client.body, "r") << story.play.transcript();
}

TEST(H2Flow, AnswersInHttp1WhereTheUpstreamCannotBeAsked) {
  Playbook::Setup setup = with_rules(std::string(kMock));
  setup.client_alpn = {"h2", "http/1.1"};
  Playbook play(setup);
  play.origin_refuses_connections();
  play.client_says("GET /mock HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\nm")) << play.transcript();
}

TEST(H2Flow, DoesNotWaitLongForAnUpstreamThatDoesNotAnswer) {
  Playbook::Setup setup = with_rules(std::string(kMock));
  setup.client_alpn = {"h2", "http/1.1"};
  Playbook play(setup);
  play.origin_never_answers();
  play.run();
  play.wait(3'100);
  play.client_says("GET /mock HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  EXPECT_TRUE(play.client_got().ends_with("\r\n\r\nm")) << play.transcript();
}

TEST(H2Flow, AnUpstreamThatSpeaksAnotherProtocolThanItDidFailsTheExchange) {
  UpstreamProtocols protocols;
  {
    Playbook::Setup setup = with_rules(std::string(kMock));
    setup.protocols = &protocols;
    H2Story(setup).get("/mock");
  }
  Playbook::Setup setup = with_rules(std::string(kMock));
  setup.protocols = &protocols;
  setup.origin_alpn = "";  // no ALPN at all
  H2Story story(setup);
  story.get("/real");
  ASSERT_EQ(story.play.exchanges().size(), 1u) << story.play.transcript();
  EXPECT_EQ(story.exchange(0).end, ExchangeEnd::UpstreamFailed);
  EXPECT_NE(story.exchange(0).error.find("speaks http/1.1 now"), std::string::npos) << story.exchange(0).error;
}

TEST(H2Flow, ADetachedTargetsConnectionsWithoutUpstreamAreShutDown) {
  UpstreamProtocols protocols;
  {
    Playbook::Setup setup = with_rules(std::string(kMock));
    setup.protocols = &protocols;
    H2Story(setup).get("/mock");
  }
  Playbook::Setup setup = with_rules(std::string(kMock));
  setup.protocols = &protocols;
  H2Story story(setup);
  story.get("/mock");
  story.play.flow().on_no_more_upstreams(kNow);
  story.play.run();
  story.run();
  EXPECT_NE(story.at_client.said.find("[goaway NO_ERROR]"), std::string::npos) << story.at_client.said;
  EXPECT_TRUE(story.play.client_saw("CloseClient")) << story.play.transcript();
}

}  // namespace
}  // namespace waylay::flow
