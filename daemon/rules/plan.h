// What the rules want: at one moment of one exchange (Plan), or when a connection begins (ConnectionPlan). Plain values
// for whoever carries the exchange or the connection: limits are counted, delays drawn, templates rendered, parts that
// a signature covers left out. Times are in nanoseconds, rates in bytes a second.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "rules/delay.h"
#include "rules/handler.h"

namespace waylay::http {
class Head;
}
namespace waylay::body {
class Edit;  // body/edit.h: regex, RFC 6902, RFC 7386
}

namespace waylay::rules {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct HeaderEdits {
  Fields set, add;
  std::vector<std::string> remove;
  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  void apply(http::Head& head) const;  // remove, then set, then add
  void apply(Fields& fields) const;
};

struct Response {  // a whole answer made by us
  int status = 200;
  std::string reason;
  Fields fields;  // without Content-Length
  std::string body;
};

// One edit of a body; several are made in order. Whoever makes them fixes Content-Length and what else depends on the
// body.
struct BodyEdit {
  std::optional<std::string> replacement;  // the whole body; nothing of the old one is needed
  std::shared_ptr<const body::Edit> edit;  // else
  size_t applied = 0;                      // which of Plan::applied wants it: to say there when it could not be made
};

// How the exchange ends instead of as it should.
struct Abort {
  enum class How : uint8_t {
    Reset,        // "rst": TCP RST; in HTTP/2 RST_STREAM
    Close,        // "fin": FIN without an end of the message; in HTTP/2 too, so all its streams end
    Stall,        // "stall": nothing more is sent; after for_ns, or when a side gives up, the connection is reset
    BadChunk,     // "bad-chunk": a chunk size that is none; in HTTP/2 RST_STREAM(PROTOCOL_ERROR)
    WrongLength,  // "wrong-length": the body ends, with FIN, before its Content-Length; in HTTP/2 with END_STREAM
    GoAway,       // "goaway": the response goes out whole, then the connection ends as that of a server which shuts
                  // down: GOAWAY, in HTTP/1 "Connection: close" and FIN
  };
  How how = How::Reset;
  std::optional<uint64_t> after_bytes;  // of the response's body, as sent; nothing: in the head's place, or, for those
                                        // that need a response, at its usual place: behind the body
  std::optional<int64_t> for_ns;        // of Stall

  std::string text() const;  // for people: "rst after 100 bytes"
  // Whether (a part of) the response is sent before: then what rules want of it holds, and else it is dropped.
  bool needs_response() const {
    return after_bytes || how == How::BadChunk || how == How::WrongLength || how == How::GoAway;
  }
};

// Another server in the upstream's place.
struct Redirect {
  std::string host;                // name or IP literal, as it was written; "": the one that the client meant
  std::optional<Address> address;  // nothing: the original destination's; its port is 0 to keep the original one
  uint16_t port = 0;               // 0: the original one
  bool rewrite_host = false;       // Host (:authority) becomes host
  bool rewrite_sni = false;        // so does the SNI, and the certificate must be valid for it

  Address to(const Address& original) const;
  std::string text() const;  // for people: "10.0.0.5:8443"
};

// How fast bodies flow, from the plan to the exchange's end.
struct Pace {
  uint64_t up = 0, down = 0;                // bytes of the request's and of the response's body a second; 0: no limit
  std::vector<RepeatedDelay> chunk_delays;  // before each part of the response's body

  bool empty() const { return up == 0 && down == 0 && chunk_delays.empty(); }
  void add(const Pace& other);  // the lower rate of both, the delays of both
  int64_t next_chunk_delay_ns();
};

// A rule that is applied, as the flow's record names it.
struct Applied {
  std::string rule;
  std::string what;       // "status 429", "fault aws:slowdown", "delay 200ms": for people
  bool injected = false;  // makes something go wrong or answers in the upstream's place (not: a header edit alone)
};

// Empty: leave it as it is. In the order in which it is carried out.
struct Plan {
  std::vector<Applied> applied;
  int64_t delay_ns = 0;              // before anything else
  std::optional<Redirect> upstream;  // at Request and RequestBody only
  HeaderEdits request_headers;
  std::vector<BodyEdit> request_body;
  Pace pace;
  uint64_t keep_messages = 0;  // should it become a WebSocket: octets of them
  // At most one of the three. An abort that needs a response may stand beside what follows.
  std::optional<Abort> abort;
  std::optional<Response> respond;
  std::shared_ptr<const Handler> handler;
  // Of the upstream's response, or of our own answer.
  std::optional<int> status;
  std::optional<std::string> reason;
  HeaderEdits response_headers;
  std::vector<BodyEdit> response_body;

  bool empty() const { return applied.empty(); }
};

// What is wrong on purpose with the TLS that a client gets.
struct TlsFault {
  enum class Certificate : uint8_t { Right, Expired, WrongHost, SelfSigned };

  Certificate certificate = Certificate::Right;
  std::optional<uint8_t> alert;  // fatal, in the ServerHello's place
  int64_t delay_ns = 0;          // before the ClientHello is answered

  bool empty() const { return certificate == Certificate::Right && !alert && delay_ns == 0; }
};

enum class Block : uint8_t {
  Refuse,  // the TLS alert access_denied, or a 403
  Reset
};

// Asked once, when the ClientHello is read.
struct ConnectionPlan {
  std::vector<Applied> applied;
  std::optional<Block> block;
  bool passthrough = false;  // by the last rule in applied
  TlsFault tls;
  std::optional<Redirect> upstream;

  bool empty() const { return applied.empty(); }
};

}  // namespace waylay::rules
