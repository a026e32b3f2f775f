// The exchanges of one connection, in plaintext and without I/O: reads both sides' HTTP/1 messages, asks the rules at
// the request's and the response's head, and sends on what came, byte for byte where no rule says otherwise.
//
// One exchange at a time: a pipelined request waits, unread, until the response before it is complete. Within an
// exchange both directions stream at once.
#pragma once

#include <memory>
#include <optional>

#include "base/byte_queue.h"
#include "flow/relay.h"
#include "http/h1.h"

namespace waylay::flow {

class H1Relay final : public Relay {
 public:
  explicit H1Relay(Context context);
  ~H1Relay() override;

  void on_client_bytes(Bytes plaintext, Time now) override;
  void on_client_end(bool reset, Time now) override;
  void on_upstream_ready(Time now) override;  // connected, verified, its channel is open
  void on_upstream_bytes(Bytes plaintext, Time now) override;
  // FIN (clean: with close_notify) or failure. `error` is set when it is not a plain FIN.
  void on_upstream_end(bool clean, std::optional<Error> error, Time now) override;
  void on_time(Time now) override;
  void on_writable(Time now) override { run(now); }
  void on_no_more_upstreams(Time now) override;  // the one that is there may go on

  bool wants_client_bytes() const override;
  bool wants_upstream_bytes() const override;
  std::optional<int64_t> deadline_ns() const override;
  bool idle() const override;  // no exchange is open

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

  State state_ = State::Idle;
  http::H1Reader client_reader_, upstream_reader_;
  ByteQueue client_pending_, upstream_pending_;             // plaintext that came while its side may not be read
  bool client_blocked_ = false, upstream_blocked_ = false;  // its reader was left in the midst of what it was given
  std::unique_ptr<Current> current_;
  bool upstream_ready_ = false, upstream_asked_ = false;
  struct UpstreamEnd {
    bool clean = false;
    std::optional<Error> error;
  };
  std::optional<UpstreamEnd> upstream_end_;  // not acted on while bytes before it wait
  bool client_end_ = false;
};

}  // namespace waylay::flow
