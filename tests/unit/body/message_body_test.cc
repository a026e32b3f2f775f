#include "body/message_body.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "body/aws_chunked.h"
#include "body/checksum.h"

namespace waylay::body {
namespace {

http::Head response(std::string_view fields, int status = 200) {
  std::string raw = "HTTP/1.1 " + std::to_string(status) + " x\r\n" + std::string(fields) + "\r\n";
  return http::Head::parse(http::Kind::Response, raw, Side::Upstream).value();
}
http::Head request(std::string_view fields) {
  std::string raw = "PUT / HTTP/1.1\r\n" + std::string(fields) + "\r\n";
  return http::Head::parse(http::Kind::Request, raw, Side::Client).value();
}

std::string read(const http::Head& head, std::string_view sent) {
  Result<Content> content = read_content(head, sent);
  return content ? std::string(content->text()) : "unreadable: " + content.error().message;
}

TEST(MessageBody, IsReadThroughItsCodings) {
  EXPECT_EQ(read(response(""), "plain"), "plain");
  EXPECT_EQ(read(response("Content-Encoding: gzip\r\n"), encode("text", {{Coding::Gzip}})), "text");
  EXPECT_EQ(read(response("Content-Encoding: gzip\r\n"), "plain"),
            "unreadable: the body is not gzip: its bytes are wrong");
  EXPECT_EQ(read(response("Content-Encoding: dcb\r\n"), "x"), "unreadable: Content-Encoding dcb is not known");
}

TEST(MessageBody, GoesOnInTheSameCodings) {
  std::vector<Coding> codings = {Coding::Gzip, Coding::Brotli};
  std::string sent = encode("before", codings);
  http::Head head = response("Content-Encoding: gzip, br\r\nx-amz-crc32: 1\r\n");
  http::Trailers trailers = {{"content-md5", "x"}};
  std::string coded = put_content(head, trailers, "after", sent);
  EXPECT_EQ(decode(coded, codings).value(), "after");
  EXPECT_EQ(head.first("content-encoding"), "gzip, br");
  EXPECT_EQ(head.first("x-amz-crc32"), std::to_string(crc32(coded)));  // of what is sent, as botocore checks it
  EXPECT_EQ(trailers[0].second, encode_base64(digest(Algorithm::Md5, coded)));
}

TEST(MessageBody, ThatReplacesOneInACodingThatIsNotKnownHasNone) {
  http::Head head = response("Content-Encoding: dcb\r\n");
  http::Trailers trailers;
  EXPECT_EQ(put_content(head, trailers, "after", std::nullopt), "after");
  EXPECT_FALSE(head.has("content-encoding"));
}

TEST(MessageBody, OfAPartOrOfSignedChunksIsNotEdited) {
  EXPECT_EQ(why_not_edited(response("")), "");
  EXPECT_NE(why_not_edited(response("", 206)), "");
  EXPECT_NE(why_not_edited(request("x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n")), "");
  EXPECT_EQ(why_not_edited(request("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n")), "");
}

TEST(MessageBody, OfAStreamIsNotCollected) {
  EXPECT_EQ(why_not_collected(response("")), "");
  EXPECT_EQ(why_not_collected(response("Content-Type: application/json\r\n")), "");
  for (const char* type : {"text/event-stream", "Text/Event-Stream; charset=utf-8", "application/grpc",
                           "application/grpc+proto", "application/vnd.amazon.eventstream"})
    EXPECT_NE(why_not_collected(response("Content-Type: " + std::string(type) + "\r\n")), "") << type;
}

constexpr const char* kStreaming =
    "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\nContent-Encoding: aws-chunked,gzip\r\n";

TEST(AwsChunked, IsReadThrough) {
  std::string gzip = encode("carried", {{Coding::Gzip}});
  auto chunk = [](std::string_view bytes) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx", bytes.size());
    return std::string(size) + ";chunk-signature=00ff\r\n" + std::string(bytes) + "\r\n";
  };
  std::string framed = chunk(std::string_view(gzip).substr(0, 5)) + chunk(std::string_view(gzip).substr(5)) +
                       "0;chunk-signature=aa\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
  EXPECT_EQ(read(request(kStreaming), framed), "carried");
}

TEST(AwsChunked, ThatIsWrongIsNotRead) {
  EXPECT_EQ(unchunk("3\r\nabc\r\n0\r\n\r\n").value(), "abc");
  EXPECT_EQ(unchunk("0\r\n").value(), "");
  for (const char* framed : {"", "3", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "3\r\nabcd\r\n0\r\n", "x\r\n",
                             ";\r\n", "ffffffffffffffff\r\nabc\r\n0\r\n", "fffffffffffffffff\r\nabc\r\n", "-1\r\n"})
    EXPECT_FALSE(unchunk(framed)) << framed;
}

}  // namespace
}  // namespace waylay::body
