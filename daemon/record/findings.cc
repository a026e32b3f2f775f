#include <algorithm>
#include <tuple>

#include "record/summary.h"

namespace waylay::record {
namespace {

std::string counted(size_t number, std::string_view one) {
  std::string text = std::to_string(number) + " " + std::string(one);
  return number == 1 ? text : text + "s";
}

// "HTTP 503", or how an attempt without an answer ended.
std::string what_happened(const Attempt& attempt) {
  switch (attempt.end) {
    case flow::ExchangeEnd::Aborted:
      return "A reset connection";
    case flow::ExchangeEnd::Truncated:
      return "A truncated response";
    case flow::ExchangeEnd::ClientGone:
      return "A request that the client gave up";
    case flow::ExchangeEnd::UpstreamFailed:
      return "An upstream failure";
    case flow::ExchangeEnd::Refused:
      return "A message that Waylay refused to forward";
    default:
      return "HTTP " + std::to_string(attempt.status);
  }
}

std::string who_did_it(const Attempt& attempt, const Invocation& invocation) {
  if (attempt.injected) return "from rule " + attempt.rules;
  return "from " + (invocation.call.known() ? invocation.call.service : invocation.host);
}

std::string client_of(const Invocation& invocation, const RetryModes& modes) {
  RetryMode mode = modes.of(invocation);
  if (!mode.name.empty()) return mode.name;
  if (invocation.call.sdk.empty()) return invocation.comm.empty() ? "the client" : invocation.comm;
  return invocation.call.sdk + " " + invocation.call.sdk_version;
}

// What became of a call after the first failure of one kind.
enum class After : uint8_t { Retried, NotRetried };

struct Reaction {
  size_t calls = 0, fewest = 0, most = 0;  // attempts, in all
  size_t given_up = 0;                     // calls that failed for good
};

std::string describe(const std::string& client, After after, const Reaction& reaction) {
  std::string attempts = counted(reaction.most, "attempt");
  if (reaction.fewest != reaction.most) attempts = std::to_string(reaction.fewest) + " to " + attempts;
  std::string text = client + (after == After::Retried ? " retried it (" : " did not retry it (") + attempts;
  text += ", " + counted(reaction.calls, "call");
  if (after == After::Retried && reaction.given_up > 0) text += ", " + std::to_string(reaction.given_up) + " in vain";
  return text + ")";
}

using Cause = std::pair<std::string, std::string>;  // what happened, who did it

}  // namespace

std::vector<std::string> findings(const std::vector<Invocation>& invocations, Time now) {
  RetryModes modes(invocations);
  std::map<Cause, std::map<std::pair<std::string, After>, Reaction>> causes;
  for (const Invocation& invocation : invocations) {
    const auto& attempts = invocation.attempts;
    auto failure = std::ranges::find(attempts, Attempted::Failed, &Attempt::result);
    if (failure == attempts.end()) continue;
    bool is_last = failure + 1 == attempts.end();
    CallOutcome outcome = invocation.outcome(now);
    if (is_last && outcome == CallOutcome::Open) continue;  // nobody knows yet
    After after = is_last ? After::NotRetried : After::Retried;
    Reaction& reaction =
        causes[{what_happened(*failure), who_did_it(*failure, invocation)}][{client_of(invocation, modes), after}];
    reaction.fewest = reaction.calls == 0 ? attempts.size() : std::min(reaction.fewest, attempts.size());
    reaction.most = std::max(reaction.most, attempts.size());
    ++reaction.calls;
    reaction.given_up += outcome == CallOutcome::Failed;
  }
  std::vector<std::string> sentences;
  for (const auto& [cause, reactions] : causes) {
    std::string sentence = cause.first + " " + cause.second;
    std::string_view before = ": ";
    for (const auto& [client, reaction] : reactions) {
      sentence.append(before).append(describe(client.first, client.second, reaction));
      before = ", ";
    }
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace waylay::record
