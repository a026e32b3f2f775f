// Evaluating an expression allocates nothing: it is done for each rule and each exchange.
#include "support/allocations.h"
#include "unit/match/support.h"

namespace waylay::match {
namespace {

// An exchange whose values are longer than what a std::string holds in itself, so that a copy would be an allocation.
class Exchange : public Subject {
 public:
  Value value(Field field, std::string_view) const override {
    switch (field) {
      case Field::HttpHost:
        return std::string_view("A-Very-Long-Bucket-Name.s3.amazonaws.com:443");
      case Field::HttpRequestMethod:
        return std::string_view("GET");
      case Field::HttpRequestUri:
        return std::string_view("/a/very/long/path/to/an/object?with=a&query=too");
      case Field::HttpHeader:
        return std::string_view("DynamoDB_20120810.BatchWriteItem");
      case Field::HttpResponseCode:
        return int64_t{503};
      case Field::IpDestination:
        return Address::parse_ip("10.1.2.3", 443).value();
      default:
        return {};
    }
  }
};

size_t allocations_of(const Expression& expression, const Subject& subject) {
  size_t before = allocations;
  EXPECT_TRUE(expression.matches(subject));
  return allocations - before;
}

TEST(Evaluation, AllocatesNothing) {
  Expression expression = compiled(R"(
      http.host == "a-very-long-bucket-name.s3.amazonaws.com" and http.host contains "bucket-NAME.s3"
      and http.host in {"another-very-long-bucket-name.s3.amazonaws.com", "A-very-long-bucket-name.s3.amazonaws.com"}
      and not http.request.method in {"PUT", "POST"} and http.request.uri contains "path/to/an/object"
      and http.header["x-amz-target-of-a-long-name"] != "DynamoDB_20120810.GetItem"
      and http.response.code in {429, 500..599} and ip.dst == 10.0.0.0/8 and not container.name)");
  Exchange exchange;
  EXPECT_EQ(allocations_of(expression, exchange), 0U);
}

TEST(Evaluation, OfAPatternAllocatesOnlyAtFirst) {
  Expression expression =
      compiled(R"(http.request.uri matches "path/(to|from)/[a-z]+/object" and http.host ~ "^a.*com$")");
  Exchange exchange;
  EXPECT_TRUE(expression.matches(exchange));  // RE2 builds its automaton now
  EXPECT_EQ(allocations_of(expression, exchange), 0U);
}

TEST(Evaluation, TheCounterSeesAllocations) {
  size_t before = allocations;
  std::string copy(std::string_view("longer than what a string holds in itself"));
  EXPECT_EQ(allocations - before, 1U) << copy;
}

}  // namespace
}  // namespace waylay::match
