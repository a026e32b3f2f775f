#include "record/ledger.h"

#include <algorithm>

#include "base/check.h"

namespace waylay::record {
namespace {

using flow::ExchangeEnd;
using flow::ExchangeFacts;

constexpr int64_t kInferWithin_ns = 60 * kSecond_ns;

std::string_view method_of(const ExchangeFacts& exchange) {
  return exchange.request ? exchange.request->method() : std::string_view();
}

std::string_view path_of(const ExchangeFacts& exchange) {
  return std::string_view(exchange.target).substr(0, exchange.target.find('?'));
}

bool was_answered(ExchangeEnd end) {
  return end == ExchangeEnd::Complete || end == ExchangeEnd::Upgraded;
}

// Whether a rule made this status or this end, not merely had a hand in the exchange: after a delay, the upstream's own
// 503 is still organic.
bool made_by_rule(const ExchangeFacts& exchange) {
  if (!exchange.injected()) return false;
  if (exchange.end == ExchangeEnd::Aborted || exchange.end == ExchangeEnd::ClientGone) return true;
  return was_answered(exchange.end) && exchange.status != exchange.upstream_status;
}

Attempted result_of(const ExchangeFacts& exchange, bool injected) {
  if (!was_answered(exchange.end) || exchange.status == 0) return Attempted::Failed;
  if (exchange.status < 400) return Attempted::Succeeded;
  bool failed = exchange.status >= 500 || exchange.status == 429 || injected;
  return failed ? Attempted::Failed : Attempted::Refused;
}

Attempt attempt_of(const ExchangeFacts& exchange) {
  Attempt attempt;
  attempt.exchange = exchange.id;
  attempt.number = exchange.call.attempt;
  attempt.status = exchange.status;
  attempt.end = exchange.end;
  attempt.injected = made_by_rule(exchange);
  attempt.result = result_of(exchange, attempt.injected);
  attempt.error = exchange.error;
  attempt.started = exchange.started;
  attempt.ended = exchange.ended;
  if (!attempt.injected) return attempt;
  for (const flow::AppliedRule& rule : exchange.applied) {
    if (!rule.injected) continue;
    attempt.rules.append(attempt.rules.empty() ? "" : ", ").append(rule.rule);
    attempt.what.append(attempt.what.empty() ? "" : ", ").append(rule.what);
  }
  return attempt;
}

Invocation invocation_of(const ExchangeFacts& exchange, uint64_t id) {
  Invocation invocation;
  invocation.id = id;
  invocation.invocation_id = exchange.call.invocation_id;
  invocation.inferred = exchange.call.invocation_id.empty();
  invocation.target = exchange.flow->target_name;
  invocation.container = exchange.flow->owner.container_name;
  invocation.pid = exchange.flow->owner.pid;
  invocation.comm = exchange.flow->owner.comm;
  invocation.call = exchange.call;
  invocation.method = method_of(exchange);
  invocation.host = exchange.host;
  invocation.path = path_of(exchange);
  return invocation;
}

// In the order they began; a 4xx that was tried again was a failure after all. Looks at the neighbours alone: who tries
// without a pause makes a call of many attempts.
void insert(Invocation& invocation, Attempt attempt) {
  auto began_later = [](const Attempt& a, const Attempt& b) { return a.started.steady_ns < b.started.steady_ns; };
  auto& attempts = invocation.attempts;
  auto place =
      attempts.insert(std::upper_bound(attempts.begin(), attempts.end(), attempt, began_later), std::move(attempt));
  auto at = static_cast<size_t>(place - attempts.begin());
  for (size_t i = std::max<size_t>(at, 1); i < std::min(at + 2, attempts.size()); ++i) {
    if (attempts[i - 1].result == Attempted::Refused) attempts[i - 1].result = Attempted::Failed;
    attempts[i].gap_ns = std::max<int64_t>(0, attempts[i].started.steady_ns - attempts[i - 1].ended.steady_ns);
  }
  attempts.front().gap_ns = 0;
  // The last of several refusals in a row ends a call that the SDK kept trying: given up, not answered.
  Attempt& last = attempts.back();
  if (attempts.size() > 1 && last.result == Attempted::Refused && attempts[attempts.size() - 2].status == last.status)
    last.result = Attempted::Failed;
}

// Until when the next attempt may begin. SDKs wait up to 2^(n-1) seconds after attempt n, and none longer than half a
// minute by default; the slack is for their own work.
int64_t grace_ns(size_t attempts) {
  constexpr int64_t kSlack_ns = 1'500 * kMillisecond_ns;
  constexpr int64_t kLongest_ns = 30 * kSecond_ns;
  int64_t backoff = attempts > 5 ? kLongest_ns : kSecond_ns << (attempts - 1);
  return std::min(backoff, kLongest_ns) + kSlack_ns;
}

}  // namespace

std::string_view to_string(Attempted result) {
  switch (result) {
    case Attempted::Succeeded:
      return "succeeded";
    case Attempted::Refused:
      return "refused";
    case Attempted::Failed:
      return "failed";
  }
  CHECK(!"a result");
}

std::string_view to_string(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::Succeeded:
      return "succeeded";
    case CallOutcome::Refused:
      return "refused";
    case CallOutcome::Failed:
      return "failed";
    case CallOutcome::Open:
      return "open";
  }
  CHECK(!"an outcome");
}

