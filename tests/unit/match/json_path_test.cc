#include "match/json_path.h"

#include <gtest/gtest.h>

namespace waylay::match {
namespace {

using Steps = std::vector<JsonPath::Step>;

Steps steps(std::string_view text) {
  auto path = JsonPath::parse(text);
  const auto* problem = std::get_if<JsonPath::Problem>(&path);
  EXPECT_EQ(problem, nullptr) << text << ": " << (problem ? problem->what : "");
  return problem ? Steps{} : std::get<JsonPath>(path).steps();
}

// The piece of the path that is wrong.
std::string wrong_in(std::string_view text) {
  auto path = JsonPath::parse(text);
  const auto* problem = std::get_if<JsonPath::Problem>(&path);
  if (problem == nullptr) return "nothing";
  EXPECT_LE(problem->begin, text.size());
  return std::string(text.substr(problem->begin, problem->size));
}

TEST(JsonPath, IsMadeOfMembersAndIndexes) {
  EXPECT_EQ(steps("$"), Steps{});
  EXPECT_EQ(steps("$.a.b[0][\"c d\"]"), (Steps{"a", "b", size_t{0}, "c d"}));
  EXPECT_EQ(steps("$['a'][12].b_2"), (Steps{"a", size_t{12}, "b_2"}));
  EXPECT_EQ(steps("$.\xc3\xa9['0']['']"), (Steps{"\xc3\xa9", "0", ""}));
}

TEST(JsonPath, NamesInQuotesHaveEscapes) {
  EXPECT_EQ(steps(R"($["a\"b"]['a\'b']['a"b'])"), (Steps{"a\"b", "a'b", "a\"b"}));
  EXPECT_EQ(steps(R"($['\\\/\b\f\n\r\t'])"), (Steps{"\\/\b\f\n\r\t"}));
}

TEST(JsonPath, SaysWhereItIsWrong) {
  EXPECT_EQ(wrong_in(""), "");
  EXPECT_EQ(wrong_in("a.b"), "a");
  EXPECT_EQ(wrong_in("$a"), "a");
  EXPECT_EQ(wrong_in("$.1"), "1");
  EXPECT_EQ(wrong_in("$.a-b"), "-");
  EXPECT_EQ(wrong_in("$[a]"), "a");
  EXPECT_EQ(wrong_in("$['a'x"), "x");
  EXPECT_EQ(wrong_in("$.a['b"), "'");
  EXPECT_EQ(wrong_in("$['a\\u0041']"), "u");
  EXPECT_EQ(wrong_in("$[007]"), "007");
  EXPECT_EQ(wrong_in("$[99999999999999999999]"), "99999999999999999999");
  EXPECT_EQ(wrong_in("$[1"), "");
  EXPECT_EQ(wrong_in("$."), "");
}

TEST(JsonPath, NamesOneValueOnly) {
  for (std::string_view text : {"$..a", "$.*", "$[*]", "$[?@.a]", "$[1:2]", "$[:2]", "$[1,2]", "$['a','b']"}) {
    auto path = JsonPath::parse(text);
    const auto* problem = std::get_if<JsonPath::Problem>(&path);
    ASSERT_NE(problem, nullptr) << text;
    EXPECT_NE(problem->what.find("names one value"), std::string::npos) << text;
  }
  EXPECT_EQ(wrong_in("$[-1]"), "-");
}

}  // namespace
}  // namespace waylay::match
