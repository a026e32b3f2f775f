#include "hook/call.h"

#include <gtest/gtest.h>

namespace waylay::hook {
namespace {

rules::Handler handler() {
  rules::Handler to;
  to.host = "127.0.0.1:9000";
  to.path = "/2015-03-31/functions/function/invocations";
  return to;
}

// What comes of a call that is answered with these bytes, one at a time; the connection ends behind them.
Result<Answer> after(std::string_view bytes, bool ends = true) {
  Call call(handler(), "{}");
  for (char c : bytes) call.put(as_bytes(std::string_view(&c, 1)));
  if (ends) call.on_end();
  if (!call.done()) return fail(Error::local(ErrorKind::Timeout, "not done"));
  return call.take_answer();
}

std::string with_length(std::string_view head, std::string_view body) {
  return "HTTP/1.1 " + std::string(head) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

TEST(HandlerCalls, PostTheEventToTheInvokeApi) {
  Call call(handler(), "{\"a\":1}");
  EXPECT_EQ(call.request(),
            "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nUser-Agent: waylay\r\n"
            "Content-Type: application/json\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
}

TEST(HandlerCalls, EndWithTheAnswerAndNotWithTheConnection) {
  Result<Answer> answer = after(with_length("200 OK\r\n", R"({"statusCode": 418, "body": "tea"})"), false);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 418);
  EXPECT_EQ((*answer)->body, "tea");
}

TEST(HandlerCalls, TakeChunkedAnswersAndThoseThatEndWithTheConnection) {
  Result<Answer> chunked = after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnull\r\n0\r\n\r\n");
  ASSERT_TRUE(chunked);
  EXPECT_FALSE(*chunked);
  EXPECT_TRUE(after("HTTP/1.1 200 OK\r\n\r\n{\"statusCode\": 200}"));
}

TEST(HandlerCalls, FailWithWhatTheFunctionSaid) {
  std::string raised = R"({"errorMessage": "boom", "errorType": "ValueError"})";
  Result<Answer> told = after(with_length("200 OK\r\nX-Amz-Function-Error: Unhandled\r\n", raised));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().message, "the handler failed (Unhandled): " + raised);
  Result<Answer> emulated = after(with_length("200 OK\r\n", raised));
  ASSERT_FALSE(emulated);
  EXPECT_EQ(emulated.error().message, "the handler failed: " + raised);
}

TEST(HandlerCalls, FailOnWhatIsNoAnswer) {
  EXPECT_EQ(after("").error().message, "the handler closed the connection without an answer");
  EXPECT_EQ(after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnull").error().message,
            "the handler closed the connection in the midst of its answer");
  EXPECT_EQ(after(with_length("500 Oh\r\n", "broken")).error().message,
            "the handler answered the call with status 500: broken");
  EXPECT_NE(after("SSH-2.0-x\r\n").error().message.find("did not answer in HTTP"), std::string::npos);
  EXPECT_NE(
      after("HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n").error().message.find("another protocol"),
      std::string::npos);
}

TEST(HandlerCalls, TakeAnswersOfSixMebibytesAndNoMore) {
  std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 7000000\r\n\r\n";
  Call call(handler(), "{}");
  call.put(as_bytes(head));
  call.put(as_bytes(std::string(kMostAnswer, ' ')));
  EXPECT_FALSE(call.done());
  call.put(as_bytes(" "));
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.take_answer().error().message, "the handler answered with more than 6 MiB");
}

}  // namespace
}  // namespace waylay::hook
