#include "http/h2.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <functional>

#include "support/h2_frame.h"
#include "unit/http/h2_witness.h"

namespace waylay::http {
namespace {

constexpr Time kNow{1'000'000'000'000, 0};

// Carries bytes from one session to the other, in pieces, until both are silent.
void carry(H2Session& a, H2Session& b, size_t piece = 100'000) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      ByteQueue bytes;
      from->pull(bytes, 1 << 20);
      moved = moved || !bytes.empty();
      while (!bytes.empty()) {
        size_t size = std::min(piece, bytes.size());
        to->receive(bytes.bytes().first(size), kNow);
        bytes.consume(size);
      }
    }
  }
}

struct Pair {
  Witness at_server, at_client;
  H2Server server{at_server};
  H2Client client{at_client, kStreamWindow};
};

// A server's end, and a client who says raw bytes.
struct Raw {
  Raw() { say(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + h2_frame(NGHTTP2_SETTINGS, 0, 0, "")); }

  static std::string request(std::string_view path = "/", std::string_view more = {}) {
    return h2_field(":method", "GET") + h2_field(":scheme", "https") + h2_field(":authority", "example.org") +
           h2_field(":path", path) + std::string(more);
  }
  std::string headers(uint32_t stream, std::string_view block) {
    return h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, stream, block);
  }
  void say(std::string_view bytes) {
    server.receive(as_bytes(bytes), kNow);
    said += bytes.size();
    ByteQueue out;
    server.pull(out, 1 << 24);
    heard += out.text();
  }
  // Of the frames that were heard on streams: "1 on 3" is HEADERS on the third.
  std::string heard_on_streams() const {
    std::string out;
    for (std::string_view rest = heard; rest.size() >= 9;) {
      auto byte = [&](size_t at) { return static_cast<unsigned char>(rest[at]); };
      size_t length = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
      if (byte(8) != 0) out += std::to_string(byte(3)) + " on " + std::to_string(byte(8)) + "; ";
      rest.remove_prefix(std::min(rest.size(), 9 + length));
    }
    return out;
  }
  // Says it again and again until the server ends the connection; how often it took.
  int say_until_ended(const std::function<std::string(int)>& what, int most) {
    said = 0;
    for (int i = 0; i < most; ++i) {
      if (server.over()) return i;
      say(what(i));
    }
    return most;
  }
  std::string goaway_code() const {
    size_t at = heard.find(std::string("\7\0\0\0\0\0", 6));
    if (at == std::string::npos || at + 14 > heard.size()) return "none";
    return std::string(to_string(static_cast<H2Code>(static_cast<uint8_t>(heard[at + 13]))));
  }
  std::string failure() const { return server.failure() ? server.failure()->message : "none"; }

  Witness witness;
  H2Server server{witness};
  std::string heard;
  size_t said = 0;
};

// --- What goes through ---

TEST(H2, CarriesARequestAndItsResponse) {
  Pair pair;
  EXPECT_EQ(ask(pair.client, get("/a?b", {{"accept", "*/*"}}), true).id(), 1);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_server.said, "GET /a?b HTTP/2\r\nhost: example.org\r\naccept: */*\r\n[ends][end]");
  EXPECT_EQ(request_host(pair.at_server.heads[0].head), "example.org");

  Head head = Head::http2_response(200);
  head.add("content-type", "text/plain");
  H2Stream& stream = *pair.at_server.streams[0];
  pair.server.respond(stream, head, {}, false);
  pair.server.write(stream, as_bytes("hello"));
  pair.server.end(stream);
  pair.at_client.consumer = &pair.client;
  carry(pair.server, pair.client);
  EXPECT_EQ(pair.at_client.said, "HTTP/2 200\r\ncontent-type: text/plain\r\n[end][closed NO_ERROR]");
  EXPECT_EQ(pair.at_client.body, "hello");
  EXPECT_EQ(pair.server.streams(), 0u);
  EXPECT_EQ(pair.client.streams(), 0u);
}

TEST(H2, TakesAnythingInPiecesOfOneByte) {
  Pair pair;
  pair.at_server.answer = [&](H2Stream& stream) {
    pair.server.respond(stream, Head::http2_response(200), {}, false);
    pair.server.write(stream, as_bytes("body"));
    Trailers trailers = {{"grpc-status", "0"}};
    pair.server.end(stream, &trailers);
  };
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server, 1);
  EXPECT_EQ(pair.at_client.said, "HTTP/2 200\r\n[end grpc-status=0][closed NO_ERROR]");
  EXPECT_EQ(pair.at_client.body, "body");
}

