#include "flow/h1_relay.h"

#include "base/check.h"
#include "flow/redact.h"
#include "flow/subject.h"

namespace waylay::flow {
namespace {

using Event = http::H1Reader::Event;

// What may wait unread for one side before we stop receiving from it: a few pipelined requests, or what arrived during
// a delay. One receive buffer more may come on top.
constexpr size_t kPendingLimit = 16 * 1024;
// The rest of a response that a rule replaced is read and dropped up to this size; beyond it the connection is closed,
// since another connection is cheaper.
constexpr uint64_t kMostDropped = 1024 * 1024;
// Nor is it waited for longer: an event stream has no end.
constexpr int64_t kLongestDrop_ns = 5 * kSecond_ns;
constexpr std::string_view kUnasked = "the upstream sent bytes that answer no request";

bool forbids_body(int status) {
  return status == 204 || status == 304 || (status >= 100 && status < 200);
}

rules::Response plain_text(int status, std::string_view text) {
  rules::Response response;
  response.status = status;
  response.reason = http::default_reason(status);
  response.fields = {{"Content-Type", "text/plain; charset=utf-8"}, {"Server", "waylay"}};
  response.body = std::string(text) + "\n";
  return response;
}

}  // namespace

struct H1Relay::Current {
  explicit Current(Recorder& to) : recorder(to) {}
  Recorder& recorder;
  std::shared_ptr<const rules::RuleSet> rules;
  std::shared_ptr<ExchangeFacts> facts = std::make_shared<ExchangeFacts>();
  std::optional<http::Head> request, response;
  ByteQueue held;    // raw body that came before the request could be sent
  std::string form;  // its content, for the operation's name
  rules::Plan plan;  // being carried out
  std::optional<rules::Response> answer;
  std::optional<int64_t> wait_until_ns;
  bool request_done = false, response_done = false;
  bool response_waits = false;  // its head is here, its delay is not over
  bool answer_waits = false;    // the same of our own answer
  bool response_sent = false;   // its head went to the client
  bool drop_response_body = false;
  uint64_t dropped = 0;                  // octets of it
  std::optional<int64_t> drop_until_ns;  // the client has its answer, the upstream has not sent all of the one replaced
  bool close_after = false;
};

H1Relay::H1Relay(Context context)
    : Relay(std::move(context)),
      client_reader_(http::Kind::Request, Side::Client),
      upstream_reader_(http::Kind::Response, Side::Upstream) {}

H1Relay::~H1Relay() = default;

// --- Events ---

void H1Relay::on_client_bytes(Bytes plaintext, Time now) {
  if (state_ == State::Closed) return;
  if (state_ == State::Tunnel) return link_.to_upstream(plaintext);
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
    if (current_) finish(ExchangeEnd::ClientGone, "the client reset the connection", now);
    return reset();
  }
  client_end_ = true;
  run(now);
}

void H1Relay::on_upstream_ready(Time now) {
  upstream_ready_ = true;
  upstream_asked_ = false;
  if (current_ && state_ == State::RequestHeld && !current_->wait_until_ns) send_request(now);
  run(now);
}

void H1Relay::on_upstream_bytes(Bytes plaintext, Time now) {
  if (state_ == State::Closed) return;
  if (state_ == State::Tunnel) return link_.to_client(plaintext);
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
  if (current_ && current_->drop_until_ns && *current_->drop_until_ns <= now.steady_ns) drop_rest_of_response(now);
  if (!current_ || !current_->wait_until_ns || *current_->wait_until_ns > now.steady_ns) return;
  current_->wait_until_ns.reset();
  if (current_->response_waits) {
    carry_out_response(now);
  } else if (current_->answer_waits) {
    carry_out_answer(now);
  } else {
    carry_out_request(now);
  }
  run(now);
}

// An idle client is told in the way that every client expects of an idle connection: its next one goes elsewhere.
void H1Relay::on_no_more_upstreams(Time now) {
  if (state_ == State::Closed) return;
  options_.lazy = false;
  if (upstream_ready_ || upstream_asked_) return;
  if (current_) {
    current_->close_after = true;
  } else if (client_pending_.empty() && client_reader_.between_messages()) {
    close(true);
  }
  run(now);
}

bool H1Relay::wants_client_bytes() const {
  return state_ != State::Closed && client_pending_.size() < kPendingLimit;
}
bool H1Relay::wants_upstream_bytes() const {
  return state_ != State::Closed && upstream_pending_.size() < kPendingLimit;
}
bool H1Relay::idle() const {
  return !current_;
}

