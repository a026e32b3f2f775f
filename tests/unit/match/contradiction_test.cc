#include "match/contradiction.h"

#include <gtest/gtest.h>

#include "match/expression.h"

namespace waylay::match {
namespace {

bool never(std::string_view text) {
  EXPECT_TRUE(Expression::compile(text)) << text;
  return is_contradiction(text);
}

TEST(Contradiction, IsSeenWhereConditionsOnOneFieldExcludeEachOther) {
  for (std::string_view text :
       {R"(http.request.method == "GET" and http.request.method == "PUT")",
        R"(http.request.method in {"GET", "HEAD"} and (http.host and http.request.method == "PUT"))",
        R"(http.host == "A.example" && http.host == "b.example")", "tcp.dstport > 443 and tcp.dstport < 444",
        "http.response.code > 599", "aws.attempt < 1", "http.response.code in {200..299} and http.response.code >= 400",
        "http.content_length > 1MB and http.content_length == 10KiB"})
    EXPECT_TRUE(never(text)) << text;
}

TEST(Contradiction, IsNotSeenWhereSomethingMayMatch) {
  for (std::string_view text :
       {"", R"(http.request.method == "GET" or http.request.method == "PUT")",
        R"(http.request.method == "GET" and http.request.method != "PUT")",
        R"(http.header["a"] == "x" and http.header["a"] == "y")",  // it may be sent twice
        R"(http.header["a"] == "x" and http.header["b"] == "y")",
        R"(http.host == "a.example" and http.host == "A.EXAMPLE")",
        "http.response.code >= 400 and http.response.code < 500", "not (http.response.code > 599)",
        R"(http.request.uri matches "^/a" and http.request.uri matches "^/b")",
        R"(body.json["$.a"] == 1 and body.json["$.b"] == 2)", "ip.dst == 10.0.0.1 and ip.dst == 10.0.0.2"})
    EXPECT_FALSE(never(text)) << text;
}

}  // namespace
}  // namespace waylay::match
