// What the ledger says as a whole: numbers for each service and operation, and findings in words. Both are computed
// from the invocations alone.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "record/ledger.h"

namespace waylay::record {

struct SummaryRow {
  std::string service, operation;
  std::string host;       // where there is no service
  bool inferred = false;  // some calls were grouped by what their requests have in common
  size_t calls = 0, attempts = 0;
  size_t retried = 0;  // calls of more than one attempt
  size_t retries = 0;
  size_t lost = 0;  // calls that ended in failure
  size_t open = 0;
  size_t injected_failures = 0, organic_failures = 0;           // failed attempts
  int64_t lost_p50_ns = 0, lost_max_ns = 0, lost_total_ns = 0;  // time, of the calls that were retried
  int64_t waiting_ns = 0;                                       // of the total: between attempts
};

// By service, operation and host.
std::vector<SummaryRow> summarize(const std::vector<Invocation>& invocations, Time now);

// An SDK's retry mode, and how it is known.
struct RetryMode {
  std::string name;  // "legacy", "standard", "adaptive"; "" when it cannot be told
  std::string_view
      from;  // "said" (User-Agent), "max" (its default number of attempts), "process" (its other calls); ""
};

// Older botocores do not say their mode. Then the number of attempts they announce with a retry tells it, if it is the
// default of one mode; and a call that was not retried announces nothing, so it is taken to be like its process's other
// calls, if those have one mode only.
class RetryModes {
 public:
  explicit RetryModes(const std::vector<Invocation>& invocations);
  RetryMode of(const Invocation& invocation) const;

 private:
  using Process = std::pair<std::string, uint32_t>;  // target, pid
  std::map<Process, std::string> of_process_;        // "" where there are several
};

// "HTTP 429 from rule talk: legacy retried it (5 attempts, 2 calls), standard did not (1 attempt, 2 calls)".
std::vector<std::string> findings(const std::vector<Invocation>& invocations, Time now);

}  // namespace waylay::record
