// One rule: when it matches, what it does, how often. Immutable but for its counter, which all threads share.
//
//     {
//       "name": "slow-s3",                        letters, digits and . _ - : / @ +, at most 64
//       "match": "aws.service == \"s3\"",         the expression language; "" matches everything
//       "status": 429, "reason": "Slow Down",     of the response; without a reason, the status code's usual one
//       "headers": {"set": {}, "add": {}, "remove": []},          of the response
//       "request_headers": {"set": {}, "add": {}, "remove": []},  of the request, before it goes upstream
//       "delay": "200ms",
//       "respond": {"status": 200, "reason": "OK", "headers": {}, "body": "text" or "body_base64": "..."},
//       "abort": "rst",
//       "fault": "aws:slowdown",                  aws/fault.h
//       "times": 2,                               then it acts no more; exact over all threads
//       "enabled": true, "comment": "why"
//     }
//
// A rule acts at one moment, acts_at(): at the request's head or the response's (rule_set.h says which).
#pragma once

#include <atomic>

#include "rules/rule_set.h"

namespace waylay::rules {

struct Actions {
  std::optional<int> status;
  std::optional<std::string> reason;
  HeaderEdits response_headers, request_headers;
  int64_t delay_ns = 0;
  std::string delay_text;  // as it was written
  std::optional<Response> respond;
  bool abort = false;
  std::string fault;  // "": none

  bool answers() const { return respond || abort || !fault.empty(); }  // ends the list of rules
  bool rewrites_response() const { return status || reason || (fault.empty() && !response_headers.empty()); }
  bool empty() const {
    return !answers() && !rewrites_response() && response_headers.empty() && request_headers.empty() && delay_ns == 0;
  }
};

class Rule {
 public:
  // `text` is the rule's JSON on one line: two rules with the same name and text are the same rule, and share a
  // counter.
  struct Parts {
    std::string name, comment, origin, text;
    match::Expression match;
    Actions actions;
    std::optional<uint64_t> times;
    bool enabled = true;
  };
  explicit Rule(Parts parts);

  const std::string& name() const { return parts_.name; }
  const std::string& origin() const { return parts_.origin; }
  const std::string& text() const { return parts_.text; }
  const match::Expression& match() const { return parts_.match; }
  const Actions& actions() const { return parts_.actions; }
  bool enabled() const { return parts_.enabled; }
  match::Moment acts_at() const { return acts_at_; }

  // Counts one use; false when its limit is reached, and then nothing is counted.
  bool take() const;
  bool exhausted() const { return left() == 0; }
  uint64_t hits() const { return counter_->load(std::memory_order_relaxed); }
  std::optional<uint64_t> left() const;  // nothing: no limit

  // Goes on counting where `former`, the same rule in an older set, is. Before the rule is published only.
  void adopt_counter(const Rule& former) { counter_ = former.counter_; }

  // Adds what this rule wants to `plan`. `call` and `request` shape a fault.
  void apply(Plan& plan, const aws::Call& call, const http::Head& request, Time time) const;

 private:
  void apply_fault(Plan& plan, const aws::Call& call, const http::Head& request, Time time) const;

  Parts parts_;
  match::Moment acts_at_;
  std::string what_;  // "delay 200ms, status 429"
  bool injects_;
  std::shared_ptr<std::atomic<uint64_t>> counter_ = std::make_shared<std::atomic<uint64_t>>(0);
};

}  // namespace waylay::rules
