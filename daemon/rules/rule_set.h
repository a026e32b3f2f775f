// Rules: match + actions + limits. A RuleSet is an immutable, ordered list of checked rules; an exchange keeps the set
// it began with. RuleBook (rule_book.h) holds the current set for all workers.
//
// When a rule acts: at the latest of the moment its match is known, the moment its actions need, and the one it asks
// for
// ("at": "response").
//
//     Hello         passthrough and tls; block and upstream if the match is known by then and nothing else is wanted.
//                   What the ClientHello tells is all that is known, so it is the connection's whole life
//     Request       respond, fault, abort, block, delay, pace, handler, upstream, request headers and bodies: nothing
//                   is sent upstream for those that answer, as with a service that throttles
//     RequestBody   the same, with a match or a template that needs the request's body
//     Response      status, reason, response headers and bodies, an abort that sends a part of the response; and what
//                   acts at the request otherwise, if its match needs the response: an answer replaces the upstream's
//     ResponseBody  the same, with a match or a template that needs the response's body
//
// An answer of ours (respond, fault) stands in the upstream's place: what rules want at Response is asked for it too.
//
// A rule acts at one moment, whatever its match says before. All rules that match apply, in the set's order; the first
// that answers (Actions::answers) ends the list, and what earlier ones wanted of the upstream's response is dropped
// with it. Later rules see what the client sent and the upstream answered, not earlier edits.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/call.h"
#include "base/clock.h"
#include "http/message.h"
#include "match/expression.h"
#include "rules/plan.h"
#include "rules/rule_index.h"

namespace waylay::rules {

class Rule;                                                 // rule.h
using RuleList = std::vector<std::shared_ptr<const Rule>>;  // in the order in which they apply

class RuleSet {
 public:
  RuleSet() = default;
  // Without `faults`, rules that inject (Actions::injects) are held and shown, but do not act.
  explicit RuleSet(RuleList rules, uint64_t version = 0, bool faults = true);

  bool empty() const { return rules_.empty(); }
  bool faults() const { return faults_; }
  uint64_t version() const { return version_; }
  const RuleList& rules() const { return rules_; }

  // Whether plan() at `head` (Request or Response) or at the body behind it could want anything: false saves the
  // asking.
  bool may_want(const match::Subject& subject, match::Moment head) const;

  // The rules' wish at `now` (Request to ResponseBody), limits counted. `call` says which service's error shape a fault
  // takes. `request` is the client's head (for HEAD, signatures and the like).
  Plan plan(const match::Subject& subject, match::Moment now, const aws::Call& call, const http::Head& request,
            Time time) const;

  // Their wish for a connection whose ClientHello is read.
  ConnectionPlan plan_connection(const match::Subject& subject, Time time) const;

  // Whether a rule that acts at `body` (RequestBody, ResponseBody) or, of a request's, needs it later, could want
  // something of this exchange, of which everything before that moment is known: then the body is collected, and plan()
  // asked again at that moment.
  bool wants_body(const match::Subject& subject, match::Moment body, Time time) const;

  // Whether a rule that answers at the request could answer an exchange of a connection of which only Connect and Hello
  // fields are known. Such a connection must not fail for want of its upstream.
  bool may_answer(const match::Subject& subject, Time time) const;

 private:
  RuleList rules_;
  uint64_t version_ = 0;
  bool faults_ = true;
  std::array<RuleIndex, static_cast<size_t>(match::Moment::End)> at_;  // the rules that may act, by their moment
  std::vector<uint32_t> answering_;                                    // those that may_answer asks
  RuleIndex answering_by_name_;                                        // the same
  RuleIndex reading_request_body_;                                     // those for which it is collected
};

}  // namespace waylay::rules
