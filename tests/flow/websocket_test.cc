// Stories of connections that become something else than HTTP: WebSockets, tunnels; and of gRPC calls.
#include <gtest/gtest.h>

#include "flow/support_playbook.h"
#include "unit/http/websocket_frames.h"

namespace waylay::flow {
namespace {

using http::close_payload;
using http::Compressor;
using http::frame;
using http::kBinary;
using http::kClose;
using http::kCompressed;
using http::kContinues;
using http::kNotFinal;
using http::kPing;
using http::kPong;
using http::kText;

constexpr std::string_view kMask = "\x11\x22\x33\x44";
constexpr std::string_view kAsk =
    "GET /chat HTTP/1.1\r\nHost: origin.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n";
constexpr std::string_view kKeep =
    R"([{"name": "keep", "match": "http.host == \"origin.test\"", "keep_messages": true}])";

std::string in_words(const MessageFacts& message) {
  return std::string(message.from_client ? "> " : "< ") + std::string(to_string(message.opcode)) + " " +
         message.content;
}

class Socket {
 public:
  explicit Socket(Playbook::Setup setup = {}, std::string_view extensions = "") : play(std::move(setup)) {
    play.client_says(kAsk);
    play.origin_says(std::string(kSwitch) + (extensions.empty() ? "" : "Sec-WebSocket-Extensions: ") +
                     std::string(extensions) + (extensions.empty() ? "" : "\r\n") + "\r\n");
    play.take_client_got();
    play.take_origin_got();
  }
  void client_sends(std::string_view bytes) {
    play.client_says(bytes);
    EXPECT_EQ(play.take_origin_got(), bytes) << "forwarded unchanged and at once";
  }
  void origin_sends(std::string_view bytes) {
    play.origin_says(bytes);
    EXPECT_EQ(play.take_client_got(), bytes) << "forwarded unchanged and at once";
  }
  // Of the newest facts.
  const Conversation& conversation() const { return *newest().conversation; }
  const ExchangeFacts& newest() const {
    return play.changes().empty() ? *play.exchanges().back() : *play.changes().back();
  }

  Playbook play;
};

class WebSocketPieces : public testing::TestWithParam<size_t> {
 protected:
  static Playbook::Setup setup(std::string_view rules = "") {
    Playbook::Setup setup;
    setup.piece = GetParam();
    setup.rules = rules;
    return setup;
  }
};
INSTANTIATE_TEST_SUITE_P(Delivered, WebSocketPieces, testing::Values(0, 1, 50));

TEST_P(WebSocketPieces, AreCountedByTypeAndDirection) {
  Socket socket(setup());
  ASSERT_EQ(socket.play.exchanges().size(), 1u) << "recorded when it is upgraded";
  EXPECT_EQ(socket.play.exchanges()[0]->end, ExchangeEnd::Upgraded);
  EXPECT_TRUE(socket.conversation().open);
  EXPECT_EQ(socket.conversation().protocol, "websocket");
  socket.client_sends(frame(kText, "hello", kMask) + frame(kPing, "", kMask));
  socket.origin_sends(frame(kText | kNotFinal, "one ") + frame(kPong, "") + frame(kContinues, "two") +
                      frame(kBinary, "xyz"));
  socket.client_sends(frame(kClose, close_payload(1000, "done"), kMask));
  socket.origin_sends(frame(kClose, close_payload(1001)));
  socket.play.origin_closes();
  socket.play.client_closes();

  const Conversation& conversation = socket.conversation();
  EXPECT_FALSE(conversation.open);
  EXPECT_EQ(conversation.from_client.text, 1u);
  EXPECT_EQ(conversation.from_client.pings, 1u);
  EXPECT_EQ(conversation.from_client.messages, 1u);
  EXPECT_EQ(conversation.from_client.payload, 5u);
  EXPECT_EQ(conversation.from_client.bytes, 11u + 6 + 12);
  EXPECT_EQ(conversation.from_client.close_code, 1000);
  EXPECT_EQ(conversation.from_client.close_reason, "done");
  EXPECT_EQ(conversation.from_upstream.text, 1u);
  EXPECT_EQ(conversation.from_upstream.binary, 1u);
  EXPECT_EQ(conversation.from_upstream.pongs, 1u);
  EXPECT_EQ(conversation.from_upstream.payload, 10u);
  EXPECT_EQ(conversation.from_upstream.close_code, 1001);
  EXPECT_EQ(conversation.from_upstream.unread, "");
  EXPECT_TRUE(conversation.messages.empty()) << "nobody asked for them";
  EXPECT_TRUE(socket.play.messages().empty());
}

