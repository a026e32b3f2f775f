#include "match/fields.h"

#include <algorithm>
#include <set>

#include "unit/match/support.h"

namespace waylay::match {
namespace {

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
  const Literal literals[] = {{"true", {Type::Boolean, Type::Json}},
                              {"1", {Type::Integer, Type::Size, Type::Json}},
                              {"-1", {Type::Integer, Type::Size, Type::Json}},
                              {"1.5", {Type::Json}},
                              {"\"a\"", {Type::String, Type::Json}},
                              {"10.0.0.1", {Type::Address}},
                              {"fe80::/10", {Type::Address}},
                              {"1s", {Type::Duration}},
                              {"1KiB", {Type::Size, Type::Json}}};
  for (const FieldInfo& field : all_fields()) {
    for (const Literal& literal : literals) {
      std::string text = spelled(field, field.name) + " == " + literal.text;
      EXPECT_EQ(Expression::compile(text).has_value(), literal.types.contains(field.type)) << text;
    }
  }
}

TEST(Fields, AValueFitsItsTypeOnly) {
  const Value values[] = {true, int64_t{1}, std::string_view("a"), Address(), 1.5, Compound()};
  auto fitting = [&](Type type) {
    return std::ranges::count_if(values, [&](const Value& value) { return fits(type, value); });
  };
  for (Type type : {Type::Boolean, Type::Integer, Type::String, Type::Address, Type::Duration, Type::Size}) {
    EXPECT_EQ(fitting(type), 1) << to_string(type);
    EXPECT_TRUE(fits(type, Value())) << to_string(type);
  }
  EXPECT_EQ(fitting(Type::Json), 5);
  EXPECT_FALSE(fits(Type::Json, Address()));
  EXPECT_TRUE(fits(Type::Boolean, values[0]) && fits(Type::Size, values[1]) && fits(Type::String, values[2]) &&
              fits(Type::Address, values[3]));
}

// What somebody who knows Wireshark writes.
TEST(Fields, HaveTheNamesThatWiresharkGivesThem) {
  for (std::string_view name : {"ip.src",
                                "ip.dst",
                                "ip.addr",
                                "ipv6.src",
                                "ipv6.dst",
                                "ipv6.addr",
                                "tcp.srcport",
                                "tcp.dstport",
                                "tcp.port",
                                "tcp.stream",
                                "tls.handshake.extensions_server_name",
                                "tls.handshake.extensions_alpn_str",
                                "tls.handshake.version",
                                "tls.handshake.ja4",
                                "http.request.method",
                                "http.request.uri",
                                "http.request.full_uri",
                                "http.request.uri.path",
                                "http.request.uri.query",
                                "http.request.version",
                                "http.host",
                                "http.user_agent",
                                "http.referer",
                                "http.content_type",
                                "http.content_length",
                                "http.cookie",
                                "http.response.code",
                                "http.response.phrase",
                                "http.location",
                                "http.server",
                                "http.time",
                                "http.file_data",
                                "http2.headers.authority",
                                "http2.headers.method",
                                "http2.headers.path",
                                "http2.request.full_uri",
                                "http2.headers.user_agent",
                                "http2.headers.referer",
                                "http2.headers.content_type",
                                "http2.headers.content_length",
                                "http2.headers.cookie",
                                "http2.headers.status",
                                "http2.headers.location",
                                "http2.headers.server"})
    EXPECT_NE(find_field(name), nullptr) << name;
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
