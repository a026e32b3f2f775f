#include "http/h2_head.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/authority.h"
#include "http/characters.h"

namespace waylay::http {
namespace {

constexpr size_t kFieldOverhead = 32;

}  // namespace

void H2HeadReader::start(Kind kind) {
  kind_ = kind;
  trailing_ = begun_ = has_host_ = has_authority_ = malformed_ = cookie_is_last_ = false;
  list_size_ = fields_ = 0;
  for (std::string* text : {&method_, &path_, &authority_, &scheme_, &protocol_, &status_, &host_}) text->clear();
  made_ = {};
}

void H2HeadReader::start_trailers(Kind kind) {
  start(kind);
  trailing_ = true;
  trailers_.clear();
}

bool H2HeadReader::add(std::string_view name, std::string_view value, bool never_index) {
  list_size_ += name.size() + value.size() + kFieldOverhead;
  if (++fields_ > kMaximumFields || list_size_ > kMaximumHeaderList) return false;
  if (name.starts_with(':')) {
    add_pseudo(name, value);
    return true;
  }
  if (!valid_field_name(name) || !valid_field_value(value)) {
    malformed_ = true;
    return true;
  }
  if (trailing_) {
    trailers_.emplace_back(name, value);
    return true;
  }
  if (!begun_) begin_head();
  if (malformed_) return true;  // there may be no start line to add to
  if (never_index) {
    if (made_.never_indexed.empty()) made_.never_indexed = "\n";
    made_.never_indexed.append(name).append("\n");
  }
  if (name == "cookie") {
    add_cookie(value);
    return true;
  }
  cookie_is_last_ = false;
  if (name == "host" && kind_ == Kind::Request) {
    malformed_ = malformed_ || has_host_;
    has_host_ = true;
    host_ = value;
    if (has_authority_) return true;
  }
  made_.head.add(name, value);
  return true;
}

void H2HeadReader::add_pseudo(std::string_view name, std::string_view value) {
  std::string* place = name == ":method"      ? &method_
                       : name == ":path"      ? &path_
                       : name == ":authority" ? &authority_
                       : name == ":scheme"    ? &scheme_
                       : name == ":protocol"  ? &protocol_
                       : name == ":status"    ? &status_
                                              : nullptr;
  malformed_ = malformed_ || trailing_ || begun_ || place == nullptr || !place->empty();
  if (place == nullptr) return;
  *place = value;
  if (place == &authority_) has_authority_ = true;
}

// RFC 9113 section 8.2.3. An empty crumb adds nothing: a separator at the value's end would not survive as HTTP/1.1, where
// white space there is no part of a value.
void H2HeadReader::add_cookie(std::string_view value) {
  if (value.empty() && made_.head.has("cookie")) return;
  if (cookie_is_last_) {
    made_.head.extend_last("; ");
    made_.head.extend_last(value);
  } else if (std::optional<std::string_view> before = made_.head.first("cookie")) {
    std::string joined = std::string(*before) + "; " + std::string(value);
    made_.head.set("cookie", joined);
  } else {
    made_.head.add("cookie", value);
    cookie_is_last_ = true;
  }
}

void H2HeadReader::begin_head() {
  begun_ = true;
  if (refusal() != nullptr) {
    malformed_ = true;
    return;
  }
  if (kind_ == Kind::Response) {
    made_.head = Head::http2_response((status_[0] - '0') * 100 + (status_[1] - '0') * 10 + status_[2] - '0');
    made_.head.reserve(0, 12);
    return;
  }
  bool tunnel = method_ == "CONNECT" && protocol_.empty();
  made_.head = Head::http2_request(method_, tunnel ? authority_ : path_);
  made_.head.reserve(0, 16);
  if (has_authority_ && !tunnel) made_.head.add("host", authority_);
}

// Of the pseudo-fields, before the start line is written with them.
const char* H2HeadReader::refusal() const {
  if (kind_ == Kind::Response) {
    bool three_digits =
        status_.size() == 3 && std::all_of(status_.begin(), status_.end(), is_digit) && status_[0] != '0';
    return three_digits ? nullptr : "a malformed :status";
  }
  if (!valid_field_name(method_)) return "the :method is not a token";
  if (has_authority_ && !is_authority(authority_)) return "a malformed :authority";
  if (method_ == "CONNECT" && protocol_.empty()) return has_authority_ ? nullptr : "a CONNECT without :authority";
  bool form = path_.starts_with('/') || (path_ == "*" && method_ == "OPTIONS");
  if (!form || !valid_target(path_)) return "the :path has none of the forms of RFC 9113";
  return nullptr;
}

Result<H2Head> H2HeadReader::finish() {
  if (!begun_) begin_head();
  if (malformed_) {
    const char* why = refusal();
    return refuse(ErrorKind::Protocol, why != nullptr ? why : "malformed fields");
  }
  if (has_host_ && !is_authority(host_)) return refuse(ErrorKind::Ambiguous, "a malformed Host field");
  if (has_host_ && has_authority_ && !equals_ignoring_case(host_, authority_))
    return refuse(ErrorKind::Ambiguous, "Host and :authority differ");
  made_.scheme = scheme_;
  made_.protocol = protocol_;
  made_.authority = has_authority_ || !has_host_;
  return std::move(made_);
}

Result<Trailers> H2HeadReader::finish_trailers() {
  if (malformed_) return refuse(ErrorKind::Protocol, "malformed trailers");
  return std::move(trailers_);
}

std::unexpected<Error> H2HeadReader::refuse(ErrorKind kind, std::string_view why) const {
  bool request = kind_ == Kind::Request;
  std::string message = (request ? "request: " : "response: ") + std::string(why);
  return fail({kind, request ? Side::Client : Side::Upstream, std::move(message), 0});
}

}  // namespace waylay::http
