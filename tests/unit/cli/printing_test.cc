#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/client.h"
#include "cli/conversation.h"
#include "cli/describe.h"
#include "cli/rule_file.h"
#include "cli/terminal.h"

namespace waylay::cli {
namespace {

using ::testing::HasSubstr;

TEST(Terminal, LetsNothingFromANetworkSpeakToIt) {
  EXPECT_EQ(harmless("a\x1b[31mb\r\n\t\x7f"), "a?[31mb????");
  EXPECT_EQ(harmless("Sch\u00f6n \u009b31m"), "Sch\u00f6n ?31m");
  EXPECT_EQ(harmless("two\nlines\x1b", true), "two\nlines?");
}

TEST(Terminal, CutsAndPadsByWhatIsSeen) {
  EXPECT_EQ(cut("abcdef", 4), "abc\u2026");
  EXPECT_EQ(cut("äöüß", 4), "äöüß");
  EXPECT_EQ(cut("äöüßx", 4), "äöü\u2026");
  EXPECT_EQ(pad("ä", 3), "ä  ");
  EXPECT_EQ(pad_left("ä", 3), "  ä");
}

TEST(Terminal, PaintsOnlyWhenItMay) {
  EXPECT_EQ((Terminal{false, 0}.paint(Color::Red, "x")), "x");
  EXPECT_EQ((Terminal{true, 0}.paint(Color::Red, "x")), "\033[31mx\033[0m");
}

TEST(Table, AlignsItsColumnsAndFitsTheWidth) {
  Table table({"NAME", "HITS", "MATCH"});
  table.align_right(1);
  table.add({"a", "1", "everything that there is"});
  table.add({"longer", "1000", "x"});
  EXPECT_EQ(table.text({false, 0}),
            "NAME    HITS  MATCH\n"
            "a          1  everything that there is\n"
            "longer  1000  x\n");
  EXPECT_THAT(table.text({false, 24}), HasSubstr("a          1  everythin\u2026\n"));
}

TEST(HumanWords, AreShort) {
  EXPECT_EQ(human_duration(0.4), "0.4 ms");
  EXPECT_EQ(human_duration(12), "12 ms");
  EXPECT_EQ(human_duration(1234), "1.2 s");
  EXPECT_EQ(human_duration(185'000), "3 min 5 s");
  EXPECT_EQ(human_duration(7'500'000), "2 h 5 min");
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size(5ULL << 40), "5.0 TiB");
}

TEST(HumanTime, IsLocalAndHasADateWhenOld) {
  ::setenv("TZ", "UTC-2", 1);  // POSIX: two hours east
  ::tzset();
  EXPECT_EQ(human_time("2026-11-22T05:00:00.123Z", 1795323600), "07:00:00.123");
  EXPECT_EQ(human_time("2026-11-20T05:00:00.123Z", 1795323600), "11-20 07:00");
  EXPECT_EQ(human_time("nonsense", 0), "nonsense");
}

Json exchange() {
  return Json::parse(R"({"type":"exchange","id":17,"time":"2026-11-22T05:00:00.123Z","container":{"name":"web"},
    "process":{"pid":42,"name":"python3"},"method":"GET","host":"s3.example","path":"/key","status":503,"duration_ms":12,
    "end":"complete","injected":true,"rules":[{"name":"slow","what":"fault aws:slowdown","injected":true}],
    "aws":{"service":"s3","operation":"GetObject","attempt":2}})");
}

Json upgraded() {
  Json event = exchange();
  event["conversation"] = Json::parse(R"({"protocol":"websocket","extensions":"permessage-deflate","open":false,
    "from_client":{"bytes":100,"messages":1,"payload_bytes":5,"text":1,"binary":0,"pings":2,"pongs":0,"close_code":1000,
      "close_reason":"done"},
    "from_upstream":{"bytes":9000,"messages":12,"payload_bytes":8192,"text":10,"binary":2,"pings":0,"pongs":2,
      "close_code":null,"unread":"a reserved bit is set"}})");
  return event;
}

TEST(Conversation, IsToldOnALineAndOnAPage) {
  EXPECT_EQ(conversation_in_words(exchange()), "");
  EXPECT_EQ(conversation_in_words(upgraded()), "websocket: 1 up, 12 down, closed 1000 (done)");
  EXPECT_THAT(flow_line(upgraded(), {}, 0), HasSubstr("websocket: 1 up, 12 down, closed 1000 (done)"));
  using Line = std::pair<std::string, std::string>;
  EXPECT_THAT(conversation_lines(upgraded()),
              testing::ElementsAre(Line("conversation", "websocket, permessage-deflate"),
                                   Line("from client", "1 message (5 B): 1 text; 2 pings; closed 1000 (done)"),
                                   Line("from upstream",
                                        "12 messages (8.0 KiB): 10 text, 2 binary; 2 pongs; not read from there on: a "
                                        "reserved bit is set")));
}

TEST(Conversation, OfATunnelIsToldInBytes) {
  Json event = Json::parse(R"({"conversation":{"protocol":"tunnel","open":true,
    "from_client":{"bytes":1536,"messages":null},"from_upstream":{"bytes":0,"messages":null}}})");
  EXPECT_EQ(conversation_in_words(event), "tunnel: 1.5 KiB up, 0 B down, open");
  EXPECT_EQ(conversation_lines(event).at(1).second, "1.5 KiB");
}

