#include "unit/match/support.h"

namespace waylay::match {
namespace {

using Names = std::vector<std::string>;

Names hosts(std::string_view text) {
  return compiled(text).hosts();
}
Names methods(std::string_view text) {
  return compiled(text).methods();
}

TEST(Requirement, OfHostsIsWhatTheyMustEqual) {
  EXPECT_EQ(hosts(R"(http.host == "A.example")"), (Names{"a.example"}));
  EXPECT_EQ(hosts(R"(tls.sni == "a")"), (Names{"a"}));
  EXPECT_EQ(hosts(R"(http.host in {"b", "a", "B"})"), (Names{"a", "b"}));
  EXPECT_EQ(hosts(R"(http.host == "b" or tls.sni == "a" or http.host == "b")"), (Names{"a", "b"}));
}

TEST(Requirement, OfConditionsThatMustAllHoldIsTheNarrowest) {
  EXPECT_EQ(hosts(R"(http.host == "a" and http.request.method == "GET")"), (Names{"a"}));
  EXPECT_EQ(hosts(R"(http.host in {"a", "b"} and tls.sni == "c" and proc.pid)"), (Names{"c"}));
  EXPECT_EQ(hosts(R"((http.host == "a" or http.host == "b") and not http.host == "a")"), (Names{"a", "b"}));
}

TEST(Requirement, IsNoneWhereAnotherHostCouldMatch) {
  for (const char* text :
       {"", "proc.pid", R"(http.host != "a")", R"(not http.host == "a")", R"(http.host contains "a")",
        R"(http.host matches "^a$")", R"(http.host == "a" or proc.pid)", R"(proc.pid or http.host == "a")",
        R"(http.host in {"a", "b".."c"})", R"(http.host not in {"a"})", R"(http.host >= "a")", "http.host"}) {
    EXPECT_EQ(hosts(text), Names{}) << text;
  }
}

TEST(Requirement, OfMethodsKeepsTheirCase) {
  EXPECT_EQ(methods(R"(http.request.method in {"PUT", "GET"} and http.host == "a")"), (Names{"GET", "PUT"}));
  EXPECT_EQ(methods(R"(http.request.method == "GET" or http.host == "a")"), Names{});
  EXPECT_EQ(methods(R"(http.host == "a")"), Names{});
}

TEST(Requirement, OfAnyFieldOfTextsOrNumbersCanBeAsked) {
  Expression expression =
      compiled(R"(http.response.code in {206, 416} and http.response.header["Content-Encoding"] == "gzip")");
  EXPECT_EQ(expression.required(Field::HttpResponseCode), (Names{"206", "416"}));
  EXPECT_EQ(expression.required(Field::HttpResponseHeader, "content-encoding"), (Names{"gzip"}));
  EXPECT_EQ(expression.required(Field::HttpResponseHeader, "etag"), Names{});
  EXPECT_EQ(compiled("http.response.code in {200..299}").required(Field::HttpResponseCode), Names{});
  EXPECT_EQ(compiled("http.response.code >= 206").required(Field::HttpResponseCode), Names{});
}

TEST(HostWithoutPort, CutsOffOnlyAPort) {
  EXPECT_EQ(host_without_port("example.org:8443"), "example.org");
  EXPECT_EQ(host_without_port("example.org:"), "example.org");
  EXPECT_EQ(host_without_port("example.org"), "example.org");
  EXPECT_EQ(host_without_port("[::1]:443"), "[::1]");
  EXPECT_EQ(host_without_port("[::1]"), "[::1]");
  EXPECT_EQ(host_without_port("::1"), "::1");
  EXPECT_EQ(host_without_port("a:b"), "a:b");
  EXPECT_EQ(host_without_port(":80"), "");
  EXPECT_EQ(host_without_port(""), "");
}

}  // namespace
}  // namespace waylay::match