TEST(H2, CarriesTrailersWithoutABody) {
  Pair pair;
  pair.at_server.answer = [&](H2Stream& stream) {
    pair.server.respond(stream, Head::http2_response(200), {}, false);
    Trailers trailers = {{"grpc-status", "5"}, {"grpc-message", "not found"}};
    pair.server.end(stream, &trailers);
  };
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_client.said, "HTTP/2 200\r\n[end grpc-status=5 grpc-message=not found][closed NO_ERROR]");
}

TEST(H2, CarriesInformationalResponses) {
  Pair pair;
  pair.at_server.answer = [&](H2Stream& stream) {
    pair.server.inform(stream, Head::http2_response(103));
    pair.server.respond(stream, Head::http2_response(204), {}, true);
  };
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_client.said, "<103>HTTP/2 204\r\n[ends][end][closed NO_ERROR]");
}

TEST(H2, JoinsCookieCrumbsAndKeepsTheOrderOfTheRest) {
  Raw raw;
  raw.say(raw.headers(1, Raw::request("/", h2_field("cookie", "a=1") + h2_field("cookie", "b=2") + h2_field("x", "y") +
                                               h2_field("cookie", "c=3"))));
  EXPECT_EQ(raw.witness.said, "GET / HTTP/2\r\nhost: example.org\r\ncookie: a=1; b=2; c=3\r\nx: y\r\n[ends][end]");
}

TEST(H2, AnEmptyCookieCrumbAddsNothing) {
  Raw raw;
  raw.say(raw.headers(1, Raw::request("/", h2_field("cookie", "a=1") + h2_field("cookie", "") + h2_field("x", "y") +
                                               h2_field("cookie", ""))));
  EXPECT_EQ(raw.witness.said, "GET / HTTP/2\r\nhost: example.org\r\ncookie: a=1\r\nx: y\r\n[ends][end]");
}

TEST(H2, KeepsAHostFieldApartFromTheAuthority) {
  Raw raw;
  raw.say(raw.headers(1, h2_field(":method", "GET") + h2_field(":scheme", "https") + h2_field(":path", "/") +
                             h2_field("host", "example.org")));
  ASSERT_EQ(raw.witness.heads.size(), 1u);
  EXPECT_FALSE(raw.witness.heads[0].authority);
  EXPECT_EQ(request_host(raw.witness.heads[0].head), "example.org");
}

TEST(H2, RemembersWhatMayNotBeIndexed) {
  Raw raw;
  std::string never = h2_field("x-token", "secret");
  never[0] = 0x10;  // RFC 7541 section 6.2.3
  raw.say(raw.headers(1, Raw::request("/", never + h2_field("x-other", "1"))));
  ASSERT_EQ(raw.witness.heads.size(), 1u);
  EXPECT_EQ(raw.witness.heads[0].never_indexed, "\nx-token\n");

  Pair pair;
  H2Head head = get("/", {{"x-token", "a-long-secret"}, {"X-Other", "1"}, {"connection", "close"}});
  head.never_indexed = "\nx-token\n";
  ask(pair.client, head, true);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_server.heads.at(0).never_indexed, "\nx-token\n");
  EXPECT_FALSE(pair.at_server.heads.at(0).head.has("connection"));
}

TEST(H2, ExtendedConnectNeedsTheUpstreamsWord) {
  Pair pair;
  H2Head head = get("/chat");
  head.head = Head::http2_request("CONNECT", "/chat");
  head.head.add("host", "example.org");
  head.protocol = "websocket";
  pair.server.mirror({true, 100});
  carry(pair.client, pair.server);
  EXPECT_TRUE(pair.client.peer_settings().extended_connect);
  ask(pair.client, head, false);
  carry(pair.client, pair.server);
  ASSERT_EQ(pair.at_server.heads.size(), 1u);
  EXPECT_EQ(pair.at_server.heads[0].protocol, "websocket");
  EXPECT_EQ(pair.at_server.heads[0].head.target(), "/chat");
  EXPECT_EQ(request_host(pair.at_server.heads[0].head), "example.org");
}

TEST(H2, WhatIsKnownBeforeTheFirstSettingsIsSaidWithThem) {
  Witness witness;
  H2Server server(witness);
  server.receive(as_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2_frame(NGHTTP2_SETTINGS, 0, 0, "") +
                          h2_frame(NGHTTP2_PING, 0, 0, "are you?")),
                 kNow);
  server.mirror({true, 7});
  ByteQueue out;
  server.pull(out, 1 << 20);
  EXPECT_EQ(settings_in(out.text()), "SETTINGS 4=131072 6=131072 3=7 9=1 8=1; SETTINGS ACK; ");
  EXPECT_EQ(out.text()[3], char{NGHTTP2_SETTINGS}) << "nghttp2 has its answers first";
  out.clear();
  server.mirror({true, 7});
  EXPECT_FALSE(server.wants_pull());
  server.mirror({true, 8});
  server.pull(out, 1 << 20);
  EXPECT_EQ(settings_in(out.text()), "SETTINGS 3=8; ");
}

