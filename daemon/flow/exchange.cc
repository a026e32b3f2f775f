#include "flow/exchange.h"

#include <algorithm>

#include "flow/redact.h"

namespace waylay::flow {

Exchange::Exchange(Link& link, Context context, Time now)
    : link_(link),
      id_(context.id),
      recorder_(context.recorder),
      error_page_(context.error_page),
      rules_(std::move(context.rules)) {
  facts_->id = context.id;
  facts_->started = now;
  facts_->rules_version = rules_->version();
}

Exchange::~Exchange() = default;

// --- Ends that come from outside ---

void Exchange::on_client_gone(std::string why, Time now) {
  if (ending_) return;
  if (is_stalled()) return finish(ExchangeEnd::Aborted, std::move(why), Ending::Reset, now);
  finish(ExchangeEnd::ClientGone, std::move(why), Ending::Reset, now);
}

// What the upstream's end means is what the client gets: a reset is a reset, a truncation a truncation.
void Exchange::on_upstream_gone(Ending mirrored, bool answering, std::optional<Error> error, Time now) {
  if (ending_) return;
  if (is_stalled()) return finish(ExchangeEnd::Aborted, {}, Ending::Reset, now);
  if (response_done_ || drop_response_) {  // the client has an answer, which a reset could destroy
    response_done_ = true;
    upstream_gone_ = mirrored == Ending::Reset ? Ending::Cut : mirrored;
    return finish_if_done(now);
  }
  if (collects_response_) leave_response_alone("the response ended before its body was complete", now);
  if (ending_) return;
  answering = answering || response_;
  std::string why = error       ? std::move(error->message)
                    : answering ? "the upstream's response was cut short"
                                : "the upstream closed the connection without an answer";
  if (response_pace_ && !response_pace_->empty() && mirrored != Ending::Reset) {
    truncation_ = {std::move(why), mirrored};
    return;
  }
  finish(answering ? ExchangeEnd::Truncated : ExchangeEnd::UpstreamFailed, std::move(why), mirrored, now);
}

// --- Time and room ---

// True if the delay is to be waited for: what comes after it is done by on_time.
bool Exchange::wait(int64_t delay_ns, Wait what, Time now) {
  if (delay_ns <= 0) return false;
  wait_ = what;
  wait_until_ns_ = now.steady_ns + delay_ns;
  return true;
}

void Exchange::on_time(Time now) {
  if (!ending_ && drop_until_ns_ && *drop_until_ns_ <= now.steady_ns) drop_rest_of_response(now);
  if (!ending_ && collect_until_ns_ && *collect_until_ns_ <= now.steady_ns) {
    std::string why = "a body took too long to come: forwarded without the rules that need it";
    phase_ == Phase::Collecting ? leave_request_alone(std::move(why), now) : leave_response_alone(std::move(why), now);
  }
  on_writable(now);
  if (ending_ || wait_ == Wait::None || wait_until_ns_ > now.steady_ns) return;
  switch (std::exchange(wait_, Wait::None)) {
    case Wait::Request:
      return carry_out_request(now);
    case Wait::RequestBody:
      return carry_out_request_body(now);
    case Wait::Response:
      return carry_out_response(now);
    case Wait::ResponseBody:
      return carry_out_response_body(now);
    case Wait::Stall:
      return finish(ExchangeEnd::Aborted, {}, Ending::Reset, now);
    case Wait::RequestHandler:  // these wait for ever, and no rule's time is over
    case Wait::ResponseHandler:
    case Wait::None:
      return;
  }
}

void Exchange::on_writable(Time now) {
  if (!ending_ && request_pace_) flow_request(now);
  if (!ending_ && response_pace_) flow_response(now);
}

std::optional<int64_t> Exchange::deadline_ns() const {
  std::optional<int64_t> first;
  auto not_later_than = [&](std::optional<int64_t> limit_ns) {
    if (limit_ns) first = std::min(first.value_or(*limit_ns), *limit_ns);
  };
  if (wait_ != Wait::None && wait_until_ns_ != kForEver_ns) first = wait_until_ns_;
  not_later_than(drop_until_ns_);
  not_later_than(collect_until_ns_);
  // For a side that is behind, room is waited for.
  if (request_pace_ && !is_stalled() && !link_.upstream_is_behind()) not_later_than(request_pace_->next_ns());
  if (response_pace_ && !is_stalled() && !link_.client_is_behind()) not_later_than(response_pace_->next_ns());
  return first;
}

size_t Exchange::request_held() const {
  return request_held_.size() + (request_pace_ ? request_pace_->size() : 0);
}
size_t Exchange::response_held() const {
  return response_held_.size() + (response_pace_ ? response_pace_->size() : 0);
}

// --- The end ---

void Exchange::break_off(const rules::Abort& abort, Time now) {
  using How = rules::Abort::How;
  switch (abort.how) {
    case How::Reset:
      return finish(ExchangeEnd::Aborted, {}, Ending::Reset, now);
    case How::Close:
      return finish(ExchangeEnd::Aborted, {}, Ending::Fin, now);
    case How::BadChunk:
      return finish(ExchangeEnd::Aborted, {}, Ending::BadFraming, now);
    case How::WrongLength:
      link_.send_response_end({});
      return finish(ExchangeEnd::Aborted, {}, Ending::Close, now);
    case How::GoAway:
      return finish(ExchangeEnd::Aborted, {}, Ending::GoAway, now);
    case How::Stall:
      wait_ = Wait::Stall;
      wait_until_ns_ = abort.for_ns ? now.steady_ns + *abort.for_ns : kForEver_ns;
      return;
  }
}

void Exchange::note(const rules::Plan& plan) {
  for (const rules::Applied& applied : plan.applied)
    facts_->applied.push_back({applied.rule, applied.what, applied.injected});
  keep_messages_ = std::max(keep_messages_, plan.keep_messages);
}

// What is left of the request when we answer in the upstream's place is nobody's.
void Exchange::finish_if_done(Time now) {
  if (ending_ || !response_out_) return;
  bool goes_away = abort_ && abort_->how == rules::Abort::How::GoAway;
  if (phase_ == Phase::Answering || (request_out_ && response_done_))
    return finish(ExchangeEnd::Complete, {}, goes_away ? Ending::GoAway : upstream_gone_.value_or(Ending::GoOn), now);
  if (!upstream_gone_) return;
  std::string why = request_out_ ? "" : "the upstream closed the connection before the request's end";
  finish(ExchangeEnd::Complete, std::move(why), *upstream_gone_, now);
}

void Exchange::finish(ExchangeEnd end, std::string error, Ending ending, Time now) {
  ending_ = ending;
  if (calling_) {
    link_.cancel_handler(id_);
    leave_handler(rules::HandlerGate::Outcome::Abandoned, now);
  }
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
  if (grpc_) facts_->conversation = grpc_->take();
  if (ending == Ending::Tunnel) facts_->conversation = Tunnel::conversation_of(*facts_, link_.tunnel_protocol());
  recorder_.exchange_ended(*facts_);
  if (ending == Ending::Tunnel) tunnel_ = std::make_unique<Tunnel>(std::move(facts_), recorder_, keep_messages_);
}

}  // namespace waylay::flow
