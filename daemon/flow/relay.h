// The exchanges of one connection, in plaintext and without I/O: reads both sides' messages, asks the rules through an
// Exchange each, and sends on what came. One kind for each protocol: h1_relay, h2_relay. Flow owns it, and implements
// its Link.
#pragma once

#include <memory>
#include <optional>

#include "flow/exchange.h"
#include "flow/facts.h"
#include "flow/rejections.h"
#include "rules/rule_book.h"

namespace waylay::flow {

class Relay {
 public:
  // What the relay does to its two sides. No method calls the relay back.
  class Link {
   public:
    virtual ~Link() = default;
    virtual bool client_is_behind() const = 0;  // much waits to be sent to it; on_writable when that may have changed
    virtual bool upstream_is_behind() const = 0;
    virtual void to_client(Bytes plaintext) = 0;
    virtual void to_upstream(Bytes plaintext) = 0;
    // There is none or it was closed. Answered by on_upstream_ready or on_upstream_end. Null: the one that the client
    // meant.
    virtual void need_upstream(const rules::Redirect* elsewhere) = 0;
    virtual void close_client(bool with_close_notify) = 0;  // after what was written
    virtual void reset_client() = 0;
    virtual void shutdown_upstream() = 0;  // no more bytes to it
    virtual void close_upstream(bool reset) = 0;
    // Answered by on_handler_answer, unless it is cancelled.
    virtual void call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) = 0;
    virtual void cancel_handler(uint64_t exchange) = 0;
  };
  struct Options {
    bool lazy = false;  // the upstream comes and goes as exchanges need it
    bool error_page = false;
  };
  // All are borrowed and outlive the relay, but for `flow`: what is known of it at the relay's beginning.
  struct Context {
    Link& link;
    rules::RuleBook& rules;
    Recorder& recorder;
    Identifiers& identifiers;
    std::shared_ptr<const FlowFacts> flow;
    Options options;
  };

  virtual ~Relay() = default;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  virtual void on_client_bytes(Bytes plaintext, Time now) = 0;
  virtual void on_client_end(bool reset, Time now) = 0;
  virtual void on_upstream_ready(Time now) = 0;  // connected, verified, its channel is open
  virtual void on_upstream_bytes(Bytes plaintext, Time now) = 0;
  // FIN (clean: with close_notify) or failure. `error` is set when it is not a plain FIN.
  virtual void on_upstream_end(bool clean, std::optional<Error> error, Time now) = 0;
  virtual void on_time(Time now) = 0;
  virtual void on_writable(Time now) = 0;
  virtual void on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now) = 0;
  virtual void on_no_more_upstreams(Time now) = 0;  // the one that is there may go on

  virtual bool wants_client_bytes() const = 0;
  virtual bool wants_upstream_bytes() const = 0;
  virtual std::optional<int64_t> deadline_ns() const = 0;
  virtual bool idle() const = 0;  // no exchange is open
  // The connection as a whole has become a tunnel, whose two directions end by themselves.
  virtual bool tunnels() const { return false; }

  // The facts of the flow are those at each exchange's end.
  void set_flow(std::shared_ptr<const FlowFacts> flow) { flow_ = std::move(flow); }
  uint32_t exchanges() const { return exchanges_; }

 protected:
  explicit Relay(Context context);

  Exchange::Context begin_exchange();  // counted, with the rules as they are now

  Link& link_;
  Options options_;
  std::shared_ptr<const FlowFacts> flow_;

 private:
  rules::RuleBook& rules_;
  Recorder& recorder_;
  Identifiers& identifiers_;
  std::shared_ptr<const rules::RuleSet> rule_set_;
  uint64_t rule_set_version_ = 0;
  uint32_t exchanges_ = 0;
};

}  // namespace waylay::flow