TEST(H2, AnExtendedConnectThatWasNotOfferedIsMalformed) {
  Raw raw;
  raw.say(raw.headers(1, h2_field(":method", "CONNECT") + h2_field(":scheme", "https") + h2_field(":path", "/") +
                             h2_field(":authority", "a.test") + h2_field(":protocol", "websocket")));
  EXPECT_EQ(raw.witness.said, "[refused request: an extended CONNECT, which was not offered]");
  EXPECT_EQ(raw.heard_on_streams(), "3 on 1; ");
}

TEST(H2, IsPulledNoFurtherThanItsCallerWants) {
  Raw raw;
  std::string large("\0\4\0\x10\0\0", 6), more("\0\x10\0\0", 4);  // INITIAL_WINDOW_SIZE
  raw.say(h2_frame(NGHTTP2_SETTINGS, 0, 0, large) + h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, more) +
          raw.headers(1, Raw::request()));
  raw.server.respond(*raw.witness.streams.at(0), Head::http2_response(200), {}, false);
  raw.server.write(*raw.witness.streams.at(0), as_bytes(std::string(1'000'000, 'x')));
  size_t all = 0;
  for (int pulls = 0; raw.server.wants_pull(); ++pulls) {
    ASSERT_LT(pulls, 100);
    ByteQueue out;
    raw.server.pull(out, 64 * 1024);
    EXPECT_LE(out.size(), (64 + 17) * 1024u);
    all += out.size();
  }
  EXPECT_GT(all, 1'000'000u);
}

TEST(H2, APlainConnectHasItsAuthorityAsTarget) {
  Pair pair;
  H2Head head;
  head.head = Head::http2_request("CONNECT", "example.org:443");
  ask(pair.client, head, false);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_server.said, "CONNECT example.org:443 HTTP/2\r\n");
}

// --- Windows ---

TEST(H2, GivesAWindowBackOnlyForWhatWasPassedOn) {
  Pair pair;
  H2Stream& asked = ask(pair.client, get("/"), false);
  pair.client.write(asked, as_bytes(std::string(1'000'000, 'x')));
  carry(pair.client, pair.server);
  H2Stream& stream = *pair.at_server.streams.at(0);
  EXPECT_EQ(stream.held(), kStreamWindow);
  EXPECT_EQ(asked.waiting(), 1'000'000 - kStreamWindow);

  // Its neighbour is not touched by that.
  pair.at_server.consumer = nullptr;
  H2Stream& other = ask(pair.client, get("/other"), false);
  pair.client.write(other, as_bytes(std::string(1000, 'y')));
  carry(pair.client, pair.server);
  EXPECT_EQ(other.waiting(), 0u);

  pair.server.consume(stream, stream.held());
  carry(pair.client, pair.server);
  EXPECT_GT(stream.held(), kStreamWindow) << "a reader that keeps up gets a larger window";
}

TEST(H2, ALargeBodyArrivesWhole) {
  Pair pair;
  pair.at_server.consumer = &pair.server;
  H2Stream& asked = ask(pair.client, get("/"), false);
  std::string body;
  for (int i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i);
  pair.client.write(asked, as_bytes(body));
  pair.client.end(asked);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_server.body, body);
  EXPECT_TRUE(pair.at_server.said.ends_with("[end]"));
}

TEST(H2, OneConnectionHoldsABoundedAmount) {
  Pair pair;
  std::string body(1'000'000, 'x');
  for (int i = 0; i < 90; ++i) pair.client.write(ask(pair.client, get("/"), false), as_bytes(body));
  carry(pair.client, pair.server);
  EXPECT_LE(pair.at_server.body.size(), kConnectionHeld + kConnectionWindow);
  EXPECT_GE(pair.at_server.body.size(), kConnectionHeld);
}

// --- Ends ---

TEST(H2, ResetsReachTheOtherEndWithTheirCode) {
  Pair pair;
  H2Stream& asked = ask(pair.client, get("/"), false);
  carry(pair.client, pair.server);
  pair.client.reset(asked, H2Code::Cancel);
  carry(pair.client, pair.server);
  EXPECT_TRUE(pair.at_server.said.ends_with("[closed CANCEL by peer]"));
  EXPECT_EQ(pair.at_client.said, "") << "whoever resets hears no more of it";
  EXPECT_EQ(pair.client.streams(), 0u);
}

