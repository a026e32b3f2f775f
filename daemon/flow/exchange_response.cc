// The response's half of an exchange: the upstream's, edited or replaced, or our own in its stead.
//
//     head ──> rules ──> (delay) ──┬──> sent
//                                  ├──> (collect ──> rules ──> (delay)) ──> sent
//                                  └──> ours, sent; the upstream's is dropped
#include <array>

#include "body/message_body.h"
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

}  // namespace

void Exchange::on_informational(const http::Head& head, Time) {
  bool is_said = head.status() == 100 && continued_;
  if (!ending_ && !is_stalled() && !is_said) link_.send_informational(head);
}

void Exchange::on_response_head(http::Head head, const http::BodyLength& body, Time now) {
  if (ending_) return;
  response_ = std::move(head);
  response_length_ = body;
  if (grpc_) grpc_->on_response_head(*response_);
  facts_->upstream_status = response_->status();
  facts_->response_started = now;
  decide_response(now);
}

void Exchange::on_response_body(const BodyPart& part, Time now) {
  if (ending_) return;
  if (grpc_) grpc_->on_response_body(part.content, now);
  if (drop_response_) {
    dropped_ += part.wire.size();
    if (dropped_ > kMostDropped) drop_rest_of_response(now);
    return;
  }
  if (!response_sent_) {
    response_held_.append(part);
    if (collects_response_ && response_held_.size() > kMostCollected)
      leave_response_alone("the response's body is larger than 16 MiB: forwarded without the rules that need it", now);
    return;
  }
  send_content(part, now);
}

void Exchange::on_response_end(const BodyEnd& end, Time now) {
  if (ending_) return;
  response_done_ = true;
  if (drop_response_) return finish_if_done(now);
  if (response_sent_ && !response_pace_) return end_response(end, now);
  response_held_.end(end);
  if (collects_response_) return response_collected(now);
  if (response_sent_) flow_response(now);
}

bool Exchange::wants_response() const {
  if (ending_ || phase_ != Phase::Sent || response_waits() || response_done_) return false;
  return !response_pace_ || !response_pace_->is_full() || drop_response_;
}

// Our own answer in the upstream's place: what rules say of responses holds for it too.
void Exchange::answer(Time now) {
  response_done_ = true;
  decide_response(now);
}

void Exchange::decide_response(Time now) {
  plan_.reset();
  body_plan_.reset();
  if (rules_->empty()) return send_response(now);
  Subject subject(*link_.flow(), *facts_, &*request_, &*response_);
  subject.set_bodies(request_content_.get(), nullptr);
  if (!rules_->may_want(subject, match::Moment::Response)) return send_response(now);
  plan_ = std::make_unique<rules::Plan>(rules_->plan(subject, match::Moment::Response, facts_->call, *request_, now));
  note(*plan_);
  if (!wait(plan_->delay_ns, Wait::Response, now)) carry_out_response(now);
}

void Exchange::carry_out_response(Time now) {
  if (plan_->abort && !plan_->abort->needs_response()) return break_off(*plan_->abort, now);
  if (plan_->respond) {
    replace_response(*plan_->respond, now);
  } else {
    if (needs_response_body(now)) return collect_response(now);
    edit_response(*plan_, now);
  }
  send_response(now);
}

bool Exchange::needs_response_body(Time now) const {
  if (plan_->handler) return true;
  if (!plan_->response_body.empty()) return true;
  Subject subject(*link_.flow(), *facts_, &*request_, &*response_);
  subject.set_bodies(request_content_.get(), nullptr);
  return rules_->wants_body(subject, match::Moment::ResponseBody, now);
}

void Exchange::collect_response(Time now) {
  std::string_view why = body::why_not_collected(*response_);
  if (response_length_.type == Length::Tunnel) why = "another protocol follows";
  if (!why.empty() && !own_body_)
    return leave_response_alone("the response's body was not collected: " + std::string(why), now);
  if (own_body_ || response_done_) return response_collected(now);
  collects_response_ = true;
  collect_until_ns_ = now.steady_ns + kLongestCollecting_ns;
}

