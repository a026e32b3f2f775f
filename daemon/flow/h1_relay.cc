#include "flow/h1_relay.h"

namespace waylay::flow {
namespace {

using Event = http::H1Reader::Event;

// What may wait unread for one side before we stop receiving from it: a few pipelined requests, or what arrived during
// a delay. One receive buffer more may come on top.
constexpr size_t kPendingLimit = 16 * 1024;
constexpr std::string_view kUnasked = "the upstream sent bytes that answer no request";

}  // namespace

H1Relay::H1Relay(Context context)
    : Relay(std::move(context)),
      client_reader_(http::Kind::Request, Side::Client),
      upstream_reader_(http::Kind::Response, Side::Upstream),
      client_writer_(link_, &Relay::Link::to_client),
      upstream_writer_(link_, &Relay::Link::to_upstream) {}

H1Relay::~H1Relay() = default;

// --- Events ---

void H1Relay::on_client_bytes(Bytes plaintext, Time now) {
  if (state_ == State::Closed) return;
  if (state_ == State::Tunnel) return client_tunnels(plaintext, now);
  if (client_pending_.empty() && client_may_be_read()) {
    pump_client(plaintext, now);
  } else {
    client_pending_.append(plaintext);
  }
  run(now);
}

void H1Relay::on_client_end(bool was_reset, Time now) {
  if (state_ == State::Closed) return;
  if (was_reset) {
    if (exchange_) exchange_->on_client_gone("the client reset the connection", now);
    exchange_.reset();
    if (tunnel_) tunnel_->end(now);
    return reset();
  }
  client_end_ = true;
  run(now);
}

void H1Relay::on_upstream_ready(Time now) {
  upstream_ready_ = true;
  upstream_asked_ = false;
  if (exchange_) exchange_->on_upstream_ready(now);
  run(now);
}

void H1Relay::on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now) {
  if (exchange_ && exchange_->id() == exchange) exchange_->on_handler_answer(std::move(answer), now);
  run(now);
}

void H1Relay::on_upstream_bytes(Bytes plaintext, Time now) {
  if (state_ == State::Closed) return;
  if (state_ == State::Tunnel) return upstream_tunnels(plaintext, now);
  if (upstream_pending_.empty() && upstream_may_be_read()) {
    pump_upstream(plaintext, now);
  } else {
    upstream_pending_.append(plaintext);
  }
  run(now);
}

void H1Relay::on_upstream_end(bool clean, std::optional<Error> error, Time now) {
  if (state_ == State::Closed) return;
  upstream_end_ = UpstreamEnd{clean, std::move(error)};
  run(now);
}

void H1Relay::on_time(Time now) {
  if (exchange_) exchange_->on_time(now);
  if (tunnel_) tunnel_->on_time(now);
  run(now);
}

void H1Relay::on_writable(Time now) {
  if (exchange_) exchange_->on_writable(now);
  run(now);
}

// An idle client is told in the way that every client expects of an idle connection: its next one goes elsewhere.
void H1Relay::on_no_more_upstreams(Time now) {
  if (state_ == State::Closed) return;
  options_.lazy = false;
  if (upstream_ready_ || upstream_asked_) return;
  if (exchange_) {
    close_after();
  } else if (client_pending_.empty() && client_reader_.between_messages()) {
    close(true);
  }
  run(now);
}

bool H1Relay::wants_client_bytes() const {
  return state_ != State::Closed && client_pending_.size() < kPendingLimit && !link_.upstream_is_behind();
}
bool H1Relay::wants_upstream_bytes() const {
  return state_ != State::Closed && upstream_pending_.size() < kPendingLimit && !link_.client_is_behind();
}
bool H1Relay::idle() const {
  return !exchange_;
}
std::optional<int64_t> H1Relay::deadline_ns() const {
  if (tunnel_) return tunnel_->deadline_ns();
  return exchange_ ? exchange_->deadline_ns() : std::nullopt;
}

