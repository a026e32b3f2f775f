// Messages that two readers could understand differently, and plain nonsense: each must be refused, the same way
// whether it comes whole or byte by byte. Nothing behind the bad place may come through as a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transcript.h"

namespace waylay::http {
namespace {

struct Malformed {
  std::string bytes;
  std::string kind;  // what it fails with
};

const std::string kNul(1, '\0');
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::vector<Malformed> requests() {
  return {
      // Content-Length and Transfer-Encoding together.
      {kPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSmuggled, "ambiguous"},
      {kPost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + kSmuggled, "ambiguous"},
      {kPost + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", "ambiguous"},
      {kPost + "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nhello", "ambiguous"},
      // Content-Length.
      {kPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "ambiguous"},
      {kPost + "Content-Length: 5, 5\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 5,6\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length:\r\n\r\n", "ambiguous"},
      {kPost + "Content-Length: +5\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: -5\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 0x5\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 5 5\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 5.0\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 5e0\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: five\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: \"5\"\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 18446744073709551616\r\n\r\n", "ambiguous"},
      {kPost + "Content-Length: 99999999999999999999999\r\n\r\n", "ambiguous"},
      {kPost + "Content-Length: 5;\r\n\r\nhello", "ambiguous"},
      {kPost + "Content-Length: 5_0\r\n\r\nhello", "ambiguous"},
      // Transfer-Encoding.
      {kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: identity\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: gzip\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding:\r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n0\r\n\r\n",
       "protocol"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      // Field lines.
      {kPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "protocol"},
      {kPost + "Content-Length : 5\r\n\r\nhello", "protocol"},
      {kPost + "Content-Length\t: 5\r\n\r\nhello", "protocol"},
      {kPost + " Content-Length: 5\r\n\r\nhello", "ambiguous"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "protocol"},
      {kPost + "X-A: b\r\n folded\r\n\r\n", "ambiguous"},
      {kPost + "X-A: b\r\n\tfolded\r\n\r\n", "ambiguous"},
      {kPost + "X-A:\r\n b\r\n\r\n", "protocol"},
      {kPost + "X-A: b\r\n \r\n\r\n", "ambiguous"},
      {kPost + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "protocol"},
      {kPost + "Content-Length: 1\r\n 0\r\n\r\nhellohello", "ambiguous"},
      {kPost + "no colon\r\n\r\n", "protocol"},
      {kPost + "nocolon\r\n\r\n", "protocol"},
      {kPost + ": no name\r\n\r\n", "protocol"},
      {kPost + "X A: b\r\n\r\n", "protocol"},
      {kPost + "X(A): b\r\n\r\n", "protocol"},
      {kPost + "X-\xc3\xa4: b\r\n\r\n", "protocol"},
      {kPost + "X-A" + kNul + ": b\r\n\r\n", "protocol"},
      {kPost + "X-A: b" + kNul + "c\r\n\r\n", "protocol"},
      {kPost + "X-A: b\x01\r\n\r\n", "protocol"},
      {kPost + "X-A: b\x7f\r\n\r\n", "protocol"},
      {kPost + "X-A: \x1b[31m\r\n\r\n", "protocol"},
      // Line ends.
      {"GET / HTTP/1.1\nHost: a\n\n", "protocol"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", "protocol"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", "protocol"},
      {kPost + "X: y\nContent-Length: 5\r\n\r\nhello", "protocol"},
      {kPost + "X: y\rContent-Length: 5\r\n\r\nhello", "protocol"},
      {kPost + "X: y\r\rContent-Length: 5\r\n\r\nhello", "protocol"},
      {kPost + "Dummy: x\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "protocol"},
      {kPost + "Transfer-Encoding: chunked\r\r\n\r\n0\r\n\r\n", "protocol"},
      {kPost + "X: y\r\n\rZ: a\r\n\r\n", "protocol"},
      {kPost + "\rX: y\r\n\r\n", "protocol"},
      {kPost + "X:\r\r\n\r\n", "protocol"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", "protocol"},
      {"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"\r\n\r\n", "protocol"},
      // Start lines.
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "protocol"},
      {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET /\r\nHost: a\r\n\r\n", "protocol"},
      {"GET\r\n\r\n", "protocol"},
      {"GET HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET ://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET /" + kNul + " HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"G\xc3\x84T / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {std::string(65, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / HTTP/0.9\r\n\r\n", "protocol"},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / HTTP/1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / HTTP/1.\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", "protocol"},
      {"GET / ICE/1.0\r\nHost: a\r\n\r\n", "protocol"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "protocol"},
      {"\x16\x03\x01\x02", "protocol"},
      {"\x80", "protocol"},
      // Host.
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "ambiguous"},
      {"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "ambiguous"},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "ambiguous"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "ambiguous"},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "ambiguous"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "ambiguous"},
      {"GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", "ambiguous"},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\n\r\nhello", "ambiguous"},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      // Chunks.
      {kChunked + "G\r\n", "ambiguous"},
      {kChunked + "\r\n", "ambiguous"},
      {kChunked + "0x5\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "+5\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "-5\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + " 5\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5 \r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\t\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\rhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\r\nhello\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\r\nhello0\r\n\r\n", "ambiguous"},
      {kChunked + "5\r\nhello!\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "4\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\r\nhello\r\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5\r\nhello\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "10000000000000000\r\n", "ambiguous"},
      {kChunked + "FFFFFFFFFFFFFFFFF\r\n", "ambiguous"},
      {kChunked + "00000000000000005\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5;\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5;a\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5;a\rb\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5;a=" + kNul + "\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5;" + std::string(9000, 'a') + "\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "5,5\r\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kChunked + "0\n\r\n", "ambiguous"},
      {kChunked + "0\r\n\n", "ambiguous"},
      {kChunked + "0\r\nno colon\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\nX : y\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\nX: y\r\n folded\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\nX: y\n\r\n", "ambiguous"},
      {kChunked + "0\r\nX: y\rZ: a\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\n: y\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\nX: " + kNul + "\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\nContent-Length: 5\r\n\r\nhello", "ambiguous"},
      {kChunked + "0\r\nTransfer-Encoding: chunked\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\nHost: b\r\n\r\n", "ambiguous"},
      {kChunked + "0\r\n\rX", "ambiguous"},
  };
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";

std::vector<Malformed> responses() {
  return {
      {kOk + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "ambiguous"},
      {kOk + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "ambiguous"},
      {kOk + "Content-Length: 5, 5\r\n\r\nhello", "ambiguous"},
      {kOk + "Content-Length: -1\r\n\r\n", "ambiguous"},
      {kOk + "Content-Length: 0x10\r\n\r\n", "ambiguous"},
      {kOk + "Content-Length: \r\n\r\n", "ambiguous"},
      {kOk + "Content-Length: 18446744073709551616\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: gzip\r\n\r\nabc", "ambiguous"},
      {kOk + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: identity\r\n\r\nabc", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Content-Length : 5\r\n\r\nhello", "protocol"},
      {kOk + "X: y\r\n folded\r\n\r\n", "ambiguous"},
      {kOk + "X: y\rContent-Length: 5\r\n\r\nhello", "protocol"},
      {kOk + "X: y\nContent-Length: 5\r\n\r\nhello", "protocol"},
      {kOk + "X: " + kNul + "\r\n\r\n", "protocol"},
      {kOk + "no colon\r\n\r\n", "protocol"},
      {kOk + ": y\r\n\r\n", "protocol"},
      {"HTTP/1.1 200 OK\n\n", "protocol"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n", "protocol"},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", "protocol"},
      {"HTTP/1.1  200 OK\r\n\r\n", "protocol"},
      {"HTTP/1.1 20 OK\r\n\r\n", "protocol"},
      {"HTTP/1.1 2000 OK\r\n\r\n", "protocol"},
      {"HTTP/1.1 020 OK\r\n\r\n", "protocol"},
      {"HTTP/1.1 abc OK\r\n\r\n", "protocol"},
      {"HTTP/1.1 +20 OK\r\n\r\n", "protocol"},
      {"HTTP/1.1\r\n\r\n", "protocol"},
      {"HTTP/1.1 \r\n\r\n", "protocol"},
      {"HTTP/1.1 200\tOK\r\n\r\n", "protocol"},
      {"HTTP/1.1 200 O\x01K\r\n\r\n", "protocol"},
      {"HTTP/1.1 200 O\rK\r\n\r\n", "protocol"},
      {"HTTP/1.2 200 OK\r\n\r\n", "protocol"},
      {"HTTP/2.0 200 OK\r\n\r\n", "protocol"},
      {"HTTP/2 200 OK\r\n\r\n", "protocol"},
      {"http/1.1 200 OK\r\n\r\n", "protocol"},
      {"ICY 200 OK\r\n\r\n", "protocol"},
      {"SSH-2.0-x\r\n", "protocol"},
      {"<html>", "protocol"},
      {kOk + "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
       "protocol"},  // nobody asked for the second
      {kOk + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n", "ambiguous"},
      {kOk + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", "ambiguous"},
  };
}

// Events up to the failure may be fewer when bytes come whole (framing that precedes the bad place), never different.
void expect_refusal(Kind kind, const Malformed& bad) {
  SCOPED_TRACE(::testing::PrintToString(bad.bytes.substr(0, 300)));
  std::vector<std::string> methods = {"GET"};
  Transcript whole = read_whole(kind, bad.bytes, methods);
  Transcript pieces = read_pieces(kind, byte_by_byte(bad.bytes), methods);
  ASSERT_FALSE(whole.events.empty());
  EXPECT_EQ(whole.events.back(), "failed " + bad.kind) << whole.message;
  EXPECT_EQ(pieces.events, whole.events) << pieces.message << " / " << whole.message;
  for (const std::string& event : whole.events) EXPECT_EQ(event.find("/smuggled"), std::string::npos);
}

TEST(MalformedRequests, AreRefusedWholeAndByteByByte) {
  for (const Malformed& bad : requests()) expect_refusal(Kind::Request, bad);
}

TEST(MalformedResponses, AreRefusedWholeAndByteByByte) {
  for (const Malformed& bad : responses()) expect_refusal(Kind::Response, bad);
}

TEST(MalformedMessages, AreAtLeastAHundredAndTwenty) {
  EXPECT_GE(requests().size() + responses().size(), 120u);
}

}  // namespace
}  // namespace waylay::http
