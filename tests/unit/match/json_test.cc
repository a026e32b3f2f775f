// Values of JSON: what they are compared with is what the literal is.
#include "unit/match/support.h"

namespace waylay::match {
namespace {

FakeSubject with_value(FakeSubject::Stored value) {
  return std::move(FakeSubject().with(Field::BodyJson, std::move(value), "a"));
}

bool holds(std::string_view comparison, FakeSubject::Stored value) {
  return matches("body.json[\"$.a\"] " + std::string(comparison), with_value(std::move(value)));
}

TEST(Json, NumbersAreComparedWhetherWholeOrNot) {
  EXPECT_TRUE(holds("== 5", int64_t{5}));
  EXPECT_TRUE(holds("== 5", 5.0));
  EXPECT_TRUE(holds("== 5.0", int64_t{5}));
  EXPECT_TRUE(holds("> 5", 5.25));
  EXPECT_TRUE(holds("< -1.5", int64_t{-2}));
  EXPECT_TRUE(holds("> -1.5", -1.25));
  EXPECT_TRUE(holds(">= 10KiB", int64_t{10240}));
  EXPECT_TRUE(holds("in {1.5..2, 7}", 1.75));
  EXPECT_TRUE(holds("in {1.5..2, 7}", int64_t{7}));
  EXPECT_FALSE(holds("in {1.5..2, 7}", 2.5));
}

TEST(Json, LargeNumbersAreNotRounded) {
  EXPECT_TRUE(holds("== 9223372036854775807", INT64_MAX));
  EXPECT_FALSE(holds("== 9223372036854775807", INT64_MAX - 1));
  EXPECT_FALSE(holds("== 9223372036854775807", 9223372036854775808.0));
  EXPECT_TRUE(holds("> 9223372036854775807", 9223372036854775808.0));
  EXPECT_TRUE(holds("< -9223372036854775807", -9223372036854775808.0));
  EXPECT_TRUE(holds("< 9007199254740993", 9007199254740992.0));
  EXPECT_TRUE(holds("> 5", 1e300));
  EXPECT_TRUE(holds("< 5", -1e300));
}

TEST(Json, StringsAreComparedByBytes) {
  EXPECT_TRUE(holds("== \"x\"", "x"));
  EXPECT_FALSE(holds("== \"x\"", "X"));
  EXPECT_TRUE(holds("< \"b\"", "abc"));
  EXPECT_TRUE(holds("contains \"bc\"", "abcd"));
  EXPECT_TRUE(holds("matches \"^AB\"", "abcd"));
  EXPECT_TRUE(holds("in {\"a\"..\"c\"}", "bb"));
}

TEST(Json, BooleansAreNotNumbers) {
  EXPECT_TRUE(holds("== true", true));
  EXPECT_TRUE(holds("!= true", false));
  EXPECT_TRUE(holds("in {1, false}", false));
  EXPECT_FALSE(holds("== 1", true));
  EXPECT_FALSE(holds("== true", int64_t{1}));
  EXPECT_FALSE(holds("in {0..1}", true));
}

TEST(Json, ValuesOfAnotherTypeDifferAndHaveNoOrder) {
  EXPECT_FALSE(holds("== 5", "5"));
  EXPECT_TRUE(holds("!= 5", "5"));
  EXPECT_TRUE(holds("!= \"5\"", int64_t{5}));
  for (const char* order : {"< 5", "> 5", "<= 5", ">= 5", "in {0..9}", "contains \"5\"", "~ \"5\""}) {
    bool numeric = std::string_view(order).find('"') == std::string_view::npos;
    EXPECT_FALSE(holds(order, numeric ? FakeSubject::Stored("5") : FakeSubject::Stored(int64_t{5}))) << order;
  }
}

TEST(Json, ObjectsAndArraysAreThereAndEqualToNothing) {
  EXPECT_TRUE(holds("", Compound()));
  EXPECT_TRUE(holds("!= \"\"", Compound()));
  EXPECT_FALSE(holds("== \"\"", Compound()));
  EXPECT_FALSE(holds("contains \"\"", Compound()));
}

TEST(Json, ABareFieldAsksWhetherTheValueIsThere) {
  EXPECT_TRUE(holds("", false));
  EXPECT_TRUE(holds("", int64_t{0}));
  EXPECT_FALSE(matches("body.json[\"$.b\"]", with_value(true)));
  EXPECT_FALSE(matches("body.json[\"$.b\"] != 5", with_value(true)));
}

TEST(Json, EachFieldHasItsOwnPath) {
  FakeSubject subject;
  subject.with(Field::BodyJson, 1, "a").with(Field::BodyJson, 2, "b/0").with(Field::ResponseBodyJson, 3, "a");
  EXPECT_TRUE(matches(R"(body.json["$.a"] == 1 and body.json["$.b[0]"] == 2 and response.body.json["$['a']"] == 3
                         and not body.json["$.b"] and http.header["x"] == "h")",
                      subject.with(Field::HttpHeader, "h", "x")));
}

TEST(Json, SaysWhichBodiesAnExpressionAsksFor) {
  Expression expression = compiled("body.text contains \"a\" and http.response.code == 500");
  EXPECT_TRUE(expression.asks_at(Moment::RequestBody));
  EXPECT_FALSE(expression.asks_at(Moment::ResponseBody));
  EXPECT_EQ(expression.known_at(), Moment::Response);
  EXPECT_TRUE(compiled("response.body.json[\"$\"]").asks_at(Moment::ResponseBody));
}

}  // namespace
}  // namespace waylay::match
