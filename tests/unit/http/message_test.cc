#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace waylay::http {
namespace {

using ::testing::Eq;
using ::testing::Optional;

const char kRequest[] =
    "PUT /bucket/key?x=1 HTTP/1.1\r\n"
    "hOST: S3.Example.org:443\r\n"
    "X-Tag:one\r\n"
    "Accept:  a, b\t\r\n"
    "x-tag: two\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

Head request() {
  return *Head::parse(Kind::Request, kRequest, Side::Client);
}

// What an edited head must still be: its own bytes, parsed again, say the same.
void expect_consistent(const Head& head) {
  Result<Head> again = Head::parse(head.kind(), head.raw(), Side::Client);
  ASSERT_TRUE(again) << again.error().message << "\n" << head.raw();
  ASSERT_EQ(again->field_count(), head.field_count());
  for (size_t i = 0; i < head.field_count(); ++i) {
    EXPECT_EQ(again->field(i).name, head.field(i).name);
    EXPECT_EQ(again->field(i).value, head.field(i).value);
  }
  EXPECT_EQ(again->method(), head.method());
  EXPECT_EQ(again->target(), head.target());
  EXPECT_EQ(again->status(), head.status());
  EXPECT_EQ(again->reason(), head.reason());
}

TEST(Head, ShowsWhatIsOnTheWire) {
  Head head = request();
  EXPECT_EQ(head.raw(), kRequest);
  EXPECT_EQ(head.method(), "PUT");
  EXPECT_EQ(head.target(), "/bucket/key?x=1");
  EXPECT_EQ(head.minor_version(), 1);
  EXPECT_EQ(head.field_count(), 5u);
  EXPECT_EQ(head.field(0).name, "hOST");
  EXPECT_EQ(head.field(2).value, "a, b");
  EXPECT_THAT(head.first("X-TAG"), Optional(Eq("one")));
  EXPECT_FALSE(head.has("x-ta"));
  EXPECT_TRUE(head.has_token("accept", "B"));
  EXPECT_FALSE(head.has_token("accept", "a, b"));
}

TEST(Head, KeepsEveryOtherByteWhenAFieldIsSet) {
  struct Case {
    std::string name, value, expected_line, old_line;
  };
  for (const Case& edit : {Case{"host", "b", "hOST: b\r\n", "hOST: S3.Example.org:443\r\n"},
                           Case{"accept", "text/html; q=0.5", "Accept:  text/html; q=0.5\t\r\n", "Accept:  a, b\t\r\n"},
                           Case{"content-length", "12345", "Content-Length: 12345\r\n", "Content-Length: 0\r\n"}}) {
    Head head = request();
    head.set(edit.name, edit.value);
    std::string expected = kRequest;
    expected.replace(expected.find(edit.old_line), edit.old_line.size(), edit.expected_line);
    EXPECT_EQ(head.raw(), expected);
    EXPECT_THAT(head.first(edit.name), Optional(Eq(edit.value)));
    expect_consistent(head);
  }
}

TEST(Head, SettingAFieldThatIsThereTwiceLeavesOne) {
  Head head = request();
  head.set("X-TAG", "three");
  EXPECT_EQ(head.raw(),
            "PUT /bucket/key?x=1 HTTP/1.1\r\nhOST: S3.Example.org:443\r\nX-Tag:three\r\nAccept:  a, "
            "b\t\r\nContent-Length: 0\r\n\r\n");
  expect_consistent(head);
}

TEST(Head, AddsBehindTheLastField) {
  Head head = request();
  head.set("X-New", "1");
  head.add("x-new", "2");
  head.add("X-Empty", "");
  EXPECT_EQ(head.raw(), std::string(kRequest, sizeof kRequest - 3) + "X-New: 1\r\nx-new: 2\r\nX-Empty: \r\n\r\n");
  EXPECT_THAT(head.first("x-empty"), Optional(Eq("")));
  expect_consistent(head);
}

TEST(Head, RemovesTheFirstTheLastAndSeveral) {
  Head head = request();
  EXPECT_EQ(head.remove("host"), 1u);
  expect_consistent(head);
  EXPECT_EQ(head.remove("content-length"), 1u);
  expect_consistent(head);
  EXPECT_EQ(head.remove("x-tag"), 2u);
  EXPECT_EQ(head.remove("x-tag"), 0u);
  EXPECT_EQ(head.raw(), "PUT /bucket/key?x=1 HTTP/1.1\r\nAccept:  a, b\t\r\n\r\n");
  EXPECT_EQ(head.remove("accept"), 1u);
  EXPECT_EQ(head.raw(), "PUT /bucket/key?x=1 HTTP/1.1\r\n\r\n");
  expect_consistent(head);
}

TEST(Head, SetsAnEmptyValueAndFillsOneAgain) {
  Head head = *Head::parse(Kind::Request, "GET / HTTP/1.1\r\nA:\r\nB:  \r\nC: c\r\n\r\n", Side::Client);
  head.set("a", "1");
  head.set("b", "2");
  head.set("c", "");
  EXPECT_EQ(head.raw(), "GET / HTTP/1.1\r\nA:1\r\nB:  2\r\nC: \r\n\r\n");
  expect_consistent(head);
}

TEST(Head, ChangesTheTarget) {
  Head head = request();
  head.set_target("/");
  EXPECT_TRUE(head.raw().starts_with("PUT / HTTP/1.1\r\nhOST: S3"));
  expect_consistent(head);
  head.set_target("/much/longer/than/it/was/before?and=more");
  EXPECT_EQ(head.target(), "/much/longer/than/it/was/before?and=more");
  head.set("host", "x");
  expect_consistent(head);
}

TEST(Head, ChangesStatusAndReason) {
  Head head = *Head::parse(Kind::Response, "HTTP/1.1 200 OK\r\nServer: s\r\n\r\n", Side::Upstream);
  head.set_status(429);
  EXPECT_EQ(head.raw(), "HTTP/1.1 429 OK\r\nServer: s\r\n\r\n");
  EXPECT_EQ(head.status(), 429);
  head.set_reason("Too Many Requests");
  EXPECT_EQ(head.raw(), "HTTP/1.1 429 Too Many Requests\r\nServer: s\r\n\r\n");
  head.set("server", "t");
  expect_consistent(head);
  head.set_reason("");
  EXPECT_EQ(head.raw(), "HTTP/1.1 429 \r\nServer: t\r\n\r\n");
  head.set_reason("Again");
  EXPECT_EQ(head.reason(), "Again");
  expect_consistent(head);
}

TEST(Head, GivesAReasonToAStatusLineWithoutOne) {
  Head head = *Head::parse(Kind::Response, "HTTP/1.0 200\r\nServer: s\r\n\r\n", Side::Upstream);
  EXPECT_EQ(head.reason(), "");
  head.set_status(503);
  head.set_reason("Slow Down");
  EXPECT_EQ(head.raw(), "HTTP/1.0 503 Slow Down\r\nServer: s\r\n\r\n");
  expect_consistent(head);
}

TEST(Head, IsMadeNew) {
  Head made = Head::request("GET", "/x");
  made.add("Host", "a");
  EXPECT_EQ(made.raw(), "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  expect_consistent(made);
  Head answer = Head::response(503, "Slow Down");
  answer.add("Retry-After", "1");
  EXPECT_EQ(answer.raw(), "HTTP/1.1 503 Slow Down\r\nRetry-After: 1\r\n\r\n");
  expect_consistent(answer);
}

TEST(Head, SurvivesCopyAndMove) {
  Head original = request();
  Head copy = original;
  Head moved = std::move(original);
  EXPECT_EQ(copy.raw(), moved.raw());
  EXPECT_EQ(moved.field(1).value, "one");
}

TEST(Head, RefusesBytesBehindItsEnd) {
  EXPECT_FALSE(Head::parse(Kind::Request, "GET / HTTP/1.1\r\n\r\nGET", Side::Client));
  EXPECT_FALSE(Head::parse(Kind::Request, "GET / HTTP/1.1\r\n", Side::Client));
  EXPECT_FALSE(Head::parse(Kind::Request, "GET / HTTP/1.1", Side::Client));
  EXPECT_FALSE(Head::parse(Kind::Request, "", Side::Client));
}

TEST(RequestHost, IsLowerCaseWithoutPortAndBrackets) {
  auto host = [](std::string target, std::string field) {
    Head head = Head::request("GET", target);
    if (!field.empty()) head.add("Host", field);
    return request_host(head);
  };
  EXPECT_EQ(host("/", "S3.Example.org:443"), "s3.example.org");
  EXPECT_EQ(host("/", "[2001:DB8::1]:443"), "2001:db8::1");
  EXPECT_EQ(host("/", "[::1]"), "::1");
  EXPECT_EQ(host("/", ""), "");
  EXPECT_EQ(host("https://Other.example:8443/path", "ignored"), "other.example");
  EXPECT_EQ(host("https://user:pass@other.example?x", "ignored"), "other.example");
  EXPECT_EQ(host("/redirect?to=http://evil.example/", "a.example"), "a.example");
  EXPECT_EQ(request_host(Head::request("CONNECT", "a.example:443")), "a.example");
}

TEST(FieldValidity, FollowsTheRfc) {
  EXPECT_TRUE(valid_field_name("X-Amz-Target"));
  for (const char* bad : {"", "a b", "a:", "a\n", "\xc3\xa4"}) EXPECT_FALSE(valid_field_name(bad)) << bad;
  EXPECT_TRUE(valid_field_value("tab\tand \xc3\xa4"));
  EXPECT_TRUE(valid_field_value(""));
  for (const char* bad : {"a\r\nb", "\n", "\x7f", "\x01"}) EXPECT_FALSE(valid_field_value(bad));
  EXPECT_FALSE(valid_field_value(std::string_view("\0", 1)));
  EXPECT_FALSE(valid_target("/a b"));
  EXPECT_FALSE(valid_target(""));
}

TEST(DefaultReason, KnowsTheRegistryAndNothingElse) {
  EXPECT_EQ(default_reason(100), "Continue");
  EXPECT_EQ(default_reason(429), "Too Many Requests");
  EXPECT_EQ(default_reason(511), "Network Authentication Required");
  EXPECT_EQ(default_reason(299), "");
  EXPECT_EQ(default_reason(999), "");
}

}  // namespace
}  // namespace waylay::http
