#include "match/partial.h"

#include <gtest/gtest.h>

namespace waylay::match {
namespace {

// A GET of which the host is not known, nor the header x-secret.
class Half final : public PartialSubject {
 public:
  Value value(Field field, std::string_view key) const override {
    if (field == Field::HttpRequestMethod) return std::string_view("GET");
    if (field == Field::HttpHeader && key == "x-plain") return std::string_view("plain");
    return {};
  }
  bool knows(Field field, std::string_view key) const override { return field != Field::HttpHost && key != "x-secret"; }
};

Truth of(std::string_view text) {
  Result<PartialExpression> expression = PartialExpression::compile(text);
  EXPECT_TRUE(expression) << text;
  return expression ? expression->evaluate(Half()) : Truth::No;
}

TEST(PartialExpression, IsUnknownOnlyWhereItDependsOnWhatIsNotKnown) {
  EXPECT_EQ(of(""), Truth::Yes);
  EXPECT_EQ(of(R"(http.host == "a")"), Truth::Unknown);
  EXPECT_EQ(of(R"(not http.host == "a")"), Truth::Unknown);
  EXPECT_EQ(of(R"(http.host == "a" and http.request.method == "PUT")"), Truth::No);
  EXPECT_EQ(of(R"(http.host == "a" or http.request.method == "GET")"), Truth::Yes);
  EXPECT_EQ(of(R"(http.host == "a" and http.request.method == "GET")"), Truth::Unknown);
  EXPECT_EQ(of(R"(http.header["x-secret"])"), Truth::Unknown);
  EXPECT_EQ(of(R"(http.header["x-plain"] == "plain")"), Truth::Yes);
  EXPECT_EQ(of(R"(http.header["x-other"])"), Truth::No);
}

TEST(PartialExpression, SaysWhatIsWrongAsAnExpressionDoes) {
  EXPECT_EQ(PartialExpression::compile("http.hots").error().message, Expression::compile("http.hots").error().message);
}

}  // namespace
}  // namespace waylay::match
