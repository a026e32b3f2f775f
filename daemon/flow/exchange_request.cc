// The request's half of an exchange.
//
//     head ──> (form) ──> rules ──> (delay) ──┬──> upstream ──> sent
//                                             ├──> (collect ──> rules ──> (delay)) ──> upstream ──> sent
//                                             └──> our own answer
#include <array>

#include "aws/body.h"
#include "body/message_body.h"
#include "flow/exchange.h"
#include "flow/subject.h"

namespace waylay::flow {
namespace {

bool answers(const rules::Plan& plan) {
  return plan.respond || (plan.abort && !plan.abort->needs_response());
}

// Host as a client would write it; an https port is left out.
std::string authority(const rules::Redirect& to) {
  std::string host = to.host.find(':') == std::string::npos ? to.host : "[" + to.host + "]";
  return to.port == 0 || to.port == 443 ? host : host + ":" + std::to_string(to.port);
}

}  // namespace

void Exchange::on_request_head(http::Head head, const http::BodyLength& body, Time now) {
  request_ = std::move(head);
  request_length_ = body;
  facts_->host = http::request_host(*request_);
  facts_->call = aws::classify(*request_, facts_->host);
  if (body.type != http::BodyLength::Type::None) grpc_ = GrpcCall::of(*request_);
  bool small = body.type == http::BodyLength::Type::Fixed && body.fixed <= kMaximumTelling;
  if (small && !request_->has("expect") && aws::is_told_by_body(*request_, facts_->call)) {
    phase_ = Phase::Collecting;
    return;
  }
  decide_request(now);
}

void Exchange::on_request_body(const BodyPart& part, Time now) {
  if (ending_) return;
  facts_->request_body += part.content.size();
  if (grpc_) grpc_->on_request_body(part.content, now);
  switch (phase_) {
    case Phase::Sent:
      if (!request_pace_) return link_.send_request_body(part);
      request_pace_->append(part.content, 0, now);
      return flow_request(now);
    case Phase::Collecting:
    case Phase::Held:
      return hold_request(part, now);
    case Phase::Answering:
      return;
  }
}

void Exchange::on_request_end(const BodyEnd& end, Time now) {
  if (ending_) return;
  request_done_ = true;
  switch (phase_) {
    case Phase::Sent:
      if (request_pace_) {
        request_held_.end(end);
        return flow_request(now);
      }
      link_.send_request_end(end);
      request_out_ = true;
      return finish_if_done(now);
    case Phase::Collecting:
      request_held_.end(end);
      return request_collected(now);
    case Phase::Held:
      return request_held_.end(end);
    case Phase::Answering:
      if (!response_done_) answer(now);
  }
}

void Exchange::hold_request(const BodyPart& part, Time now) {
  request_held_.append(part);
  if (phase_ == Phase::Collecting && request_held_.size() > kMostCollected)
    leave_request_alone("the request's body is larger than 16 MiB: sent without the rules that need it", now);
}

// All of the body is here: what it tells of an AWS call first, then what rules ask of it.
void Exchange::request_collected(Time now) {
  collect_until_ns_.reset();
  if (!plan_) {
    aws::read_body(as_text(request_held_.all().content), facts_->call);
    return decide_request(now);
  }
  phase_ = Phase::Held;
  request_content_ = decoded(*request_, as_text(request_held_.all().content), facts_->notes);
  Subject subject(*link_.flow(), *facts_, &*request_, nullptr);
  subject.set_bodies(request_content_.get(), nullptr);
  body_plan_ =
      std::make_unique<rules::Plan>(rules_->plan(subject, match::Moment::RequestBody, facts_->call, *request_, now));
  note(*body_plan_);
  if (!wait(body_plan_->delay_ns, Wait::RequestBody, now)) carry_out_request_body(now);
}

void Exchange::decide_request(Time now) {
  phase_ = Phase::Held;
  if (rules_->empty()) return send_request(now);
  Subject subject(*link_.flow(), *facts_, &*request_, nullptr);
  if (!rules_->may_want(subject, match::Moment::Request)) return send_request(now);
  plan_ = std::make_unique<rules::Plan>(rules_->plan(subject, match::Moment::Request, facts_->call, *request_, now));
  note(*plan_);
  if (!wait(plan_->delay_ns, Wait::Request, now)) carry_out_request(now);
}

void Exchange::carry_out_request(Time now) {
  if (answers(*plan_)) return answer_request(*plan_, now);
  if (needs_request_body(now)) return collect_request(now);
  release_request(now);
}

bool Exchange::needs_request_body(Time now) const {
  if (plan_->handler) return true;
  if (!plan_->request_body.empty() && request_length_.type != http::BodyLength::Type::None) return true;
  Subject subject(*link_.flow(), *facts_, &*request_, nullptr);
  return rules_->wants_body(subject, match::Moment::RequestBody, now);
}

// A client that waits for "100 Continue" would wait for ever: it is told by us.
void Exchange::collect_request(Time now) {
  if (std::string_view why = body::why_not_collected(*request_); !why.empty())
    return leave_request_alone("the request's body was not collected: " + std::string(why), now);
  phase_ = Phase::Collecting;
  if (request_done_) return request_collected(now);
  collect_until_ns_ = now.steady_ns + kLongestCollecting_ns;
  if (!request_->has_token("expect", "100-continue") || !request_held_.empty()) return;
  continued_ = true;
  link_.send_informational(http::Head::response(100, "Continue"));
}

void Exchange::leave_request_alone(std::string why, Time now) {
  collect_until_ns_.reset();
  phase_ = Phase::Held;
  if (!plan_) return decide_request(now);  // cannot be: these are small
  plan_->request_body.clear();
  if (plan_->handler) return handler_failed(std::move(why), Wait::RequestHandler, now);
  note(std::move(why));
  release_request(now);
}

void Exchange::carry_out_request_body(Time now) {
  if (wanted_handler()) return call_handler(Wait::RequestHandler, now);
  if (answers(*body_plan_)) return answer_request(*body_plan_, now);
  release_request(now);
}

void Exchange::answer_request(rules::Plan& plan, Time now) {
  if (plan.abort) return break_off(*plan.abort, now);
  phase_ = Phase::Answering;
  request_held_.clear();
  pace_.add(plan.pace);
  take_own(*plan.respond);
  // With "Expect: 100-continue" the answer comes in place of the 100, and the body will not be sent; whoever sends it
  // all the same finds the connection closing (RFC 9110 section 10.1.1).
  bool never_sent = !request_done_ && !continued_ && request_->has("expect");
  if (never_sent) link_.close_after();
  if (never_sent || request_done_) answer(now);
}

void Exchange::release_request(Time now) {
  edit_request();
  send_request(now);
}

void Exchange::edit_request() {
  std::array plans{plan_.get(), body_plan_.get()};
  BodyEditor editor(BodyEditor::Of::Request, plans);
  bool has_body = request_length_.type != http::BodyLength::Type::None;
  if (!editor.empty() && has_body)  // first: what a rule says of the body in headers holds
    own_request_body_ = editor.edit(*request_, request_held_.trailers(), request_content_.get(),
                                    as_text(request_held_.all().content), facts_->notes);
  for (rules::Plan* plan : plans) {
    if (!plan) continue;
    plan->request_headers.apply(*request_);
    pace_.add(plan->pace);
    if (plan->upstream) elsewhere_ = std::move(plan->upstream);
  }
  if (elsewhere_ && elsewhere_->rewrite_host) request_->set("Host", authority(*elsewhere_));
}

void Exchange::send_request(Time now) {
  if (!link_.need_upstream(elsewhere_ ? &*elsewhere_ : nullptr)) return;
  phase_ = Phase::Sent;
  facts_->request_sent = now;
  Framing framing;
  if (pace_.up > 0) {
    request_pace_ = std::make_unique<PacedBody>(pace_.up);
    // Slices are not the chunks that came.
    if (request_length_.type == http::BodyLength::Type::Chunked) framing.type = Framing::Type::Unknown;
  }
  if (own_request_body_) framing = own_framing(own_request_body_->size(), request_held_.trailers());
  link_.send_request_head(*request_, framing);

  BodyPart held = request_held_.all();
  if (own_request_body_) held = {as_bytes(*own_request_body_), as_bytes(*own_request_body_)};
  if (request_pace_) {
    request_pace_->append(held.content, 0, now);
    if (!own_request_body_) request_held_.clear_content();
    return flow_request(now);
  }
  if (!held.wire.empty()) link_.send_request_body(held);
  if (request_done_) link_.send_request_end(request_held_.ending());
  request_out_ = request_done_;
  request_held_.clear();
}

void Exchange::flow_request(Time now) {
  while (!is_stalled() && !link_.upstream_is_behind()) {
    Bytes slice = request_pace_->next(now);
    if (slice.empty()) break;
    link_.send_request_body({slice, slice});
    request_pace_->sent(slice.size(), now);
  }
  if (!request_done_ || request_out_ || !request_pace_->empty()) return;
  link_.send_request_end(request_held_.ending());
  request_out_ = true;
  finish_if_done(now);
}

void Exchange::on_upstream_ready(Time now) {
  if (!ending_ && phase_ == Phase::Held && wait_ == Wait::None) send_request(now);
}

void Exchange::on_upstream_failed(std::string why, Time now) {
  if (ending_ || phase_ != Phase::Held) return;
  if (is_stalled()) return finish(ExchangeEnd::Aborted, {}, Ending::Reset, now);
  fail_request(std::move(why), now);
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

bool Exchange::wants_request() const {
  if (ending_ || request_done_ || phase_ == Phase::Held || is_stalled()) return false;
  return !request_pace_ || !request_pace_->is_full();
}

}  // namespace waylay::flow
