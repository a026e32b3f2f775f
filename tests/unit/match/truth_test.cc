#include "unit/match/support.h"

namespace waylay::match {
namespace {

const char* name(Truth truth) {
  switch (truth) {
    case Truth::No:
      return "no";
    case Truth::Yes:
      return "yes";
    case Truth::Unknown:
      return "unknown";
  }
  return "?";
}

// Known at connect to be true or false, or not known before the response.
std::string spelled(Truth truth) {
  switch (truth) {
    case Truth::No:
      return "proc.pid == 2";
    case Truth::Yes:
      return "proc.pid == 1";
    case Truth::Unknown:
      return "http.response.code == 500";
  }
  return "?";
}

Truth at_request(const std::string& text) {
  FakeSubject subject;
  subject.with(Field::ProcPid, 1).with(Field::HttpResponseCode, 500);
  return compiled(text).evaluate(subject, Moment::Request);
}

constexpr Truth kNo = Truth::No, kYes = Truth::Yes, kUnknown = Truth::Unknown;

TEST(Truth, FollowsKleenesTables) {
  struct Row {
    Truth a, b, both, either;
  };
  for (const Row& row : {Row{kNo, kNo, kNo, kNo}, Row{kNo, kYes, kNo, kYes}, Row{kNo, kUnknown, kNo, kUnknown},
                         Row{kYes, kNo, kNo, kYes}, Row{kYes, kYes, kYes, kYes}, Row{kYes, kUnknown, kUnknown, kYes},
                         Row{kUnknown, kNo, kNo, kUnknown}, Row{kUnknown, kYes, kUnknown, kYes},
                         Row{kUnknown, kUnknown, kUnknown, kUnknown}}) {
    std::string a = spelled(row.a), b = spelled(row.b);
    EXPECT_STREQ(name(at_request(a + " and " + b)), name(row.both)) << name(row.a) << " and " << name(row.b);
    EXPECT_STREQ(name(at_request(a + " or " + b)), name(row.either)) << name(row.a) << " or " << name(row.b);
  }
  EXPECT_EQ(at_request("not " + spelled(kNo)), kYes);
  EXPECT_EQ(at_request("not " + spelled(kYes)), kNo);
  EXPECT_EQ(at_request("not " + spelled(kUnknown)), kUnknown);
}

TEST(Truth, AnUnknownPartDoesNotHideADecisiveOneAfterIt) {
  EXPECT_EQ(at_request(spelled(kUnknown) + " and " + spelled(kYes) + " and " + spelled(kNo)), kNo);
  EXPECT_EQ(at_request(spelled(kUnknown) + " or " + spelled(kNo) + " or " + spelled(kYes)), kYes);
}

TEST(Truth, ADifferentHostIsDecidedAtTheRequestThoughTheCodeIsUnknown) {
  Expression expression = compiled(R"(http.host == "a" && http.response.code == 500)");
  FakeSubject subject;
  subject.with(Field::HttpHost, "b").with(Field::HttpResponseCode, 500);
  EXPECT_EQ(expression.evaluate(subject, Moment::Hello), Truth::Unknown);
  EXPECT_EQ(expression.evaluate(subject, Moment::Request), Truth::No);
  EXPECT_EQ(expression.evaluate(subject, Moment::Response), Truth::No);
}

TEST(Truth, EachFieldIsKnownFromItsMomentOn) {
  constexpr Moment kMoments[] = {Moment::Connect,  Moment::Hello,        Moment::Request, Moment::RequestBody,
                                 Moment::Response, Moment::ResponseBody, Moment::End};
  for (const FieldInfo& field : all_fields()) {
    std::string text = spelled(field, field.name);
    Expression expression = compiled(text);
    EXPECT_EQ(expression.known_at(), field.moment) << text;
    for (Moment now : kMoments) {
      Truth expected = now < field.moment ? Truth::Unknown : Truth::No;
      EXPECT_EQ(expression.evaluate(FakeSubject(), now), expected) << text << " at " << to_string(now);
    }
  }
}

TEST(Truth, IsNeverAskedOfTheSubjectTooEarly) {
  class Nothing : public Subject {
    Value value(Field field, std::string_view) const override {
      ADD_FAILURE() << "asked for " << info(field).name;
      return {};
    }
  };
  EXPECT_EQ(compiled("http.response.code or http.cookie").evaluate(Nothing(), Moment::Hello), Truth::Unknown);
}

TEST(Truth, OfTheWholeIsKnownAtTheLatestMoment) {
  EXPECT_EQ(compiled("proc.pid or tls.sni").known_at(), Moment::Hello);
  EXPECT_EQ(compiled("not (http.host and http.time > 1s) or proc.pid").known_at(), Moment::End);
}

}  // namespace
}  // namespace waylay::match
