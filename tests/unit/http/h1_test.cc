#include "http/h1.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transcript.h"

namespace waylay::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Conversation {
  std::string name;
  Kind kind;
  std::string bytes;
  std::vector<std::string> methods;
  std::vector<std::string> events;
};

std::vector<Conversation> conversations() {
  return {
      {"a request without body",
       Kind::Request,
       "GET /a?b HTTP/1.1\r\nHost: example.org\r\n\r\n",
       {},
       {"head GET /a?b HTTP/1.1", "end"}},
      {"a request of the start line alone",
       Kind::Request,
       "GET / HTTP/1.0\r\n\r\n",
       {},
       {"head GET / HTTP/1.0", "end"}},
      {"an unregistered method",
       Kind::Request,
       "FROBNICATE / HTTP/1.1\r\nHost: a\r\n\r\n",
       {},
       {"head FROBNICATE / HTTP/1.1", "end"}},
      {"a fixed body, then a pipelined request",
       Kind::Request,
       "PUT /k HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
       {},
       {"head PUT /k HTTP/1.1", "body hello", "end", "head GET / HTTP/1.1", "end"}},
      {"an empty fixed body",
       Kind::Request,
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
       {},
       {"head POST / HTTP/1.1", "end"}},
      {"three pipelined requests",
       Kind::Request,
       "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.0\r\n\r\n",
       {},
       {"head GET /1 HTTP/1.1", "end", "head GET /2 HTTP/1.1", "end", "head GET /3 HTTP/1.0", "end"}},
      {"chunks with extensions and trailers, then another request",
       Kind::Request,
       "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5;alone;name=value\r\nhello\r\nA;other=\"quoted text\"\r\n, you all!\r\n0;last\r\nX-Sum: 12\r\nX-Empty:\r\n\r\n"
       "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
       {},
       {"head POST /c HTTP/1.1", "body hello, you all!", "trailer X-Sum=12", "trailer X-Empty=", "end",
        "head GET / HTTP/1.1", "end"}},
      {"chunk payload that looks like framing",
       Kind::Request,
       "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
       {},
       {"head POST / HTTP/1.1", "body \r\n0\r\n\r\n", "end"}},
      {"an empty chunked body",
       Kind::Request,
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       {},
       {"head POST / HTTP/1.1", "end"}},
      {"two chunked messages",
       Kind::Response,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
       "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nbc\r\n00\r\n\r\n",
       {"GET", "GET"},
       {"head HTTP/1.1 200 OK", "body a", "end", "head HTTP/1.1 404 Not Found", "body bc", "end"}},
      {"a message after one that said close",
       Kind::Response,
       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: "
       "1\r\n\r\nb",
       {"GET", "GET"},
       {"head HTTP/1.1 200 OK", "body a", "end", "head HTTP/1.1 200 OK", "body b", "end"}},
      {"the answer to HEAD",
       Kind::Response,
       "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
       {"HEAD", "GET"},
       {"head HTTP/1.1 200 OK", "end", "head HTTP/1.1 200 OK", "body ok", "end"}},
      {"204 and 304 have no body",
       Kind::Response,
       "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
       {"PUT", "GET"},
       {"head HTTP/1.1 204 No Content", "end", "head HTTP/1.1 304 Not Modified", "end"}},
      {"informational responses come in addition",
       Kind::Response,
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "2\r\n\r\nok",
       {"PUT"},
       {"head HTTP/1.1 100 Continue", "end", "head HTTP/1.1 103 Early Hints", "end", "head HTTP/1.1 200 OK", "body ok",
        "end"}},
      {"a body until the stream's end",
       Kind::Response,
       "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall of this",
       {"GET"},
       {"head HTTP/1.1 200 OK", "body all of this", "end"}},
      {"HTTP/1.0, until the stream's end",
       Kind::Response,
       "HTTP/1.0 200 OK\r\n\r\nold",
       {"GET"},
       {"head HTTP/1.0 200 OK", "body old", "end"}},
      {"HTTP/1.0 with a length",
       Kind::Response,
       "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nold",
       {"GET"},
       {"head HTTP/1.0 200 OK", "body old", "end"}},
      {"a status line without reason",
       Kind::Response,
       "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
       {"GET", "GET"},
       {"head HTTP/1.1 200 ", "end", "head HTTP/1.1 200", "end"}},
      {"an unregistered status",
       Kind::Response,
       "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
       {"GET"},
       {"head HTTP/1.1 799 Odd", "end"}},
      {"obs-text and tabs in values",
       Kind::Response,
       "HTTP/1.1 200 Schön\r\nX-A:\t\xe4\xf6 b\t \r\nX-Empty:\r\nX-Blank:  \r\nContent-Length: 0\r\n\r\n",
       {"GET"},
       {"head HTTP/1.1 200 Schön", "end"}},
      {"an absolute target and one of asterisk",
       Kind::Request,
       "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
       {},
       {"head GET http://example.org/ HTTP/1.1", "end", "head OPTIONS * HTTP/1.1", "end"}},
  };
}

