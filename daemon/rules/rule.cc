#include "rules/rule.h"

#include <algorithm>
#include <atomic>

#include "aws/fault.h"
#include "base/check.h"

namespace waylay::rules {
namespace {

match::Moment moment_of(const Rule::Parts& parts) {
  match::Moment needed = parts.actions.rewrites_response() ? match::Moment::Response : match::Moment::Request;
  return std::max(needed, parts.match.known_at());
}

std::string describe(const Actions& actions) {
  std::string text;
  auto say = [&text](std::string_view what) { text.append(text.empty() ? "" : ", ").append(what); };
  if (actions.delay_ns > 0) say("delay " + actions.delay_text);
  if (!actions.request_headers.empty()) say("request headers");
  if (actions.status) say("status " + std::to_string(*actions.status));
  if (actions.reason && !actions.status) say("reason " + *actions.reason);
  if (actions.respond) say("respond " + std::to_string(actions.respond->status));
  if (!actions.fault.empty()) say("fault " + actions.fault);
  if (!actions.response_headers.empty()) say("headers");
  if (actions.abort) say("abort");
  return text;
}

void append(HeaderEdits& to, const HeaderEdits& edits) {
  to.set.insert(to.set.end(), edits.set.begin(), edits.set.end());
  to.add.insert(to.add.end(), edits.add.begin(), edits.add.end());
  to.remove.insert(to.remove.end(), edits.remove.begin(), edits.remove.end());
}

uint64_t next_fault_id() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Rule::Rule(Parts parts)
    : parts_(std::move(parts)),
      acts_at_(moment_of(parts_)),
      what_(describe(parts_.actions)),
      tally_(std::make_shared<Tally>(parts_.limits, Time{})) {}

void Rule::apply(Plan& plan, const aws::Call& call, const http::Head& request, Time time) const {
  const Actions& actions = parts_.actions;
  if (actions.answers()) {  // there is no response of the upstream's to rewrite
    plan.status.reset();
    plan.reason.reset();
    plan.response_headers = {};
  }
  plan.applied.push_back({name(), what_, actions.injects()});
  plan.delay_ns += actions.delay_ns;
  append(plan.request_headers, actions.request_headers);
  if (actions.status) {
    plan.status = actions.status;
    plan.reason = actions.reason ? *actions.reason : std::string(http::default_reason(*actions.status));
  } else if (actions.reason) {
    plan.reason = actions.reason;
  }
  if (actions.abort) plan.abort = true;
  if (!actions.fault.empty()) return apply_fault(plan, call, request, time);
  if (actions.respond) {
    plan.respond = actions.respond;
    if (request.method() == "HEAD") plan.respond->body.clear();
  }
  append(plan.response_headers, actions.response_headers);
}

void Rule::apply_fault(Plan& plan, const aws::Call& call, const http::Head& request, Time time) const {
  Result<aws::Answer> answer = aws::make_fault(parts_.actions.fault, call, request, time, next_fault_id());
  CHECK(answer);  // the name was checked when the rule was loaded
  Response response{answer->status, std::move(answer->reason), std::move(answer->fields), std::move(answer->body)};
  parts_.actions.response_headers.apply(response.fields);
  plan.respond = std::move(response);
}

}  // namespace waylay::rules