TEST_P(WebSocketPieces, AreKeptWhenARuleSaysSo) {
  Socket socket(setup(kKeep), "permessage-deflate; server_no_context_takeover");
  Compressor client, origin;
  socket.client_sends(frame(kText | kCompressed, client.message("the client's"), kMask));
  socket.client_sends(frame(kText | kCompressed, client.message("the client's again"), kMask));
  socket.origin_sends(frame(kText | kCompressed, origin.message("the origin's")));
  origin.forget();
  socket.origin_sends(frame(kBinary | kCompressed, origin.message("the origin's again")));
  socket.play.origin_closes();
  socket.play.client_closes();
  std::vector<std::string> seen;
  for (const auto& message : socket.play.messages()) seen.push_back(in_words(*message));
  EXPECT_EQ(seen, (std::vector<std::string>{"> text the client's", "> text the client's again", "< text the origin's",
                                            "< binary the origin's again"}));
  ASSERT_EQ(socket.conversation().messages.size(), 4u);
  EXPECT_EQ(socket.conversation().messages[1]->content, "the client's again");
  EXPECT_EQ(socket.conversation().messages[1]->size, 18u);
  EXPECT_EQ(socket.conversation().messages[1]->exchange->id, socket.newest().id);
  EXPECT_EQ(socket.conversation().extensions, "permessage-deflate; server_no_context_takeover");
  ASSERT_EQ(socket.newest().applied.size(), 1u);
  EXPECT_EQ(socket.newest().applied[0].what, "keep messages");
  EXPECT_FALSE(socket.newest().injected());
}

TEST(WebSocketFlow, IsReadFromTheBytesBehindTheAnswersHead) {
  Playbook play;
  play.client_says(kAsk);
  play.origin_says(std::string(kSwitch) + "\r\n" + frame(kText, "at once"));
  play.origin_closes();
  play.client_closes();
  ASSERT_EQ(play.changes().size(), 1u);
  EXPECT_EQ(play.changes()[0]->conversation->from_upstream.text, 1u);
  EXPECT_TRUE(play.client_got().ends_with("at once"));
}

