#include "body/edit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "body/coding.h"

namespace waylay::body {
namespace {

std::shared_ptr<const Edit> edit(const char* json) {
  auto read = read_edit(nlohmann::ordered_json::parse(json));
  EXPECT_TRUE(read.has_value()) << json << ": " << (read ? "" : read.error().pointer + " " + read.error().what);
  return read ? *read : nullptr;
}

// The body afterwards, or why it stays as it is.
std::string edited(const char* json, std::string body) {
  auto made = edit(json);
  if (!made) return "";
  Result<std::string> after = made->apply(Content(std::move(body)));
  return after ? *after : "unchanged: " + after.error().message;
}

std::string mistake(const char* json) {
  auto read = read_edit(nlohmann::ordered_json::parse(json));
  return read ? "accepted" : read.error().pointer + ": " + read.error().what;
}

TEST(RegexEdit, ReplacesEveryOccurrence) {
  EXPECT_EQ(edited(R"({"regex": "a+", "with": "b"})", "aa-a-c"), "b-b-c");
  EXPECT_EQ(edited(R"e({"regex": "(\\w+)@(\\w+)", "with": "\\2 at \\1 (\\0)"})e", "<me@home>"),
            "<home at me (me@home)>");
  EXPECT_EQ(edited(R"({"regex": "\\\\", "with": "\\\\\\\\"})", "a\\b"), "a\\\\b");
}

TEST(RegexEdit, ReplacesTheFirstOneOnly) {
  EXPECT_EQ(edited(R"({"regex": "a", "with": "b", "first": true})", "aaa"), "baa");
  EXPECT_EQ(edited(R"({"regex": "a", "with": "b", "first": false})", "aaa"), "bbb");
}

TEST(RegexEdit, RegardsCaseAndLines) {
  EXPECT_EQ(edited(R"({"regex": "A", "with": "b"})", "a"), "unchanged: the pattern is not in the body");
  EXPECT_EQ(edited(R"({"regex": "(?i)A", "with": "b"})", "a"), "b");
  EXPECT_EQ(edited(R"({"regex": "(?m)^x", "with": "y"})", "x\nx"), "y\ny");
  EXPECT_EQ(edited(R"({"regex": "^x", "with": "y"})", "xx\nx"), "yx\nx");
}

TEST(RegexEdit, OfEmptyMatchesEnds) {
  EXPECT_EQ(edited(R"({"regex": "x*", "with": "-"})", "axb"), "-a--b-");
  EXPECT_EQ(edited(R"({"regex": "$", "with": "!"})", "end"), "end!");
  EXPECT_EQ(edited(R"({"regex": "^", "with": "!"})", ""), "!");
}

TEST(RegexEdit, WorksOnBytesThatAreNoText) {
  EXPECT_EQ(edited(R"({"regex": "a", "with": "b"})", std::string("\xff\0a\xfe", 4)), std::string("\xff\0b\xfe", 4));
}

TEST(RegexEdit, DoesNotLetABodyGrowWithoutEnd) {
  constexpr size_t kGrowth = 1024;
  std::string body(kMostDecoded / kGrowth, 'a'), fits = R"({"regex": "a", "with": ")" + std::string(kGrowth, 'b');
  EXPECT_EQ(edited((fits + "\"}").c_str(), body).size(), kMostDecoded);
  EXPECT_TRUE(edited((fits + "b\"}").c_str(), body).starts_with("unchanged: the body would become larger"));
}

// The examples of RFC 6902, appendix A, that are about a document.
TEST(JsonPatch, DoesWhatItsRfcSays) {
  struct Example {
    const char *document, *patch, *result;
  };
  const Example examples[] = {
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"baz":"qux","foo":"bar"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])", R"({"foo":["bar","qux","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
       R"({"baz":"boo","foo":"bar"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"child":{"grandchild":{}},"foo":"bar"})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/foo","value":["abc","def"]}])", R"({"foo":["abc","def"]})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},
      {R"({"a":1})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":1,"b":1})"},
      {R"({"a":1})", R"([{"op":"replace","path":"","value":[]}])", R"([])"},
      {R"([1])", R"([{"op":"add","path":"","value":7},{"op":"test","path":"","value":7.0}])", R"(7)"},
      {R"({"":1})", R"([{"op":"remove","path":"/"}])", R"({})"},
  };
  for (const Example& one : examples)
    EXPECT_EQ(edited(("{\"json_patch\": " + std::string(one.patch) + "}").c_str(), one.document), one.result);
}

TEST(JsonPatch, ThatFailsLeavesTheBodyAndNamesTheOperation) {
  struct Example {
    const char *document, *patch, *reason;
  };
  const std::string nowhere = ": there is no such place in the body";
  const Example examples[] = {
      {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", "test /baz"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])", "test /~01"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", "add /baz/bat"},
      {R"({"a":5})", R"([{"op":"add","path":"/a/b","value":1}])", "add /a/b"},
      {R"({"a":null})", R"([{"op":"add","path":"/a/b","value":1}])", "add /a/b"},
      {R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}])", "remove /a"},
      {R"([1])", R"([{"op":"replace","path":"/01","value":1}])", "replace /01"},
      {R"([1])", R"([{"op":"replace","path":"/-","value":1}])", "replace /-"},
      {R"([1])", R"([{"op":"add","path":"/2","value":1}])", "add /2"},
      {R"([1])", R"([{"op":"add","path":"/x","value":1}])", "add /x"},
      {R"([1])", R"([{"op":"copy","from":"/1","path":"/0"}])", "copy /0"},
      {R"([1])", R"([{"op":"move","from":"/1","path":"/0"}])", "move /0"},
  };
  for (const Example& one : examples) {
    std::string after = edited(("{\"json_patch\": " + std::string(one.patch) + "}").c_str(), one.document);
    EXPECT_TRUE(after.starts_with("unchanged: " + std::string(one.reason) + ": the")) << after;
  }
  EXPECT_EQ(edited(R"({"json_patch": [{"op": "remove", "path": "/a"}]})", "<xml/>"), "unchanged: the body is not JSON");
}

