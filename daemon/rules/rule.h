// One rule: when it matches, what it does, how often. Immutable but for its tally, which all threads share.
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
//       "attempts": "1-2",                        of an SDK's invocation; or 3
//       "for": "10m",                             or "forever"; 1h for what makes something go wrong (fault,
//                                                 abort, delay, a status from 400) when nothing is said
//       "times": 2,                               then it acts no more
//       "every": 3,                               every third match
//       "probability": 0.1, "seed": 7,            the same seed, the same decisions
//       "per_minute": 30,                         at most
//       "enabled": true, "comment": "why"
//     }
//
// Limits (limits.h) are exact over all threads.
//
// A rule acts at one moment, acts_at(): at the request's head or the response's (rule_set.h says which).
#pragma once

#include "rules/limits.h"
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

  // Answers in the upstream's place, or makes something go wrong.
  bool injects() const { return answers() || status || delay_ns > 0; }
  // Makes something go wrong. A rule that only answers may be a mock that somebody works with all day.
  bool makes_fault() const { return abort || !fault.empty() || delay_ns > 0 || (status && *status >= 400); }
  bool answers() const { return respond || abort || !fault.empty(); }  // ends the list of rules
  bool rewrites_response() const { return status || reason || (fault.empty() && !response_headers.empty()); }
  bool empty() const {
    return !answers() && !rewrites_response() && response_headers.empty() && request_headers.empty() && delay_ns == 0;
  }
};

class Rule {
 public:
  // `text` is the rule's JSON on one line: two rules with the same name and text are the same rule, and share a
  // tally.
  struct Parts {
    std::string name, comment, origin, text;
    match::Expression match;
    Actions actions;
    Limits limits;
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

  const Limits& limits() const { return parts_.limits; }
  // Its counters, shared with whoever has another copy of this rule.
  Tally& tally() const { return *tally_; }

  // Comes into force: its life begins. Before the rule is published only, like the next one.
  void begin(Time added) { tally_ = std::make_shared<Tally>(parts_.limits, added); }
  // Goes on counting where `former`, the same rule in an older set, is.
  void adopt_tally(const Rule& former) { tally_ = former.tally_; }

  // Adds what this rule wants to `plan`. `call` and `request` shape a fault.
  void apply(Plan& plan, const aws::Call& call, const http::Head& request, Time time) const;

 private:
  void apply_fault(Plan& plan, const aws::Call& call, const http::Head& request, Time time) const;

  Parts parts_;
  match::Moment acts_at_;
  std::string what_;  // "delay 200ms, status 429"
  std::shared_ptr<Tally> tally_;
};

}  // namespace waylay::rules