TEST(WebSocketFlow, TellsAtMostOnceASecondHowItGoesAndOnceAtItsEnd) {
  Socket socket;
  for (int i = 0; i < 5; ++i) socket.origin_sends(frame(kText, "tick"));
  EXPECT_EQ(socket.play.changes().size(), 0u);
  socket.play.wait(1'000);
  ASSERT_EQ(socket.play.changes().size(), 1u);
  EXPECT_EQ(socket.conversation().from_upstream.text, 5u);
  EXPECT_TRUE(socket.conversation().open);
  socket.play.wait(5'000);
  EXPECT_EQ(socket.play.changes().size(), 1u) << "nothing happened";
  EXPECT_FALSE(socket.play.flow().deadline_ns()) << "nothing is waited for";
  socket.play.client_resets();
  ASSERT_EQ(socket.play.changes().size(), 2u);
  EXPECT_FALSE(socket.conversation().open);
  EXPECT_EQ(socket.play.exchanges().size(), 1u) << "it is one exchange";
}

TEST(WebSocketFlow, ForwardsOnWhatItCannotRead) {
  Socket socket;
  socket.client_sends(frame(kText, "fine", kMask) + frame(kText, "no mask"));
  socket.client_sends("\xff\xff\xff\xff whatever this is");
  socket.origin_sends(frame(kText, "still read"));
  socket.play.origin_closes();
  socket.play.client_closes();
  EXPECT_EQ(socket.conversation().from_client.text, 1u);
  EXPECT_EQ(socket.conversation().from_client.unread, "a client's frame is not masked");
  EXPECT_EQ(socket.conversation().from_client.bytes, 10u + 9 + 21);
  EXPECT_EQ(socket.conversation().from_upstream.text, 1u);
}

TEST(WebSocketFlow, OnlyCountsBytesOfAnExtensionThatIsNotKnown) {
  Socket socket({}, "x-secret-sauce");
  socket.origin_sends(frame(kText | 0x30, "sauce"));
  socket.play.origin_closes();
  socket.play.client_closes();
  EXPECT_EQ(socket.conversation().from_upstream.bytes, 7u);
  EXPECT_EQ(socket.conversation().from_upstream.text, 0u);
  EXPECT_EQ(socket.conversation().from_upstream.unread, "the extension \"x-secret-sauce\" is not known");
}

TEST(WebSocketFlow, KeepsNoMoreThanItsRuleAllows) {
  Playbook::Setup setup;
  setup.rules = R"([{"name": "little", "match": "", "keep_messages": "4KiB"}])";
  Socket socket(setup);
  for (int i = 0; i < 10; ++i) socket.origin_sends(frame(kText, std::string(1000, 'x')));
  socket.origin_sends(frame(kText, "short"));
  socket.play.origin_closes();
  socket.play.client_closes();
  EXPECT_GE(socket.conversation().messages.size(), 2u);
  EXPECT_LE(socket.conversation().messages.size(), 4u);
  EXPECT_EQ(socket.conversation().messages.size() + socket.conversation().messages_left_out, 11u);
  EXPECT_EQ(socket.play.messages().size(), 11u) << "who follows sees them all";
}

TEST(WebSocketFlow, HoldsMessagesOfARuleThatMatchesTheAnswer) {
  Playbook::Setup setup;
  setup.rules = R"([{"name": "late", "match": "http.response.code == 101", "keep_messages": true}])";
  Socket socket(setup);
  socket.origin_sends(frame(kText, "kept"));
  EXPECT_EQ(socket.play.messages().size(), 1u);
}

TEST(WebSocketFlow, HidesCredentialsThatAreSentAsASubprotocol) {
  Playbook play;
  play.client_says(std::string(kAsk.substr(0, kAsk.size() - 2)) +
                   "Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0\r\n\r\n");
  play.origin_says(std::string(kSwitch) + "\r\n");
  EXPECT_EQ(play.exchanges().at(0)->request->first("sec-websocket-protocol"), "v4.channel.k8s.io, [redacted]");
  EXPECT_NE(play.origin_got().find("c2VjcmV0"), std::string::npos);
}

TEST(Tunnels, CarryWhateverFollowsAConnect) {
  Playbook play;
  play.client_says("CONNECT inner.test:443 HTTP/1.1\r\nHost: inner.test:443\r\n\r\n");
  EXPECT_EQ(play.take_origin_got(), "CONNECT inner.test:443 HTTP/1.1\r\nHost: inner.test:443\r\n\r\n");
  play.origin_says("HTTP/1.1 200 Connection established\r\n\r\n");
  std::string hello("\x16\x03\x01\x00\x05hello", 10), answer("\x16\x03\x03\x00\x02hi", 7);
  play.client_says(hello);
  EXPECT_EQ(play.take_origin_got(), hello);
  play.take_client_got();
  play.origin_says(answer);
  EXPECT_EQ(play.take_client_got(), answer);
  play.client_closes();
  play.origin_closes();
  ASSERT_EQ(play.changes().size(), 1u);
  const Conversation& conversation = *play.changes()[0]->conversation;
  EXPECT_EQ(conversation.protocol, "tunnel");
  EXPECT_EQ(conversation.from_client.bytes, 10u);
  EXPECT_EQ(conversation.from_upstream.bytes, 7u);
  EXPECT_EQ(play.changes()[0]->request->target(), "inner.test:443");
}

constexpr std::string_view kConnect = "CONNECT inner.test:443 HTTP/1.1\r\nHost: inner.test:443\r\n\r\n";

TEST(Tunnels, TheClientGoesOnWhenTheOriginHasSaidAll) {
  Playbook play;
  play.client_says(kConnect);
  play.origin_says("HTTP/1.1 200 Connection established\r\n\r\nbye");
  play.take_origin_got();
  play.origin_closes();
  EXPECT_TRUE(play.client_got().ends_with("bye"));
  EXPECT_TRUE(play.client_saw_close_notify() && play.client_saw("ShutdownClient"));
  EXPECT_FALSE(play.client_saw("CloseClient"));
  play.client_says("still talking");
  EXPECT_EQ(play.origin_got(), "still talking");
  play.client_closes();
  EXPECT_TRUE(play.origin_saw_close_notify());
  EXPECT_TRUE(play.client_saw("CloseClient") && play.flow().finished()) << play.transcript();
  EXPECT_EQ(play.changes().at(0)->conversation->from_client.bytes, 13u);
}

TEST(Tunnels, AnOriginThatLeavesAfterItsLastWordTakesNothingBack) {
  Playbook play;
  play.client_says(kConnect);
  play.origin_says("HTTP/1.1 200 Connection established\r\n\r\nbye");
  play.origin_closes();
  play.client_says("nobody listens");
  play.origin_resets();
  EXPECT_TRUE(play.client_saw("CloseClient") && !play.client_saw("ResetClient")) << "what was said may be on its way";
  EXPECT_TRUE(play.flow().finished());
}

TEST(Tunnels, AClientThatNeverEndsAfterTheOriginIsGivenUp) {
  Playbook play;
  play.client_says(kConnect);
  play.origin_says("HTTP/1.1 200 Connection established\r\n\r\nbye");
  play.origin_closes();
  play.wait(2'000);
  EXPECT_FALSE(play.flow().finished());
  play.wait(300'000);
  EXPECT_TRUE(play.flow().finished());
}

TEST(Tunnels, AClientThatIsCutOffIsSeenAsSuchByTheOrigin) {
  for (bool with_close_notify : {true, false}) {
    Playbook play;
    play.client_says(kConnect);
    play.origin_says("HTTP/1.1 200 Connection established\r\n\r\n");
    play.client_says("not all of");
    play.client_closes(with_close_notify);
    EXPECT_EQ(play.origin_saw_close_notify(), with_close_notify);
    play.origin_says("late");
    EXPECT_TRUE(play.client_got().ends_with("late"));
    play.origin_closes();
    EXPECT_EQ(play.origin_saw_close_notify(), with_close_notify);
    EXPECT_TRUE(play.flow().finished()) << play.transcript();
  }
}

TEST(Tunnels, OfAnotherProtocolHaveItsName) {
  Playbook play;
  play.client_says("GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\n\r\n");
  play.origin_says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Foo/2\r\n\r\n12345");
  play.client_closes();
  play.origin_closes();
  ASSERT_EQ(play.changes().size(), 1u);
  EXPECT_EQ(play.changes()[0]->conversation->protocol, "foo/2");
  EXPECT_EQ(play.changes()[0]->conversation->from_upstream.bytes, 5u);
}

std::string chunked(std::string_view content) {
  char size[32];
  snprintf(size, sizeof size, "%zx\r\n", content.size());
  return std::string(size).append(content).append("\r\n0\r\n\r\n");
}

TEST_P(WebSocketPieces, AreNotTheOnlyOnesThatAreCounted) {
  Playbook play(setup());
  std::string one("\0\0\0\0\3one", 8), two("\0\0\0\0\3two", 8), trailers("\x80\0\0\0\x0fgrpc-status:0\r\n", 20);
  play.client_says(
      "POST /shop.Shop/List HTTP/1.1\r\nHost: origin.test\r\nContent-Type: application/grpc-web+proto\r\n"
      "Content-Length: 8\r\n\r\n" +
      one);
  play.origin_says("HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   chunked(one + two + trailers));
  ASSERT_EQ(play.exchanges().size(), 1u);
  ASSERT_TRUE(play.exchanges()[0]->conversation);
  const Conversation& conversation = *play.exchanges()[0]->conversation;
  EXPECT_EQ(conversation.protocol, "grpc-web");
  EXPECT_EQ(conversation.from_client.messages, 1u);
  EXPECT_EQ(conversation.from_upstream.messages, 2u);
  EXPECT_EQ(conversation.from_upstream.payload, 6u);
  EXPECT_EQ(conversation.from_upstream.bytes, 36u);
}

TEST(GrpcFlow, CountsNothingInAnAnswerThatIsNoGrpc) {
  Playbook play;
  play.client_says(
      "POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Type: application/grpc-web-text\r\n"
      "Content-Length: 8\r\n\r\nAAAAAAA=");
  play.origin_says("HTTP/1.1 500 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
  ASSERT_EQ(play.exchanges().size(), 1u);
  const Conversation& conversation = *play.exchanges()[0]->conversation;
  EXPECT_EQ(conversation.protocol, "grpc-web-text");
  EXPECT_EQ(conversation.from_client.messages, 1u);
  EXPECT_EQ(conversation.from_upstream.messages, 0u);
  EXPECT_EQ(conversation.from_upstream.unread, "");
}

}  // namespace
}  // namespace waylay::flow
