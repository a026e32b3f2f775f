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

#include <limits>
#include <memory>
#include <optional>

#include "base/spare.h"
#include "flow/collected.h"
#include "flow/facts.h"
#include "flow/grpc_call.h"
#include "flow/held_body.h"
#include "flow/paced_body.h"
#include "flow/tunnel.h"
#include "hook/call.h"
#include "http/h1.h"
#include "rules/rule_set.h"

namespace waylay::flow {

// A body that tells what an AWS call is (aws/body.h) is held back until it does; larger ones are not looked into.
constexpr size_t kMaximumTelling = 64 * 1024;
// Of a body that a rule asks for or edits. Larger ones, and those that take longer, are forwarded as they come.
constexpr size_t kMostCollected = 16 * 1024 * 1024;
constexpr int64_t kForEver_ns = std::numeric_limits<int64_t>::max();
constexpr int64_t kLongestCollecting_ns = 30 * kSecond_ns;

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
// Of a body of ours. Trailers go with chunks only (RFC 9110 section 6.5.1).
inline Framing own_framing(uint64_t length, const http::Trailers& trailers) {
  return trailers.empty() ? Framing{Framing::Type::Length, length} : Framing{Framing::Type::Unknown};
}

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
  GoAway,      // the response is complete; HTTP/2: GOAWAY, then the connection ends. HTTP/1: as Close
};