TEST(MessageLine, TellsWhichWayAndWhat) {
  Json event = exchange();
  event["type"] = "message";
  event["exchange"] = 17;
  event["id"] = nullptr;
  event.update(Json::parse(R"({"from":"client","message":"text","bytes":700,"text":"hello\u001b","cut":true})"));
  std::string line = flow_line(event, {}, 0);
  for (const char* part : {"17", "web python3[42]", "sent", "s3.example/key", "text", "700 B", "hello? ..."})
    EXPECT_THAT(line, HasSubstr(part));
  event.update(Json::parse(R"({"from":"upstream","message":"binary","text":null,"base64":"AAE=","cut":false})"));
  line = flow_line(event, {}, 0);
  for (const char* part : {"got", "binary", "base64 AAE="}) EXPECT_THAT(line, HasSubstr(part));
}

TEST(FlowLine, TellsWhoWhatAndWhatARuleDid) {
  std::string line = flow_line(exchange(), {}, 0);
  for (const char* part : {"17", "web python3[42]", "GET", "s3.example/key", "503", "12 ms",
                           "injected by slow (fault aws:slowdown)", "s3 GetObject, attempt 2"})
    EXPECT_THAT(line, HasSubstr(part));
}

TEST(FlowLine, TellsWhyAConnectionWasNotDecrypted) {
  Json flow = Json::parse(R"({"type":"flow","id":3,"time":"2026-11-22T05:00:00.123Z","server_name":"pinned.example",
    "process":{"pid":42,"name":"node"},"outcome":"passthrough","reason":"the client refused our certificate"})");
  std::string line = flow_line(flow, {}, 0);
  for (const char* part : {"f3", "node[42]", "pinned.example", "passed through: the client refused our certificate"})
    EXPECT_THAT(line, HasSubstr(part));
}

TEST(FlowLine, FitsATerminal) {
  Json long_one = exchange();
  long_one["path"] = "/" + std::string(500, 'x');
  for (size_t width : {100u, 120u, 200u}) EXPECT_LE(columns_of(flow_line(long_one, {false, width}, 0)), width);
  EXPECT_THAT(flow_line(long_one, {}, 0), HasSubstr(std::string(500, 'x')));
}

TEST(FlowLine, TakesWhateverADaemonOfAnotherVersionSends) {
  for (const char* odd :
       {"{}", "[]", "null", "7", R"({"id":"x","status":"y","rules":7,"container":"web","process":null})"})
    EXPECT_FALSE(flow_line(Json::parse(odd), {}, 0).empty());
}

TEST(PercentEncode, LeavesNothingThatATargetCouldMistake) {
  EXPECT_EQ(percent_encode("a b&c=d/\u00e4%"), "a%20b%26c%3Dd%2F%C3%A4%25");
  EXPECT_EQ(percent_encode("A-z_0.~"), "A-z_0.~");
}

class RuleFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/waylay-cli-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }
  std::string write(const std::string& name, std::string_view content) {
    std::string path = directory + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string directory;
};

TEST_F(RuleFiles, AreSentAsTheyAreWhenNothingIsToBeRead) {
  std::string text = "// a comment\n{\"rules\": [ {\"name\": \"a\",, } ]}";
  EXPECT_EQ(*read_rule_file(write("bad.json", text)), text);
  text = "// fine\n{\"name\": \"a\", \"respond\": {\"body\": \"x\"}}";
  EXPECT_EQ(*read_rule_file(write("fine.json", text)), text);
}

TEST_F(RuleFiles, BringTheirBodyFiles) {
  write("body.json", "{\"from\": \"a file\"}");
  write("binary", std::string("\xff\x00\x01", 3));
  write("template", "{{none}}");
  std::string path = write("rules.json", R"({"rules": [{"name": "a", "respond": {"status": 200, "file": "body.json"}},
                                                       {"name": "b", "respond": {"file": "binary"}},
                                                       {"name": "c", "respond": {"file": "template"}}]})");
  Json rules = Json::parse(*read_rule_file(path))["rules"];
  EXPECT_EQ(rules[0]["respond"]["body"], "{\"from\": \"a file\"}");
  EXPECT_FALSE(rules[0]["respond"].contains("file"));
  EXPECT_EQ(rules[1]["respond"]["body_base64"], "/wAB");
  EXPECT_EQ(rules[2]["respond"]["body_base64"], "e3tub25lfX0=");
}

TEST_F(RuleFiles, SayWhereABodyFileIsMissing) {
  std::string path = write("rules.json", R"({"rules": [{"name": "a", "respond": {"file": "absent"}}]})");
  Result<std::string> text = read_rule_file(path);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr(path + ": /rules/0/respond/file: "));
  EXPECT_FALSE(read_rule_file(directory + "/absent.json"));
  EXPECT_FALSE(read_rule_file(directory));
}

TEST(Body, IsBase64WhenItIsNoText) {
  for (const auto& [bytes, encoded] : {std::pair{"\xff", "/w=="}, {"\xff\xfe", "//4="}, {"\xff\xfe\xfd", "//79"}}) {
    Json respond = Json::object();
    set_body(respond, bytes);
    EXPECT_EQ(respond["body_base64"], encoded);
  }
}

}  // namespace
}  // namespace waylay::cli
