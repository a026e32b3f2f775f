#include "hook/event.h"

#include <nlohmann/json.hpp>

#include "unit/hook/support.h"

namespace waylay::hook {
namespace {

using Json = nlohmann::json;

Origin origin() {
  Origin from;
  from.exchange = 17;
  from.wall_ns = 1'763'798'828'000'000'000;  // 2025-11-22T08:07:08Z
  from.host = "api.example.com";
  from.protocol = "HTTP/1.1";
  from.source_ip = "127.0.0.1";
  from.container_id = "c0ffee";
  from.container_name = "web";
  from.container_image = "web:1";
  from.pid = 4711;
  from.process = "node";
  from.executable = "/usr/bin/node";
  return from;
}

Json event_of(std::string raw, std::string_view body = {}) {
  http::Head request = head_of(http::Kind::Request, std::move(raw));
  return Json::parse(make_event(origin(), {request, body}));
}

TEST(ProxyEvents, TellMethodPathQueryAndHeadersAsApiGatewayDoes) {
  Json event = event_of(
      "GET /a%20b/c?x=1&y=two%26&x=3&flag HTTP/1.1\r\nHost: api.example.com\r\nX-Many: 1\r\nX-Many: 2\r\n\r\n");
  EXPECT_EQ(event["httpMethod"], "GET");
  EXPECT_EQ(event["path"], "/a b/c");
  EXPECT_EQ(event["queryStringParameters"], Json({{"x", "3"}, {"y", "two&"}, {"flag", ""}}));
  EXPECT_EQ(event["multiValueQueryStringParameters"]["x"], Json({"1", "3"}));
  EXPECT_EQ(event["headers"]["X-Many"], "2");
  EXPECT_EQ(event["multiValueHeaders"]["X-Many"], Json({"1", "2"}));
  EXPECT_EQ(event["body"], nullptr);
  EXPECT_EQ(event["isBase64Encoded"], false);
  EXPECT_EQ(event["pathParameters"], nullptr);
}

TEST(ProxyEvents, HaveNullInTheQuerysPlaceWhereThereIsNone) {
  Json event = event_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(event["queryStringParameters"], nullptr);
  EXPECT_EQ(event["multiValueQueryStringParameters"], nullptr);
}

TEST(ProxyEvents, CarryTextAsItIsAndOtherBytesInBase64) {
  Json text = event_of("POST / HTTP/1.1\r\nHost: a\r\n\r\n", "{\"a\": \"ä\"}");
  EXPECT_EQ(text["body"], "{\"a\": \"ä\"}");
  EXPECT_EQ(text["isBase64Encoded"], false);
  Json bytes = event_of("POST / HTTP/1.1\r\nHost: a\r\n\r\n", std::string_view("\xff\0\x01", 3));
  EXPECT_EQ(bytes["body"], "/wAB");
  EXPECT_EQ(bytes["isBase64Encoded"], true);
}

TEST(ProxyEvents, NameContainerAndProcessInTheirContext) {
  Json context = event_of("GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8\r\n\r\n")["requestContext"];
  EXPECT_EQ(context["container"], Json({{"id", "c0ffee"}, {"name", "web"}, {"image", "web:1"}}));
  EXPECT_EQ(context["process"], Json({{"pid", 4711}, {"name", "node"}, {"exe", "/usr/bin/node"}}));
  EXPECT_EQ(context["identity"]["sourceIp"], "127.0.0.1");
  EXPECT_EQ(context["identity"]["userAgent"], "curl/8");
  EXPECT_EQ(context["requestId"], "17");
  EXPECT_EQ(context["requestTimeEpoch"], 1'763'798'828'000);
  EXPECT_EQ(context["requestTime"], "22/Nov/2025:08:07:08 +0000");
  EXPECT_EQ(context["domainName"], "api.example.com");
  EXPECT_EQ(context["protocol"], "HTTP/1.1");
}

TEST(ProxyEvents, HoldTheUpstreamsAnswerInTheResponsePhase) {
  http::Head request = head_of(http::Kind::Request, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  http::Head response = head_of(http::Kind::Response, "HTTP/1.1 404 Not Found\r\nX-A: 1\r\n\r\n");
  Message answer{response, "gone"};
  Json event = Json::parse(make_event(origin(), {request, ""}, &answer));
  EXPECT_EQ(event["response"], Json({{"statusCode", 404},
                                     {"headers", {{"X-A", "1"}}},
                                     {"multiValueHeaders", {{"X-A", {"1"}}}},
                                     {"body", "gone"},
                                     {"isBase64Encoded", false}}));
}

}  // namespace
}  // namespace waylay::hook
