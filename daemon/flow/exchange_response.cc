// The response's half of an exchange: the upstream's, edited or replaced, or our own in its stead.
#include "flow/exchange.h"
#include "flow/subject.h"

namespace waylay::flow {
namespace {

using Length = http::BodyLength::Type;

// The rest of a response that a rule replaced is read and dropped up to this size; beyond it the connection is closed,
// since another connection is cheaper.
constexpr uint64_t kMostDropped = 1024 * 1024;
// Nor is it waited for longer: an event stream has no end.
constexpr int64_t kLongestDrop_ns = 5 * kSecond_ns;

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

void Exchange::on_informational(const http::Head& head, Time) {
  if (!ending_) link_.send_informational(head);
}

void Exchange::on_response_head(http::Head head, const http::BodyLength& body, Time now) {
  if (ending_) return;
  response_ = std::move(head);
  response_length_ = body;
  facts_->upstream_status = response_->status();
  facts_->response_started = now;
  decide_response(now);
}

void Exchange::on_response_body(const BodyPart& part, Time now) {
  if (ending_) return;
  if (drop_response_) {
    dropped_ += part.wire.size();
    if (dropped_ > kMostDropped) drop_rest_of_response(now);
    return;
  }
  facts_->response_body += part.content.size();
  if (response_waits_) return response_held_.append(part);
  link_.send_response_body(part);
}

void Exchange::on_response_end(const BodyEnd& end, Time now) {
  if (ending_) return;
  response_done_ = true;
  if (response_waits_) return response_held_.end(end);
  if (!drop_response_) link_.send_response_end(end);
  finish_if_done(now);
}

bool Exchange::wants_response() const {
  return !ending_ && phase_ == Phase::Sent && !response_waits_ && !response_done_;
}

// Our own answer in the upstream's place: what rules say of responses holds for it too.
void Exchange::answer(Time now) {
  take_own(*plan_.respond);
  response_done_ = true;
  decide_response(now);
}

void Exchange::decide_response(Time now) {
  plan_ = {};
  if (!rules_->empty()) {
    Subject subject(*link_.flow(), *facts_, &*request_, &*response_);
    plan_ = rules_->plan(subject, match::Moment::Response, facts_->call, *request_, now);
    note(plan_);
    if (plan_.delay_ns > 0) {
      wait_until_ns_ = now.steady_ns + plan_.delay_ns;
      response_waits_ = true;
      return;
    }
  }
  carry_out_response(now);
}

void Exchange::carry_out_response(Time now) {
  response_waits_ = false;
  if (plan_.abort) return finish(ExchangeEnd::Aborted, {}, Ending::Reset, now);
  if (plan_.respond) {
    if (!own_body_) drop_upstreams_body(now);
    take_own(*plan_.respond);
  } else {
    edit_response(now);
  }
  send_response(now);
}

void Exchange::edit_response(Time now) {
  if (plan_.status) {
    response_->set_status(*plan_.status);
    response_->set_reason(plan_.reason ? *plan_.reason : http::default_reason(*plan_.status));
    if (!own_body_) fit_body_to_status(now);
  } else if (plan_.reason) {
    response_->set_reason(*plan_.reason);
  }
  plan_.response_headers.apply(*response_);
}

// A status decides with the framing fields whether a body follows (RFC 9112 section 6.3, rules 1 and 8): a new status
// must not change where the message ends.
void Exchange::fit_body_to_status(Time now) {
  bool is_tunnel = response_length_.type == Length::Tunnel;  // the upstream now speaks another protocol
  bool had_none = forbids_body(facts_->upstream_status) && request_->method() != "HEAD";
  if (!is_tunnel && !had_none && !forbids_body(response_->status())) return;
  drop_upstreams_body(now);
  if (is_tunnel) response_->remove("upgrade");
  own_body_.emplace();
}

// It is read and dropped, as far as that is cheaper than a new connection.
void Exchange::drop_upstreams_body(Time now) {
  drop_response_ = true;
  response_held_.clear();
  bool ends_connection = response_length_.type == Length::UntilClose || response_length_.type == Length::Tunnel;
  bool too_long = response_length_.type == Length::Fixed && response_length_.fixed > kMostDropped;
  if (ends_connection || too_long) response_done_ = true;
  if (response_done_) link_.close_after();
  if (!response_done_) drop_until_ns_ = now.steady_ns + kLongestDrop_ns;
}

// The client has its answer: what is left of the one replaced costs more than a new connection.
void Exchange::drop_rest_of_response(Time now) {
  drop_until_ns_.reset();
  response_done_ = true;
  link_.close_after();
  finish_if_done(now);
}

void Exchange::take_own(const rules::Response& response) {
  response_ = http::Head::response(response.status, response.reason);
  for (const auto& [name, value] : response.fields) response_->add(name, value);
  own_body_ = response.body;
}

void Exchange::send_response(Time now) {
  if (own_body_) {
    send_own();
    // What is left of the request when we answer in the upstream's place is nobody's.
    return phase_ == Phase::Answering ? finish(ExchangeEnd::Complete, {}, Ending::GoOn, now) : finish_if_done(now);
  }
  send_head({});
  if (response_length_.type == Length::Tunnel) return finish(ExchangeEnd::Upgraded, {}, Ending::Tunnel, now);
  if (!response_held_.empty()) link_.send_response_body(response_held_.all());
  if (response_done_) link_.send_response_end(response_held_.ending());
  response_held_.clear();
  finish_if_done(now);
}

// RFC 9110 section 8.6: some have no Content-Length either, and a 304's would speak of a body that we do not know.
void Exchange::send_own() {
  bool bodiless = forbids_body(response_->status());
  send_head(bodiless ? Framing{Framing::Type::None} : Framing{Framing::Type::Length, own_body_->size()});
  bool is_head = request_ && request_->method() == "HEAD";
  if (!bodiless && !is_head && !own_body_->empty()) {
    facts_->response_body = own_body_->size();
    link_.send_response_body({as_bytes(*own_body_), as_bytes(*own_body_)});
  }
  link_.send_response_end({});
}

void Exchange::send_head(Framing framing) {
  response_sent_ = true;
  facts_->status = response_->status();
  link_.send_response_head(*response_, framing);
}

// A refusal or a failure in plain words, which ends the connection.
void Exchange::answer_plainly(int status, std::string_view text) {
  link_.close_after();
  take_own(plain_text(status, text));
  send_own();
}

void Exchange::on_response_refused(std::string why, Time now) {
  if (ending_) return;
  bool can_answer = phase_ == Phase::Sent && !response_sent_;
  if (!can_answer) return finish(ExchangeEnd::Refused, std::move(why), Ending::Reset, now);
  link_.reset_upstream();
  answer_plainly(502, "waylay refused the upstream's response: " + why);
  finish(ExchangeEnd::Refused, std::move(why), Ending::Close, now);
}

// What the upstream's end means is what the client gets: a reset is a reset, a truncation a truncation.
void Exchange::on_upstream_gone(Ending mirrored, bool answering, std::optional<Error> error, Time now) {
  if (ending_) return;
  if (response_done_ || drop_response_) {  // the client has an answer, which a reset could destroy
    std::string why = request_done_ ? "" : "the upstream closed the connection before the request's end";
    return finish(ExchangeEnd::Complete, std::move(why), mirrored == Ending::Reset ? Ending::Cut : mirrored, now);
  }
  answering = answering || response_;
  std::string why = error       ? std::move(error->message)
                    : answering ? "the upstream's response was cut short"
                                : "the upstream closed the connection without an answer";
  finish(answering ? ExchangeEnd::Truncated : ExchangeEnd::UpstreamFailed, std::move(why), mirrored, now);
}

}  // namespace waylay::flow
