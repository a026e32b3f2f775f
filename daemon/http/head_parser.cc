// Head::parse. RFC 9112's grammar and nothing beside it: a start line, lines of name ":" OWS value OWS CRLF, an empty
// line. Every CR stands before an LF and every LF behind a CR, and no other control character but tab is there: so
// every reader finds the same lines, whatever it would make of a folded line, a bare CR (which llhttp 8.1 takes for a
// line's end, CVE-2023-30589) or a NUL. That llhttp reads the same fields is checked by test and by fuzzing, not at
// each head: it would be a third of what reading one costs.
#include <algorithm>

#include "base/bytes.h"
#include "http/authority.h"
#include "http/characters.h"
#include "http/message.h"

namespace waylay::http {
namespace {

constexpr size_t kUsualFields = 16;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Whether every byte behind the first is text or belongs to a CRLF. All are looked at, so that the compiler takes
// sixteen at once.
bool is_lines(std::string_view text) {
  bool bad = false;
  for (size_t i = 1; i < text.size(); ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    bool ends_line = (byte == '\n') & (text[i - 1] == '\r');
    bad |= !(((byte >= 0x20) & (byte != 0x7f)) | (byte == '\t') | (byte == '\r') | ends_line);
  }
  return !bad;
}

}  // namespace

class Head::Parser {
 public:
  Parser(Kind kind, std::string raw, Side side) : side_(side) {
    head_.kind_ = kind;
    head_.raw_ = std::move(raw);
  }

  Result<Head> parse() {
    if (head_.raw_.size() > kMaximumHead) return fail(error(ErrorKind::Limit, "the head is larger than 256 KiB"));
    Result<void> step = read_start_line();
    if (step) step = read_fields();
    if (step && head_.kind_ == Kind::Request) step = check_hosts();
    if (!step) return fail(step, head_.kind_ == Kind::Request ? "request" : "response");
    return std::move(head_);
  }

 private:
  Error error(ErrorKind kind, std::string message) const { return {kind, side_, std::move(message), 0}; }
  std::unexpected<Error> malformed(std::string message) const {
    return fail(error(ErrorKind::Protocol, std::move(message)));
  }

  Result<void> read_start_line() {
    size_t end = head_.raw_.find("\r\n");
    if (end == std::string::npos) return malformed("no start line");
    std::string_view line = head_.text(0, end);
    if (!valid_field_value(line)) return malformed("a control character in the start line");
    head_.start_line_size_ = static_cast<uint32_t>(end + 2);
    return head_.kind_ == Kind::Request ? read_request_line(line) : read_status_line(line);
  }

  // RFC 9112 section 3: method SP request-target SP HTTP-version
  Result<void> read_request_line(std::string_view line) {
    size_t first = line.find(' ');
    if (first == std::string_view::npos) return malformed("a request line without target");
    size_t second = line.find(' ', first + 1);
    if (second == std::string_view::npos) return malformed("a request line without version");
    head_.first_space_ = static_cast<uint32_t>(first);
    head_.second_space_ = static_cast<uint32_t>(second);
    if (!valid_field_name(head_.method())) return malformed("the method is not a token");
    if (!valid_target(head_.target()) || !is_target_of(head_.method(), head_.target()))
      return malformed("the request target has none of the forms of RFC 9112");
    return read_version(line.substr(second + 1));
  }

  // RFC 9112 section 4: HTTP-version SP status-code SP [reason-phrase]. Some servers leave the second blank out.
  Result<void> read_status_line(std::string_view line) {
    if (line.size() < 12 || line[8] != ' ') return malformed("a malformed status line");
    std::string_view status = line.substr(9, 3);
    if (!std::all_of(status.begin(), status.end(), is_digit) || status[0] == '0')
      return malformed("a malformed status code");
    if (line.size() > 12 && line[12] != ' ') return malformed("a malformed status code");
    head_.first_space_ = 8;
    head_.second_space_ = 12;
    head_.status_ = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
    return read_version(line.substr(0, 8));
  }

  Result<void> read_version(std::string_view version) {
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return malformed("a version other than HTTP/1.0 and HTTP/1.1");
    head_.minor_version_ = version.back() - '0';
    return {};
  }

  Result<void> read_fields() {
    std::string_view raw = head_.raw_;
    if (!is_lines(raw.substr(head_.start_line_size_ - 1))) return malformed("a control character in a header field");
    head_.lines_.reserve(kUsualFields);
    size_t at = head_.start_line_size_;
    while (raw.substr(at, 2) != "\r\n") {
      if (head_.lines_.size() == kMaximumFields) return fail(error(ErrorKind::Limit, "more than 1000 header fields"));
      Result<size_t> next = read_line(raw, at);
      if (!next) return fail(next);
      at = *next;
    }
    note_names();
    if (at + 2 != raw.size()) return malformed("the head does not end where its empty line is");
    return {};
  }

  // Where the next line begins. raw.data() ends with a NUL, which is neither blank nor part of a name.
  Result<size_t> read_line(std::string_view raw, size_t begin) {
    const char* text = raw.data();
    size_t colon = begin;
    while (is_token(text[colon])) ++colon;
    if (colon == begin && is_blank(text[begin]) && !head_.lines_.empty())
      return fail(error(ErrorKind::Ambiguous, "a folded header field"));
    if (colon == begin || text[colon] != ':') return malformed("a malformed header field");
    size_t value = colon + 1;
    while (is_blank(text[value])) ++value;
    size_t end = raw.find('\r', value);
    if (end == std::string_view::npos || text[end + 1] != '\n') return malformed("a malformed header field");
    size_t value_end = end;
    while (value_end > value && is_blank(text[value_end - 1])) --value_end;
    head_.lines_.push_back(
        {narrow(begin), narrow(colon - begin), narrow(value), narrow(value_end - value), narrow(end + 2)});
    return end + 2;
  }

  void note_names() {
    bool may_be_underscored = head_.raw_.find('_') != std::string::npos;
    for (const Line& line : head_.lines_) {
      std::string_view name = head_.name_of(line);
      head_.names_ |= bit_of(name);
      if (may_be_underscored) head_.underscored_ |= name.find('_') != std::string_view::npos;
    }
  }

  static uint32_t narrow(size_t value) { return static_cast<uint32_t>(value); }

  // Whether one is needed is for h1.cc to say, which reads what came from the network.
  Result<void> check_hosts() {
    size_t hosts = 0;
    for (const Line& line : head_.lines_) {
      if (!equals_ignoring_case(head_.name_of(line), "host")) continue;
      if (++hosts > 1) return fail(error(ErrorKind::Ambiguous, "several Host fields"));
      std::string_view value = head_.value_of(line);
      if (!value.empty() && !is_authority(value)) return fail(error(ErrorKind::Ambiguous, "a malformed Host field"));
    }
    return {};
  }

  Head head_;
  Side side_;
};

Result<Head> Head::parse(Kind kind, std::string raw, Side side) {
  return Parser(kind, std::move(raw), side).parse();
}

}  // namespace waylay::http
