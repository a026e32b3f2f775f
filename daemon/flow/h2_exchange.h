// One exchange of an HTTP/2 connection: the client's stream, the upstream's stream that mirrors it, and what the rules
// make of it. The relay (h2_relay.h) owns it and tells it what its streams say; after every event the relay looks at
// ending() of the exchange.
#pragma once

#include <memory>
#include <optional>

#include "base/spare.h"
#include "flow/exchange.h"
#include "flow/relay.h"
#include "http/h2.h"

namespace waylay::flow {

// The two connections that the streams of a relay belong to.
struct H2Sides {
  Relay::Link& link;
  const std::shared_ptr<const FlowFacts>& flow;
  std::unique_ptr<http::H2Server> client;
  std::unique_ptr<http::H2Client> upstream;  // null: not there (yet)
  std::unique_ptr<http::H2Client> left;      // another one has its place; gone behind the event
  std::string upstream_is;                   // the redirect that it was asked for; empty: the one that the client meant
  bool upstream_ready = false, upstream_asked = false;
  bool upstream_leaves = false;  // it said GOAWAY
  bool may_connect = false;

  // The upstream makes room for another one, if no stream is with it.
  bool leave_upstream();
};

class H2Exchange final : public Spared<H2Exchange>, private Exchange::Link {
 public:
  H2Exchange(H2Sides& sides, http::H2Stream& client);

  // `ends`: no body follows.
  void begin(Exchange::Context context, http::H2Head request, bool ends, Time now);
  void on_request_body(Bytes payload, Time now);
  void on_request_end(const http::Trailers* trailers, Time now);
  void on_client_closed(http::H2Code code, bool by_peer, Time now);
  void abandon(const std::string& why, Time now);  // the client's connection ends

  void on_response_head(http::H2Head response, bool ends, Time now);
  void on_response_body(Bytes payload, Time now);
  void on_response_end(const http::Trailers* trailers, Time now);
  void on_upstream_closed(http::H2Code code, bool by_peer, Time now);
  // The connection broke: every stream of it did.
  void on_upstream_lost(Ending mirrored, const Error& error, Time now);
  void on_upstream_refused(const std::string& why, Time now);  // it spoke no HTTP/2

  // What could not be done within an event is done behind it; then windows are given back for what was passed on.
  void settle(Time now);
  void give_back();
  void on_time(Time now);
  std::optional<int64_t> deadline_ns() const;
  // The streams' part of the exchange's end; true when nothing is left and the relay may destroy this.
  bool finish(Time now);

  Exchange* exchange() { return exchange_ ? &*exchange_ : nullptr; }  // null: a tunnel
  bool is_over() const { return !exchange_ && client_ == nullptr && upstream_ == nullptr; }

  size_t index = 0;  // among the relay's

 private:
  struct UpstreamGone {
    Ending mirrored;
    Error error;
  };
  http::BodyLength request_length(const http::Head& head, bool ends) const;
  http::BodyLength response_length(const http::Head& head, bool ends) const;
  std::optional<std::string> reason_not_to_connect(const std::string& where) const;
  void enter_tunnel(Time now);
  bool lingers(Time now);
  bool request_is_nobodys() const;
  void drop_client(Ending ending);
  void drop_upstream();
  void reset_other(http::H2Stream*& stream, http::H2Session* session, http::H2Code code);

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
  void close_after() override {}
  const std::shared_ptr<const FlowFacts>& flow() const override { return sides_.flow; }
  std::string_view tunnel_protocol() const override { return request_extras_.protocol; }

  H2Sides& sides_;
  http::H2Stream *client_, *upstream_ = nullptr;  // null: closed, or not open yet
  std::optional<Exchange> exchange_;
  http::H2Extras request_extras_;
  std::string response_never_indexed_;
  http::H2Code client_code_ = http::H2Code::InternalError;  // what a stream that ends too early is reset with
  http::H2Code upstream_code_ = http::H2Code::Cancel;
  bool is_head_ = false, is_connect_ = false;
  bool request_ends_ = false, response_ends_ = false;  // with the head
  bool was_sent_ = false;                              // the request, to an upstream's stream
  bool answering_ = false;                             // the response's head came
  std::unique_ptr<Tunnel> tunnel_;                     // in the exchange's place
  ByteQueue early_;                                    // a tunnel's bytes before its answer
  bool early_end_ = false, early_is_all_ = true;
  std::optional<std::string> unreachable_;
  std::optional<int64_t> lingers_until_ns_;    // the answer is complete, the request is not
  std::optional<UpstreamGone> upstream_gone_;  // not acted on while a response before it is held back
};

}  // namespace waylay::flow
