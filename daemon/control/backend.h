// What the API asks the rest of the daemon. The API knows no proxy, store or ledger: main.cc implements this over them,
// and tests over plain vectors.
//
// All members are called on the API's thread only, may take locks for a moment, and must be thread-safe against the
// workers. Nothing in the answers is secret any more: facts are redacted where they are made (flow/redact.h).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "flow/facts.h"
#include "match/expression.h"
#include "rules/rule_book.h"

namespace waylay::control {

struct Count {
  std::string name;  // "passed_through"; shown to people with blanks
  uint64_t value = 0;
};

struct TargetStatus {
  uint32_t id = 0;       // 0: --listen
  std::string name;      // "docker:web"
  bool attached = true;  // else `ended` says why not any more
  std::string ended;
  int64_t attached_ns = 0, ended_ns = 0;  // wall clock
  std::string container_id, container_name, container_image;
  std::vector<uint16_t> ports;
  bool insist = false;
  std::string trust;               // what was done, in words
  std::vector<Count> kernel;       // what the hooks saw: redirected, bypassed, ...
  std::vector<Count> connections;  // what the proxy did: accepted, intercepted, passed_through, failed, open, ...
  std::vector<Count> reasons;      // why connections were passed through, bypassed or failed, in words
};

struct Status {
  int64_t started_ns = 0;  // wall clock
  unsigned workers = 0;
  std::string listen;  // address of --listen, "" without
  uint64_t rules = 0, rules_version = 0;
  bool faults = true;                                                  // off: rules that inject do not act
  uint64_t exchanges_kept = 0, exchanges_dropped = 0, bytes_kept = 0;  // of the store
  uint64_t learned_refusals = 0;      // clients that refused our leaf and are passed through for a while
  std::vector<std::string> notices;   // what an operator should know: "runs as nobody: there is no user waylay"
  std::vector<TargetStatus> targets;  // attached ones, then the last that ended
};

using Flows = std::vector<std::shared_ptr<const flow::FlowFacts>>;
using Exchanges = std::vector<std::shared_ptr<const flow::ExchangeFacts>>;
using Names = std::vector<std::string>;
using Documents = std::span<const rules::Document>;

// Rules that are tried on exchanges without acting (record/dry_run.h).
class Trial {
 public:
  virtual ~Trial() = default;
  virtual void see(const flow::ExchangeFacts& exchange) = 0;
  virtual void lost(uint64_t exchanges) = 0;
  virtual std::string report() const = 0;  // a JSON object
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual Status status() const = 0;

  // The newest `limit` that match, oldest first. `undecrypted`: only flows without exchanges that were passed through,
  // bypassed or failed (is_undecrypted).
  virtual Flows flows(const match::Expression& match, size_t limit, bool undecrypted) const = 0;
  virtual std::shared_ptr<const flow::FlowFacts> flow(uint64_t id) const = 0;  // null: not (any more) there
  virtual Exchanges exchanges(const match::Expression& match, size_t limit) const = 0;
  virtual std::shared_ptr<const flow::ExchangeFacts> exchange(uint64_t id) const = 0;

  // The ledger (record/json.h, retries_json) of the newest `limit` invocations that have an exchange which matches.
  virtual std::string retries(const match::Expression& match, size_t limit) const = 0;

  virtual std::string metrics() const = 0;  // Prometheus text

  // Rules, as rules::RuleBook does it.
  virtual std::string rules() const = 0;  // a JSON array
  virtual Result<Names> add_rules(Documents documents, const rules::By& by) = 0;
  virtual Result<Names> replace_rules(Documents documents, const rules::By& by) = 0;
  virtual Result<void> remove_rule(std::string_view name, const rules::By& by) = 0;
  virtual size_t remove_all_rules(const rules::By& by) = 0;
  virtual Result<size_t> reload_rules(const rules::By& by) = 0;  // from rules.d
  virtual std::string rules_history() const = 0;                 // a JSON array
  virtual Result<std::string> rules_difference() const = 0;      // what reload_rules() would change
  virtual Result<std::string> rules_difference(uint64_t from, uint64_t to) const = 0;
  virtual Result<std::string> rules_difference(Documents documents) const = 0;
  virtual Result<std::string> rollback_rules(uint64_t version, const rules::By& by) = 0;
  virtual std::string rule_groups(rules::Source source) const = 0;  // a JSON array
  virtual Result<Names> begin_rule_group(rules::Source source, std::string_view name, Documents documents,
                                         const rules::By& by) = 0;
  virtual Result<size_t> end_rule_group(rules::Source source, std::string_view name, const rules::By& by) = 0;
  virtual Result<std::unique_ptr<Trial>> try_rules(Documents documents) const = 0;
  // What they will not do although they seem to, as rules::lint says it: of the rules in force, or of these.
  virtual std::string lint() const = 0;  // a JSON array, also the next
  virtual Result<std::string> lint(Documents documents) const = 0;
  virtual bool faults() const = 0;
  virtual void switch_faults(bool on, const rules::By& by) = 0;
};

// A connection that tells its story by itself, since it has no exchanges to do so.
bool is_undecrypted(const flow::FlowFacts& facts);

}  // namespace waylay::control