TEST(H2, AResetBehindABodyLetsTheBodyArrive) {
  Pair pair;
  pair.at_server.answer = [&](H2Stream& stream) {
    pair.server.respond(stream, Head::http2_response(200), {}, false);
    pair.server.write(stream, as_bytes("half of"));
    pair.server.reset_after_body(stream, H2Code::InternalError);
  };
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_client.body, "half of");
  EXPECT_TRUE(pair.at_client.said.ends_with("[closed INTERNAL_ERROR by peer]"));
}

TEST(H2, AnAnswerBeforeTheRequestsEndArrivesWholeBeforeItsReset) {
  Trailers status = {{"grpc-status", "7"}};
  struct Case {
    bool body_follows, informs;
    const Trailers* trailers;
    const char* heard;
  };
  for (const Case& each : {Case{false, false, nullptr, "HTTP/2 403\r\n[ends][end][closed NO_ERROR]"},
                           Case{false, true, nullptr, "<103>HTTP/2 403\r\n[ends][end][closed NO_ERROR]"},
                           Case{true, false, &status, "HTTP/2 403\r\n[end grpc-status=7][closed NO_ERROR]"}}) {
    Pair pair;
    H2Stream& asked = ask(pair.client, get("/"), false);
    pair.client.write(asked, as_bytes("the beginning"));
    carry(pair.client, pair.server);
    H2Stream& stream = *pair.at_server.streams.at(0);
    if (each.informs) pair.server.inform(stream, Head::http2_response(103));
    pair.server.respond(stream, Head::http2_response(403), {}, !each.body_follows);
    if (each.body_follows) pair.server.end(stream, each.trailers);
    pair.server.reset_after_body(stream, H2Code::NoError);
    carry(pair.client, pair.server);
    EXPECT_EQ(pair.at_client.said, each.heard);
    EXPECT_EQ(pair.server.streams(), 0u);
  }
}

TEST(H2, AHeadThatIsFollowedByAResetArrivesBeforeIt) {
  Pair pair;
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server);
  H2Stream& stream = *pair.at_server.streams.at(0);
  pair.server.respond(stream, Head::http2_response(200), {}, false);
  pair.server.reset_after_body(stream, H2Code::InternalError);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_client.said, "HTTP/2 200\r\n[closed INTERNAL_ERROR by peer]");
}

TEST(H2, ShutsDownWithoutLosingARequest) {
  Pair pair;
  ask(pair.client, get("/1"), true);
  carry(pair.client, pair.server);
  pair.server.shut_down(false);
  carry(pair.server, pair.client);
  EXPECT_TRUE(pair.at_client.said.ends_with("[goaway NO_ERROR][goaway NO_ERROR]"));
  EXPECT_FALSE(pair.server.over());
  pair.server.respond(*pair.at_server.streams.at(0), Head::http2_response(200), {}, true);
  carry(pair.server, pair.client);
  EXPECT_TRUE(pair.server.over());
  EXPECT_TRUE(pair.at_client.said.ends_with("HTTP/2 200\r\n[ends][end][closed NO_ERROR]"));
}

// A stream of which the client has not said all, so that the connection goes on behind a GOAWAY.
const std::string kUnended = h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, Raw::request());
// nghttp2's own word for it is PROTOCOL_ERROR.
const std::string kViolation = h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2, Raw::request());

TEST(H2, WhatItIsToldToSayAtTheEndIsNoFailureOfTheClient) {
  Raw raw;
  raw.say(kUnended);
  raw.server.shut_down(true, H2Code::ProtocolError, "as the upstream said");
  raw.say("");
  EXPECT_EQ(raw.goaway_code(), "PROTOCOL_ERROR");
  EXPECT_EQ(raw.failure(), "none");
}

TEST(H2, AViolationIsAFailureThoughTheLastWordHadTheSameCode) {
  Raw raw;
  raw.say(kUnended);
  raw.server.shut_down(true, H2Code::ProtocolError, "as the upstream said");
  raw.say("");
  raw.say(kViolation);
  EXPECT_EQ(raw.failure(), "PROTOCOL_ERROR: request HEADERS: invalid stream_id");
}

TEST(H2, AViolationIsAFailureThoughTheLastWordWasToFollowAtOnce) {
  Raw raw;
  raw.say(kUnended);
  raw.server.receive(as_bytes(kViolation), kNow);
  raw.server.shut_down(true, H2Code::ProtocolError, "as the upstream said");
  raw.say("");
  EXPECT_EQ(raw.failure(), "PROTOCOL_ERROR: request HEADERS: invalid stream_id");
}

TEST(H2, RequestsThatFindNoPlaceAreRefusedWhenTheServerGoes) {
  Pair pair;
  pair.server.mirror({false, 1});
  carry(pair.client, pair.server);
  ask(pair.client, get("/1"), true);
  ask(pair.client, get("/2"), true);
  carry(pair.client, pair.server);
  EXPECT_EQ(pair.at_server.heads.size(), 1u);
  pair.server.shut_down(false);
  carry(pair.server, pair.client);
  EXPECT_NE(pair.at_client.said.find("[closed REFUSED_STREAM by peer]"), std::string::npos) << pair.at_client.said;
}

