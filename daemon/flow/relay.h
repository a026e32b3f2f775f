// The exchanges of one connection, in plaintext and without I/O: reads both sides' HTTP/1 messages, asks the rules at
// the request's and the response's head, and sends on what came, byte for byte where no rule says otherwise.
//
// One exchange at a time: a pipelined request waits, unread, until the response before it is complete. Within an
// exchange both directions stream at once.
#pragma once

#include <memory>
#include <optional>

#include "base/byte_queue.h"
#include "flow/facts.h"
#include "flow/rejections.h"
#include "http/h1.h"
#include "rules/rule_set.h"

namespace waylay::flow {

using UpstreamId = uint32_t;

constexpr size_t kMaximumForm =
    64 * 1024;  // of a query-protocol body held back to learn its Action; larger ones are not looked into

class Relay {
 public:
  // What the relay does to its two sides; implemented by Flow.
  class Link {
   public:
    virtual ~Link() = default;
    virtual bool client_is_behind() const = 0;  // much waits to be sent to it; on_writable when that may have changed
    virtual void to_client(Bytes plaintext) = 0;
    virtual void to_upstream(Bytes plaintext) = 0;
    virtual void need_upstream() = 0;                       // answered by on_upstream_ready or on_upstream_end
    virtual void close_client(bool with_close_notify) = 0;  // after what was written
    virtual void reset_client() = 0;
    virtual void shutdown_upstream() = 0;  // no more bytes to it
    virtual void close_upstream(bool reset) = 0;
  };
  struct Options {
    bool lazy = false;  // the upstream comes and goes as exchanges need it
    bool error_page = false;
  };

  // `facts` of the flow are those at each exchange's beginning: set_flow replaces them.
  Relay(Link& link, rules::RuleBook& rules, Recorder& recorder, Identifiers& identifiers,
        std::shared_ptr<const FlowFacts> flow, Options options);
  ~Relay();

  void on_client_bytes(Bytes plaintext, Time now);
  void on_client_end(bool reset, Time now);
  void on_upstream_ready(Time now);  // connected, verified, its channel is open
  void on_upstream_bytes(Bytes plaintext, Time now);
  // FIN (clean: with close_notify) or failure. `error` is set when it is not a plain FIN.
  void on_upstream_end(bool clean, std::optional<Error> error, Time now);
  void on_time(Time now);
  void on_writable(Time now) { run(now); }
  void on_no_more_upstreams(Time now);  // the one that is there may go on
  void set_flow(std::shared_ptr<const FlowFacts> flow) { flow_ = std::move(flow); }

  bool wants_client_bytes() const;
  bool wants_upstream_bytes() const;
  std::optional<int64_t> deadline_ns() const;
  bool idle() const;  // no exchange is open
  uint32_t exchanges() const { return exchanges_; }

 private:
  enum class State {
    Idle,            // waiting for a request's head
    CollectingForm,  // holding a request back until its operation is known
    RequestHeld,     // a delay rule, or waiting for the upstream
    Exchanging,
    Answering,  // our own answer; the request's body is read and dropped first
    Tunnel,     // after 101 or CONNECT
    Closed,
  };
  struct Current;

  void run(Time now);
  // Client side.
  void pump_client(Bytes bytes, Time now);
  void client_event(http::H1Reader::Event event, Time now);
  bool client_may_be_read() const;
  void begin_exchange(Time now);
  void decide_request(Time now);
  void carry_out_request(Time now);
  void send_request(Time now);
  void request_body();
  void request_ended(Time now);
  void answer(Time now);
  void carry_out_answer(Time now);
  void client_ended(Time now);
  // Upstream side.
  void pump_upstream(Bytes bytes, Time now);
  void upstream_event(http::H1Reader::Event event, Time now);
  bool upstream_may_be_read() const;
  void response_head(Time now);
  void carry_out_response(Time now);
  void replace_response(Time now);
  void fit_body_to_status();
  void send_response_head();
  void response_body(Time now);
  void drop_rest_of_response(Time now);
  void response_ended(Time now);
  void upstream_ended(Time now);
  void upstream_ended_in_exchange(Time now);
  // Ends.
  void refuse_request(Time now);
  void refuse_response(std::string why, Time now);
  void fail_exchange(std::string why, Time now);
  void write_own(const rules::Response& response, bool close_after);
  void note(const rules::Plan& plan);
  void finish(ExchangeEnd end, std::string error, Time now);
  void abort_by_rule(Time now);
  void enter_tunnel(Bytes rest, Time now);
  void close(bool with_close_notify);
  void reset();
  const std::shared_ptr<const rules::RuleSet>& current_rules();

  Link& link_;
  rules::RuleBook& rules_;
  Recorder& recorder_;
  Identifiers& identifiers_;
  std::shared_ptr<const FlowFacts> flow_;
  Options options_;
  State state_ = State::Idle;
  http::H1Reader client_reader_, upstream_reader_;
  ByteQueue client_pending_, upstream_pending_;             // plaintext that came while its side may not be read
  bool client_blocked_ = false, upstream_blocked_ = false;  // its reader was left in the midst of what it was given
  std::unique_ptr<Current> current_;
  std::shared_ptr<const rules::RuleSet> rule_set_;
  uint64_t rule_set_version_ = 0;
  bool upstream_ready_ = false, upstream_asked_ = false;
  struct UpstreamEnd {
    bool clean = false;
    std::optional<Error> error;
  };
  std::optional<UpstreamEnd> upstream_end_;  // not acted on while bytes before it wait
  bool client_end_ = false;
  uint32_t exchanges_ = 0;
};

}  // namespace waylay::flow
