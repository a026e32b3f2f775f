#include "unit/match/support.h"

namespace waylay::match {
namespace {

FakeSubject get_from_s3() {
  FakeSubject subject;
  subject.with(Field::HttpHost, "Bucket.S3.amazonaws.com")
      .with(Field::HttpRequestMethod, "GET")
      .with(Field::HttpRequestUri, "/key?x=1")
      .with(Field::HttpResponseCode, 503)
      .with(Field::AwsAttempt, 2)
      .with(Field::ContainerName, "worker-7");
  return subject;
}

TEST(Evaluate, BlankTextMatchesEverything) {
  for (const char* text : {"", " ", "\n\t \r\n"}) {
    EXPECT_TRUE(matches(text, FakeSubject())) << text;
    EXPECT_EQ(compiled(text).evaluate(FakeSubject(), Moment::Connect), Truth::Yes);
    EXPECT_EQ(compiled(text).known_at(), Moment::Connect);
  }
  EXPECT_TRUE(Expression().matches(FakeSubject()));
}

TEST(Evaluate, ComparesNumbersByEveryOperatorInBothSpellings) {
  FakeSubject subject = get_from_s3();
  struct Case {
    const char* symbol;
    const char* word;
    bool less, equal, greater;  // what it says when the field is less than, equal to, greater than the literal
  };
  for (const Case& one : {Case{"==", "eq", false, true, false}, Case{"!=", "ne", true, false, true},
                          Case{"<", "lt", true, false, false}, Case{">", "gt", false, false, true},
                          Case{"<=", "le", true, true, false}, Case{">=", "ge", false, true, true}}) {
    for (const char* spelling : {one.symbol, one.word}) {
      std::string left = std::string("http.response.code ") + spelling + " ";
      EXPECT_EQ(matches(left + "504", subject), one.less) << left;
      EXPECT_EQ(matches(left + "503", subject), one.equal) << left;
      EXPECT_EQ(matches(left + "502", subject), one.greater) << left;
    }
  }
}

TEST(Evaluate, ComparesStringsByEveryOperator) {
  FakeSubject subject = get_from_s3();
  EXPECT_TRUE(matches(R"(http.request.method == "GET")", subject));
  EXPECT_FALSE(matches(R"(http.request.method == "get")", subject));
  EXPECT_FALSE(matches(R"(http.request.method == "GE")", subject));
  EXPECT_FALSE(matches(R"(http.request.method == "GETS")", subject));
  EXPECT_TRUE(matches(R"(http.request.method != "PUT")", subject));
  EXPECT_FALSE(matches(R"(http.request.method != "GET")", subject));
  EXPECT_TRUE(matches(R"(http.request.method < "GETS")", subject));
  EXPECT_TRUE(matches(R"(http.request.method > "GES")", subject));
  EXPECT_TRUE(matches(R"(http.request.method <= "GET" && http.request.method >= "GET")", subject));
  EXPECT_FALSE(matches(R"(http.request.method < "GET" || http.request.method > "GET")", subject));
}

TEST(Evaluate, FindsPartsOfStrings) {
  FakeSubject subject = get_from_s3();
  EXPECT_TRUE(matches(R"(http.request.uri contains "y?x")", subject));
  EXPECT_TRUE(matches(R"(http.request.uri contains "")", subject));
  EXPECT_FALSE(matches(R"(http.request.uri contains "KEY")", subject));
  EXPECT_FALSE(matches(R"(http.request.uri contains "/key?x=12")", subject));
}

TEST(Evaluate, MatchesRegularExpressionsAnywhereAndIgnoringCaseAsWiresharkDoes) {
  FakeSubject subject = get_from_s3();
  EXPECT_TRUE(matches(R"(container.name matches "^worker-")", subject));
  EXPECT_TRUE(matches(R"(container.name ~ "ER-[0-9]$")", subject));
  EXPECT_FALSE(matches(R"(container.name matches "(?-i)ER-")", subject));
  EXPECT_TRUE(matches(R"(container.name matches r"^\w+-\d$")", subject));
  EXPECT_TRUE(matches(R"(container.name matches "^\\w+-\\d$")", subject));
  EXPECT_FALSE(matches(R"(container.name matches "^orker")", subject));
}

TEST(Evaluate, FindsValuesInSetsAndRanges) {
  FakeSubject subject = get_from_s3();
  EXPECT_TRUE(matches(R"(http.request.method in {"PUT", "GET"})", subject));
  EXPECT_FALSE(matches(R"(http.request.method in {"PUT"})", subject));
  EXPECT_TRUE(matches("http.response.code in {429, 500..599}", subject));
  EXPECT_TRUE(matches("http.response.code in {503..503}", subject));
  EXPECT_FALSE(matches("http.response.code in {429, 500..502, 504 .. 599}", subject));
  EXPECT_TRUE(matches(R"(container.name in {"v".."x"})", subject));
  EXPECT_FALSE(matches(R"(container.name in {"a".."worker", "x"})", subject));
  EXPECT_TRUE(matches("http.response.code not in {1, 2}", subject));
  EXPECT_FALSE(matches("http.response.code !in {503}", subject));
}

TEST(Evaluate, FindsAddressesInNetworksSetsAndRanges) {
  FakeSubject subject;
  subject.with_address(Field::IpDestination, "10.1.2.3").with_address(Field::IpSource, "fe80::12");
  EXPECT_TRUE(matches("ip.dst == 10.1.2.3", subject));
  EXPECT_FALSE(matches("ip.dst == 10.1.2.4", subject));
  EXPECT_TRUE(matches("ip.dst != 10.1.2.4", subject));
  EXPECT_TRUE(matches("ip.dst == 10.1.0.0/16", subject));
  EXPECT_TRUE(matches("ip.dst == 10.200.0.0/8", subject)) << "the host part of a network does not count";
  EXPECT_FALSE(matches("ip.dst == 10.1.3.0/24", subject));
  EXPECT_TRUE(matches("ip.dst == 10.1.3.0/23", subject)) << "a prefix may end inside a byte";
  EXPECT_FALSE(matches("ip.dst == 10.1.4.0/23", subject));
  EXPECT_TRUE(matches("ip.dst == 0.0.0.0/0", subject));
  EXPECT_FALSE(matches("ip.dst == ::/0", subject)) << "an IPv4 address is in no IPv6 network";
  EXPECT_TRUE(matches("ip.src == fe80::/10", subject));
  EXPECT_TRUE(matches("ip.src == fe80::12", subject));
  EXPECT_FALSE(matches("ip.src != fe80::12/128", subject));
  EXPECT_TRUE(matches("ip.dst in {192.168.0.0/16, 10.1.2.0..10.1.2.9}", subject));
  EXPECT_FALSE(matches("ip.dst in {10.1.2.4..10.1.2.9, ::1}", subject));
  EXPECT_TRUE(matches("ip.dst > 10.1.2.2 and ip.dst <= 10.1.2.3", subject));
  EXPECT_FALSE(matches("ip.dst < ::1 or ip.dst > ::1", subject)) << "addresses of two families have no order";
}

TEST(Evaluate, TakesMappedAddressesForTheIpv4OnesInside) {
  FakeSubject subject;
  subject.with_address(Field::IpDestination, "::ffff:10.1.2.3");
  EXPECT_TRUE(matches("ip.dst == 10.1.2.3", subject));
  EXPECT_TRUE(matches("ip.dst == ::ffff:10.1.2.3", subject));
  EXPECT_TRUE(matches("ip.dst == ::ffff:10.0.0.0/104", subject));
  EXPECT_FALSE(matches("ip.dst == ::ffff:11.0.0.0/104", subject));
}

TEST(Evaluate, ComparesDurationsAndSizes) {
  FakeSubject subject;
  subject.with(Field::HttpTime, FakeSubject::Stored(int64_t{1'500'000'000}))
      .with(Field::HttpContentLength, FakeSubject::Stored(int64_t{10 * 1024}));
  EXPECT_TRUE(matches("http.time == 1.5s and http.time == 1500ms", subject));
  EXPECT_TRUE(matches("http.time in {1s..2s} and http.time < 1m", subject));
  EXPECT_TRUE(matches("http.content_length == 10KiB and http.content_length == 10240", subject));
  EXPECT_TRUE(matches("http.content_length > 10KB and http.content_length < 1MiB", subject));
}

TEST(Evaluate, ABareFieldAsksWhetherItHasAValue) {
  FakeSubject subject = get_from_s3();
  subject.with(Field::HttpCookie, "");
  EXPECT_TRUE(matches("container.name", subject));
  EXPECT_TRUE(matches("http.cookie", subject)) << "an empty value is one";
  EXPECT_FALSE(matches("container.id", subject));
  EXPECT_TRUE(matches("not container.id", subject));
}

TEST(Evaluate, ABareBooleanFieldAsksWhetherItIsTrue) {
  FakeSubject injected, organic;
  injected.with(Field::ExchangeInjected, FakeSubject::Stored(true));
  organic.with(Field::ExchangeInjected, FakeSubject::Stored(false));
  for (const char* text : {"exchange.injected", "exchange.injected == true", "exchange.injected != false",
                           "exchange.injected in {true}"}) {
    EXPECT_TRUE(matches(text, injected)) << text;
    EXPECT_FALSE(matches(text, organic)) << text;
    EXPECT_FALSE(matches(text, FakeSubject())) << text;
  }
}

TEST(Evaluate, EveryComparisonWithAnAbsentFieldIsFalse) {
  FakeSubject nothing;
  for (const char* test : {"http.request.uri == \"a\"", "http.request.uri != \"a\"", "http.request.uri < \"a\"",
                           "http.request.uri contains \"\"", "http.request.uri matches \"\"", "proc.pid >= 0",
                           "http.request.uri in {\"a\"}", "http.header[\"a\"] != \"a\""}) {
    EXPECT_FALSE(matches(test, nothing)) << test;
    EXPECT_TRUE(matches(std::string("not ") + test, nothing)) << test;
  }
  EXPECT_TRUE(matches("proc.pid not in {1}", nothing));
}

TEST(Evaluate, OfSeveralValuesOneThatMatchesIsEnough) {
  FakeSubject subject;
  subject.with(Field::HttpHeader, "one", "x-tag").with(Field::HttpHeader, "two", "x-tag");
  EXPECT_TRUE(matches(R"(http.header["x-tag"] == "one")", subject));
  EXPECT_TRUE(matches(R"(http.header["x-tag"] == "two")", subject));
  EXPECT_FALSE(matches(R"(http.header["x-tag"] == "three")", subject));
  EXPECT_TRUE(matches(R"(http.header["x-tag"] in {"two", "three"})", subject));
  EXPECT_TRUE(matches(R"(http.header["x-tag"] contains "w")", subject));
  EXPECT_TRUE(matches(R"(http.header["x-tag"] matches "^tw")", subject));
  EXPECT_TRUE(matches(R"(http.header["x-tag"] > "p")", subject));
}

TEST(Evaluate, OfSeveralValuesAllMustDiffer) {
  FakeSubject subject;
  subject.with(Field::HttpHeader, "one", "x-tag").with(Field::HttpHeader, "two", "x-tag");
  EXPECT_FALSE(matches(R"(http.header["x-tag"] != "one")", subject));
  EXPECT_FALSE(matches(R"(http.header["x-tag"] != "two")", subject));
  EXPECT_TRUE(matches(R"(http.header["x-tag"] != "three")", subject));
}

TEST(Evaluate, HostNamesIgnoreCaseInEveryOperator) {
  FakeSubject subject = get_from_s3();
  subject.with(Field::TlsServerName, "Example.ORG");
  for (const char* field : {"tls.sni", "tls.handshake.extensions_server_name"}) {
    std::string sni = field;
    EXPECT_TRUE(matches(sni + R"( == "eXample.org")", subject));
    EXPECT_FALSE(matches(sni + R"( != "EXAMPLE.org")", subject));
    EXPECT_TRUE(matches(sni + R"( contains "E.O")", subject));
    EXPECT_TRUE(matches(sni + R"( in {"a", "EXAMPLE.ORG"})", subject));
    EXPECT_TRUE(matches(sni + R"( in {"EXAMPLE".."F"})", subject));
    EXPECT_TRUE(matches(sni + R"( >= "EXAMPLE.ORG" and )" + sni + R"( <= "example.org")", subject));
    EXPECT_TRUE(matches(sni + R"( matches "^EXAMPLE")", subject));
    EXPECT_FALSE(matches(sni + R"( contains "OrgX")", subject));
  }
  EXPECT_TRUE(matches(R"(http.host == "bucket.s3.AMAZONAWS.com")", subject));
  EXPECT_FALSE(matches(R"(container.name == "Worker-7")", subject)) << "other names do not";
}

TEST(Evaluate, ComparesHttpHostWithoutItsPort) {
  FakeSubject subject;
  subject.with(Field::HttpHost, "Example.org:8443");
  EXPECT_TRUE(matches(R"(http.host == "example.org")", subject));
  EXPECT_TRUE(matches(R"(http.host in {"example.org"})", subject));
  EXPECT_TRUE(matches(R"(http.host matches "org$")", subject));
  EXPECT_FALSE(matches(R"(http.host contains "8443")", subject));
}

TEST(Evaluate, HeaderNamesIgnoreCase) {
  FakeSubject subject;
  subject.with(Field::HttpHeader, "DynamoDB.GetItem", "x-amz-target")
      .with(Field::HttpResponseHeader, "1", "retry-after");
  EXPECT_TRUE(matches(R"(http.header["X-Amz-Target"] == "DynamoDB.GetItem")", subject));
  EXPECT_FALSE(matches(R"(http.header["X-Amz-Target"] == "dynamodb.getitem")", subject)) << "but their values do not";
  EXPECT_TRUE(matches(R"(http.response.header["Retry-After"])", subject));
  EXPECT_FALSE(matches(R"(http.header["retry-after"])", subject));
  EXPECT_TRUE(matches("http.header[ r\"x-amz-target\" ]", subject));
}

TEST(Evaluate, NotBindsCloserThanAndCloserThanOr) {
  FakeSubject subject;
  subject.with(Field::ProcPid, 1);
  const std::string yes = "proc.pid == 1", no = "proc.pid == 2";
  EXPECT_TRUE(matches(yes + " or " + no + " and " + no, subject));
  EXPECT_FALSE(matches("(" + yes + " or " + no + ") and " + no, subject));
  EXPECT_TRUE(matches(no + " and " + no + " or " + yes, subject));
  EXPECT_FALSE(matches("not " + yes + " and " + no, subject));
  EXPECT_TRUE(matches("not (" + yes + " and " + no + ")", subject));
  EXPECT_TRUE(matches("not " + no + " or " + no, subject));
  EXPECT_TRUE(matches("! ! " + yes, subject));
  EXPECT_TRUE(matches("!" + no + "&&!" + no + "||" + no, subject));
  EXPECT_TRUE(matches("((" + yes + "))", subject));
}

TEST(Evaluate, AddressesDoNotDependOnTheirPort) {
  FakeSubject subject;
  subject.with(Field::IpDestination, Address::parse("10.0.0.1:9").value());
  EXPECT_TRUE(matches("ip.dst == 10.0.0.1 and ip.dst <= 10.0.0.1", subject));
}

TEST(Evaluate, ASubjectWithOneValueNeedNotKnowOfSeveral) {
  class OneHeader : public Subject {
    Value value(Field field, std::string_view key) const override {
      return field == Field::HttpHeader && key == "a" ? Value(std::string_view("b")) : Value();
    }
  };
  EXPECT_TRUE(matches(R"(http.header["A"] == "b" and not http.header["b"])", OneHeader()));
}

}  // namespace
}  // namespace waylay::match
