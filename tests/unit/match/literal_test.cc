#include "match/literal.h"

#include "unit/match/support.h"

namespace waylay::match {
namespace {

// What the value of a field of each type is compared with.
int64_t number(const std::string& text) {
  Source source(text);
  Tokens tokens = tokenize(source);
  Result<Literal> literal = read_literal(source, tokens.tokens[0]);
  EXPECT_TRUE(literal.has_value()) << text;
  EXPECT_EQ(tokens.tokens.size(), 2U) << text;
  return literal ? literal->number : -1;
}

std::string string(const std::string& text) {
  Tokens tokens = tokenize(Source(text));
  EXPECT_EQ(tokens.tokens.size(), 2U) << text;
  EXPECT_EQ(tokens.tokens[0].kind, TokenKind::String) << text;
  return tokens.tokens[0].string;
}

std::string problem(const std::string& literal) {
  std::string message = refused("proc.pid == " + literal);
  const std::string place = "line 1, column 13: ";
  EXPECT_TRUE(message.starts_with(place)) << message;
  return message.substr(place.size(), message.find('\n') - place.size());
}

TEST(Literals, Numbers) {
  EXPECT_EQ(number("0"), 0);
  EXPECT_EQ(number("443"), 443);
  EXPECT_EQ(number("0x1bb"), 443);
  EXPECT_EQ(number("0X1BB"), 443);
  EXPECT_EQ(number("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(number("0x7fffffffffffffff"), INT64_MAX);
  EXPECT_EQ(problem("9223372036854775808"), "the number is too large");
  EXPECT_EQ(problem("0x8000000000000000"), "the number is too large");
  EXPECT_EQ(problem("0x"), "not a hexadecimal number");
  EXPECT_EQ(problem("0xg"), "not a hexadecimal number");
  EXPECT_EQ(problem("0755"), "a decimal number does not begin with 0");
  EXPECT_EQ(number("-443"), -443);
  EXPECT_EQ(problem("1.5"), "proc.pid is an integer, not a decimal number; write a plain number, as in 443 or 0x1bb");
  EXPECT_EQ(problem("-1s"), "only plain numbers have a sign");
  EXPECT_EQ(problem("-01"), "a decimal number does not begin with 0");
  EXPECT_EQ(problem("1."), "not a number, a duration, a size or an address");
  EXPECT_EQ(problem(".5s"), "not a number, a duration, a size or an address");
  EXPECT_EQ(problem("tcp/80"), "not an IPv4 or IPv6 address");
}

TEST(Literals, Durations) {
  EXPECT_EQ(number("7ns"), 7);
  EXPECT_EQ(number("7us"), 7'000);
  EXPECT_EQ(number("10ms"), 10'000'000);
  EXPECT_EQ(number("2s"), 2'000'000'000);
  EXPECT_EQ(number("1m"), 60'000'000'000);
  EXPECT_EQ(number("1h"), 3'600'000'000'000);
  EXPECT_EQ(number("1d"), 86'400'000'000'000);
  EXPECT_EQ(number("1.5s"), 1'500'000'000);
  EXPECT_EQ(number("0.250ms"), 250'000);
  EXPECT_EQ(problem("0.5ns"), "too large, or not a whole number of bytes or nanoseconds");
  EXPECT_EQ(problem("106752d"), "the number is too large");
  EXPECT_EQ(problem("1.0000000000001s"), "too large, or not a whole number of bytes or nanoseconds");
  EXPECT_EQ(problem("5S"), "unknown unit S; durations are ns us ms s m h d, sizes are B KB MB GB TB KiB MiB GiB TiB");
}

TEST(Literals, Sizes) {
  EXPECT_EQ(number("1B"), 1);
  EXPECT_EQ(number("1kB"), 1000);
  EXPECT_EQ(number("5KB"), 5000);
  EXPECT_EQ(number("5MB"), 5'000'000);
  EXPECT_EQ(number("5GB"), 5'000'000'000);
  EXPECT_EQ(number("5TB"), 5'000'000'000'000);
  EXPECT_EQ(number("10KiB"), 10240);
  EXPECT_EQ(number("1MiB"), 1 << 20);
  EXPECT_EQ(number("1GiB"), 1 << 30);
  EXPECT_EQ(number("1TiB"), int64_t{1} << 40);
  EXPECT_EQ(number("1.5KiB"), 1536);
  EXPECT_EQ(problem("0.1KiB"), "too large, or not a whole number of bytes or nanoseconds");
  EXPECT_EQ(problem("8388608TiB"), "the number is too large");
}

TEST(Literals, Addresses) {
  EXPECT_EQ(problem("10.0.0.256"), "not an IPv4 or IPv6 address");
  EXPECT_EQ(problem("10.0.0"), "not an IPv4 or IPv6 address");
  EXPECT_EQ(problem("10.0.0.0/33"), "the prefix of a network is 0 to 32");
  EXPECT_EQ(problem("::/129"), "the prefix of a network is 0 to 128");
  EXPECT_EQ(problem("::/"), "the prefix of a network is 0 to 128");
  EXPECT_EQ(problem("::/1/2"), "the prefix of a network is 0 to 128");
  EXPECT_EQ(problem("1:2"), "not an IPv4 or IPv6 address");
}

TEST(Literals, StringsWithEscapes) {
  EXPECT_EQ(string(R"("")"), "");
  EXPECT_EQ(string(R"("a\"b\\c")"), "a\"b\\c");
  EXPECT_EQ(string(R"("\n\r\t")"), "\n\r\t");
  EXPECT_EQ(string(R"("\x00\x41\xfF")"), std::string("\0A\xff", 3));
  EXPECT_EQ(string(R"("\x411")"), "A1");
  EXPECT_EQ(string("\"a\nb\""), "a\nb") << "a string may go over several lines";
}

TEST(Literals, RawStrings) {
  EXPECT_EQ(string(R"(r"")"), "");
  EXPECT_EQ(string(R"(r"a\d\\n")"), R"(a\d\\n)");
  EXPECT_EQ(string(R"(r"a\")"), R"(a\)");
}

}  // namespace
}  // namespace waylay::match
