// Head::parse. The start line is read here, since llhttp knows a fixed list of methods only and an intercepted client
// may use others; llhttp reads the fields. Then the layout is checked: the bytes between what llhttp reports must be
// exactly a colon, blanks and CRLF, so that whatever llhttp tolerates (8.1 takes a bare CR for a line's end,
// CVE-2023-30589; folded lines) is refused.
#include <llhttp.h>

#include <algorithm>

#include "base/bytes.h"
#include "http/authority.h"
#include "http/characters.h"
#include "http/message.h"

namespace waylay::http {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_ambiguous(llhttp_errno_t code) {
  return code == HPE_UNEXPECTED_CONTENT_LENGTH || code == HPE_INVALID_CONTENT_LENGTH ||
         code == HPE_INVALID_TRANSFER_ENCODING;
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
    if (step) step = check_layout();
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

  // llhttp starts behind a start line that stands in for the real one, see above.
  static llhttp_t fresh(Kind kind) {
    std::string_view line = kind == Kind::Request ? "POST / HTTP/1.1\r\n" : "HTTP/1.1 200 OK\r\n";
    llhttp_t parser;
    llhttp_init(&parser, kind == Kind::Request ? HTTP_REQUEST : HTTP_RESPONSE, &settings());
    llhttp_execute(&parser, line.data(), line.size());
    return parser;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t callbacks = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_header_field = [](llhttp_t* parser, const char* at, size_t size) {
        return self(parser).on_name(at, size);
      };
      made.on_header_value = [](llhttp_t* parser, const char* at, size_t size) {
        return self(parser).on_value(at, size);
      };
      made.on_headers_complete = [](llhttp_t* parser) { return self(parser).on_complete(); };
      return made;
    }();
    return callbacks;
  }

  static Parser& self(llhttp_t* parser) { return *static_cast<Parser*>(parser->data); }

  Result<void> read_fields() {
    static const llhttp_t request = fresh(Kind::Request), response = fresh(Kind::Response);
    llhttp_t parser = head_.kind_ == Kind::Request ? request : response;
    parser.data = this;
    head_.lines_.reserve(16);
    std::string_view fields = std::string_view(head_.raw_).substr(head_.start_line_size_);
    llhttp_errno_t code = llhttp_execute(&parser, fields.data(), fields.size());
    if (too_many_) return fail(error(ErrorKind::Limit, "more than 1000 header fields"));
    if (folded_) return fail(error(ErrorKind::Ambiguous, "a folded header field"));
    if (code != HPE_PAUSED && code != HPE_OK) {
      const char* reason = llhttp_get_error_reason(&parser);
      return fail(
          error(is_ambiguous(code) ? ErrorKind::Ambiguous : ErrorKind::Protocol, reason ? reason : "malformed"));
    }
    bool at_end = complete_ && llhttp_get_error_pos(&parser) == fields.data() + fields.size();
    if (!at_end) return malformed("the head does not end where its empty line is");
    return {};
  }

  uint32_t offset(const char* at) const { return static_cast<uint32_t>(at - head_.raw_.data()); }

  int on_name(const char* at, size_t size) {
    too_many_ = head_.lines_.size() == kMaximumFields;
    if (too_many_) return HPE_USER;
    head_.lines_.push_back({offset(at), static_cast<uint32_t>(size), 0, 0, 0});
    return 0;
  }

  int on_value(const char* at, size_t size) {
    if (head_.lines_.empty()) return HPE_USER;
    Line& line = head_.lines_.back();
    folded_ = line.value_begin != 0;  // llhttp gives a value in one piece, unless it goes on in a next line
    if (folded_) return HPE_USER;
    line.value_begin = offset(at);
    line.value_size = static_cast<uint32_t>(size);
    return 0;
  }

  int on_complete() {
    complete_ = true;
    return HPE_PAUSED;
  }

  Result<void> check_layout() {
    size_t expected = head_.start_line_size_;
    std::vector<Line>& lines = head_.lines_;
    for (size_t i = 0; i < lines.size(); ++i) {
      Line& line = lines[i];
      size_t end = i + 1 < lines.size() ? lines[i + 1].begin : head_.raw_.size() - 2;
      if (line.begin != expected || !settle_line(line, end)) return malformed("a malformed header field");
      expected = line.end;
    }
    if (head_.text(expected, std::string::npos) != "\r\n") return malformed("a malformed end of the head");
    return {};
  }

  // name ":" OWS value OWS CRLF, and nothing else between `begin` and `end`.
  bool settle_line(Line& line, size_t end) const {
    std::string_view whole = head_.text(line.begin, end - line.begin);
    if (whole.size() < line.name_size + size_t{3} || !whole.ends_with("\r\n") || whole[line.name_size] != ':')
      return false;
    std::string_view rest = whole.substr(line.name_size + 1, whole.size() - line.name_size - 3);
    if (!valid_field_name(whole.substr(0, line.name_size)) || !valid_field_value(rest)) return false;
    std::string_view value = trim(rest);
    std::string_view seen = trim(head_.text(line.value_begin, line.value_size));
    if (value != seen) return false;
    size_t leading = static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), is_blank) - rest.begin());
    line.value_begin = static_cast<uint32_t>(line.begin + line.name_size + 1 + leading);
    line.value_size = static_cast<uint32_t>(value.size());
    line.end = static_cast<uint32_t>(end);
    return true;
  }

  // Whether one is needed is for h1.cc to say, which reads what came from the network.
  Result<void> check_hosts() {
    size_t hosts = 0;
    for (size_t i = 0; i < head_.field_count(); ++i) {
      HeaderField field = head_.field(i);
      if (!equals_ignoring_case(field.name, "host")) continue;
      if (++hosts > 1) return fail(error(ErrorKind::Ambiguous, "several Host fields"));
      if (!field.value.empty() && !is_authority(field.value))
        return fail(error(ErrorKind::Ambiguous, "a malformed Host field"));
    }
    return {};
  }

  Head head_;
  Side side_;
  bool complete_ = false, folded_ = false, too_many_ = false;
};

Result<Head> Head::parse(Kind kind, std::string raw, Side side) {
  return Parser(kind, std::move(raw), side).parse();
}

}  // namespace waylay::http
