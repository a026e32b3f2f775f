// One HTTP request and its response, whatever protocol carries them: asks the rules at their moments, holds back,
// edits, answers in the upstream's place, breaks off, and keeps the facts. Without I/O, codec or connection: a relay
// (h1_relay, h2_relay) reads messages and tells their parts by method calls, and writes what the exchange says through
// the Link that it implements for it.
//
// Events come in the order of the wire. The link's methods are called within them and must not call the exchange back.
// After every event the relay looks at ending(): once it is set the exchange is over, has been recorded and makes no
// call any more; the relay destroys it.
//
// Back-pressure: the relay reads a body only while wants_request() or wants_response() is true; what comes all the same
// (an HTTP/2 window that was open) is held and counted. request_held() and response_held() are the octets that came
// and have neither been passed to the link nor dropped: an HTTP/2 relay gives back window for the others only.
#pragma once

#include <memory>
#include <optional>

#include "base/byte_queue.h"
#include "flow/facts.h"
#include "http/h1.h"
#include "rules/rule_set.h"

namespace waylay::rules {
struct Redirect;  // actions.h
}

namespace waylay::flow {

constexpr size_t kMaximumForm =
    64 * 1024;  // of a query-protocol body held back to learn its Action; larger ones are not looked into

// A piece of a body, and the same piece as it came: with its framing in HTTP/1, the content once more in HTTP/2.
struct BodyPart {
  Bytes content, wire;
};
// What ends a body: its last framing (HTTP/1), and its trailers if there are any.
struct BodyEnd {
  Bytes wire;
  const http::Trailers* trailers = nullptr;
};

// How the body behind a head that is sent will be framed.
struct Framing {
  enum class Type : uint8_t {
    AsItCame,  // the head says it; the link sends each part's and the end's wire
    None,      // no body follows, and the head says nothing of one
    Length,    // the link adds Content-Length; parts are content
    Unknown,   // HTTP/1: the link adds Transfer-Encoding and frames each part's content
  };
  Type type = Type::AsItCame;
  uint64_t length = 0;  // for Length
};

// What becomes of the two sides when an exchange is over.
enum class Ending : uint8_t {
  GoOn,    // the response is complete; HTTP/1: the connection carries the next one, unless close_after() was said
  Close,   // HTTP/1: both sides are closed in order. HTTP/2: as GoOn
  Cut,     // as the upstream did: HTTP/1: FIN without close_notify. HTTP/2: RST_STREAM
  Reset,   // HTTP/1: RST. HTTP/2: RST_STREAM
  Tunnel,  // HTTP/1: from here on bytes
  // Only by rules.
  Fin,         // HTTP/1: close_notify and FIN, wherever the response is. HTTP/2: the connection ends without a word
  BadFraming,  // what is no chunk, no frame; then as Fin
  GoAway,      // HTTP/2: GOAWAY, then the connection ends. HTTP/1: as Fin
};

class Exchange {
 public:
  class Link {
   public:
    virtual ~Link() = default;

    // True if the upstream is there; else on_upstream_ready or on_upstream_failed follows. With `elsewhere` that one is
    // meant, whatever the connection's own upstream is.
    virtual bool need_upstream(const rules::Redirect* elsewhere) = 0;
    virtual void send_request_head(http::Head& head, Framing framing) = 0;
    virtual void send_request_body(const BodyPart& part) = 0;
    virtual void send_request_end(const BodyEnd& end) = 0;
    virtual void reset_upstream() = 0;  // nothing it says can be trusted, or it shall see a fault
    virtual bool upstream_is_behind() const = 0;

    virtual void send_informational(const http::Head& head) = 0;
    // The link adds what the framing wants and its protocol says of the connection: `head` is changed by it.
    virtual void send_response_head(http::Head& head, Framing framing) = 0;
    virtual void send_response_body(const BodyPart& part) = 0;
    virtual void send_response_end(const BodyEnd& end) = 0;
    virtual bool client_is_behind() const = 0;

    // Something of this exchange may stay unread. HTTP/1: no other exchange can follow on the connection; said before
    // the response's head if it can. HTTP/2: nothing, the streams that are open at the exchange's end are reset.
    virtual void close_after() = 0;
    virtual const std::shared_ptr<const FlowFacts>& flow() const = 0;  // as known now
  };

  struct Context {
    std::shared_ptr<const rules::RuleSet> rules;  // kept until the exchange's end
    Recorder& recorder;
    uint64_t id = 0;
    bool error_page = false;  // an upstream that cannot be reached is a 502 with the reason, else a reset
  };

  Exchange(Link& link, Context context, Time now);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // The client's side. on_request_head comes first, or on_request_failed if it cannot be read. `body` is Chunked where
  // HTTP/2 tells no length, None where the head ended the request; on_request_end follows all the same.
  void on_request_head(http::Head head, const http::BodyLength& body, Time now);
  void on_request_body(const BodyPart& part, Time now);
  void on_request_end(const BodyEnd& end, Time now);
  void on_request_failed(std::string why, Time now);  // what came is no message that two readers understand alike
  void on_client_gone(std::string why, Time now);     // the relay ends both sides

  // The upstream's side.
  void on_upstream_ready(Time now);
  void on_upstream_failed(std::string why, Time now);  // there is none to send the request to
  void on_informational(const http::Head& head, Time now);
  void on_response_head(http::Head head, const http::BodyLength& body, Time now);
  void on_response_body(const BodyPart& part, Time now);
  void on_response_end(const BodyEnd& end, Time now);
  void on_response_refused(std::string why, Time now);  // bytes that are no answer to this request
  // It ended too early; `mirrored` is the same end for the client: Close, Cut or Reset.
  void on_upstream_gone(Ending mirrored, std::optional<Error> error, Time now);

  void on_time(Time now);      // deadline_ns() has come
  void on_writable(Time now);  // client_is_behind() or upstream_is_behind() may have changed
  std::optional<int64_t> deadline_ns() const;

  bool wants_request() const;   // its body
  bool wants_response() const;  // its head or body
  size_t request_held() const;
  size_t response_held() const;

  const std::optional<Ending>& ending() const { return ending_; }
  const http::Head* request() const;  // null before on_request_head; as it will be or was sent
  bool request_is_sent() const;       // its head is
  bool request_is_complete() const;   // its end has come
  bool waits_for_upstream() const;    // the request has been decided on and not been sent
  bool response_is_complete() const;  // nothing more is read of it

 private:
  struct State;

  Link& link_;
  std::unique_ptr<State> state_;
  std::optional<Ending> ending_;
};

}  // namespace waylay::flow
