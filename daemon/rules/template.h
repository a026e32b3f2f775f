// Text with values of the exchange in it: "you asked for {{http.request.uri.path}}".
//
//     {{http.header["x-request-id"]}}     any field of the expression language (match/fields.h); absent ones are empty,
//                                         as are objects and arrays; of several values the first is taken
//     {{http.request.uri.path | json}}    escaped: json, as inside a JSON string; xml, for text and attributes; url,
//                                         percent-encoded
//     {{"{{"}}                            text as it is
//
// Compiled once, when the rule is loaded; immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "match/subject.h"

namespace waylay::rules {

class Template {
 public:
  Template() = default;                     // empty text
  static Template plain(std::string text);  // nothing in it is looked for
  // An Error's message is made for people and says what is wrong where.
  static Result<Template> compile(std::string_view text);

  bool is_plain() const { return parts_.empty(); }
  const std::string& text() const { return text_; }  // of a plain one what it renders
  std::vector<match::Field> fields() const;

  std::string render(const match::Subject& subject) const;

 private:
  enum class Escape : uint8_t { None, Json, Xml, Url };
  struct Part {
    std::string before;  // text before the value
    match::Field field;
    std::string key;
    std::optional<match::JsonPath> path;
    Escape escape = Escape::None;
  };
  struct Compiler;
  static void append_value(std::string& text, const Part& part, const match::Subject& subject);
  static void append_escaped(std::string& text, std::string_view value, Escape escape);
  static void append_escaped(std::string& text, char c, Escape escape);

  std::vector<Part> parts_;
  std::string text_;  // behind the last part
};

}  // namespace waylay::rules
