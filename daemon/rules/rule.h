// One rule: when it matches, what it does, how often. Immutable but for its tally, which all threads share.
//
//     {
//       "name": "slow-s3",                        letters, digits and . _ - : / @ +, at most 64
//       "match": "aws.service == \"s3\"",         the expression language; "" matches everything
//       "enabled": true, "comment": "why",
//       ... actions (actions_reader.h) and limits (limits_reader.h)
//     }
//
// Limits (limits.h) are exact over all threads.
//
// A rule acts at one moment, acts_at(): when a connection begins (Hello), or at an exchange's request or response
// (rule_set.h says which).
#pragma once

#include "rules/actions.h"
#include "rules/limits.h"
#include "rules/rule_set.h"

namespace waylay::rules {

class Rule {
 public:
  // `text` is the rule's JSON on one line: two rules with the same name and text are the same rule, and share a
  // tally.
  struct Parts {
    std::string name, comment, origin, text;
    match::Expression match;
    match::Expression only_while;  // of the connection, the container and the time
    Actions actions;
    Limits limits;
    bool enabled = true;
  };
  explicit Rule(Parts parts);

  const std::string& name() const { return parts_.name; }
  const std::string& origin() const { return parts_.origin; }
  const std::string& text() const { return parts_.text; }
  const match::Expression& match() const { return parts_.match; }
  const match::Expression& only_while() const { return parts_.only_while; }
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

  // Whether it acts on what `subject` is now: its conditions and its limits. A use is counted.
  std::optional<Tally::Use> take(const match::Subject& subject, match::Moment now, int attempt, Time time) const;

  // What a plan is made of.
  struct Occasion {
    const match::Subject& subject;
    const aws::Call& call;      // shapes a fault
    const http::Head& request;  // the client's
    Time time;
  };
  void apply(Plan& plan, const Occasion& occasion, Tally::Use use) const;
  void apply(ConnectionPlan& plan, Tally::Use use) const;

 private:
  std::string rate_key(const match::Subject& subject) const;

  Parts parts_;
  match::Moment acts_at_;
  std::string what_;  // "delay 200ms, status 429"
  std::shared_ptr<Tally> tally_;
};

}  // namespace waylay::rules