TEST(H2, WhatIsNoPrefaceEndsTheConnection) {
  Witness witness;
  H2Server server(witness);
  server.receive(as_bytes("GET / HTTP/1.1\r\n\r\n"), kNow);
  ByteQueue out;
  server.pull(out, 1000);
  EXPECT_TRUE(server.over());
  ASSERT_TRUE(server.failure());
  EXPECT_EQ(server.failure()->side, Side::Client);
}

// --- What is refused (RFC 9113 section 8) ---

struct Malformed {
  const char* what;
  std::string block;
};

TEST(H2, RefusesMalformedRequests) {
  auto block = [](std::initializer_list<std::pair<const char*, const char*>> fields) {
    std::string made;
    for (auto [name, value] : fields) made += h2_field(name, value);
    return made;
  };
  const Malformed cases[] = {
      {"an upper case name", Raw::request("/", h2_field("X-Upper", "1"))},
      {"a connection field", Raw::request("/", h2_field("connection", "close"))},
      {"a transfer coding", Raw::request("/", h2_field("transfer-encoding", "chunked"))},
      {"te other than trailers", Raw::request("/", h2_field("te", "gzip"))},
      {"a line feed in a value", Raw::request("/", h2_field("x", "a\nb"))},
      {"a carriage return in a value", Raw::request("/", h2_field("x", "a\r\nevil: 1"))},
      {"a NUL in a value", Raw::request("/", h2_field("x", std::string("a\0b", 3)))},
      {"a blank before a value", Raw::request("/", h2_field("x", " a"))},
      {"a blank in a name", Raw::request("/", h2_field("a b", "1"))},
      {"a colon in a name", Raw::request("/", h2_field("a:b", "1"))},
      {"an empty name", Raw::request("/", h2_field("", "1"))},
      {"a pseudo-field behind a field", h2_field("x", "1") + Raw::request()},
      {"an unknown pseudo-field", Raw::request("/", h2_field(":evil", "1"))},
      {"a response's pseudo-field", Raw::request("/", h2_field(":status", "200"))},
      {"two paths", Raw::request("/", h2_field(":path", "/b"))},
      {"an empty path", Raw::request("")},
      {"a path without slash", Raw::request("evil")},
      {"a blank in the path", Raw::request("/a b")},
      {"a line break in the path", Raw::request("/ HTTP/1.1\r\nevil: 1")},
      {"no method", block({{":scheme", "https"}, {":authority", "a"}, {":path", "/"}})},
      {"no scheme", block({{":method", "GET"}, {":authority", "a"}, {":path", "/"}})},
      {"no path", block({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}})},
      {"no host at all", block({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}})},
      {"a blank in the method",
       block({{":method", "GET /x"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}})},
      {"user information in the authority", h2_field(":method", "GET") + h2_field(":scheme", "https") +
                                                h2_field(":authority", "a@b") + h2_field(":path", "/")},
      {"a Host that differs from the authority", Raw::request("/", h2_field("host", "evil.example"))},
      {"two hosts", Raw::request("/", h2_field("host", "example.org") + h2_field("host", "example.org"))},
      {"two lengths", Raw::request("/", h2_field("content-length", "0") + h2_field("content-length", "1"))},
      {"a length that is none", Raw::request("/", h2_field("content-length", "0x1"))},
      {"a length without its body", Raw::request("/", h2_field("content-length", "5"))},
      {"a protocol that nobody offered", block({{":method", "CONNECT"},
                                                {":scheme", "https"},
                                                {":authority", "a"},
                                                {":path", "/"},
                                                {":protocol", "websocket"}})},
  };
  for (const Malformed& item : cases) {
    Raw raw;
    raw.say(raw.headers(1, item.block));
    EXPECT_TRUE(raw.witness.heads.empty()) << item.what << ": " << raw.witness.said;
    EXPECT_TRUE(raw.witness.said.starts_with("[refused")) << item.what << ": " << raw.witness.said;
    EXPECT_NE(raw.heard.find(h2_frame(NGHTTP2_RST_STREAM, 0, 1, std::string("\0\0\0\1", 4))), std::string::npos)
        << item.what;
    // The connection lives on.
    raw.say(raw.headers(3, Raw::request("/next")));
    EXPECT_EQ(raw.witness.heads.size(), 1u) << item.what;
  }
}

