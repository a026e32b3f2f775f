// How often a rule may act, and for how long. Limits are what the rule says; a Tally counts, for all threads together.
//
// Limits are asked in this order, and what one refuses is not counted by those behind it:
//
//     while         a condition of the connection, the container or the time
//     attempts      of an SDK's invocation; an exchange that tells no attempt is none of them
//     for           since the rule was added
//     rate_limit    what exceeds it
//     times         uses in all
//     every         of the matches that are left: each Nth, the Nth first
//     probability,  of those: decided by the seed and by how many were asked before, so that a seeded run repeats;
//     ramp          a ramp's probability grows (or falls) with the rule's age
//     per_minute    uses in any sixty seconds
//
// What else a rule draws by chance (delays) depends on the seed and on the number of the use: the nth use of a seeded
// run draws what the nth use of every run draws, whichever thread it is on.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "rules/random.h"
#include "rules/rate_limit.h"

namespace waylay::rules {

struct Ramp {
  double from = 0, to = 1;  // probabilities
  int64_t over_ns = 0;      // from when the rule came into force; then it stays
};

struct Limits {
  static constexpr uint32_t kMostPerMinute = 100'000;  // each is remembered for a minute, in 8 bytes
  static constexpr int64_t kUsualLife_ns = 3600 * kSecond_ns;

  int first_attempt = 0, last_attempt = 0;  // 0: any
  std::optional<int64_t> life_ns;           // nothing: forever
  std::optional<RateLimit> rate;
  std::optional<uint64_t> times;
  uint64_t every = 1;
  std::optional<double> probability;  // 0 to 1
  std::optional<Ramp> ramp;
  std::optional<uint64_t> seed;  // nothing: one is drawn when the rule is added
  bool uses_draw = false;        // the actions draw something from the seed
  uint32_t per_minute = 0;       // 0: no limit

  bool draws() const { return probability || ramp || uses_draw; }
  bool counts_matches() const { return times || every > 1 || probability || ramp || per_minute > 0; }
};

class Tally {
 public:
  // `added` is when the rule came into force: its life begins, and it draws a seed if it has none.
  Tally(const Limits& limits, Time added);

  // One match. Whether the rule acts on it: then it is a use, and gets random numbers of its own. `attempt` is
  // aws::Call::attempt, `rate_key` whose bucket the match counts for, and `wait_ns` how long until that has a token.
  struct Use {
    Random random;
    int64_t wait_ns = 0;
  };
  std::optional<Use> take(int attempt, Time now, std::string_view rate_key = {});

  // Whether it can never act again.
  bool is_over(Time now) const { return left() == 0 || life_left_ns(now) == 0; }
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::optional<uint64_t> left() const;  // uses; nothing: no limit
  std::optional<int64_t> life_left_ns(Time now) const;
  std::optional<double> probability(Time now) const;  // nothing: always
  std::optional<uint64_t> seed() const;               // nothing: nothing is drawn

 private:
  bool is_attempt(int attempt) const;
  Use use(int64_t wait_ns);
  bool is_counted_in(Time now);
  bool is_drawn(Time now);
  bool has_room(Time now);

  const Limits limits_;
  const Time added_;
  const uint64_t seed_;
  std::optional<TokenBuckets> buckets_;
  std::atomic<uint64_t> hits_{0};  // changed with mutex_ held where matches are counted
  std::mutex mutex_;
  uint64_t matches_ = 0;
  Random draws_;
  std::vector<int64_t> uses_ns_;  // a ring of the last per_minute uses
  size_t oldest_ = 0;
};

}  // namespace waylay::rules