// Takes up what was left lying, until nothing more can be done now. Handlers only change the state; this loop alone
// goes on from it, so that no handler calls another side's pump.
void H1Relay::run(Time now) {
  settle(now);
  while (state_ == State::Exchanging) {
    if ((client_blocked_ || !client_pending_.empty()) && client_may_be_read()) {
      ByteQueue taken;
      taken.swap(client_pending_);
      pump_client(taken.bytes(), now);
    } else if ((upstream_blocked_ || !upstream_pending_.empty()) && upstream_may_be_read()) {
      ByteQueue taken;
      taken.swap(upstream_pending_);
      pump_upstream(taken.bytes(), now);
    } else {
      break;
    }
  }
  if (state_ == State::Closed) return;
  bool bytes_before_end = !upstream_pending_.empty() || (exchange_ && exchange_->response_waits());
  if (upstream_end_ && (state_ == State::Tunnel || !bytes_before_end)) upstream_ended(now);
  if (state_ == State::Closed) return;
  if (client_end_ && (state_ == State::Tunnel || (client_pending_.empty() && !client_blocked_))) client_ended(now);
}

// After every event of the exchange: its end.
void H1Relay::settle(Time now) {
  if (std::exchange(has_unasked_, false)) exchange_->on_response_refused(std::string(kUnasked), now);
  if (!exchange_ || !exchange_->ending()) return;
  Ending ending = *exchange_->ending();
  tunnel_ = exchange_->take_tunnel();
  exchange_.reset();
  switch (ending) {
    case Ending::GoOn:
      if (close_after_) close(true);
      return;
    case Ending::Close:
    case Ending::Fin:
    case Ending::GoAway:
      return close(true);
    case Ending::Cut:
      return close(false);
    case Ending::Reset:
      return reset();
    case Ending::Tunnel:
      return enter_tunnel(now);
    case Ending::BadFraming:
      client_writer_.break_framing();
      return close(true);
  }
}

// --- The client's side ---

bool H1Relay::client_may_be_read() const {
  if (state_ != State::Exchanging) return false;
  // Pipelined requests would heap up our answers.
  return exchange_ ? exchange_->wants_request() : !link_.client_is_behind();
}

void H1Relay::pump_client(Bytes bytes, Time now) {
  client_blocked_ = false;
  client_reader_.put(bytes);
  while (client_may_be_read()) {
    Event event = client_reader_.next();
    if (event == Event::NeedMore) return;
    client_event(event, now);
    settle(now);
  }
  Bytes rest = client_reader_.unread();
  if (state_ == State::Tunnel) {
    client_tunnels(rest, now);
  } else if (state_ != State::Closed) {
    client_pending_.append(rest);
    client_blocked_ = !client_reader_.between_messages();
  }
  client_reader_.put({});
}

void H1Relay::client_event(Event event, Time now) {
  switch (event) {
    case Event::Head:
      new_exchange(now);
      // RFC 9112 section 9.6: a request behind one that says close would be read by some and not by others.
      if (!http::is_persistent(client_reader_.head())) close_after();
      return exchange_->on_request_head(std::move(client_reader_.head()), client_reader_.body_length(), now);
    case Event::Body:
      return exchange_->on_request_body({client_reader_.payload(), client_reader_.raw()}, now);
    case Event::End:
      return exchange_->on_request_end({client_reader_.raw(), &client_reader_.trailers()}, now);
    case Event::Failed:
      if (!exchange_) new_exchange(now);
      return exchange_->on_request_failed(client_reader_.error().message, now);
    case Event::Tunnel:  // CONNECT: whether it becomes a tunnel is the upstream's word; after a refusal nothing can
                         // follow
      if (!exchange_) return close(true);
      close_after();
      return exchange_->on_request_end({}, now);
    case Event::NeedMore:
      return;
  }
}

void H1Relay::new_exchange(Time now) {
  close_after_ = false;
  Exchange::Link& link = *this;
  exchange_ = std::make_unique<Exchange>(link, begin_exchange(), now);
}

// The client sent its last byte. Mirrored upstream: a server that was going to answer still can.
void H1Relay::client_ended(Time now) {
  client_end_ = false;
  if (state_ == State::Tunnel) return link_.shutdown_upstream();
  if (!exchange_) return close(true);
  if (exchange_->is_stalled()) {
    exchange_->on_client_gone("the client closed the connection", now);
    exchange_.reset();
    return reset();
  }
  if (!exchange_->request_is_complete()) {
    exchange_->on_client_gone("the client closed the connection in the midst of its request", now);
    exchange_.reset();
    return close(true);
  }
  close_after();
  if (upstream_ready_) link_.shutdown_upstream();
}

