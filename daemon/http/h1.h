// Reads one side's HTTP/1.x messages from bytes that arrive in any pieces, strictly, and keeps their wire form: each
// event carries the raw bytes that make it up, so that a relay can send what it did not change as it came.
//
//   reader.put(bytes);
//   for (;;) switch (reader.next()) { case Head: ... case Body: ... case End: ... case NeedMore: return; case Failed:
//   ... }
//
// Framing is decided by RFC 9112 section 6.3. Refused, never repaired (request smuggling): Transfer-Encoding together
// with Content-Length, several or malformed Content-Lengths, a transfer coding other than chunked alone,
// Transfer-Encoding in HTTP/1.0, a framing field that Connection names or that is spelled with '_', tabs around its
// value, a body announced where there can be none, obs-fold, bare CR or LF, NUL, blanks before the colon, bad chunk
// sizes and extensions, lengths above 2^63 - 1, versions other than 1.0 and 1.1, heads above kMaximumHead, more than
// kMaximumFields fields, no Host, several, or another than the target's (authority.h), empty lines before a message.
//
// A CONNECT request ends in Tunnel. After a request that asks for an Upgrade, the caller does not ask for more before
// the answer is known: behind a 101 the bytes are no longer HTTP.
#pragma once

#include <memory>

#include "base/byte_queue.h"
#include "http/message.h"

namespace waylay::http {

struct BodyLength {
  enum class Type : uint8_t { None, Fixed, Chunked, UntilClose, Tunnel };
  Type type = Type::None;
  uint64_t fixed = 0;  // octets, for Fixed
};
// RFC 9112 section 6.3. Of a request, only its method matters for the response.
Result<BodyLength> request_body_length(const Head& request);
Result<BodyLength> response_body_length(std::string_view request_method, const Head& response);

// Whatever its fields say, such a response has no body (RFC 9112 section 6.3, rule 1): 1xx, 204 and 304.
bool forbids_body(int status);

// RFC 9112 section 9.3: whether the sender of this message means the connection to go on after it.
bool is_persistent(const Head& head);

class H1Reader {
 public:
  enum class Event {
    NeedMore,  // all bytes put are used up (a started head is kept inside)
    Head,      // head() is complete and may be moved from
    Body,    // raw() are the next bytes of the body with its framing, payload() the content within them (may be empty)
    End,     // the message is complete; raw() are the remaining framing bytes (last chunk, trailers), possibly none
    Tunnel,  // after this head the connection is no longer HTTP: the rest is in unread()
    Failed,  // error(); the reader stays failed
  };

  H1Reader(Kind kind, Side side);
  ~H1Reader();
  H1Reader(H1Reader&&) noexcept;
  H1Reader& operator=(H1Reader&&) noexcept;

  // Borrowed until next() answers NeedMore, Tunnel or Failed. What was put before and not used is forgotten: a caller
  // who stops early keeps unread() and puts it again, in front of what came since.
  void put(Bytes bytes);
  Event next();

  // Responses: the method of the request that the next response answers; called before its head is read. A final
  // response is asked for once a request; informational ones (1xx but 101) end with their head and come in addition:
  // after their Head, End follows, and the next head answers the same request.
  void answer_to(std::string_view request_method);

  // The stream ended. End when that ends the message properly (UntilClose), NeedMore between messages, else Failed with
  // ErrorKind::Truncated.
  Event on_eof();

  Head& head();
  const BodyLength& body_length() const;  // of the head last read
  Bytes raw() const;
  Bytes payload() const;
  Bytes unread() const;              // what was put and not used yet
  const Trailers& trailers() const;  // after End
  bool between_messages() const;     // no byte of a next message was seen
  const Error& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A whole response made by us: Content-Length is added, all other fields as given. The body is left out when
// `with_body` is false (the answer to HEAD), its length is told all the same.
std::string compose_response(int status, std::string_view reason,
                             const std::vector<std::pair<std::string, std::string>>& fields, std::string_view body,
                             bool with_body = true);

}  // namespace waylay::http
