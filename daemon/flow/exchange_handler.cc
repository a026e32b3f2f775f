// A rule's handler in the midst of an exchange: both messages that it is told are held whole until it has answered.
//
//     request or response collected ──> event ──> answer ──┬──> its response goes to the client
//                                                          ├──> null, or a failure that lets through: as without it
//                                                          └──> another failure: 502 with the reason
#include "body/content.h"
#include "flow/exchange.h"
#include "hook/event.h"

namespace waylay::flow {
namespace {

using Left = rules::HandlerGate::Outcome;

// A handler reads text, not gzip: where a body could be decoded, its event says nothing of the coding.
struct Told {
  http::Head head;
  std::string_view body;

  Told(const http::Head& from, const body::Content* content, Bytes raw) : head(from), body(as_text(raw)) {
    if (!content) return;
    body = content->text();
    head.remove("content-encoding");
  }
  hook::Message message() const { return {head, body}; }
};

hook::Origin origin_of(const FlowFacts& flow, const ExchangeFacts& exchange, const http::Head& request) {
  hook::Origin origin;
  origin.exchange = exchange.id;
  origin.wall_ns = exchange.started.wall_ns;
  origin.host = exchange.host;
  origin.protocol = request.version();
  origin.source_ip = flow.client.ip_text();
  origin.container_id = flow.owner.container_id;
  origin.container_name = flow.owner.container_name;
  origin.container_image = flow.owner.container_image;
  origin.pid = flow.owner.pid;
  origin.process = flow.owner.comm;
  origin.executable = flow.owner.exe;
  return origin;
}

}  // namespace

const std::shared_ptr<const rules::Handler>& Exchange::wanted_handler() const {
  return plan_->handler ? plan_->handler : body_plan_->handler;
}

void Exchange::call_handler(Wait wait, Time now) {
  const std::shared_ptr<const rules::Handler>& handler = wanted_handler();
  std::string event = handler_event(wait);
  if (event.size() > hook::kMostEvent)
    return handler_failed("the exchange is too large for a handler, which takes events of 6 MiB", wait, now);
  switch (handler->gate->enter(now)) {
    case rules::HandlerGate::Entry::Granted:
      break;
    case rules::HandlerGate::Entry::Busy:
      return handler_failed("the handler has " + std::to_string(handler->concurrency) + " calls to answer already",
                            wait, now);
    case rules::HandlerGate::Entry::Broken:
      return handler_failed("the handler failed " + std::to_string(handler->breaker_failures) +
                                " times in a row and is spared for a while",
                            wait, now);
  }
  calling_ = handler;
  wait_ = wait;
  wait_until_ns_ = kForEver_ns;  // the call has a time-out of its own
  link_.call_handler(id_, handler, std::move(event));
}

std::string Exchange::handler_event(Wait wait) const {
  hook::Origin origin = origin_of(*link_.flow(), *facts_, *request_);
  Told request(*request_, request_content_.get(), request_held_.all().content);
  if (wait == Wait::RequestHandler) return hook::make_event(origin, request.message());
  Told response(*response_, response_content_.get(), response_body());
  hook::Message answered = response.message();
  return hook::make_event(origin, request.message(), &answered);
}

void Exchange::on_handler_answer(Result<hook::Answer> answer, Time now) {
  if (ending_ || !calling_) return;
  leave_handler(answer ? Left::Success : Left::Failure, now);
  Wait wait = std::exchange(wait_, Wait::None);
  if (!answer) return handler_failed(std::move(answer.error().message), wait, now);
  go_on(std::move(*answer), wait, now);
}

void Exchange::leave_handler(rules::HandlerGate::Outcome outcome, Time now) {
  std::exchange(calling_, nullptr)->gate->leave(outcome, now);
}

void Exchange::handler_failed(std::string why, Wait wait, Time now) {
  const rules::Handler& handler = body_plan_ ? *wanted_handler() : *plan_->handler;
  hook::Answer answer;
  if (!handler.fail_open) answer = plain_text(502, why);
  note(std::move(why));
  go_on(std::move(answer), wait, now);
}

void Exchange::go_on(hook::Answer answer, Wait wait, Time now) {
  if (wait == Wait::RequestHandler) {
    if (!answer) return release_request(now);
    plan_->respond = std::move(answer);
    return answer_request(*plan_, now);
  }
  if (!answer) return apply_response_plans(now);
  replace_response(*answer, now);
  send_response(now);
}

}  // namespace waylay::flow
