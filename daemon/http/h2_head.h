// The head of an HTTP/2 message: a Head in the form that rules, ledger and exports know, and what that form has no
// place for. H2HeadReader makes one of decoded fields, strictly by RFC 9113 section 8: nghttp2 has checked each field
// and the pseudo-fields' presence before (no upper case, no connection fields, no control characters); here is checked
// what could be read as two things once the fields are a text.
//
//   :method GET, :path /a, :authority example.org, accept: */*    ->  GET /a HTTP/2
//                                                                     host: example.org
//                                                                     accept: */*
// Cookie crumbs are joined into one field (section 8.2.3). A Host that says the same as :authority is not said twice.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace waylay::http {

// Fields count with 32 octets each on top (RFC 9113 section 6.5.2). What is above is refused; servers allow 8 to 64
// KiB.
constexpr size_t kMaximumHeaderList = 128 * 1024;

struct H2Extras {
  std::string scheme;     // of a request; empty for a plain CONNECT
  std::string protocol;   // of an extended CONNECT (RFC 8441): "websocket"
  bool authority = true;  // the Host was :authority; else it was a field
  // Names of the fields that their sender wants in no index (RFC 7541 section 7.1.3), each behind a '\n' and with one
  // at the end; mostly empty.
  std::string never_indexed;
};
struct H2Head : H2Extras {
  Head head;
};

class H2HeadReader {
 public:
  void start(Kind kind);
  void start_trailers(Kind kind);
  // False: the list has become larger than kMaximumHeaderList or kMaximumFields; what was added is still counted.
  bool add(std::string_view name, std::string_view value, bool never_index);
  size_t list_size() const { return list_size_; }  // as in SETTINGS_MAX_HEADER_LIST_SIZE
  Result<H2Head> finish();
  Result<Trailers> finish_trailers();

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void add_cookie(std::string_view value);
  void begin_head();
  const char* refusal() const;  // why it is refused, or nullptr
  std::unexpected<Error> refuse(ErrorKind kind, std::string_view why) const;

  Kind kind_ = Kind::Request;
  bool trailing_ = false;
  bool begun_ = false;  // the start line is written: pseudo-fields are over
  size_t list_size_ = 0, fields_ = 0;
  std::string method_, path_, authority_, scheme_, protocol_, status_;  // keep their memory from head to head
  std::string host_;  // of a Host field beside or instead of :authority
  bool has_host_ = false, has_authority_ = false, malformed_ = false, cookie_is_last_ = false;
  H2Head made_;
  Trailers trailers_;
};

}  // namespace waylay::http
