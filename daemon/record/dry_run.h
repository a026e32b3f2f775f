// What rules would have done to exchanges, counted without doing it: each rule by itself, as if it alone were in force
// from the first exchange on. A record does not hold all that a rule sees (bodies are not kept, secrets are redacted,
// what another rule changed is not what came from upstream), so a match can be unknown; such are counted apart.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "flow/facts.h"
#include "match/partial.h"
#include "rules/rule_book.h"

namespace waylay::record {

class DryRun {
 public:
  static constexpr size_t kExamples = 5;  // the newest so many of each kind

  static Result<DryRun> of(std::span<const rules::Document> documents, Time now);

  void see(const flow::ExchangeFacts& exchange);
  void lost(uint64_t exchanges) { lost_ += exchanges; }  // came too fast to be looked at
  std::string to_json() const;

 private:
  struct Trial {
    std::shared_ptr<const rules::Rule> rule;
    match::PartialExpression match;
    uint64_t matched = 0, acted = 0, unknown = 0;
    std::vector<uint64_t> examples, unknown_examples;  // ids of exchanges
    std::set<match::Field> unknown_fields;
  };
  static void try_rule(Trial& trial, const flow::ExchangeFacts& exchange);

  std::vector<Trial> trials_;
  uint64_t seen_ = 0, lost_ = 0;
};

}  // namespace waylay::record
