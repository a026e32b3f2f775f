// The retry ledger: exchanges grouped into invocations, the logical calls of an SDK, each with its attempts.
//
// What belongs together: the same amz-sdk-invocation-id from the same target. Where a client sends none, a failed
// exchange opens an inferred invocation, and the same request (target, process, method, host, path, body size) within
// 60 s of the last failure is its next attempt; an AWS call without an id that does not fail is an invocation of one
// attempt.
//
// Fed by exchange_ended in any order; attempts are kept in the order they began. Not thread-safe: the Store locks.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "flow/facts.h"

namespace waylay::record {

// What an attempt came to. A final 4xx (but 429) is the service's answer to the call, such as 404 or 403: refused. When
// an SDK tries again after it, or a rule made it, it was a failure like any other.
enum class Attempted : uint8_t { Succeeded, Refused, Failed };
std::string_view to_string(Attempted result);

struct Attempt {
  uint64_t exchange = 0;  // id
  int number = 0;         // as the SDK says; 0: it does not
  int status = 0;         // what the client got; 0: none
  flow::ExchangeEnd end = flow::ExchangeEnd::Complete;
  Attempted result = Attempted::Succeeded;
  bool injected = false;    // the result is a rule's doing; false: organic
  std::string rules, what;  // those that injected: "slow-s3", "fault aws:slowdown"
  std::string error;
  Time started, ended;
  int64_t gap_ns = 0;  // from the end of the attempt before

  int64_t duration_ns() const { return ended.steady_ns - started.steady_ns; }
};

enum class CallOutcome : uint8_t {
  Succeeded,
  Refused,
  Failed,
  Open,  // the last attempt failed, and another one may still come
};
std::string_view to_string(CallOutcome outcome);

struct Invocation {
  uint64_t id = 0;            // ours
  std::string invocation_id;  // the SDK's; empty for others
  bool inferred = false;      // grouped by what the requests have in common
  std::string target, container;
  uint32_t pid = 0;
  std::string comm;
  aws::Call call;  // of the first attempt seen; max_attempts is the highest that was said
  std::string method, host, path;
  std::vector<Attempt> attempts;  // at least one, in the order they began

  const Attempt& last() const { return attempts.back(); }
  size_t retries() const { return attempts.size() - 1; }
  CallOutcome outcome(Time now) const;
  int64_t lost_ns() const;     // from the end of the first attempt to the end of the last
  int64_t waiting_ns() const;  // of it: the gaps; the rest went by in attempts
};

// Of one call. What goes on beyond them, somebody who asks again and again without an end, counts as a call of its own.
constexpr size_t kMostAttempts = 1'000;

class Ledger {
 public:
  explicit Ledger(size_t most) : most_(most) {}

  // What an exchange was to the ledger, for the counters.
  enum class Role : uint8_t { None, First, Retry };
  Role exchange_ended(const flow::ExchangeFacts& exchange);

  std::vector<Invocation> invocations() const { return {invocations_.begin(), invocations_.end()}; }
  uint64_t total() const { return next_id_ - 1; }
  uint64_t dropped() const { return total() - invocations_.size(); }

 private:
  // Which call an exchange belongs to: by its id, else by who asked whom for what.
  template <class Text>
  struct KeyOf {
    uint32_t target = 0;
    Text invocation_id;
    // Without an id.
    uint32_t pid = 0;
    Text method, host, path;
    uint64_t request_body = 0;
  };
  using Key = KeyOf<std::string>;
  using KeyView = KeyOf<std::string_view>;
  static KeyView key_of(const flow::ExchangeFacts& exchange);
  struct Hash {
    using is_transparent = void;
    size_t operator()(const auto& key) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const;
  };

  Invocation* find(const KeyView& key);
  Role begin(const KeyView& key, const flow::ExchangeFacts& exchange);
  void drop_oldest();

  const size_t most_;
  uint64_t next_id_ = 1;
  std::deque<Invocation> invocations_;  // ids without gaps: found by subtraction
  std::deque<const Key*> keys_;         // of the same invocations, in id_by_key_
  std::unordered_map<Key, uint64_t, Hash, Equal> id_by_key_;
};

}  // namespace waylay::record
