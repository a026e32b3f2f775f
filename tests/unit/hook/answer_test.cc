#include "hook/answer.h"

#include <gtest/gtest.h>

namespace waylay::hook {
namespace {

rules::Response good(std::string_view json) {
  Result<std::optional<rules::Response>> answer = read_answer(json);
  EXPECT_TRUE(answer && *answer) << json;
  return **answer;
}

std::string refused(std::string_view json) {
  Result<std::optional<rules::Response>> answer = read_answer(json);
  EXPECT_FALSE(answer) << json;
  return answer ? "" : answer.error().message;
}

TEST(HandlerAnswers, BecomeResponses) {
  rules::Response response = good(R"({"statusCode": 201, "headers": {"X-A": "1", "X-N": 7, "X-B": true},
                                      "body": "made", "isBase64Encoded": false})");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.reason, "Created");
  EXPECT_EQ(response.fields, (rules::Fields{{"X-A", "1"}, {"X-N", "7"}, {"X-B", "true"}}));
  EXPECT_EQ(response.body, "made");
}

TEST(HandlerAnswers, MayHaveSeveralValuesOfAHeader) {
  rules::Response response = good(
      R"({"statusCode": 200, "headers": {"Set-Cookie": "z=0"}, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}})");
  EXPECT_EQ(response.fields, (rules::Fields{{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}));
}

TEST(HandlerAnswers, MayCarryBytesInBase64) {
  EXPECT_EQ(good(R"({"statusCode": 200, "body": "/wAB", "isBase64Encoded": true})").body, std::string("\xff\0\x01", 3));
}

TEST(HandlerAnswers, LeaveFramingToUs) {
  EXPECT_TRUE(good(R"({"statusCode": 200, "headers": {"Content-Length": "3", "transfer-encoding": "chunked",
                       "Connection": "close"}, "body": "abcdef"})")
                  .fields.empty());
}

TEST(HandlerAnswers, OfNullLeaveTheExchangeAsItIs) {
  Result<std::optional<rules::Response>> answer = read_answer("null");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(*answer);
}

TEST(HandlerAnswers, ThatAreMalformedSayWhatToChange) {
  EXPECT_EQ(refused("<html>"), "the handler's answer is not JSON");
  EXPECT_EQ(refused("[]"), "the handler's answer is no object with a \"statusCode\"");
  EXPECT_EQ(refused("{}"), "the handler's answer has no \"statusCode\"");
  EXPECT_EQ(refused(R"({"statusCode": 99})"), "the handler's answer has a \"statusCode\" that is none of 200 to 599");
  EXPECT_NE(refused(R"({"statusCode": 200, "body": {"a": 1}})").find("JSON text"), std::string::npos);
  EXPECT_NE(refused(R"({"statusCode": 200, "body": "%", "isBase64Encoded": true})").find("Base64"), std::string::npos);
  EXPECT_NE(refused(R"({"statusCode": 200, "headers": []})").find("headers"), std::string::npos);
  EXPECT_NE(refused(R"({"statusCode": 200, "headers": {"a b": "1"}})").find("a b"), std::string::npos);
  EXPECT_NE(refused("{\"statusCode\": 200, \"headers\": {\"a\": \"1\\r\\nb: 2\"}}").find("\"a\""), std::string::npos);
  EXPECT_NE(refused(R"({"statusCode": 200, "multiValueHeaders": {"a": "1"}})").find("no array"), std::string::npos);
  EXPECT_NE(refused(R"({"statusCode": 204, "body": "x"})").find("204"), std::string::npos);
}

}  // namespace
}  // namespace waylay::hook