// RFC 7386, appendix A.
TEST(MergePatch, DoesWhatItsRfcSays) {
  struct Example {
    const char *document, *patch, *result;
  };
  const Example examples[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Example& one : examples)
    EXPECT_EQ(edited(("{\"merge_patch\": " + std::string(one.patch) + "}").c_str(), one.document), one.result);
  EXPECT_EQ(edited(R"({"merge_patch": {}})", ""), "unchanged: the body is not JSON");
}

TEST(JsonEdit, KeepsWhatItDoesNotTouch) {
  EXPECT_EQ(
      edited(R"({"merge_patch": {"z": 1}})", "{ \"text\": \"\\u00e9\\n\", \"n\": 18446744073709551615, \"d\": 0.1 }"),
      "{\"d\":0.1,\"n\":18446744073709551615,\"text\":\"\xc3\xa9\\n\",\"z\":1}");
}

TEST(EditReader, SaysWhatIsWrongWhere) {
  EXPECT_EQ(mistake("5"), ": must be an object with \"replace\", \"regex\", \"json_patch\" or \"merge_patch\"");
  EXPECT_EQ(mistake("{}"), ": needs one of \"replace\", \"regex\", \"json_patch\" and \"merge_patch\"");
  EXPECT_EQ(mistake(R"({"regex": 5})"), "/regex: must be a regular expression in quotes");
  EXPECT_EQ(mistake(R"({"regex": "a"})"), ": \"regex\" needs \"with\", the text that stands there afterwards");
  EXPECT_EQ(mistake(R"({"regex": "a", "with": 1})"), "/with: must be text in quotes");
  EXPECT_EQ(mistake(R"({"regex": "a", "with": "b", "first": 1})"), "/first: must be true or false");
  EXPECT_EQ(mistake(R"({"regex": "a", "with": "b", "firts": true})"),
            "/firts: does not go with \"regex\"; did you mean first?");
  EXPECT_EQ(mistake(R"({"regex": "(", "with": "b"})"), "/regex: the regular expression (RE2): missing ): (");
  EXPECT_TRUE(mistake(R"({"regex": "a", "with": "\\1"})").starts_with("/with: "));
  EXPECT_EQ(mistake(R"({"merge_patch": []})"), "/merge_patch: must be an object (RFC 7386)");
  EXPECT_EQ(mistake(R"({"merge_patch": {}, "json_patch": []})"), "/merge_patch: does not go with \"json_patch\"");
}

TEST(EditReader, SaysWhatIsWrongInAPatch) {
  auto patch = [](const char* operation) {
    return mistake(("{\"json_patch\": [" + std::string(operation) + "]}").c_str());
  };
  EXPECT_EQ(patch(""), "/json_patch: must be a list of operations (RFC 6902)");
  EXPECT_EQ(patch(R"({"op": "remove", "path": "/a"}, 5)"),
            "/json_patch/1: must be an object, as in {\"op\": \"remove\", \"path\": \"/a/0\"}");
  EXPECT_EQ(patch("{}"), "/json_patch/0: needs \"op\": add, remove, replace, move, copy or test");
  EXPECT_EQ(patch(R"({"op": 1})"), "/json_patch/0/op: must be text in quotes");
  EXPECT_EQ(patch(R"({"op": "replac"})"), "/json_patch/0/op: is not an operation of RFC 6902; did you mean replace?");
  EXPECT_EQ(patch(R"({"op": "add", "path": "/a"})"), "/json_patch/0: needs \"value\"");
  EXPECT_EQ(patch(R"({"op": "add", "value": 1})"), "/json_patch/0: needs \"path\"");
  EXPECT_EQ(patch(R"({"op": "move", "path": "/a"})"), "/json_patch/0: needs \"from\"");
  EXPECT_EQ(patch(R"({"op": "remove", "path": "/a", "value": 1})"), "/json_patch/0/value: does not go with \"remove\"");
  EXPECT_EQ(patch(R"({"op": "remove", "path": ""})"), "/json_patch/0/path: the whole document cannot be removed");
  EXPECT_EQ(patch(R"({"op": "move", "from": "/a", "path": "/a/b"})"),
            "/json_patch/0/path: nothing can be moved into itself");
  EXPECT_EQ(patch(R"({"op": "remove", "path": 1})"),
            "/json_patch/0/path: must be a JSON pointer in quotes, as in \"/a/0\"");
  for (const char* path : {"$.a", "a", "/~2", "/~"})
    EXPECT_TRUE(patch(("{\"op\": \"remove\", \"path\": \"" + std::string(path) + "\"}").c_str())
                    .starts_with("/json_patch/0/path: must be a JSON pointer"))
        << path;
}

}  // namespace
}  // namespace waylay::body