TEST(H1Reader, SaysTheSameHoweverTheBytesWereSplit) {
  for (const Conversation& talk : conversations()) {
    SCOPED_TRACE(talk.name);
    Transcript whole = read_whole(talk.kind, talk.bytes, talk.methods);
    EXPECT_EQ(whole.events, talk.events) << whole.message;
    EXPECT_EQ(read_pieces(talk.kind, byte_by_byte(talk.bytes), talk.methods).events, talk.events);
    for (size_t at = 1; at < talk.bytes.size(); ++at) {
      Transcript split = read_pieces(talk.kind, {talk.bytes.substr(0, at), talk.bytes.substr(at)}, talk.methods);
      ASSERT_EQ(split.events, talk.events) << "split at " << at;
    }
  }
}

TEST(H1Reader, LosesAndAddsNoByte) {
  for (const Conversation& talk : conversations()) {
    SCOPED_TRACE(talk.name);
    EXPECT_EQ(read_whole(talk.kind, talk.bytes, talk.methods).raw, talk.bytes);
    EXPECT_EQ(read_pieces(talk.kind, byte_by_byte(talk.bytes), talk.methods).raw, talk.bytes);
    for (size_t at = 1; at < talk.bytes.size(); ++at) {
      Transcript split = read_pieces(talk.kind, {talk.bytes.substr(0, at), talk.bytes.substr(at)}, talk.methods);
      ASSERT_EQ(split.raw, talk.bytes) << "split at " << at;
    }
  }
}

TEST(H1Reader, ReportsATruncationWhereverTheStreamEndsWithinAMessage) {
  for (const Conversation& talk : conversations()) {
    SCOPED_TRACE(talk.name);
    for (size_t size = 0; size < talk.bytes.size(); ++size) {
      std::string part = talk.bytes.substr(0, size);
      Transcript cut = read_whole(talk.kind, part, talk.methods);
      Transcript open = read_whole(talk.kind, part, talk.methods, false);
      bool at_boundary = open.events.empty() || open.events.back() == "end";
      bool until_close = talk.name.find("stream's end") != std::string::npos && !open.events.empty();
      if (until_close || (at_boundary && open.raw == part)) {
        EXPECT_TRUE(cut.events.empty() || cut.events.back() == "end") << "after " << size;
      } else {
        EXPECT_EQ(cut.events.back(), "failed truncated") << "after " << size;
      }
    }
  }
}

TEST(H1Reader, HandsOverWhatFollowsASwitchOfProtocols) {
  std::string bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x02hi";
  for (size_t at = 1; at <= bytes.size(); ++at) {
    Transcript seen = read_pieces(Kind::Response, {bytes.substr(0, at), bytes.substr(at)}, {"GET"});
    EXPECT_THAT(seen.events, ElementsAre("head HTTP/1.1 101 Switching Protocols", "tunnel"));
    EXPECT_EQ(seen.raw + seen.unread, bytes) << "split at " << at;
  }
}

