// An HTTP/1.1 connection. One exchange at a time: a pipelined request waits, unread, until the response before it is
// complete. Within an exchange both directions stream at once. After 101 or CONNECT the bytes are relayed as they come.
#pragma once

#include "base/byte_queue.h"
#include "flow/h1_writer.h"
#include "flow/relay.h"
#include "http/h1.h"

namespace waylay::flow {

class H1Relay final : public Relay, private Exchange::Link {
 public:
  explicit H1Relay(Context context);
  ~H1Relay() override;

  void on_client_bytes(Bytes plaintext, Time now) override;
  void on_client_end(bool reset, Time now) override;
  void on_upstream_ready(Time now) override;
  void on_upstream_bytes(Bytes plaintext, Time now) override;
  void on_upstream_end(bool clean, std::optional<Error> error, Time now) override;
  void on_time(Time now) override;
  void on_writable(Time now) override;
  void on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now) override;
  void on_no_more_upstreams(Time now) override;

  bool wants_client_bytes() const override;
  bool wants_upstream_bytes() const override;
  std::optional<int64_t> deadline_ns() const override;
  bool idle() const override;
  bool tunnels() const override { return tunnel_ != nullptr; }

 private:
  enum class State { Exchanging, Tunnel, Closed };
  struct UpstreamEnd {
    bool clean = false;
    std::optional<Error> error;
  };

  void run(Time now);
  void settle(Time now);
  // Client side.
  void pump_client(Bytes bytes, Time now);
  void client_event(http::H1Reader::Event event, Time now);
  bool client_may_be_read() const;
  void client_ended(Time now);
  void new_exchange(Time now);
  // Upstream side.
  void pump_upstream(Bytes bytes, Time now);
  void upstream_event(http::H1Reader::Event event, Time now);
  bool upstream_may_be_read() const;
  void response_head(Time now);
  void response_ended(Time now);
  void refuse_response(std::string why, Time now);
  void upstream_ended(Time now);
  void upstream_ended_in_exchange(UpstreamEnd end, Time now);
  bool awaits_response() const;
  void leave_upstream();
  // Ends.
  void enter_tunnel(Time now);
  void client_tunnels(Bytes bytes, Time now);
  void upstream_tunnels(Bytes bytes, Time now);
  void close(bool with_close_notify);
  void reset();

  // Exchange::Link
  bool need_upstream(const rules::Redirect* elsewhere) override;
  void send_request_head(http::Head& head, Framing framing) override;
  void send_request_body(const BodyPart& part) override;
  void send_request_end(const BodyEnd& end) override;
  void reset_upstream() override;
  bool upstream_is_behind() const override;
  void call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) override;
  void cancel_handler(uint64_t exchange) override;
  void send_informational(const http::Head& head) override;
  void send_response_head(http::Head& head, Framing framing) override;
  void send_response_body(const BodyPart& part) override;
  void send_response_end(const BodyEnd& end) override;
  bool client_is_behind() const override;
  void close_after() override;
  const std::shared_ptr<const FlowFacts>& flow() const override;

  State state_ = State::Exchanging;
  http::H1Reader client_reader_, upstream_reader_;
  H1Writer client_writer_, upstream_writer_;
  ByteQueue client_pending_, upstream_pending_;             // plaintext that came while its side may not be read
  bool client_blocked_ = false, upstream_blocked_ = false;  // its reader was left in the midst of what it was given
  std::unique_ptr<Exchange> exchange_;                      // not part of this: an idle connection has none
  std::unique_ptr<Tunnel> tunnel_;                          // in that state
  bool close_after_ = false;                                // no other exchange can follow
  bool informational_ = false;                              // the head read last
  bool has_unasked_ = false;  // the exchange needs an upstream that has said what answers nothing
  bool upstream_ready_ = false, upstream_asked_ = false;
  std::string upstream_is_;                  // the one that is there or was asked for; empty: the client's own
  std::optional<UpstreamEnd> upstream_end_;  // not acted on while bytes before it wait
  bool client_end_ = false;
};

}  // namespace waylay::flow
