#include "unit/match/support.h"

namespace waylay::match {
namespace {

TEST(Errors, PointAtTheirPlace) {
  EXPECT_EQ(refused(R"(http.hots == "a")"),
            "line 1, column 1: unknown field http.hots; did you mean http.host?\n"
            "  http.hots == \"a\"\n"
            "  ^~~~~~~~~");
  EXPECT_EQ(refused("http.host == 5"),
            "line 1, column 14: http.host is a string, not an integer; write it in quotes: \"5\"\n"
            "  http.host == 5\n"
            "               ^");
  EXPECT_EQ(refused("http.host =="),
            "line 1, column 13: expected a value of type string, found the end\n"
            "  http.host ==\n"
            "              ^");
}

TEST(Errors, ShowTheLineOfSeveral) {
  EXPECT_EQ(refused("http.host == \"a\"\r\n\tand http.response.code == x\r\nand proc.pid"),
            "line 2, column 28: strings stand in double quotes: \"x\"\n"
            "  \tand http.response.code == x\n"
            "  \t                          ^");
  EXPECT_EQ(refused("proc.pid\nand\n"),
            "line 3, column 1: expected the name of a field, found the end\n"
            "  \n"
            "  ^");
}

TEST(Errors, CountCharactersNotBytes) {
  EXPECT_EQ(refused("http.request.uri == \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" x"),
            "line 1, column 27: expected and, or, or the end, found x\n"
            "  http.request.uri == \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" x\n"
            "                            ^");
}

TEST(Errors, CutLongLinesAroundTheirPlace) {
  std::string padding = "proc.pid or " + std::string(100, ' ');
  EXPECT_EQ(refused(padding + "\xc3\xa9" + "proc.pip" + std::string(100, ' ') + "or proc.pid"),
            "line 1, column 113: unexpected \xc3\xa9\n"
            "  ..." +
                std::string(72, ' ') + "\xc3\xa9proc.pip" + std::string(62, ' ') +
                "...\n"
                "     " +
                std::string(72, ' ') + "^");
}

// What is wrong with it, where, and how much of it is underlined.
struct Case {
  std::string text;
  int column;
  int underlined;
  std::string problem;
};

void expect_refused(const Case& one) {
  std::string underline = "^" + std::string(static_cast<size_t>(one.underlined - 1), '~');
  EXPECT_EQ(refused(one.text), "line 1, column " + std::to_string(one.column) + ": " + one.problem + "\n  " + one.text +
                                   "\n  " + std::string(static_cast<size_t>(one.column - 1), ' ') + underline);
}

TEST(Errors, OfNamesSuggestTheNearest) {
  expect_refused({"host == \"a\"", 1, 4, "unknown field host; did you mean http.host?"});
  expect_refused({"aws.atempt == 1", 1, 10, "unknown field aws.atempt; did you mean aws.attempt?"});
  expect_refused({"(tls.snj)", 2, 7, "unknown field tls.snj; did you mean tls.sni?"});
  expect_refused({"zzzzzzzz", 1, 8, "unknown field zzzzzzzz"});
  expect_refused({"http.request.urk", 1, 16, "unknown field http.request.urk; did you mean http.request.uri?"});
  expect_refused({"http.request == \"GET\"", 1, 12,
                  "unknown field http.request; did you mean http.request.full_uri, http.request.method or "
                  "http.request.uri?"});
  std::string endless(70, 'a');
  expect_refused({endless, 1, 70, "unknown field " + std::string(64, 'a') + "..."});
}

TEST(Errors, OfTypesSayWhatToWrite) {
  expect_refused({"http.response.code == \"200\"", 23, 5,
                  "http.response.code is an integer, not a string; write a plain number, as in 443 or 0x1bb"});
  expect_refused({"http.response.code == 2s", 23, 2,
                  "http.response.code is an integer, not a duration; write a plain number, as in 443 or 0x1bb"});
  expect_refused(
      {"http.time > 1", 13, 1, "http.time is a duration, not an integer; write it with its unit, as in 250ms or 2s"});
  expect_refused(
      {"http.time > 1KiB", 13, 4, "http.time is a duration, not a size; write it with its unit, as in 250ms or 2s"});
  expect_refused({"http.content_length > 1s", 23, 2,
                  "http.content_length is a size, not a duration; write it as in 4096, 10KiB or 5MB"});
  expect_refused({"ip.dst == \"10.0.0.1\"", 11, 10,
                  "ip.dst is an address, not a string; write it without quotes, as in 10.0.0.1, 10.0.0.0/8 or ::1"});
  expect_refused(
      {"exchange.injected == 1", 22, 1, "exchange.injected is a boolean, not an integer; write true or false"});
  expect_refused({"http.host in {\"a\", 10.0.0.1}", 20, 8,
                  "http.host is a string, not an address; write it in quotes: \"10.0.0.1\""});
  expect_refused({"proc.pid in {1..true}", 17, 4,
                  "proc.pid is an integer, not a boolean; write a plain number, as in 443 or 0x1bb"});
  expect_refused({"http.request.method == 10.0.0.0/8", 24, 10,
                  "http.request.method is a string, not a network; write it in quotes: \"10.0.0.0/8\""});
}

TEST(Errors, OfOperatorsNameTheField) {
  expect_refused({"http.response.code contains 5", 20, 8, "contains needs a string; http.response.code is an integer"});
  expect_refused({"ip.dst ~ \"1\"", 8, 1, "~ needs a string; ip.dst is an address"});
  expect_refused(
      {"exchange.injected < true", 19, 1, "exchange.injected is a boolean and has no order; compare it with == or !="});
  expect_refused({"ip.dst < 10.0.0.0/8", 10, 10, "a network has no order; compare with == or in"});
}

TEST(Errors, OfPunctuationSayWhatIsMeant) {
  expect_refused({"proc.pid = 1", 10, 1, "= is not an operator; write == to compare"});
  expect_refused({"proc.pid & proc.uid", 10, 1, "& is not an operator; write && or and"});
  expect_refused({"proc.pid | proc.uid", 10, 1, "| is not an operator; write || or or"});
  expect_refused({"proc.name == 'sh'", 14, 1, "strings stand in double quotes"});
  expect_refused({"http.x-amz", 1, 6, "unknown field http.x"});
  expect_refused({"proc.pid == -a", 13, 1,
                  "unexpected -; names with a dash stand in quotes, as in http.header[\"x-amz-target\"]"});
  expect_refused({"proc.name == *", 14, 1, "* is not a wildcard; write matches \"^worker-.*\""});
  expect_refused({"proc.pid ; proc.uid", 10, 1, "unexpected ;"});
}

TEST(Errors, OfJsonPathsPointIntoThem) {
  expect_refused({"body.json", 1, 9, "body.json needs a path, as in body.json[\"$.Item.id\"]"});
  expect_refused({"body.json[id]", 11, 2, "expected a path in double quotes, found id"});
  expect_refused({"body.json[\"id\"]", 12, 1, "the path: a path begins with $, as in $.Item.id"});
  expect_refused({"body.json[r\"$.a[*]\"]", 17, 1,
                  "the path: a path names one value: wildcards, slices, filters and .. name several"});
  expect_refused({"response.body.json[\"$['a\"]", 23, 1, "the path: this quote is not closed"});
  expect_refused({"body.json[\"$\\x2ea b\"]", 11, 10,
                  "the path: expected .name or [index]; a name with other characters stands in brackets and quotes: "
                  "$['a-b']"});
}

TEST(Errors, OfJsonValuesSayWhatCanBeCompared) {
  expect_refused({"body.json[\"$.a\"] == ::1", 21, 3,
                  "body.json is a value of JSON, not an address; write it as in \"text\", -1.5 or true"});
  expect_refused({"body.json[\"$.a\"] < true", 20, 4, "true and false have no order; compare with == or !="});
  expect_refused({"body.json[\"$.a\"] contains 5", 27, 1, "text is searched for text; write it in quotes"});
  expect_refused({"body.json[\"$.a\"] in {1..\"b\"}", 22, 6, "both ends must be of one type"});
  expect_refused({"body.json[\"$.a\"] in {true..2}", 22, 7, "both ends must be of one type"});
  expect_refused({"body.json[\"$.a\"] in {false..true}", 22, 11, "booleans have no ranges"});
  expect_refused({"body.json[\"$.a\"] in {1.5..-1}", 22, 7, "the range is empty: its end is before its beginning"});
}

TEST(Errors, OfStructurePointAtTheOddToken) {
  expect_refused({"(proc.pid", 1, 1, "this parenthesis is not closed"});
  expect_refused({"(proc.pid == 1 proc.uid", 16, 8, "expected and, or, or the end, found proc.uid"});
  expect_refused({"proc.pid)", 9, 1, "no parenthesis is open here"});
  expect_refused({"()", 2, 1, "expected the name of a field, found )"});
  expect_refused({"proc.pid and", 13, 1, "expected the name of a field, found the end"});
  expect_refused({"and proc.pid", 1, 3, "expected the name of a field, found and"});
  expect_refused({"proc.pid not", 10, 3, "expected and, or, or the end, found not"});
  expect_refused({"proc.pid == == 1", 13, 2, "expected a value of type integer, found =="});
  expect_refused({"http.host \"a\"", 11, 3, "expected an operator before this value, such as ==, found \"a\""});
  expect_refused({"1 == proc.pid", 1, 1,
                  "a field stands on the left of an operator, the value on its right: http.response.code == 503"});
  expect_refused({"ip.src == ip.dst", 11, 6, "a field is compared with a value, not with another field"});
  expect_refused({"http.request.method == GET", 24, 3, "strings stand in double quotes: \"GET\""});
  expect_refused({"exchange.injected == True", 22, 4, "write true in lower case"});
  expect_refused({"proc.pid AND proc.uid", 10, 3, "operators are written in lower case: and"});
  expect_refused({"NOT proc.uid", 1, 3, "operators are written in lower case: not"});
}

TEST(Errors, OfSets) {
  expect_refused({"proc.pid in 1", 13, 1, "expected a set, as in {1, 2, 5..9}, found 1"});
  expect_refused({"proc.pid in {}", 14, 1, "expected a value of type integer, found }"});
  expect_refused({"proc.pid in {1", 13, 1, "this brace is not closed"});
  expect_refused({"proc.pid in {1,}", 16, 1, "expected a value of type integer, found }"});
  expect_refused({"proc.pid in {1 2}", 16, 1, "expected a comma or }, found 2"});
  expect_refused({"proc.pid in {9..1}", 14, 4, "the range is empty: its end is before its beginning"});
  expect_refused({"proc.pid in {1..}", 17, 1, "expected a value of type integer, found }"});
  expect_refused({"ip.dst in {10.0.0.9..10.0.0.1}", 12, 18, "the range is empty: its end is before its beginning"});
  expect_refused({"ip.dst in {10.0.0.1..::1}", 12, 13, "both ends must be IPv4, or IPv6"});
  expect_refused({"ip.dst in {10.0.0.0/8..11.0.0.0}", 12, 10, "a range goes from address to address"});
  expect_refused({"exchange.injected in {false..true}", 23, 11, "booleans have no ranges"});
  expect_refused({"proc.name in {\"b\"..\"a\"}", 15, 8, "the range is empty: its end is before its beginning"});
}

TEST(Errors, OfKeys) {
  expect_refused({"http.header", 1, 11, "http.header needs the name of a header, as in http.header[\"x-amz-target\"]"});
  expect_refused(
      {"http.header == \"a\"", 1, 11, "http.header needs the name of a header, as in http.header[\"x-amz-target\"]"});
  expect_refused({"http.host[\"a\"]", 10, 1, "http.host takes no key in brackets"});
  expect_refused({"http.header[x]", 13, 1, "expected the name of a header in double quotes, found x"});
  expect_refused({"http.header[\"a b\"]", 13, 5, "not the name of a header"});
  expect_refused({"http.header[\"\"]", 13, 2, "not the name of a header"});
  expect_refused({"http.header[\"a\" == \"b\"", 17, 2, "expected ], found =="});
}

TEST(Errors, OfHostsWithAPort) {
  const char* problem = "http.host is compared without its port; ask for the port with tcp.dstport";
  expect_refused({"http.host == \"a:443\"", 14, 7, problem});
  expect_refused({"http.host in {\"a\", \"[::1]:443\"}", 20, 11, problem});
  EXPECT_TRUE(Expression::compile(R"(http.host == "[::1]" or http.host contains "a:4")"));
}

TEST(Errors, OfStringsAndEscapes) {
  expect_refused({"proc.name == \"sh", 14, 1, "the string has no closing quote"});
  expect_refused({"proc.name == \"sh\\\"", 14, 1, "the string has no closing quote"});
  expect_refused({"proc.name == \"sh\\", 14, 1, "the string has no closing quote"});
  expect_refused({"proc.name == r\"sh", 14, 2, "the raw string has no closing quote"});
  const char* escapes =
      "not an escape; these are \\\" \\\\ \\n \\r \\t and \\xHH, and a backslash is itself in r\"...\"";
  expect_refused({R"(proc.name == "a\d")", 16, 2, escapes});
  expect_refused({R"(proc.name == "\x4")", 15, 2, escapes});
  expect_refused({R"(proc.name == "\xg0")", 15, 2, escapes});
}

TEST(Errors, OfPatternsPointIntoThem) {
  expect_refused({R"(proc.name matches "a(b")", 20, 3, "the regular expression (RE2): missing ): a(b"});
  expect_refused(
      {R"(proc.name matches "ab[z-a]c")", 23, 3, "the regular expression (RE2): invalid character class range: z-a"});
  expect_refused(
      {R"(proc.name matches r"ab\pX")", 23, 3, "the regular expression (RE2): invalid character class range: \\pX"});
  expect_refused(
      {R"(proc.name matches "\tab[z-a]")", 19, 11, "the regular expression (RE2): invalid character class range: z-a"});
}

TEST(Errors, AnEarlierOneIsToldFirst) {
  EXPECT_TRUE(refused(R"(proc.pip == 1 and proc.name == "unclosed)").starts_with("line 1, column 1: unknown field"));
}

TEST(Errors, TextThatCannotBeShownIsRefused) {
  EXPECT_EQ(refused("proc.name == \"\xff\""),
            "line 1, column 15: not UTF-8; write a byte of a string as \\xHH\n"
            "  proc.name == \"\n"
            "                ^");
  EXPECT_EQ(refused(std::string_view("proc.pid\0", 9)),
            "line 1, column 9: control character; write a byte of a string as \\xHH\n"
            "  proc.pid\n"
            "          ^");
  EXPECT_EQ(refused("proc.pid\n\x1b[1m"),
            "line 2, column 1: control character; write a byte of a string as \\xHH\n"
            "  \n"
            "  ^");
}

TEST(Errors, PatternsThatNeedTooMuchMemoryAreRefused) {
  EXPECT_TRUE(refused(R"(proc.name matches "((\\pL{100}){100}){100}")")
                  .starts_with("line 1, column 19: the regular expression"));
}

TEST(Limits, OfLengthIsExact) {
  std::string longest = "proc.pid" + std::string(Expression::kMostBytes - 8, ' ');
  EXPECT_TRUE(Expression::compile(longest));
  EXPECT_TRUE(
      refused(longest + " ")
          .starts_with("line 1, column 65537: the expression is too long, at most 65536 bytes are allowed\n  ..."));
}

TEST(Limits, OfNestingIsExact) {
  auto nested = [](const std::string& open, size_t levels, const std::string& close) {
    std::string text;
    for (size_t i = 0; i < levels; ++i) text += open;
    text += "proc.pid";
    for (size_t i = 0; i < levels; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(Expression::compile(nested("(", 256, ")")));
  EXPECT_TRUE(refused(nested("(", 257, ")"))
                  .starts_with("line 1, column 257: nested too deep, at most 256 levels are allowed\n"));
  EXPECT_TRUE(Expression::compile(nested("not ", 256, "")));
  EXPECT_TRUE(refused(nested("!", 257, "")).starts_with("line 1, column 257: nested too deep"));
  EXPECT_TRUE(refused(nested("!(", 129, ")")).starts_with("line 1, column 257: nested too deep"));
  EXPECT_TRUE(refused(nested("(", 30000, "")).starts_with("line 1, column 257: nested too deep"));
}

TEST(Limits, DoNotCountWhatStandsSideBySide) {
  std::string text = "(proc.pid)";
  while (text.size() + 20 < Expression::kMostBytes) text += " or not (proc.pid)";
  EXPECT_TRUE(Expression::compile(text));
}

TEST(Limits, OfPatternsIsExact) {
  std::string text = "proc.name ~ \"a\"";
  for (size_t i = 1; i < Expression::kMostPatterns; ++i) text += " or proc.name ~ \"a\"";
  EXPECT_TRUE(Expression::compile(text));
  EXPECT_NE(refused(text + " or proc.name ~ \"a\"")
                .find("too many regular expressions, at most 64 are allowed; join some with |"),
            std::string::npos);
}

}  // namespace
}  // namespace waylay::match