CallOutcome Invocation::outcome(Time now) const {
  const Attempt& attempt = last();
  if (attempt.result == Attempted::Succeeded) return CallOutcome::Succeeded;
  if (attempt.result == Attempted::Refused) return CallOutcome::Refused;
  if (call.max_attempts > 0 && attempt.number >= call.max_attempts) return CallOutcome::Failed;
  bool may_go_on = now.steady_ns - attempt.ended.steady_ns < grace_ns(attempts.size());
  return may_go_on ? CallOutcome::Open : CallOutcome::Failed;
}

int64_t Invocation::lost_ns() const {
  return std::max<int64_t>(0, last().ended.steady_ns - attempts.front().ended.steady_ns);
}

int64_t Invocation::waiting_ns() const {
  int64_t sum = 0;
  for (const Attempt& attempt : attempts) sum += attempt.gap_ns;
  return std::min(sum, lost_ns());
}

Ledger::KeyView Ledger::key_of(const ExchangeFacts& exchange) {
  KeyView key;
  key.target = exchange.flow->target;
  key.invocation_id = exchange.call.invocation_id;
  if (!key.invocation_id.empty()) return key;
  key.pid = exchange.flow->owner.pid;
  key.method = method_of(exchange);
  key.host = exchange.host;
  key.path = path_of(exchange);
  key.request_body = exchange.request_body;
  return key;
}

size_t Ledger::Hash::operator()(const auto& key) const {
  size_t hash = key.target + (uint64_t{key.pid} << 32) + key.request_body;
  for (std::string_view text : {std::string_view(key.invocation_id), std::string_view(key.method),
                                std::string_view(key.host), std::string_view(key.path)})
    if (!text.empty()) hash = hash * 0x9e3779b97f4a7c15 + std::hash<std::string_view>()(text);
  return hash;
}

bool Ledger::Equal::operator()(const auto& a, const auto& b) const {
  return a.target == b.target && a.invocation_id == b.invocation_id && a.pid == b.pid && a.method == b.method &&
         a.host == b.host && a.path == b.path && a.request_body == b.request_body;
}

Ledger::Role Ledger::exchange_ended(const ExchangeFacts& exchange) {
  KeyView key = key_of(exchange);
  Attempt attempt = attempt_of(exchange);
  bool has_id = !key.invocation_id.empty();
  Invocation* known = find(key);
  bool has_room = known && known->attempts.size() < kMostAttempts;
  bool continues =
      has_room && (has_id || (known->last().result == Attempted::Failed &&
                              attempt.started.steady_ns >= known->attempts.front().started.steady_ns &&
                              attempt.started.steady_ns - known->last().ended.steady_ns < kInferWithin_ns));
  if (continues) {
    known->call.max_attempts = std::max(known->call.max_attempts, exchange.call.max_attempts);
    insert(*known, std::move(attempt));
    return Role::Retry;
  }
  if (!has_id && !exchange.call.known() && attempt.result != Attempted::Failed) return Role::None;
  return begin(key, exchange);
}

Ledger::Role Ledger::begin(const KeyView& key, const ExchangeFacts& exchange) {
  Invocation invocation = invocation_of(exchange, next_id_++);
  insert(invocation, attempt_of(exchange));
  Key kept{key.target,
           std::string(key.invocation_id),
           key.pid,
           std::string(key.method),
           std::string(key.host),
           std::string(key.path),
           key.request_body};
  auto place = id_by_key_.insert_or_assign(std::move(kept), invocation.id).first;
  keys_.push_back(&place->first);
  invocations_.push_back(std::move(invocation));
  if (invocations_.size() > most_) drop_oldest();
  return Role::First;
}

Invocation* Ledger::find(const KeyView& key) {
  auto found = id_by_key_.find(key);
  return found == id_by_key_.end() ? nullptr : &invocations_[found->second - invocations_.front().id];
}

// A key that a later invocation has as well stays, and so does the node that holds it.
void Ledger::drop_oldest() {
  auto found = id_by_key_.find(*keys_.front());
  if (found != id_by_key_.end() && found->second == invocations_.front().id) id_by_key_.erase(found);
  invocations_.pop_front();
  keys_.pop_front();
}

}  // namespace waylay::record
