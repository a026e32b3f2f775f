#include "unit/match/support.h"

namespace waylay::match {
namespace {

FakeSubject get_from_s3() {
  FakeSubject subject;
  subject.with(Field::HttpHost, "Bucket.S3.amazonaws.com")
      .with(Field::HttpRequestMethod, "GET")
      .with(Field::HttpRequestUri, "/key?x=1")
      .with(Field::HttpResponseCode, 503)
      .with(Field::AwsAttempt, 2)
      .with(Field::ContainerName, "worker-7");
  return subject;
}

TEST(Evaluate, BlankTextMatchesEverything) {
  for (const char* text : {"", " ", "\n\t \r\n"}) {
    EXPECT_TRUE(matches(text, FakeSubject())) << text;
    EXPECT_EQ(compiled(text).evaluate(FakeSubject(), Moment::Connect), Truth::Yes);
    EXPECT_EQ(compiled(text).known_at(), Moment::Connect);
  }
  EXPECT_TRUE(Expression().matches(FakeSubject()));
}

TEST(Evaluate, ComparesNumbersByEveryOperatorInBothSpellings) {
  FakeSubject subject = get_from_s3();
  struct Case {
    const char* symbol;
    const char* word;
    bool less, equal, greater;  // what it says when the field is less than, equal to, greater than the literal
  };
  for (const Case& one : {Case{"==", "eq", false, true, false}, Case{"!=", "ne", true, false, true},
                          Case{"<", "lt", true, false, false}, Case{">", "gt", false, false, true},
                          Case{"<=", "le", true, true, false}, Case{">=", "ge", false, true, true}}) {
    for (const char* spelling : {one.symbol, one.word}) {
      std::string left = std::string("http.response.code ") + spelling + " ";
      EXPECT_EQ(matches(left + "504", subject), one.less) << left;
      EXPECT_EQ(matches(left + "503", subject), one.equal) << left;
      EXPECT_EQ(matches(left + "502", subject), one.greater) << left;
    }
  }
}

TEST(Evaluate, ComparesStringsByEveryOperator) {
  FakeSubject subject = get_from_s3();
  EXPECT_TRUE(matches(R"(http.request.method == "GET")", subject));
  EXPECT_FALSE(matches(R"(http.request.method == "get")", subject));
  EXPECT_FALSE(matches(R"(http.request.method == "GE")", subject));
  EXPECT_FALSE(matches(R"(http.request.method == "GETS")", subject));
  EXPECT_TRUE(matches(R"(http.request.method != "PUT")", subject));
  EXPECT_FALSE(matches(R"(http.request.method != "GET")", subject));
  EXPECT_TRUE(matches(R"(http.request.method < "GETS")", subject));
  EXPECT_TRUE(matches(R"(http.request.method > "GES")", subject));
  EXPECT_TRUE(matches(R"(http.request.method <= "GET" && http.request.method >= "GET")", subject));
  EXPECT_FALSE(matches(R"(http.request.method < "GET" || http.request.method > "GET")", subject));
}

}  // namespace
}  // namespace waylay::match
