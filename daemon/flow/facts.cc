#include "flow/facts.h"

#include <algorithm>

namespace waylay::flow {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Open:
      return "open";
    case Outcome::Intercepted:
      return "intercepted";
    case Outcome::PassedThrough:
      return "passthrough";
    case Outcome::Bypassed:
      return "bypassed";
    case Outcome::Failed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(ExchangeEnd end) {
  switch (end) {
    case ExchangeEnd::Open:
      return "open";
    case ExchangeEnd::Complete:
      return "complete";
    case ExchangeEnd::Aborted:
      return "aborted";
    case ExchangeEnd::Truncated:
      return "truncated";
    case ExchangeEnd::ClientGone:
      return "client_gone";
    case ExchangeEnd::UpstreamFailed:
      return "upstream_failed";
    case ExchangeEnd::Refused:
      return "refused";
    case ExchangeEnd::Upgraded:
      return "upgraded";
  }
  return "unknown";
}

bool ExchangeFacts::injected() const {
  return std::any_of(applied.begin(), applied.end(), [](const AppliedRule& rule) { return rule.injected; });
}

}  // namespace waylay::flow
