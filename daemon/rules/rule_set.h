// Rules: match + actions + limits. A RuleSet is an immutable, ordered list of checked rules; an exchange keeps the set
// it began with. RuleBook (rule_book.h) holds the current set for all workers.
//
// When a rule acts: at the later of (the moment its match is known, the moment its actions need). respond, fault,
// abort, delay and request headers act at Request at the earliest: then nothing is sent upstream for respond, fault and
// abort, as with a service that throttles. status, reason and response headers act at Response. A fault or respond
// whose match needs the response (http.response.code) replaces that response. An answer of ours (respond, fault) stands
// in the upstream's place: what rules want at Response is asked for it as well.
//
// A rule acts at one moment: the later of the two, whatever its match says before. All rules that match apply, in the
// set's order; the first respond, fault or abort ends the list, and what earlier ones wanted of the upstream's response
// is dropped with it. Later rules see what the client sent and the upstream answered, not earlier edits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aws/call.h"
#include "base/clock.h"
#include "http/message.h"
#include "match/expression.h"

namespace waylay::rules {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct HeaderEdits {
  Fields set, add;
  std::vector<std::string> remove;
  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  void apply(http::Head& head) const;  // remove, then set, then add
  void apply(Fields& fields) const;
};

struct Response {  // a whole answer made by us
  int status = 200;
  std::string reason;
  Fields fields;  // without Content-Length
  std::string body;
};

// What the rules want done at one moment of one exchange. Empty: leave it as it is.
struct Plan {
  struct Applied {
    std::string rule;
    std::string what;       // "status 429", "fault aws:slowdown", "delay 200ms": for people
    bool injected = false;  // makes something go wrong or answers in the upstream's place (not: a header edit alone)
  };
  std::vector<Applied> applied;
  int64_t delay_ns = 0;
  bool abort = false;  // RST to the client
  std::optional<Response> respond;
  std::optional<int> status;
  std::optional<std::string> reason;
  HeaderEdits request_headers, response_headers;
  bool empty() const { return applied.empty(); }
};

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

  // The rules' wish at `now` (Request or Response), limits counted. `call` says which service's error shape a fault
  // takes. `request` is the client's head (for HEAD, request ids and the like).
  Plan plan(const match::Subject& subject, match::Moment now, const aws::Call& call, const http::Head& request,
            Time time) const;

  // Whether a respond, fault or abort rule could answer an exchange of a connection of which only Connect and Hello
  // fields are known. Such a connection must not fail for want of its upstream.
  bool may_answer(const match::Subject& subject, Time time) const;

 private:
  // The enabled rules of one moment, by number, so that only those that may match are evaluated.
  struct Index {
    std::unordered_map<std::string, std::vector<uint32_t>> by_host;  // lower case
    std::vector<uint32_t> for_any_host;
    bool empty() const { return by_host.empty() && for_any_host.empty(); }
    void insert(uint32_t rule, const std::vector<std::string>& hosts);
    std::vector<uint32_t> candidates(const match::Subject& subject) const;
  };

  RuleList rules_;
  uint64_t version_ = 0;
  bool faults_ = true;
  Index at_request_, at_response_;
  std::vector<uint32_t> answering_;  // those that may_answer asks
};

}  // namespace waylay::rules
