#include "match/fields.h"

#include <algorithm>
#include <set>

#include "unit/match/support.h"

namespace waylay::match {
namespace {

std::string spelled(const FieldInfo& field, std::string_view name) {
  return std::string(name) + (field.key == Key::None ? "" : "[\"a\"]");
}

TEST(Fields, EachNameAndAliasIsFoundAndStandsForOneField) {
  std::set<std::string_view> seen;
  std::vector<std::string_view> all = field_names();
  for (const FieldInfo& field : all_fields()) {
    std::vector<std::string_view> names = {field.name};
    std::ranges::copy_if(field.aliases, std::back_inserter(names),
                         [](std::string_view alias) { return !alias.empty(); });
    for (std::string_view name : names) {
      EXPECT_TRUE(seen.insert(name).second) << name << " is there twice";
      EXPECT_EQ(find_field(name), &field) << name;
      EXPECT_NE(std::ranges::find(all, name), all.end()) << name;
      EXPECT_EQ(compiled(spelled(field, name)).fields(), std::vector{field.field}) << name;
    }
  }
  EXPECT_EQ(all.size(), seen.size());
  EXPECT_EQ(find_field(""), nullptr);
  EXPECT_EQ(find_field("http"), nullptr);
}

TEST(Fields, EachIsWhereItsEnumeratorSaysAndIsDocumented) {
  for (const FieldInfo& field : all_fields()) {
    EXPECT_EQ(&info(field.field), &field);
    EXPECT_TRUE(field.documentation.ends_with('.')) << field.name;
    EXPECT_TRUE(!field.ignore_case || field.type == Type::String) << field.name;
  }
}

TEST(Fields, EachIsComparedWithALiteralOfItsTypeOnly) {
  struct Literal {
    const char* text;
    std::set<Type> types;
  };
  const Literal literals[] = {{"true", {Type::Boolean}},      {"1", {Type::Integer, Type::Size}},
                              {"\"a\"", {Type::String}},      {"10.0.0.1", {Type::Address}},
                              {"fe80::/10", {Type::Address}}, {"1s", {Type::Duration}},
                              {"1KiB", {Type::Size}}};
  for (const FieldInfo& field : all_fields()) {
    for (const Literal& literal : literals) {
      std::string text = spelled(field, field.name) + " == " + literal.text;
      EXPECT_EQ(Expression::compile(text).has_value(), literal.types.contains(field.type)) << text;
    }
  }
}

TEST(Fields, AValueFitsItsTypeOnly) {
  const Value values[] = {true, int64_t{1}, std::string_view("a"), Address()};
  auto fitting = [&](Type type) {
    return std::ranges::count_if(values, [&](const Value& value) { return fits(type, value); });
  };
  for (Type type : {Type::Boolean, Type::Integer, Type::String, Type::Address, Type::Duration, Type::Size}) {
    EXPECT_EQ(fitting(type), 1) << to_string(type);
    EXPECT_TRUE(fits(type, Value())) << to_string(type);
  }
  EXPECT_TRUE(fits(Type::Boolean, values[0]) && fits(Type::Size, values[1]) && fits(Type::String, values[2]) &&
              fits(Type::Address, values[3]));
}

TEST(Fields, OfAnExpressionAreListedOnceInTheOrderOfTheTable) {
  EXPECT_EQ(compiled("http.time > 1s or (ip.dst == ::1 and not http.time) or ip.dst").fields(),
            (std::vector{Field::IpDestination, Field::HttpTime}));
  EXPECT_TRUE(compiled("").fields().empty());
}

TEST(Fields, AnExpressionKeepsItsText) {
  std::string text = "  proc.pid\n and proc.uid ";
  Expression expression = compiled(text);
  std::string kept = text;
  text.assign(text.size(), 'x');
  EXPECT_EQ(expression.text(), kept);
  Expression moved = std::move(expression);
  EXPECT_EQ(moved.text(), kept);
}

}  // namespace
}  // namespace waylay::match
