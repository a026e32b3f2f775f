#include "body/content.h"

#include <gtest/gtest.h>

namespace waylay::body {
namespace {

match::Value at(const Content& content, std::string_view path) {
  return content.at(std::get<match::JsonPath>(match::JsonPath::parse(path)));
}

template <class T>
T value(const char* json, std::string_view path) {
  Content content{std::string(json)};
  match::Value found = at(content, path);
  EXPECT_TRUE(std::holds_alternative<T>(found)) << json << " " << path << " is of another type: " << found.index();
  return std::holds_alternative<T>(found) ? std::get<T>(found) : T{};
}

bool absent(const char* json, std::string_view path) {
  return std::holds_alternative<std::monostate>(at(Content{std::string(json)}, path));
}

TEST(Content, HasTheValuesOfItsJson) {
  EXPECT_EQ(value<int64_t>(R"({"a": {"b": [1, {"c d": -7}]}})", "$.a.b[1]['c d']"), -7);
  EXPECT_EQ(value<double>(R"({"a": 1.5})", "$.a"), 1.5);
  EXPECT_TRUE(value<bool>("[true]", "$[0]"));
  EXPECT_EQ(value<int64_t>("9223372036854775807", "$"), INT64_MAX);
  EXPECT_EQ(value<double>("9223372036854775808", "$"), 9223372036854775808.0);
  value<match::Compound>("{}", "$");
  value<match::Compound>("[[]]", "$[0]");
}

TEST(Content, LendsItsStrings) {
  Content content(R"({"a": "long enough not to be held in the string itself"})");
  match::Value found = at(content, "$.a");
  EXPECT_EQ(std::get<std::string_view>(found), "long enough not to be held in the string itself");
  EXPECT_EQ(std::get<std::string_view>(at(content, "$.a")).data(), std::get<std::string_view>(found).data());
}

TEST(Content, LacksWhatIsNotThereAndWhatIsNull) {
  EXPECT_TRUE(absent(R"({"a": null})", "$.a"));
  EXPECT_TRUE(absent(R"({"a": 1})", "$.b"));
  EXPECT_TRUE(absent(R"({"a": 1})", "$.a.b"));
  EXPECT_TRUE(absent(R"({"0": 1})", "$[0]"));
  EXPECT_TRUE(absent("[1]", "$['0']"));
  EXPECT_TRUE(absent("[1]", "$[1]"));
}

TEST(Content, ThatIsNotJsonHasNoValues) {
  for (const char* text : {"", "{", "{} x", "name=value", "\"\xff\"", "{\"a\": 1,}"})
    EXPECT_TRUE(absent(text, "$")) << text;
  EXPECT_EQ(Content("{").json(), nullptr);
}

TEST(Content, TooLongIsNotJson) {
  std::string text = "\"" + std::string(kMostJsonBytes - 2, 'a') + "\"";
  EXPECT_NE(Content(text).json(), nullptr);
  EXPECT_EQ(Content(text + " ").json(), nullptr);
}

TEST(Content, TooDeepIsNotJson) {
  auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_NE(Content(nested(kMostJsonDepth)).json(), nullptr);
  EXPECT_EQ(Content(nested(kMostJsonDepth + 2)).json(), nullptr);
  EXPECT_EQ(Content(nested(1'000'000)).json(), nullptr);
}

}  // namespace
}  // namespace waylay::body