// --- The upstream's side ---

bool H1Relay::awaits_response() const {
  return exchange_ && exchange_->request_is_sent();
}

bool H1Relay::upstream_may_be_read() const {
  if (state_ != State::Exchanging) return false;
  return !awaits_response() || exchange_->wants_response();
}

void H1Relay::pump_upstream(Bytes bytes, Time now) {
  upstream_blocked_ = false;
  upstream_reader_.put(bytes);
  while (upstream_may_be_read()) {
    // Bytes that answer nothing: the two ends would not agree on which response belongs to which request.
    if (!awaits_response()) {
      if (!upstream_reader_.unread().empty()) return refuse_response(std::string(kUnasked), now);
      break;
    }
    Event event = upstream_reader_.next();
    if (event == Event::NeedMore) return;
    upstream_event(event, now);
    settle(now);
  }
  Bytes rest = upstream_reader_.unread();
  if (state_ == State::Tunnel) {
    upstream_tunnels(rest, now);
  } else if (state_ != State::Closed) {
    upstream_pending_.append(rest);
    upstream_blocked_ = exchange_ && !upstream_reader_.between_messages();
  }
  upstream_reader_.put({});
}

void H1Relay::upstream_event(Event event, Time now) {
  switch (event) {
    case Event::Head:
      return response_head(now);
    case Event::Body:
      return exchange_->on_response_body({upstream_reader_.payload(), upstream_reader_.raw()}, now);
    case Event::End:
      return response_ended(now);
    case Event::Failed:
      return refuse_response(upstream_reader_.error().message, now);
    case Event::Tunnel:  // a tunnel's head ends the exchange, so that nothing is read behind it here
    case Event::NeedMore:
      return;
  }
}

void H1Relay::response_head(Time now) {
  http::Head& head = upstream_reader_.head();
  // RFC 9110 section 15.2: a client of HTTP/1.0 would take an informational response for the answer.
  if (head.status() < 200 && exchange_->request()->minor_version() == 0)
    return refuse_response("an informational response to HTTP/1.0", now);
  informational_ = head.status() < 200 && head.status() != 101;
  if (informational_) return exchange_->on_informational(head, now);
  // RFC 9110 section 15.2.2: only on request. Requests behind it would go unread by us, as bytes of a protocol that the
  // client does not speak.
  if (head.status() == 101 && !exchange_->request()->has("upgrade"))
    return refuse_response("101 to a request that asked for no upgrade", now);
  if (!http::is_persistent(head)) close_after();
  exchange_->on_response_head(std::move(head), upstream_reader_.body_length(), now);
}

void H1Relay::response_ended(Time now) {
  if (std::exchange(informational_, false)) return;  // the final one is still to come
  exchange_->on_response_end({upstream_reader_.raw(), &upstream_reader_.trailers()}, now);
}

void H1Relay::refuse_response(std::string why, Time now) {
  upstream_reader_.put({});
  if (exchange_) {
    exchange_->on_response_refused(std::move(why), now);
    return settle(now);
  }
  // What was answered before is delivered; nothing after it can be trusted.
  link_.close_upstream(true);
  close(true);
}

void H1Relay::upstream_ended(Time now) {
  UpstreamEnd end = *std::exchange(upstream_end_, std::nullopt);
  if (state_ == State::Tunnel) {
    tunnel_->end(now);
    return end.error ? reset() : close(end.clean);
  }
  upstream_ready_ = false;
  if (awaits_response()) return upstream_ended_in_exchange(std::move(end), now);

  upstream_reader_ = http::H1Reader(http::Kind::Response, Side::Upstream);
  bool was_asked = std::exchange(upstream_asked_, false);
  bool is_missed = exchange_ && exchange_->waits_for_upstream();
  if (is_missed && was_asked) {
    exchange_->on_upstream_failed(end.error ? end.error->message : "the upstream closed the connection", now);
    return settle(now);
  }
  if (options_.lazy || !upstream_is_.empty()) return;  // the next exchange that needs one asks for it
  if (exchange_) {
    close_after();
    if (is_missed) exchange_->on_upstream_failed("the upstream closed the connection before the request was sent", now);
    return settle(now);
  }
  // Also where it was reset: what was answered before may still be on its way to the client, a reset would destroy it.
  close(end.clean);
}

