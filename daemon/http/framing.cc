// How long a message's body is (RFC 9112 section 6.3) and whether the connection goes on after it (section 9.3).
#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "http/characters.h"
#include "http/h1.h"

namespace waylay::http {
namespace {

struct FramingFields {
  size_t transfer_encodings = 0, content_lengths = 0;
  std::string_view transfer_encoding, content_length;
};

bool is_framing_name(std::string_view name) {
  return equals_ignoring_case(name, "transfer-encoding") || equals_ignoring_case(name, "content-length");
}

// CGI and its like read '_' as '-': "Content_Length" would be a second length to them.
bool looks_like_framing(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  std::string dashed(name);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return is_framing_name(dashed);
}

// Between the name and the line's end; readers that trim blanks only would see another value.
bool has_tab_around(const Head& head, const HeaderField& field) {
  const char* begin = field.name.data() + field.name.size();
  std::string_view rest = std::string_view(head.raw()).substr(static_cast<size_t>(begin - head.raw().data()));
  return rest.substr(0, rest.find('\r')).find('\t') != std::string_view::npos;
}

std::unexpected<Error> ambiguous(const Head& head, std::string message) {
  Side side = head.kind() == Kind::Request ? Side::Client : Side::Upstream;
  return fail({ErrorKind::Ambiguous, side, std::move(message), 0});
}

Result<FramingFields> framing_fields(const Head& head) {
  FramingFields found;
  bool any = head.has_underscored_name() || head.may_have("transfer-encoding") || head.may_have("content-length");
  for (size_t i = 0; any && i < head.field_count(); ++i) {
    HeaderField field = head.field(i);
    if (head.has_underscored_name() && looks_like_framing(field.name))
      return ambiguous(head, "a field that looks like " + std::string(field.name));
    bool is_length = equals_ignoring_case(field.name, "content-length");
    if (!is_length && !equals_ignoring_case(field.name, "transfer-encoding")) continue;
    if (has_tab_around(head, field)) return ambiguous(head, "a tab around the value of " + std::string(field.name));
    ++(is_length ? found.content_lengths : found.transfer_encodings);
    (is_length ? found.content_length : found.transfer_encoding) = field.value;
  }
  // RFC 9110 section 7.6.1: an intermediary takes away what Connection names, and would frame the message anew.
  std::string named;
  auto frames = [&named](std::string_view token) {
    if (!is_framing_name(token) && !equals_ignoring_case(token, "host")) return false;
    named = to_lower(token);
    return true;
  };
  if (head.any_token("connection", frames)) return ambiguous(head, "Connection names " + named);
  return found;
}

// No more than a signed number of 64 bits holds, since that is what most readers count with.
Result<uint64_t> parse_length(const Head& head, std::string_view text) {
  int64_t value = 0;
  bool digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!digits || code != std::errc() || end != text.data() + text.size())
    return ambiguous(head, "a malformed Content-Length");
  return static_cast<uint64_t>(value);
}

// Rules 3 to 6, which are the same for both kinds. Where the RFC leaves a choice, refuse: what is sent on must mean the
// same to every reader behind us.
Result<std::optional<BodyLength>> declared_length(const Head& head) {
  Result<FramingFields> read = framing_fields(head);
  if (!read) return fail(read);
  const FramingFields& fields = *read;
  if (fields.transfer_encodings > 0 && fields.content_lengths > 0)  // 3
    return ambiguous(head, "both Transfer-Encoding and Content-Length");
  if (fields.transfer_encodings > 0) {  // 4
    if (head.minor_version() == 0) return ambiguous(head, "Transfer-Encoding in HTTP/1.0");
    if (fields.transfer_encodings > 1 || !equals_ignoring_case(fields.transfer_encoding, "chunked"))
      return ambiguous(head, "a transfer coding other than chunked alone");
    return BodyLength{BodyLength::Type::Chunked, 0};
  }
  if (fields.content_lengths > 1) return ambiguous(head, "several Content-Length fields");  // 5
  if (fields.content_lengths == 0) return std::nullopt;
  Result<uint64_t> length = parse_length(head, fields.content_length);  // 5, 6
  if (!length) return fail(length);
  return BodyLength{BodyLength::Type::Fixed, *length};
}

bool announces_body(const std::optional<BodyLength>& declared) {
  return declared && (declared->type != BodyLength::Type::Fixed || declared->fixed > 0);
}

}  // namespace

Result<BodyLength> request_body_length(const Head& request) {
  Result<std::optional<BodyLength>> declared = declared_length(request);
  if (!declared) return fail(declared);
  // RFC 9110 section 9.3.6: content of a CONNECT has no meaning, so a declared one is refused.
  if (request.method() == "CONNECT") {
    if (announces_body(*declared)) return ambiguous(request, "CONNECT with a body");
    return BodyLength{BodyLength::Type::Tunnel, 0};
  }
  return declared->value_or(BodyLength{BodyLength::Type::None, 0});  // 7
}

bool forbids_body(int status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

Result<BodyLength> response_body_length(std::string_view request_method, const Head& response) {
  int status = response.status();
  Result<std::optional<BodyLength>> declared = declared_length(response);
  if (!declared) return fail(declared);
  bool connected = request_method == "CONNECT" && status / 100 == 2;
  // RFC 9110 sections 8.6 and 15.2, RFC 9112 section 6.1: these announce no body, and not every client would ignore
  // one.
  if ((status / 100 == 1 || status == 204 || connected) && announces_body(*declared))
    return ambiguous(response, "a body announced where there can be none");

  if (status == 101) return BodyLength{BodyLength::Type::Tunnel, 0};  // RFC 9110 section 15.2.2
  bool without = request_method == "HEAD" || forbids_body(status);
  if (without) return BodyLength{BodyLength::Type::None, 0};               // 1
  if (connected) return BodyLength{BodyLength::Type::Tunnel, 0};           // 2
  return declared->value_or(BodyLength{BodyLength::Type::UntilClose, 0});  // 3 to 6, 8
}

bool is_persistent(const Head& head) {
  if (head.has_token("connection", "close")) return false;
  return head.minor_version() == 1 || head.has_token("connection", "keep-alive");
}

}  // namespace waylay::http