TEST(H2, DoesNotRepeatTheValueOfAMalformedField) {
  for (const char* name : {"authorization", "cookie", "x, value: [y"}) {
    Raw raw;
    raw.say(raw.headers(1, Raw::request("/", h2_field(name, "Bearer secret "))));
    EXPECT_TRUE(raw.witness.said.starts_with("[refused Invalid HTTP header field")) << raw.witness.said;
    EXPECT_EQ(raw.witness.said.find("secret"), std::string::npos) << raw.witness.said;
  }
  Raw raw;
  raw.say(raw.headers(1, Raw::request("/", h2_field("X" + std::string(10'000, 'x'), "a"))));
  EXPECT_LT(raw.witness.said.size(), 300u) << "nor a name of any length";
}

TEST(H2, SendsHeadsAndTrailersOfAnySizeThatItTakes) {
  const std::string large(100'000, 'a');
  Pair pair;
  pair.at_server.answer = [&](H2Stream& stream) {
    Head hint = Head::http2_response(103), head = Head::http2_response(200);
    for (Head* each : {&hint, &head}) each->add("x-large", large);
    pair.server.inform(stream, hint);
    pair.server.respond(stream, head, {}, false);
    Trailers trailers{{"x-large", large}};
    pair.server.end(stream, &trailers);
  };
  ask(pair.client, get("/", {{"x-large", large}}), true);
  carry(pair.client, pair.server);
  ASSERT_EQ(pair.at_server.heads.size(), 1u) << pair.at_client.said;
  EXPECT_EQ(pair.at_server.heads[0].head.first("x-large"), large);
  EXPECT_TRUE(pair.at_client.said.starts_with("<103>")) << pair.at_client.said.substr(0, 100);
  ASSERT_EQ(pair.at_client.heads.size(), 1u);
  EXPECT_EQ(pair.at_client.heads[0].head.first("x-large"), large);
  EXPECT_TRUE(pair.at_client.said.ends_with("[end x-large=" + large + "][closed NO_ERROR]"));
}

TEST(H2, AnswersALargeHeaderListWith431) {
  Raw raw;
  std::string large = h2_field("x-large", std::string(45'000, 'a'));
  std::string block = Raw::request("/", large + large + large);
  std::string bytes;
  for (size_t at = 0; at < block.size(); at += 16'000) {
    std::string_view piece = std::string_view(block).substr(at, 16'000);
    uint8_t last = at + 16'000 >= block.size() ? NGHTTP2_FLAG_END_HEADERS : 0;
    bytes += at == 0 ? h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, piece)
                     : h2_frame(NGHTTP2_CONTINUATION, last, 1, piece);
  }
  raw.say(bytes);
  EXPECT_EQ(raw.witness.said, "[refused request: a header list above 128 KiB]");
  EXPECT_EQ(raw.heard_on_streams(), "1 on 1; ") << "the answer, and no reset in its place";
  EXPECT_EQ(raw.server.streams(), 0u);
  EXPECT_FALSE(raw.server.failure());
  raw.say(raw.headers(3, Raw::request("/next")));
  EXPECT_EQ(raw.witness.heads.size(), 1u);
}

TEST(H2, AMalformedResponseIsTheUpstreamsFault) {
  Pair pair;
  pair.at_server.answer = [&](H2Stream& stream) {
    Head head = Head::http2_response(200);
    head.add("content-length", "10");
    pair.server.respond(stream, head, {}, false);
    pair.server.write(stream, as_bytes("short"));
    pair.server.end(stream);
  };
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server);
  EXPECT_TRUE(pair.at_client.said.ends_with("[closed PROTOCOL_ERROR]")) << pair.at_client.said;
}

// --- A client that breaks the order of frames (RFC 9113 sections 5.1 and 5.3) ---

TEST(H2, EndsAConnectionWhoseFramesAreOutOfOrder) {
  const std::string request = Raw::request();
  auto get = [&](uint32_t id) { return h2_frame(NGHTTP2_HEADERS, 5, id, request); };
  auto reset = [](uint32_t id) { return h2_frame(NGHTTP2_RST_STREAM, 0, id, std::string("\0\0\0\10", 4)); };
  auto open = [&](uint32_t id) { return h2_frame(NGHTTP2_HEADERS, 4, id, request); };
  struct {
    const char* what;
    std::string bytes;
    const char* code;
  } cases[] = {
      {"DATA behind the end", get(1) + h2_frame(NGHTTP2_DATA, 0, 1, "x"), "STREAM_CLOSED"},
      {"DATA behind a reset", open(1) + reset(1) + h2_frame(NGHTTP2_DATA, 0, 1, "x"), "STREAM_CLOSED"},
      {"HEADERS behind a reset", open(1) + reset(1) + get(1), "STREAM_CLOSED"},
      {"HEADERS behind the end", get(1) + get(1), "STREAM_CLOSED"},
      {"a number below the last", get(5) + get(3), "PROTOCOL_ERROR"},
      {"an even number", get(2), "PROTOCOL_ERROR"},
      {"DATA of an idle stream", h2_frame(NGHTTP2_DATA, 0, 1, "x"), "PROTOCOL_ERROR"},
      {"a reset of an idle stream", reset(1), "PROTOCOL_ERROR"},
      {"PRIORITY of no stream", h2_frame(NGHTTP2_PRIORITY, 0, 0, std::string(5, '\1')), "PROTOCOL_ERROR"},
      {"PRIORITY of itself", h2_frame(NGHTTP2_PRIORITY, 0, 3, std::string("\0\0\0\3\1", 5)), "PROTOCOL_ERROR"},
      {"a frame above the size", h2_frame(NGHTTP2_DATA, 0, 1, std::string(16'385, 'x')), "FRAME_SIZE_ERROR"},
      {"CONTINUATION alone", get(1) + h2_frame(NGHTTP2_CONTINUATION, 4, 1, ""), "PROTOCOL_ERROR"},
      {"a push", h2_frame(NGHTTP2_PUSH_PROMISE, 4, 1, std::string("\0\0\0\2", 4)), "PROTOCOL_ERROR"},
      {"a window above its most", h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff"), "FLOW_CONTROL_ERROR"},
  };
  for (const auto& item : cases) {
    for (size_t piece : {size_t{1}, item.bytes.size()}) {
      Raw raw;
      for (size_t at = 0; at < item.bytes.size(); at += piece) raw.say(std::string_view(item.bytes).substr(at, piece));
      EXPECT_TRUE(raw.server.over()) << item.what;
      EXPECT_EQ(raw.goaway_code(), item.code) << item.what << " " << raw.failure();
    }
  }
}

// What a client sends before it knows of our reset is no error.
TEST(H2, AStreamThatWeResetMayGoOnForAWhile) {
  Raw raw;
  raw.say(h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, Raw::request()));
  raw.server.reset(*raw.witness.streams.at(0), H2Code::Cancel);
  raw.say(h2_frame(NGHTTP2_DATA, 0, 1, "late"));
  raw.say(raw.headers(1, h2_field("x-sum", "1")));
  raw.say(raw.headers(3, Raw::request("/next")));
  EXPECT_EQ(raw.failure(), "none");
  EXPECT_EQ(raw.witness.heads.size(), 2u);
}

TEST(H2, SeesAServersSettingsBeforeTheyAreUsed) {
  std::string entries("\0\3\0\0\0\12\0\10\0\0\0\1\0\4\0\0\0\0", 18);
  std::string frame = h2_frame(NGHTTP2_SETTINGS, 0, 0, entries);
  EXPECT_EQ(peek_settings(as_bytes(frame + "more")), (H2Settings{true, 10}));
  EXPECT_EQ(peek_settings(as_bytes(std::string_view(frame).substr(0, 20))), std::nullopt);
  EXPECT_EQ(peek_settings(as_bytes(h2_frame(NGHTTP2_PING, 0, 0, "12345678"))), std::nullopt);
  EXPECT_EQ(peek_settings(as_bytes(h2_frame(NGHTTP2_SETTINGS, 0, 0, ""))), H2Settings{});
}

// --- Floods ---

TEST(H2, EndsAContinuationFloodWithin256KiB) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{16'384}}) {
    Raw raw;
    raw.say(h2_frame(NGHTTP2_HEADERS, 0, 1, Raw::request()));
    std::string block = size == 0 ? "" : h2_field("x", std::string(size > 10 ? size - 8 : 0, 'a'));
    raw.say_until_ended([&](int) { return h2_frame(NGHTTP2_CONTINUATION, 0, 1, block); }, 100'000);
    EXPECT_TRUE(raw.server.over());
    EXPECT_LT(raw.said, 256u * 1024) << size;
  }
}

TEST(H2, EndsAnHpackBombWithin256KiB) {
  Raw raw;
  std::string first = h2_field("x", std::string(4000, 'a'));
  first[0] = 0x40;  // with indexing: entry 62
  std::string bomb = Raw::request("/", first + std::string(12'000, char(0x80 | 62)));
  int streams = raw.say_until_ended([&](int i) { return raw.headers(static_cast<uint32_t>(2 * i + 1), bomb); }, 1000);
  EXPECT_TRUE(raw.server.over());
  EXPECT_LT(raw.said, 256u * 1024);
  EXPECT_LE(streams, 2);
  EXPECT_EQ(raw.witness.heads.size(), 0u);
}

TEST(H2, EndsSmallHpackBombsWithin256KiB) {
  Raw raw;
  std::string first = h2_field("x", std::string(4000, 'a'));
  first[0] = 0x40;
  raw.say(raw.headers(1, Raw::request("/", first)));
  std::string bomb = Raw::request("/", std::string(40, char(0x80 | 62)));
  raw.say_until_ended([&](int i) { return raw.headers(static_cast<uint32_t>(2 * i + 3), bomb); }, 10'000);
  EXPECT_TRUE(raw.server.over());
  EXPECT_LT(raw.said, 256u * 1024);
}

TEST(H2, EndsRapidResetsWithin1000) {
  Raw raw;
  int resets = raw.say_until_ended(
      [&](int i) {
        auto id = static_cast<uint32_t>(2 * i + 1);
        return raw.headers(id, Raw::request()) + h2_frame(NGHTTP2_RST_STREAM, 0, id, std::string("\0\0\0\0", 4));
      },
      5000);
  EXPECT_LT(resets, 1000);
  EXPECT_GT(resets, 100) << "a client that cancels all its requests is not an attack";
}

// Resets that the peer makes us send ("made you reset"): of a request that goes on wrongly when it was passed on
// already, and of one that is wrong from its beginning.
TEST(H2, EndsForcedResetsWithin1000) {
  const std::string length = h2_field("content-length", "5"), none(4, '\0'), most = "\x7f\xff\xff\xff";
  auto open = [&](uint32_t id) {
    return h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, Raw::request("/", length));
  };
  auto more = [](uint8_t type, uint8_t flags, std::string payload) {
    return [=](uint32_t id) { return h2_frame(type, flags, id, payload); };
  };
  const std::pair<const char*, std::function<std::string(uint32_t)>> errors[] = {
      {"a window update of zero", more(NGHTTP2_WINDOW_UPDATE, 0, none)},
      {"a window too large", more(NGHTTP2_WINDOW_UPDATE, 0, most)},
      {"more than its length", more(NGHTTP2_DATA, 0, "too much")},
      {"less than its length", more(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, "a")},
      {"trailers that do not end it", more(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, h2_field("x", "y"))},
      {"an upper case trailer",
       more(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, h2_field("X", "y"))},
  };
  for (const auto& [what, error] : errors) {
    Raw raw;
    auto attack = [&](int i) {
      auto id = static_cast<uint32_t>(2 * i + 1);
      raw.say(open(id));
      return error(id);
    };
    EXPECT_LT(raw.say_until_ended(attack, 5000), 1000) << what << ": " << raw.witness.said.substr(0, 200);
  }
  for (std::string_view field : {"X-Upper", "connection"}) {
    Raw raw;
    int resets = raw.say_until_ended(
        [&](int i) { return raw.headers(static_cast<uint32_t>(2 * i + 1), Raw::request("/", h2_field(field, "a"))); },
        5000);
    EXPECT_LT(resets, 1000) << field;
    EXPECT_EQ(raw.goaway_code(), "ENHANCE_YOUR_CALM") << field;
  }
}

TEST(H2, EndsFloodsOfFramesThatCarryNothing) {
  const std::pair<const char*, std::string> floods[] = {
      {"PING", h2_frame(NGHTTP2_PING, 0, 0, "12345678")},
      {"SETTINGS", h2_frame(NGHTTP2_SETTINGS, 0, 0, "")},
      {"empty DATA", h2_frame(NGHTTP2_DATA, 0, 1, "")},
      {"padding", h2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, std::string("\3\0\0\0", 4))},
      {"PRIORITY", h2_frame(NGHTTP2_PRIORITY, 0, 1, std::string(5, '\0'))},
      {"unknown frames", h2_frame(0x7f, 0, 0, "")},
      {"window updates", h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string("\0\0\0\1", 4))},
  };
  for (const auto& [what, frame] : floods) {
    Raw raw;
    raw.say(h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, Raw::request()));
    EXPECT_LT(raw.say_until_ended([&](int) { return frame; }, 20'000), 20'000) << what;
    EXPECT_NE(raw.failure(), "none") << what;
  }
}

TEST(H2, WindowUpdatesForABodyAreNoFlood) {
  Pair pair;
  pair.at_client.consumer = &pair.client;
  std::string piece(20'000, 'x');
  pair.at_server.answer = [&](H2Stream& stream) { pair.server.respond(stream, Head::http2_response(200), {}, false); };
  ask(pair.client, get("/"), true);
  carry(pair.client, pair.server);
  for (int i = 0; i < 10'000; ++i) {
    pair.server.write(*pair.at_server.streams.at(0), as_bytes(piece));
    carry(pair.server, pair.client);
    pair.at_client.body.clear();
  }
  EXPECT_FALSE(pair.server.failure());
}

}  // namespace
}  // namespace waylay::http