void H1Relay::upstream_ended_in_exchange(UpstreamEnd end, Time now) {
  bool answering = !upstream_reader_.between_messages();
  if (!end.error && end.clean && exchange_->wants_response() && upstream_reader_.on_eof() == Event::End) {
    close_after();
    exchange_->on_response_end({upstream_reader_.raw(), nullptr}, now);
  }
  Ending mirrored = end.error ? Ending::Reset : end.clean ? Ending::Close : Ending::Cut;
  exchange_->on_upstream_gone(mirrored, answering, std::move(end.error), now);
  settle(now);
}

// --- Exchange::Link ---

bool H1Relay::need_upstream(const rules::Redirect* elsewhere) {
  has_unasked_ = !upstream_pending_.empty();  // behind the response before, while that one's request was not complete
  if (has_unasked_) return false;
  std::string where = elsewhere ? elsewhere->text() + (elsewhere->rewrite_sni ? " by name" : "") : "";
  if ((upstream_ready_ || upstream_asked_) && where != upstream_is_) leave_upstream();
  if (upstream_ready_) return true;
  if (std::exchange(upstream_asked_, true)) return false;
  upstream_is_ = std::move(where);
  link_.need_upstream(elsewhere);
  return false;
}

// The exchange goes to another one.
void H1Relay::leave_upstream() {
  link_.close_upstream(false);
  upstream_ready_ = upstream_asked_ = false;
  upstream_end_.reset();
  upstream_reader_ = http::H1Reader(http::Kind::Response, Side::Upstream);
}

void H1Relay::send_request_head(http::Head& head, Framing framing) {
  upstream_reader_.answer_to(head.method());
  upstream_writer_.head(head, framing);
}
void H1Relay::send_request_body(const BodyPart& part) {
  upstream_writer_.body(part);
}
void H1Relay::send_request_end(const BodyEnd& end) {
  upstream_writer_.end(end);
}
void H1Relay::reset_upstream() {
  link_.close_upstream(true);
}
void H1Relay::call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) {
  link_.call_handler(exchange, std::move(handler), std::move(event));
}
void H1Relay::cancel_handler(uint64_t exchange) {
  link_.cancel_handler(exchange);
}
bool H1Relay::upstream_is_behind() const {
  return link_.upstream_is_behind();
}

void H1Relay::send_informational(const http::Head& head) {
  link_.to_client(as_bytes(head.raw()));
}
void H1Relay::send_response_head(http::Head& head, Framing framing) {
  if (framing.type != Framing::Type::AsItCame && close_after_) head.set("Connection", "close");
  client_writer_.head(head, framing);
}
void H1Relay::send_response_body(const BodyPart& part) {
  client_writer_.body(part);
}
void H1Relay::send_response_end(const BodyEnd& end) {
  client_writer_.end(end);
}
bool H1Relay::client_is_behind() const {
  return link_.client_is_behind();
}

void H1Relay::close_after() {
  close_after_ = true;
}
const std::shared_ptr<const FlowFacts>& H1Relay::flow() const {
  return flow_;
}

// --- Ends ---

void H1Relay::enter_tunnel(Time now) {
  state_ = State::Tunnel;
  upstream_tunnels(upstream_pending_.bytes(), now);
  client_tunnels(client_pending_.bytes(), now);
  upstream_pending_.clear();
  client_pending_.clear();
}

void H1Relay::client_tunnels(Bytes bytes, Time now) {
  if (bytes.empty()) return;
  link_.to_upstream(bytes);
  tunnel_->on_client_bytes(bytes, now);
}

void H1Relay::upstream_tunnels(Bytes bytes, Time now) {
  if (bytes.empty()) return;
  link_.to_client(bytes);
  tunnel_->on_upstream_bytes(bytes, now);
}

void H1Relay::close(bool with_close_notify) {
  state_ = State::Closed;
  link_.close_upstream(false);
  link_.close_client(with_close_notify);
}

void H1Relay::reset() {
  state_ = State::Closed;
  link_.close_upstream(true);
  link_.reset_client();
}

}  // namespace waylay::flow