TEST(H1Reader, HandsOverWhatFollowsAConnect) {
  Transcript request =
      read_whole(Kind::Request, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n\x16\x03\x01");
  EXPECT_THAT(request.events, ElementsAre("head CONNECT a.example:443 HTTP/1.1", "tunnel"));
  EXPECT_EQ(request.unread, "\x16\x03\x01");
  Transcript accepted =
      read_whole(Kind::Response, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\x16\x03\x01", {"CONNECT"});
  EXPECT_THAT(accepted.events, ElementsAre("head HTTP/1.1 200 OK", "tunnel"));
  EXPECT_EQ(accepted.unread, "\x16\x03\x01");
  Transcript refused = read_whole(Kind::Response, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", {"CONNECT"});
  EXPECT_THAT(refused.events, ElementsAre("head HTTP/1.1 403 Forbidden", "body no", "end"));
}

TEST(H1Reader, PassesBodiesInPlace) {
  std::string bytes = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  H1Reader reader(Kind::Request, Side::Client);
  reader.put(as_bytes(bytes));
  ASSERT_EQ(reader.next(), H1Reader::Event::Head);
  ASSERT_EQ(reader.next(), H1Reader::Event::Body);
  EXPECT_EQ(as_text(reader.payload()).data(), bytes.data() + bytes.size() - 5);
  EXPECT_EQ(reader.raw().data(), reader.payload().data());
}

TEST(H1Reader, LeavesAPipelinedRequestUnread) {
  std::string second = "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string bytes = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + second;
  H1Reader reader(Kind::Request, Side::Client);
  reader.put(as_bytes(bytes));
  EXPECT_EQ(reader.next(), H1Reader::Event::Head);
  EXPECT_EQ(reader.next(), H1Reader::Event::End);
  EXPECT_EQ(as_text(reader.unread()), second);
  EXPECT_FALSE(reader.between_messages());
  reader.put(as_bytes(second));
  EXPECT_EQ(reader.next(), H1Reader::Event::Head);
  EXPECT_EQ(reader.head().target(), "/2");
  EXPECT_EQ(reader.next(), H1Reader::Event::End);
  EXPECT_TRUE(reader.between_messages());
}

TEST(H1Reader, RefusesAResponseThatNobodyAskedFor) {
  Transcript seen = read_whole(Kind::Response, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(seen.events, ElementsAre("failed protocol"));
}

TEST(H1Reader, KnowsThatNothingWasSaidYet) {
  H1Reader reader(Kind::Response, Side::Upstream);
  EXPECT_TRUE(reader.between_messages());
  EXPECT_EQ(reader.on_eof(), H1Reader::Event::NeedMore);
  std::string bytes = "H";
  reader.put(as_bytes(bytes));
  EXPECT_EQ(reader.next(), H1Reader::Event::NeedMore);
  EXPECT_FALSE(reader.between_messages());
}

TEST(H1Reader, StaysFailedAndSaysWhoseFaultItWas) {
  H1Reader reader(Kind::Response, Side::Upstream);
  reader.answer_to("GET");
  std::string bytes = "SSH-2.0-OpenSSH\r\n";
  reader.put(as_bytes(bytes));
  EXPECT_EQ(reader.next(), H1Reader::Event::Failed);
  EXPECT_EQ(reader.error().side, Side::Upstream);
  EXPECT_EQ(reader.next(), H1Reader::Event::Failed);
  EXPECT_EQ(reader.on_eof(), H1Reader::Event::Failed);
}

TEST(H1Reader, NoticesAtTheFirstByteThatThisIsNotHttp) {
  EXPECT_THAT(read_whole(Kind::Request, std::string("\x00\x01", 2), {}, false).events, ElementsAre("failed protocol"));
  EXPECT_THAT(read_whole(Kind::Response, "220 smtp", {"GET"}, false).events, ElementsAre("failed protocol"));
}

TEST(H1Reader, LimitsAHead) {
  std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  std::string padding = "X-Padding: " + std::string(kMaximumHead - start.size() - 15, 'x') + "\r\n\r\n";
  ASSERT_EQ(start.size() + padding.size(), kMaximumHead);
  EXPECT_THAT(read_whole(Kind::Request, start + padding).events, ElementsAre("head GET / HTTP/1.1", "end"));
  std::string longer = start + "A:\r\n" + padding;
  EXPECT_THAT(read_whole(Kind::Request, longer).events, ElementsAre("failed limit"));
  EXPECT_THAT(read_pieces(Kind::Request, byte_by_byte(longer)).events, ElementsAre("failed limit"));
}

TEST(H1Reader, LimitsTheNumberOfFields) {
  auto with_fields = [](size_t count) {
    std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (size_t i = 1; i < count; ++i) bytes += "a: b\r\n";
    return bytes + "\r\n";
  };
  EXPECT_THAT(read_whole(Kind::Request, with_fields(kMaximumFields)).events, ElementsAre("head GET / HTTP/1.1", "end"));
  EXPECT_THAT(read_whole(Kind::Request, with_fields(kMaximumFields + 1)).events, ElementsAre("failed limit"));
}

TEST(H1Reader, ReadsABodyLargerThanFourGibibytesByItsLengthAlone) {
  H1Reader reader(Kind::Response, Side::Upstream);
  reader.answer_to("GET");
  std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n";
  reader.put(as_bytes(head));
  EXPECT_EQ(reader.next(), H1Reader::Event::Head);
  EXPECT_EQ(reader.body_length().fixed, uint64_t{INT64_MAX});
  EXPECT_EQ(reader.next(), H1Reader::Event::NeedMore);
}

TEST(H1Reader, KnowsWhetherTheConnectionGoesOn) {
  auto persistent = [](std::string raw) {
    return is_persistent(*Head::parse(Kind::Request, raw + "\r\n", Side::Client));
  };
  EXPECT_TRUE(persistent("GET / HTTP/1.1\r\n"));
  EXPECT_FALSE(persistent("GET / HTTP/1.1\r\nConnection: TE, Close\r\n"));
  EXPECT_FALSE(persistent("GET / HTTP/1.0\r\n"));
  EXPECT_TRUE(persistent("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n"));
}

TEST(ComposeResponse, IsReadBackAsItWasMeant) {
  std::string bytes =
      compose_response(503, "Slow Down", {{"Content-Type", "application/xml"}, {"Connection", "close"}}, "<Error/>");
  EXPECT_EQ(bytes,
            "HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: "
            "8\r\n\r\n<Error/>");
  EXPECT_THAT(read_whole(Kind::Response, bytes, {"GET"}).events,
              ElementsAre("head HTTP/1.1 503 Slow Down", "body <Error/>", "end"));
}

TEST(ComposeResponse, TellsTheLengthWithoutTheBodyToHead) {
  std::string bytes = compose_response(200, "OK", {}, "12345", false);
  EXPECT_EQ(bytes, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(read_whole(Kind::Response, bytes, {"HEAD"}).events, ElementsAre("head HTTP/1.1 200 OK", "end"));
}

TEST(ComposeResponse, GivesNoBodyWhereNoneMayBe) {
  EXPECT_EQ(compose_response(204, "No Content", {}, "x"), "HTTP/1.1 204 No Content\r\n\r\n");
}

}  // namespace
}  // namespace waylay::http