class Exchange final : public Spared<Exchange> {
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
    // Answered by on_handler_answer, unless it is cancelled.
    virtual void call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) = 0;
    virtual void cancel_handler(uint64_t exchange) = 0;

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
    virtual std::string_view tunnel_protocol() const { return ""; }    // of an extended CONNECT (RFC 8441)
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
  // It is gone, after the response's end or before it. `mirrored` is the same end for the client: Close, Cut or Reset.
  // `answering`: something of a response had come, if only of its head.
  void on_upstream_gone(Ending mirrored, bool answering, std::optional<Error> error, Time now);

  void on_handler_answer(Result<hook::Answer> answer, Time now);
  void on_time(Time now);      // deadline_ns() has come
  void on_writable(Time now);  // client_is_behind() or upstream_is_behind() may have changed
  std::optional<int64_t> deadline_ns() const;

  bool wants_request() const;   // its body
  bool wants_response() const;  // its head or body
  size_t request_held() const;
  size_t response_held() const;

  uint64_t id() const { return id_; }
  const std::optional<Ending>& ending() const { return ending_; }
  std::unique_ptr<Tunnel> take_tunnel() { return std::move(tunnel_); }           // once ending() is Tunnel
  const http::Head* request() const { return request_ ? &*request_ : nullptr; }  // as it will be or was sent
  bool request_is_sent() const { return phase_ == Phase::Sent; }                 // its head is
  bool request_is_complete() const { return request_done_; }                     // its end has come
  bool waits_for_upstream() const { return phase_ == Phase::Held; }              // decided on, not sent
  // Its head has come and is held back, and no more of it is read: also not its end.
  bool response_waits() const {
    return wait_ == Wait::Response || wait_ == Wait::ResponseBody || wait_ == Wait::ResponseHandler || is_stalled();
  }
  bool is_stalled() const { return wait_ == Wait::Stall; }  // by a rule, until a side gives up

 private:
  enum class Phase : uint8_t {
    Collecting,  // the request is held back until its operation or its body is known
    Held,        // by a delay, or until the upstream is there
    Sent,
    Answering,  // our own answer; the request's body is read and dropped first
  };
  // What a delay is over for, or a handler's answer.
  enum class Wait : uint8_t {
    None,
    Request,
    RequestBody,
    RequestHandler,
    Response,
    ResponseBody,
    ResponseHandler,
    Stall
  };

  // The request (exchange_request.cc).
  void decide_request(Time now);
  void carry_out_request(Time now);
  bool needs_request_body(Time now) const;
  void collect_request(Time now);
  void hold_request(const BodyPart& part, Time now);
  void request_collected(Time now);
  void carry_out_request_body(Time now);
  void leave_request_alone(std::string why, Time now);
  void edit_request();
  void release_request(Time now);
  void send_request(Time now);
  void answer_request(rules::Plan& plan, Time now);
  void flow_request(Time now);
  void fail_request(std::string why, Time now);
  // The response (exchange_response.cc).
  void answer(Time now);
  void decide_response(Time now);
  void carry_out_response(Time now);
  bool needs_response_body(Time now) const;
  void collect_response(Time now);
  void response_collected(Time now);
  void carry_out_response_body(Time now);
  void edit_response_body();
  Bytes response_body() const;  // that is here
  void leave_response_alone(std::string why, Time now);
  void replace_response(const rules::Response& response, Time now);
  void edit_response(rules::Plan& plan, Time now);
  void fit_body_to_status(Time now);
  void drop_upstreams_body(Time now);
  void drop_rest_of_response(Time now);
  void take_own(const rules::Response& response);
  static rules::Response plain_text(int status, std::string_view text);
  void answer_plainly(int status, std::string_view text);
  void apply_response_plans(Time now);
  // Handlers (exchange_handler.cc).
  const std::shared_ptr<const rules::Handler>& wanted_handler() const;
  void call_handler(Wait wait, Time now);
  std::string handler_event(Wait wait) const;
  void handler_failed(std::string why, Wait wait, Time now);
  void go_on(hook::Answer answer, Wait wait, Time now);
  void leave_handler(rules::HandlerGate::Outcome outcome, Time now);
  // The response goes out (exchange_sending.cc).
  void send_response(Time now);
  void open_tunnel(Time now);
  void send_head(Framing framing);
  void send_own();
  bool response_has_body() const;
  Framing response_framing() const;
  void send_content(const BodyPart& part, Time now);
  void pace_held(Time now);
  void flow_response(Time now);
  bool cut_is_due() const;
  void end_response(const BodyEnd& end, Time now);
  // Faults and the end.
  bool wait(int64_t delay_ns, Wait what, Time now);
  void break_off(const rules::Abort& abort, Time now);
  void note(const rules::Plan& plan);
  void note(std::string what) { facts_->notes.push_back(std::move(what)); }
  void finish_if_done(Time now);
  void finish(ExchangeEnd end, std::string error, Ending ending, Time now);

  Link& link_;
  const uint64_t id_;
  Recorder& recorder_;
  const bool error_page_;
  std::shared_ptr<const rules::RuleSet> rules_;
  std::unique_ptr<ExchangeFacts> facts_ = std::make_unique<ExchangeFacts>();
  std::optional<Ending> ending_;
  std::unique_ptr<Tunnel> tunnel_;
  std::unique_ptr<GrpcCall> grpc_;  // null: it is none
  size_t keep_messages_ = 0;        // octets of them, as rules want it

  // What the rules want, as it is carried out: of the moment when a head was complete, and of the one when its body
  // was. The first waits for the second if there is one, so that rules see what was sent and not each other's edits.
  std::unique_ptr<rules::Plan> plan_, body_plan_;
  Wait wait_ = Wait::None;
  int64_t wait_until_ns_ = 0;
  std::optional<int64_t> collect_until_ns_;
  std::shared_ptr<const rules::Handler> calling_;  // its answer is waited for
  rules::Pace pace_;
  std::optional<rules::Abort> abort_;  // one that sends (a part of) the response before

  Phase phase_ = Phase::Held;
  std::optional<http::Head> request_;
  http::BodyLength request_length_;
  HeldBody request_held_;
  std::unique_ptr<body::Content> request_content_;  // once it was collected
  std::optional<std::string> own_request_body_;     // edited
  std::optional<rules::Redirect> elsewhere_;
  std::unique_ptr<PacedBody> request_pace_;
  bool continued_ = false;     // we have told the client to send its body
  bool request_done_ = false;  // nothing more is read of it
  bool request_out_ = false;   // all of it is with the link

  std::optional<http::Head> response_;  // as it will be or was sent
  http::BodyLength response_length_;    // of the upstream's
  HeldBody response_held_;
  std::unique_ptr<body::Content> response_content_;
  std::optional<std::string> own_body_;  // the response's body is ours
  std::unique_ptr<PacedBody> response_pace_;
  bool response_done_ = false;  // nothing more is read of it
  bool collects_response_ = false;
  bool response_sent_ = false;  // its head is
  bool response_out_ = false;   // all of it is with the link
  bool drop_response_ = false;  // the upstream's body
  uint64_t dropped_ = 0;        // octets of it
  std::optional<int64_t>
      drop_until_ns_;                    // the client has its answer, the upstream has not sent all of the one replaced
  std::optional<Ending> upstream_gone_;  // when its response was complete
  struct Truncation {
    std::string why;
    Ending mirrored;
  };
  std::optional<Truncation> truncation_;  // told when what came before it is out
};

}  // namespace waylay::flow
