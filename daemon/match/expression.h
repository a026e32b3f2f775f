// The expression language of rules, live view, exports and captures: Wireshark's display filter syntax
// (wireshark-filter(4)), read once, checked against the field table, and evaluated without allocation.
//
//     http.host contains "s3" and not http.request.method in {"GET", "HEAD"}
//     aws.attempt in {1..2} && ip.dst == 10.0.0.0/8 && http.header["x-debug"]
//
//   comparison  == eq, != ne, < lt, > gt, <= le, >= ge; contains (strings); matches or ~ (RE2, unanchored);
//               in {a, b, 1..9}; not in. The field stands on the left, a literal on the right.
//   presence    a bare field: it has a value. A bare boolean field: it is true.
//   logic       not ! binds closest, then and &&, then or ||; parentheses.
//   literals    "text" with \" \\ \n \r \t \xHH; r"raw text"; 443, 0x1bb, -1, 1.5; 250ms (ns us ms s m h d), 1.5s;
//               10KiB (B KB MB GB TB KiB MiB GiB TiB); 10.1.2.3, 10.0.0.0/8, ::1, fe80::/10; true, false.
//
// As in Wireshark: a comparison with an absent field is false (so `not a == "x"` and `a != "x"` differ); of a field
// with several values, one that matches is enough, but != holds only if all of them differ; `matches` ignores case,
// (?-i) turns that off. A value of JSON differs from every literal of another type and has no order with it. Host names
// (http.host, the SNI) ignore case everywhere, and http.host is compared without its port.
//
// A compiled Expression is immutable: any number of threads may evaluate it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "match/subject.h"

namespace waylay::match {

struct Program;

enum class Truth : uint8_t { No, Yes, Unknown };

class Expression {
 public:
  static constexpr size_t kMostBytes = 65536;  // people write a line or a page; more is a mistake
  static constexpr int kMostNesting = 256;     // parentheses and `not`s inside each other; evaluation recurses
  static constexpr size_t kMostPatterns = 64;  // each may hold up to its memory limit

  // An Error is of kind Invalid, and its message is made for people: "line L, column C: what is wrong; what to do", the
  // line of the source, and a line with a caret below the place. Columns count characters, from 1. Blank text matches
  // everything.
  static Result<Expression> compile(std::string_view text);

  Expression();  // matches everything
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // The answer when everything is known.
  bool matches(const Subject& subject) const { return evaluate(subject, Moment::End) == Truth::Yes; }

  // The answer at a moment (Kleene logic): what depends on a field of a later moment is Unknown. Yes and No are final:
  // they are the same at every later moment.
  Truth evaluate(const Subject& subject, Moment now) const;

  // The latest moment of the fields in it: from then on it is never Unknown.
  Moment known_at() const;

  // Whether a field of this moment is in it: a body must be collected for those that ask at RequestBody or
  // ResponseBody.
  bool asks_at(Moment moment) const;

  // For an index of many expressions. If the expression matches, then http.host (host_without_port, in lower case) or
  // the SNI (in lower case) is one of hosts(), and the method is one of methods(). Sorted; empty means any.
  const std::vector<std::string>& hosts() const;
  const std::vector<std::string>& methods() const;
  // The same of any other field of texts or whole numbers: if the expression matches, its value (in lower case where the
  // field ignores case) is one of these. `key` is the name of a header, in lower case, where the field takes one.
  std::vector<std::string> required(Field field, std::string_view key = {}) const;

  // Which field a bare field's expression is about, http.header["x"]; nothing of any other expression.
  struct BareField {
    Field field;
    std::string_view key;            // of a field that takes a header's name
    const JsonPath* path = nullptr;  // of a field that takes a path
  };
  std::optional<BareField> bare_field() const;

  const std::vector<Field>& fields() const;  // those in it, each once, in the order of the table
  const std::string& text() const;           // as it was written

 private:
  explicit Expression(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;  // never null, but in what was moved from
};

// "example.org:8443" is "example.org", "[::1]:443" is "[::1]".
std::string_view host_without_port(std::string_view host);

}  // namespace waylay::match
