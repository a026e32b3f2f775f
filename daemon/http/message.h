// The head of an HTTP message: start line and header fields, as they were on the wire (RFC 9110 section 5, RFC 9112
// sections 3 to 5).
//
// A Head owns one string, the exact bytes of the head, and an index into it. What nobody edits is sent again byte for
// byte; an edit touches its own line only. HTTP/2 heads are written in the same form (h2_head.h), so that rules, ledger
// and exports know one shape. Views returned are valid until the next edit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/result.h"

namespace waylay::http {

enum class Kind : uint8_t { Request, Response };

using Trailers = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMaximumHead =
    256 * 1024;  // S3 and browsers stay far below; one connection cannot hold more than this
constexpr size_t kMaximumFields = 1000;

struct HeaderField {
  std::string_view name;   // spelled as on the wire
  std::string_view value;  // without surrounding blanks
};

class Head {
 public:
  // A new message: "METHOD target HTTP/1.1" or "HTTP/1.1 status reason", no fields yet.
  static Head request(std::string_view method, std::string_view target);
  static Head response(int status, std::string_view reason);
  // The same of an HTTP/2 message: "METHOD target HTTP/2" or "HTTP/2 status". `target` is :path, or :authority of a
  // plain CONNECT.
  static Head http2_request(std::string_view method, std::string_view target);
  static Head http2_response(int status);
  // Parses one whole head, ending in an empty line. Strict: see h1.h for what is refused. Errors are Protocol or
  // Ambiguous and carry `side`.
  static Result<Head> parse(Kind kind, std::string raw, Side side);

  Kind kind() const { return kind_; }
  const std::string& raw() const { return raw_; }  // the bytes to send

  // Start line.
  std::string_view method() const;
  std::string_view target() const;  // origin-form "/path?query" usually; absolute-form and "*" as they came
  int status() const { return status_; }
  std::string_view reason() const;
  std::string_view version() const;                     // "HTTP/1.0", "HTTP/1.1" or "HTTP/2"
  int minor_version() const { return minor_version_; }  // of HTTP/1.x; 1 for HTTP/2
  void set_status(int status);                          // 100..999; keeps the reason phrase
  void set_reason(std::string_view reason);             // a valid field value, CHECKed
  void set_target(std::string_view target);             // valid_target, CHECKed

  // Fields. Names compare without regard to case. Values given to set and add hold no CR, LF or NUL: CHECKed; rules are
  // refused at load if they do (valid_field_value).
  size_t field_count() const { return lines_.size(); }
  HeaderField field(size_t index) const {
    CHECK(index < lines_.size());
    return {name_of(lines_[index]), value_of(lines_[index])};
  }
  std::optional<std::string_view> first(std::string_view name) const {
    return may_have(name) ? find(name) : std::nullopt;
  }
  bool has(std::string_view name) const { return first(name).has_value(); }
  // False: it has none. Most questions are about fields that a head does not have, and this answers most of those.
  bool may_have(std::string_view name) const { return (names_ & bit_of(name)) != 0; }
  bool has_underscored_name() const { return underscored_; }  // true also when such a field was removed
  // True when the list value of any field `name` has a token for which `wanted` is true.
  template <class Wanted>
  bool any_token(std::string_view name, Wanted wanted) const;
  // True when it has this one: has_token("connection", "close").
  bool has_token(std::string_view name, std::string_view token) const {
    return any_token(name, [token](std::string_view each) { return equals_ignoring_case(each, token); });
  }
  // Replaces the first one's value (its name stays spelled as on the wire), removes the others, else adds.
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);  // at the end
  size_t remove(std::string_view name);                     // how many went
  void extend_last(std::string_view more);                  // appends to the value of the last field, which there is
  void reserve(size_t bytes, size_t fields);                // room for what will be added

  // Gives `each` all that a head consists of, a part after another: for whoever keeps many as bytes (record/).
  template <class AnyHead, class Each>
  static void parts(AnyHead& head, Each&& each) {
    each(head.raw_), each(head.lines_), each(head.start_line_size_), each(head.first_space_), each(head.second_space_);
    each(head.status_), each(head.minor_version_), each(head.kind_), each(head.names_), each(head.underscored_);
  }

 private:
  struct Line {
    uint32_t begin, name_size, value_begin, value_size, end;  // end is behind the line's CRLF
  };
  class Parser;
  std::string_view text(size_t begin, size_t size) const { return std::string_view(raw_).substr(begin, size); }
  std::string_view name_of(const Line& line) const { return {raw_.data() + line.begin, line.name_size}; }
  std::string_view value_of(const Line& line) const { return {raw_.data() + line.value_begin, line.value_size}; }
  // One of 64 bits, the same however the name is spelled.
  static uint64_t bit_of(std::string_view name) {
    if (name.empty()) return 0;
    unsigned first = static_cast<uint8_t>(name.front()) | 0x20u, last = static_cast<uint8_t>(name.back()) | 0x20u;
    return uint64_t{1} << ((name.size() * 5 + first + last * 3) % 64);
  }
  std::optional<std::string_view> find(std::string_view name) const;
  void splice(size_t position, size_t old_size, std::string_view text, size_t first_line_behind);
  void remove_line(size_t index);
  void start(Kind kind, size_t first_space, size_t second_space);

  std::string raw_;
  std::vector<Line> lines_;
  uint32_t start_line_size_ = 0;  // with its CRLF
  // The blanks within the start line. A status line may lack the second one with its reason: then it is the line's CR.
  uint32_t first_space_ = 0, second_space_ = 0;
  int status_ = 0, minor_version_ = 1;
  Kind kind_ = Kind::Request;
  uint64_t names_ = 0;        // bit_of() each field's name; those of removed ones stay
  bool underscored_ = false;  // a name has '_'
};

template <class Wanted>
bool Head::any_token(std::string_view name, Wanted wanted) const {
  if (!may_have(name)) return false;
  for (const Line& line : lines_) {
    if (!equals_ignoring_case(name_of(line), name)) continue;
    std::string_view rest = value_of(line);
    while (!rest.empty()) {
      size_t comma = rest.find(',');
      if (wanted(trim(rest.substr(0, comma)))) return true;
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  return false;
}

bool valid_field_name(std::string_view name);    // RFC 9110 token
bool valid_field_value(std::string_view value);  // RFC 9110 section 5.5: no control characters but tab
bool valid_target(std::string_view target);      // no blanks, no control characters, not empty
std::string_view default_reason(int status);     // "Too Many Requests"; "" for unknown ones

// The host that a request names: absolute-form target, else Host; lower case, without port and brackets.
std::string request_host(const Head& request);

}  // namespace waylay::http
