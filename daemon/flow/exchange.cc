#include "flow/exchange.h"

#include "aws/body.h"
#include "flow/redact.h"
#include "flow/subject.h"

namespace waylay::flow {

Exchange::Exchange(Link& link, Context context, Time now)
    : link_(link), recorder_(context.recorder), error_page_(context.error_page), rules_(std::move(context.rules)) {
  facts_->id = context.id;
  facts_->flow = link_.flow();
  facts_->started = now;
  facts_->rules_version = rules_->version();
}

Exchange::~Exchange() = default;

// --- The request ---

void Exchange::on_request_head(http::Head head, const http::BodyLength& body, Time now) {
  request_ = std::move(head);
  facts_->host = http::request_host(*request_);
  facts_->call = aws::classify(*request_, facts_->host);
  bool small = body.type == http::BodyLength::Type::Fixed && body.fixed <= kMaximumTelling;
  if (small && !request_->has("expect") && aws::is_told_by_body(*request_, facts_->call)) {
    phase_ = Phase::Collecting;
    return;
  }
  decide_request(now);
}

void Exchange::on_request_body(const BodyPart& part, Time) {
  if (ending_) return;
  facts_->request_body += part.content.size();
  switch (phase_) {
    case Phase::Sent:
      return link_.send_request_body(part);
    case Phase::Collecting:
    case Phase::Held:
      return request_held_.append(part);
    case Phase::Answering:
      return;
  }
}

void Exchange::on_request_end(const BodyEnd& end, Time now) {
  if (ending_) return;
  request_done_ = true;
  switch (phase_) {
    case Phase::Sent:
      link_.send_request_end(end);
      return finish_if_done(now);
    case Phase::Collecting:
      request_held_.end(end);
      aws::read_body(as_text(request_held_.all().content), facts_->call);
      return decide_request(now);
    case Phase::Held:
      return request_held_.end(end);
    case Phase::Answering:
      if (!response_) answer(now);
  }
}

void Exchange::decide_request(Time now) {
  phase_ = Phase::Held;
  if (!rules_->empty()) {
    Subject subject(*link_.flow(), *facts_, &*request_, nullptr);
    plan_ = rules_->plan(subject, match::Moment::Request, facts_->call, *request_, now);
    note(plan_);
    if (plan_.delay_ns > 0) {
      wait_until_ns_ = now.steady_ns + plan_.delay_ns;
      return;
    }
  }
  carry_out_request(now);
}

void Exchange::carry_out_request(Time now) {
  if (plan_.abort) return finish(ExchangeEnd::Aborted, {}, Ending::Reset, now);
  plan_.request_headers.apply(*request_);
  if (!plan_.respond) return send_request(now);

  phase_ = Phase::Answering;
  request_held_.clear();
  // With "Expect: 100-continue" the answer comes in place of the 100, and the body will not be sent; whoever sends it
  // all the same finds the connection closing (RFC 9110 section 10.1.1).
  bool never_sent = !request_done_ && request_->has("expect");
  if (never_sent) link_.close_after();
  if (never_sent || request_done_) answer(now);
}

void Exchange::send_request(Time now) {
  if (!link_.need_upstream(nullptr)) return;
  phase_ = Phase::Sent;
  facts_->request_sent = now;
  link_.send_request_head(*request_, {});
  if (!request_held_.empty()) link_.send_request_body(request_held_.all());
  if (request_done_) link_.send_request_end(request_held_.ending());
  request_held_.clear();
}

void Exchange::on_upstream_ready(Time now) {
  if (!ending_ && phase_ == Phase::Held && !wait_until_ns_) send_request(now);
}

void Exchange::on_upstream_failed(std::string why, Time now) {
  if (!ending_ && phase_ == Phase::Held) fail_request(std::move(why), now);
}

void Exchange::fail_request(std::string why, Time now) {
  if (!error_page_) return finish(ExchangeEnd::UpstreamFailed, std::move(why), Ending::Reset, now);
  answer_plainly(502, "waylay could not reach the upstream: " + why);
  finish(ExchangeEnd::UpstreamFailed, std::move(why), Ending::Close, now);
}

// Bytes that are not a request two readers would understand alike never go upstream; what went before them is void.
void Exchange::on_request_failed(std::string why, Time now) {
  if (ending_) return;
  bool can_answer = !response_sent_;
  if (can_answer) answer_plainly(400, "waylay refused this request: " + why);
  if (phase_ == Phase::Sent) link_.reset_upstream();
  finish(ExchangeEnd::Refused, std::move(why), can_answer ? Ending::Close : Ending::Reset, now);
}

void Exchange::on_client_gone(std::string why, Time now) {
  if (!ending_) finish(ExchangeEnd::ClientGone, std::move(why), Ending::Reset, now);
}

bool Exchange::wants_request() const {
  return !ending_ && !request_done_ && phase_ != Phase::Held;
}

// --- Time ---

void Exchange::on_writable(Time) {}

void Exchange::on_time(Time now) {
  if (ending_) return;
  if (drop_until_ns_ && *drop_until_ns_ <= now.steady_ns) return drop_rest_of_response(now);
  if (!wait_until_ns_ || *wait_until_ns_ > now.steady_ns) return;
  wait_until_ns_.reset();
  return response_waits_ ? carry_out_response(now) : carry_out_request(now);
}

std::optional<int64_t> Exchange::deadline_ns() const {
  return wait_until_ns_ ? wait_until_ns_ : drop_until_ns_;
}

// --- The end ---

void Exchange::note(const rules::Plan& plan) {
  for (const rules::Applied& applied : plan.applied)
    facts_->applied.push_back({applied.rule, applied.what, applied.injected});
}

void Exchange::finish_if_done(Time now) {
  if (!ending_ && request_done_ && response_done_) finish(ExchangeEnd::Complete, {}, Ending::GoOn, now);
}

void Exchange::finish(ExchangeEnd end, std::string error, Ending ending, Time now) {
  ending_ = ending;
  facts_->flow = link_.flow();
  facts_->ended = now;
  facts_->end = end;
  facts_->error = std::move(error);
  if (request_) {
    redact(*request_);
    facts_->target = std::string(request_->target());
    facts_->request = std::move(request_);
  }
  if (response_ && response_sent_) {
    redact(*response_);
    facts_->response = std::move(response_);
  }
  recorder_.exchange_ended(std::move(facts_));
}

}  // namespace waylay::flow