void Exchange::response_collected(Time now) {
  collects_response_ = false;
  collect_until_ns_.reset();
  response_content_ = decoded(*response_, as_text(response_body()), facts_->notes);
  Subject subject(*link_.flow(), *facts_, &*request_, &*response_);
  subject.set_bodies(request_content_.get(), response_content_.get());
  body_plan_ =
      std::make_unique<rules::Plan>(rules_->plan(subject, match::Moment::ResponseBody, facts_->call, *request_, now));
  note(*body_plan_);
  if (!wait(body_plan_->delay_ns, Wait::ResponseBody, now)) carry_out_response_body(now);
}

void Exchange::carry_out_response_body(Time now) {
  if (body_plan_->abort && !body_plan_->abort->needs_response()) return break_off(*body_plan_->abort, now);
  if (wanted_handler()) return call_handler(Wait::ResponseHandler, now);
  if (body_plan_->respond) {
    replace_response(*body_plan_->respond, now);
    return send_response(now);
  }
  apply_response_plans(now);
}

// Of a body that was not collected nothing is edited.
void Exchange::apply_response_plans(Time now) {
  if (body_plan_) edit_response_body();  // first: what a rule says of ETag or Content-Encoding holds
  edit_response(*plan_, now);
  if (body_plan_) edit_response(*body_plan_, now);
  send_response(now);
}

void Exchange::edit_response_body() {
  BodyEditor editor(BodyEditor::Of::Response, std::array{plan_.get(), body_plan_.get()});
  if (editor.empty() || !response_has_body()) return;
  std::optional<std::string> changed = editor.edit(*response_, response_held_.trailers(), response_content_.get(),
                                                   as_text(response_body()), facts_->notes);
  if (changed) own_body_ = std::move(changed);
}

Bytes Exchange::response_body() const {
  return own_body_ ? as_bytes(*own_body_) : response_held_.all().content;
}

void Exchange::leave_response_alone(std::string why, Time now) {
  collects_response_ = false;
  collect_until_ns_.reset();
  if (plan_->handler) return handler_failed(std::move(why), Wait::ResponseHandler, now);
  note(std::move(why));
  edit_response(*plan_, now);
  send_response(now);
}

void Exchange::replace_response(const rules::Response& response, Time now) {
  pace_.add(body_plan_ ? body_plan_->pace : plan_->pace);
  if (!own_body_) drop_upstreams_body(now);
  take_own(response);
}

void Exchange::edit_response(rules::Plan& plan, Time now) {
  pace_.add(plan.pace);
  if (plan.abort) abort_ = plan.abort;
  if (plan.status) {
    response_->set_status(*plan.status);
    response_->set_reason(plan.reason ? *plan.reason : http::default_reason(*plan.status));
    if (!own_body_) fit_body_to_status(now);
  } else if (plan.reason) {
    response_->set_reason(*plan.reason);
  }
  plan.response_headers.apply(*response_);
}

// A status decides with the framing fields whether a body follows (RFC 9112 section 6.3, rules 1 and 8): a new status
// must not change where the message ends.
void Exchange::fit_body_to_status(Time now) {
  bool is_tunnel = response_length_.type == Length::Tunnel;  // the upstream now speaks another protocol
  bool had_none = http::forbids_body(facts_->upstream_status) && request_->method() != "HEAD";
  if (!is_tunnel && !had_none && !http::forbids_body(response_->status())) return;
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
  if (response_done_) return;
  response_done_ = ends_connection || too_long;
  if (response_done_) return link_.close_after();
  drop_until_ns_ = now.steady_ns + kLongestDrop_ns;
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

rules::Response Exchange::plain_text(int status, std::string_view text) {
  rules::Response response;
  response.status = status;
  response.reason = http::default_reason(status);
  response.fields = {{"Content-Type", "text/plain; charset=utf-8"}, {"Server", "waylay"}};
  response.body = std::string(text) + "\n";
  return response;
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

}  // namespace waylay::flow