std::optional<int64_t> H1Relay::deadline_ns() const {
  if (!current_) return std::nullopt;
  return current_->wait_until_ns ? current_->wait_until_ns : current_->drop_until_ns;
}

// Takes up what was left lying, until nothing more can be done now. Handlers only change the state; this loop alone
// goes on from it, so that no handler calls another side's pump.
void H1Relay::run(Time now) {
  for (;;) {
    if (state_ == State::Closed || state_ == State::Tunnel) break;
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
  if (upstream_end_ &&
      (state_ == State::Tunnel || (upstream_pending_.empty() && !(current_ && current_->response_waits))))
    upstream_ended(now);
  if (state_ == State::Closed) return;
  if (client_end_ && (state_ == State::Tunnel || (client_pending_.empty() && !client_blocked_))) client_ended(now);
}

// --- The client's side ---

bool H1Relay::client_may_be_read() const {
  switch (state_) {
    case State::Idle:  // else pipelined requests would heap up our answers
      return !link_.client_is_behind();
    case State::CollectingForm:
      return true;
    case State::Exchanging:
    case State::Answering:
      return !current_->request_done;
    case State::RequestHeld:
    case State::Tunnel:
    case State::Closed:
      return false;
  }
  return false;
}

void H1Relay::pump_client(Bytes bytes, Time now) {
  client_blocked_ = false;
  client_reader_.put(bytes);
  while (client_may_be_read()) {
    Event event = client_reader_.next();
    if (event == Event::NeedMore) return;
    client_event(event, now);
  }
  Bytes rest = client_reader_.unread();
  if (state_ == State::Tunnel) {
    if (!rest.empty()) link_.to_upstream(rest);
  } else if (state_ != State::Closed) {
    client_pending_.append(rest);
    client_blocked_ = !client_reader_.between_messages();
  }
  client_reader_.put({});
}

void H1Relay::client_event(Event event, Time now) {
  switch (event) {
    case Event::Head:
      return begin_exchange(now);
    case Event::Body:
      return request_body();
    case Event::End:
      return request_ended(now);
    case Event::Failed:
      return refuse_request(now);
    case Event::Tunnel:  // CONNECT: whether it becomes a tunnel is the upstream's word; after a refusal nothing can
                         // follow
      if (!current_) return close(true);
      current_->close_after = true;
      return request_ended(now);
    case Event::NeedMore:
      return;
  }
}

void H1Relay::begin_exchange(Time now) {
  Exchange::Context context = Relay::begin_exchange();
  current_ = std::make_unique<Current>(context.recorder);
  Current& exchange = *current_;
  exchange.rules = std::move(context.rules);
  exchange.request = std::move(client_reader_.head());
  // RFC 9112 section 9.6: a request behind one that says close would be read by some and not by others.
  exchange.close_after = !http::is_persistent(*exchange.request);
  ExchangeFacts& facts = *exchange.facts;
  facts.id = context.id;
  facts.flow = flow_;
  facts.started = now;
  facts.host = http::request_host(*exchange.request);
  facts.call = aws::classify(*exchange.request, facts.host);
  facts.rules_version = exchange.rules->version();

  const http::BodyLength& body = client_reader_.body_length();
  bool small_form = body.type == http::BodyLength::Type::Fixed && body.fixed <= kMaximumForm;
  if (small_form && !exchange.request->has("expect") && aws::operation_is_in_body(*exchange.request, facts.call)) {
    state_ = State::CollectingForm;
    return;
  }
  decide_request(now);
}

void H1Relay::decide_request(Time now) {
  Current& exchange = *current_;
  state_ = State::RequestHeld;
  if (!exchange.rules->empty()) {
    Subject subject(*flow_, *exchange.facts, &*exchange.request, nullptr);
    exchange.plan = exchange.rules->plan(subject, match::Moment::Request, exchange.facts->call, *exchange.request, now);
    note(exchange.plan);
    if (exchange.plan.delay_ns > 0) {
      exchange.wait_until_ns = now.steady_ns + exchange.plan.delay_ns;
      return;
    }
  }
  carry_out_request(now);
}

void H1Relay::carry_out_request(Time now) {
  Current& exchange = *current_;
  if (exchange.plan.abort) return abort_by_rule(now);
  exchange.plan.request_headers.apply(*exchange.request);
  if (!exchange.plan.respond) return send_request(now);

  exchange.answer = std::move(exchange.plan.respond);
  state_ = State::Answering;
  // With "Expect: 100-continue" the answer comes in place of the 100, and the body will not be sent; whoever sends it
  // all the same finds the connection closing (RFC 9110 section 10.1.1).
  if (exchange.request->has("expect") && !exchange.request_done) {
    exchange.close_after = true;
    answer(now);
  } else if (exchange.request_done) {
    answer(now);
  }
}

void H1Relay::send_request(Time now) {
  Current& exchange = *current_;
  if (!upstream_ready_) {
    if (!upstream_asked_) {
      upstream_asked_ = true;
      link_.need_upstream(nullptr);
    }
    return;
  }
  if (!upstream_pending_.empty()) return refuse_response(std::string(kUnasked), now);
  state_ = State::Exchanging;
  exchange.facts->request_sent = now;
  upstream_reader_.answer_to(exchange.request->method());
  link_.to_upstream(as_bytes(exchange.request->raw()));
  if (!exchange.held.empty()) link_.to_upstream(exchange.held.bytes());
  exchange.held.clear();
}

void H1Relay::request_body() {
  Current& exchange = *current_;
  exchange.facts->request_body += client_reader_.payload().size();
  if (state_ == State::Exchanging) return link_.to_upstream(client_reader_.raw());
  if (state_ != State::CollectingForm) return;  // Answering: read and dropped
  exchange.held.append(client_reader_.raw());
  exchange.form.append(as_text(client_reader_.payload()));
}

void H1Relay::request_ended(Time now) {
  Current& exchange = *current_;
  exchange.request_done = true;
  switch (state_) {
    case State::CollectingForm:
      exchange.held.append(client_reader_.raw());
      if (std::optional<std::string> operation = aws::operation_from_form(exchange.form))
        exchange.facts->call.operation = std::move(*operation);
      exchange.form.clear();
      return decide_request(now);
    case State::Answering:
      return answer(now);
    default:
      if (!client_reader_.raw().empty()) link_.to_upstream(client_reader_.raw());
      if (exchange.response_done) finish(ExchangeEnd::Complete, {}, now);
  }
}

// Our own answer in the upstream's place: what rules say of responses holds for it too.
void H1Relay::answer(Time now) {
  Current& exchange = *current_;
  exchange.response = http::Head::response(exchange.answer->status, exchange.answer->reason);
  for (const auto& [name, value] : exchange.answer->fields) exchange.response->add(name, value);
  Subject subject(*flow_, *exchange.facts, &*exchange.request, &*exchange.response);
  exchange.plan = exchange.rules->plan(subject, match::Moment::Response, exchange.facts->call, *exchange.request, now);
  note(exchange.plan);
  if (exchange.plan.delay_ns > 0) {
    exchange.wait_until_ns = now.steady_ns + exchange.plan.delay_ns;
    exchange.answer_waits = true;
    return;
  }
  carry_out_answer(now);
}

void H1Relay::carry_out_answer(Time now) {
  Current& exchange = *current_;
  exchange.answer_waits = false;
  rules::Plan& plan = exchange.plan;
  if (plan.abort) return abort_by_rule(now);
  if (plan.respond) {
    exchange.answer = std::move(plan.respond);
  } else {
    if (plan.status) {
      exchange.answer->status = *plan.status;
      exchange.answer->reason = http::default_reason(*plan.status);
    }
    if (plan.reason) exchange.answer->reason = *plan.reason;
    plan.response_headers.apply(exchange.answer->fields);
  }
  bool must_close = exchange.close_after;
  write_own(*exchange.answer, must_close);
  finish(ExchangeEnd::Complete, {}, now);
  if (must_close && state_ != State::Closed) close(true);
}

// The client sent its last byte. Mirrored upstream: a server that was going to answer still can.
void H1Relay::client_ended(Time now) {
  client_end_ = false;
  if (state_ == State::Tunnel) return link_.shutdown_upstream();
  if (!current_) return close(true);
  if (!current_->request_done) {
    finish(ExchangeEnd::ClientGone, "the client closed the connection in the midst of its request", now);
    return close(true);
  }
  current_->close_after = true;
  if (upstream_ready_) link_.shutdown_upstream();
}

// --- The upstream's side ---

bool H1Relay::upstream_may_be_read() const {
  return state_ != State::Closed && state_ != State::Tunnel && !(current_ && current_->response_waits) &&
         !(current_ && current_->response_done);
}

void H1Relay::pump_upstream(Bytes bytes, Time now) {
  upstream_blocked_ = false;
  upstream_reader_.put(bytes);
  while (upstream_may_be_read()) {
    // Bytes that answer nothing: the two ends would not agree on which response belongs to which request.
    bool unasked = !current_ || state_ != State::Exchanging;
    if (unasked && !upstream_reader_.unread().empty()) return refuse_response(std::string(kUnasked), now);
    if (unasked) break;
    Event event = upstream_reader_.next();
    if (event == Event::NeedMore) return;
    upstream_event(event, now);
  }
  Bytes rest = upstream_reader_.unread();
  if (state_ == State::Tunnel) {
    if (!rest.empty()) link_.to_client(rest);
  } else if (state_ != State::Closed) {
    upstream_pending_.append(rest);
    upstream_blocked_ = current_ && !upstream_reader_.between_messages();
  }
  upstream_reader_.put({});
}

void H1Relay::upstream_event(Event event, Time now) {
  switch (event) {
    case Event::Head:
      return response_head(now);
    case Event::Body:
      return response_body(now);
    case Event::End:
      return response_ended(now);
    case Event::Failed:
      return refuse_response(upstream_reader_.error().message, now);
    case Event::Tunnel:
      return enter_tunnel({}, now);
    case Event::NeedMore:
      return;
  }
}

void H1Relay::response_head(Time now) {
  Current& exchange = *current_;
  http::Head& head = upstream_reader_.head();
  // RFC 9110 section 15.2: a client of HTTP/1.0 would take an informational response for the answer.
  if (head.status() < 200 && exchange.request->minor_version() == 0)
    return refuse_response("an informational response to HTTP/1.0", now);
  if (head.status() < 200 && head.status() != 101) return link_.to_client(as_bytes(head.raw()));
  // RFC 9110 section 15.2.2: only on request. Requests behind it would go unread by us, as bytes of a protocol that the
  // client does not speak.
  if (head.status() == 101 && !exchange.request->has("upgrade"))
    return refuse_response("101 to a request that asked for no upgrade", now);

  exchange.response = std::move(head);
  exchange.close_after = exchange.close_after || !http::is_persistent(*exchange.response);
  ExchangeFacts& facts = *exchange.facts;
  facts.upstream_status = exchange.response->status();
  facts.response_started = now;
  exchange.plan = {};
  if (!exchange.rules->empty()) {
    Subject subject(*flow_, facts, &*exchange.request, &*exchange.response);
    exchange.plan = exchange.rules->plan(subject, match::Moment::Response, facts.call, *exchange.request, now);
    note(exchange.plan);
    if (exchange.plan.delay_ns > 0) {
      exchange.wait_until_ns = now.steady_ns + exchange.plan.delay_ns;
      exchange.response_waits = true;
      return;
    }
  }
  carry_out_response(now);
}

void H1Relay::carry_out_response(Time now) {
  Current& exchange = *current_;
  exchange.response_waits = false;
  rules::Plan& plan = exchange.plan;
  if (plan.abort) return abort_by_rule(now);
  if (plan.respond) return replace_response(now);
  if (plan.status) {
    exchange.response->set_status(*plan.status);
    exchange.response->set_reason(plan.reason ? *plan.reason : http::default_reason(*plan.status));
    fit_body_to_status();
  } else if (plan.reason) {
    exchange.response->set_reason(*plan.reason);
  }
  plan.response_headers.apply(*exchange.response);
  send_response_head();
}

// The upstream's response is dropped as it comes, ours goes in its place.
void H1Relay::replace_response(Time now) {
  Current& exchange = *current_;
  const http::BodyLength& body = upstream_reader_.body_length();
  exchange.drop_response_body = true;
  bool ends_connection = body.type == http::BodyLength::Type::UntilClose || body.type == http::BodyLength::Type::Tunnel;
  bool too_long = body.type == http::BodyLength::Type::Fixed && body.fixed > kMostDropped;
  exchange.close_after = exchange.close_after || ends_connection || too_long;
  write_own(*exchange.plan.respond, exchange.close_after);
  exchange.response_done = too_long || body.type == http::BodyLength::Type::UntilClose;
  exchange.drop_until_ns = now.steady_ns + kLongestDrop_ns;
  if (exchange.response_done && exchange.request_done) finish(ExchangeEnd::Complete, {}, now);
}

// A status decides with the framing fields whether a body follows (RFC 9112 section 6.3, rules 1 and 8): a new status
// must not change where the message ends.
void H1Relay::fit_body_to_status() {
  Current& exchange = *current_;
  http::Head& head = *exchange.response;
  int before = exchange.facts->upstream_status;
  if (upstream_reader_.body_length().type ==
      http::BodyLength::Type::Tunnel) {  // the upstream now speaks another protocol
    exchange.drop_response_body = exchange.close_after = true;
    head.remove("upgrade");
    head.set("Connection", "close");
    head.set("Content-Length", "0");
  } else if (forbids_body(head.status())) {
    exchange.drop_response_body = true;
    head.remove("transfer-encoding");
    head.remove("content-length");
  } else if (forbids_body(before) && exchange.request->method() != "HEAD") {
    head.remove("transfer-encoding");
    head.set("Content-Length", "0");
  }
}

void H1Relay::send_response_head() {
  Current& exchange = *current_;
  exchange.response_sent = true;
  exchange.facts->status = exchange.response->status();
  link_.to_client(as_bytes(exchange.response->raw()));
}

void H1Relay::response_body(Time now) {
  Current& exchange = *current_;
  if (exchange.drop_response_body) {
    exchange.dropped += upstream_reader_.raw().size();
    if (exchange.dropped > kMostDropped) drop_rest_of_response(now);
    return;
  }
  exchange.facts->response_body += upstream_reader_.payload().size();
  link_.to_client(upstream_reader_.raw());
}

// The client has its answer: what is left of the one replaced costs more than a new connection.
void H1Relay::drop_rest_of_response(Time now) {
  Current& exchange = *current_;
  exchange.drop_until_ns.reset();
  exchange.response_done = exchange.close_after = true;
  if (exchange.request_done) finish(ExchangeEnd::Complete, {}, now);
}

void H1Relay::response_ended(Time now) {
  Current& exchange = *current_;
  if (!exchange.response) return;  // an informational response; the final one is still to come
  if (!exchange.drop_response_body && !upstream_reader_.raw().empty()) link_.to_client(upstream_reader_.raw());
  exchange.response_done = true;
  if (exchange.request_done) finish(ExchangeEnd::Complete, {}, now);
}

void H1Relay::upstream_ended(Time now) {
  if (state_ == State::Tunnel) {
    UpstreamEnd end = *std::exchange(upstream_end_, std::nullopt);
    return end.error ? reset() : close(end.clean);
  }
  if (current_ && state_ == State::Exchanging) return upstream_ended_in_exchange(now);

  UpstreamEnd end = *std::exchange(upstream_end_, std::nullopt);
  upstream_ready_ = false;
  upstream_reader_ = http::H1Reader(http::Kind::Response, Side::Upstream);
  bool was_asked = std::exchange(upstream_asked_, false);
  if (current_ && state_ == State::RequestHeld && was_asked) {
    return fail_exchange(end.error ? end.error->message : "the upstream closed the connection", now);
  }
  if (options_.lazy) return;  // the next exchange that needs it asks again
  if (current_) {
    current_->close_after = true;
    if (state_ == State::RequestHeld)
      fail_exchange("the upstream closed the connection before the request was sent", now);
    return;
  }
  // Also where it was reset: what was answered before may still be on its way to the client, a reset would destroy it.
  close(end.clean);
}

// What the upstream's end means is what the client gets: a reset is a reset, a truncation a truncation.
void H1Relay::upstream_ended_in_exchange(Time now) {
  UpstreamEnd end = *std::exchange(upstream_end_, std::nullopt);
  Current& exchange = *current_;
  upstream_ready_ = false;
  if (exchange.response_done) {
    finish(ExchangeEnd::Complete, "the upstream closed the connection before the request's end", now);
    if (state_ != State::Closed) close(end.clean);
    return;
  }
  bool answered = !upstream_reader_.between_messages() || exchange.response.has_value();
  if (!end.error && end.clean && answered && upstream_reader_.on_eof() == Event::End) {
    exchange.response_done = true;
    finish(ExchangeEnd::Complete, {}, now);
    if (state_ != State::Closed) close(true);
    return;
  }
  std::string why = end.error  ? end.error->message
                    : answered ? "the upstream's response was cut short"
                               : "the upstream closed the connection without an answer";
  finish(answered ? ExchangeEnd::Truncated : ExchangeEnd::UpstreamFailed, std::move(why), now);
  if (end.error) return reset();
  close(end.clean);
}

// --- Ends ---

// Bytes that are not a request two readers would understand alike never go upstream; what went before them is void.
void H1Relay::refuse_request(Time now) {
  std::string why = client_reader_.error().message;
  if (!current_) {
    Exchange::Context context = Relay::begin_exchange();
    current_ = std::make_unique<Current>(context.recorder);
    current_->facts->id = context.id;
    current_->facts->flow = flow_;
    current_->facts->started = now;
  }
  bool can_answer = !current_->response_sent;
  if (can_answer) write_own(plain_text(400, "waylay refused this request: " + why), true);
  bool began = state_ == State::Exchanging;
  finish(ExchangeEnd::Refused, std::move(why), now);
  if (!can_answer) return reset();
  if (began) link_.close_upstream(true);
  close(true);
}

void H1Relay::refuse_response(std::string why, Time now) {
  bool unasked = !current_ || state_ != State::Exchanging;
  upstream_reader_.put({});
  if (!current_) {  // what was answered before is delivered; nothing after it can be trusted
    link_.close_upstream(true);
    return close(true);
  }
  bool can_answer = !unasked && !current_->response_sent;
  if (can_answer) write_own(plain_text(502, "waylay refused the upstream's response: " + why), true);
  finish(ExchangeEnd::Refused, std::move(why), now);
  if (!can_answer) return reset();
  link_.close_upstream(true);
  close(true);
}

void H1Relay::fail_exchange(std::string why, Time now) {
  if (options_.error_page) write_own(plain_text(502, "waylay could not reach the upstream: " + why), true);
  finish(ExchangeEnd::UpstreamFailed, std::move(why), now);
  if (options_.error_page) return close(true);
  reset();
}

void H1Relay::abort_by_rule(Time now) {
  finish(ExchangeEnd::Aborted, {}, now);
  reset();
}

void H1Relay::write_own(const rules::Response& response, bool close_after) {
  Current& exchange = *current_;
  rules::Fields fields = response.fields;
  if (close_after) fields.emplace_back("Connection", "close");
  bool with_body = !exchange.request || exchange.request->method() != "HEAD";
  std::string bytes = http::compose_response(response.status, response.reason, fields, response.body, with_body);
  link_.to_client(as_bytes(bytes));
  exchange.response_sent = true;
  exchange.facts->status = response.status;
  exchange.facts->response_body = with_body ? response.body.size() : 0;
  size_t head_size = bytes.size() - (with_body ? response.body.size() : 0);
  if (Result<http::Head> head = http::Head::parse(http::Kind::Response, bytes.substr(0, head_size), Side::Local))
    exchange.response = std::move(*head);
}

void H1Relay::note(const rules::Plan& plan) {
  for (const rules::Plan::Applied& applied : plan.applied)
    current_->facts->applied.push_back({applied.rule, applied.what, applied.injected});
}

void H1Relay::finish(ExchangeEnd end, std::string error, Time now) {
  Current& exchange = *current_;
  ExchangeFacts& facts = *exchange.facts;
  facts.flow = flow_;
  facts.ended = now;
  facts.end = end;
  facts.error = std::move(error);
  if (exchange.request) {
    redact(*exchange.request);
    facts.target = std::string(exchange.request->target());
    facts.request = std::move(exchange.request);
  }
  if (exchange.response && exchange.response_sent) {
    redact(*exchange.response);
    facts.response = std::move(exchange.response);
  }
  bool close_after = exchange.close_after && exchange.response_done;
  exchange.recorder.exchange_ended(std::move(exchange.facts));
  current_.reset();
  state_ = State::Idle;
  if (close_after) close(true);
}

void H1Relay::enter_tunnel(Bytes rest, Time now) {
  if (!rest.empty()) link_.to_client(rest);
  if (current_ && !current_->drop_response_body) {
    finish(ExchangeEnd::Upgraded, {}, now);
    state_ = State::Tunnel;
    if (!client_pending_.empty()) link_.to_upstream(client_pending_.bytes());
    client_pending_.clear();
    return;
  }
  // A rule put another answer in the 101's place: the upstream now speaks something else.
  if (current_) finish(ExchangeEnd::Complete, {}, now);
  close(true);
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
