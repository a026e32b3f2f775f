// How often a rule may act, and for how long. Limits are what the rule says; a Tally counts, for all threads together.
//
// Limits are asked in this order, and what one refuses is not counted by those behind it:
//
//     attempts      of an SDK's invocation; an exchange that tells no attempt is none of them
//     for           since the rule was added
//     times         uses in all
//     every         of the matches that are left: each Nth, the Nth first
//     probability   of those: decided by the seed and by how many were asked before, so that a seeded run repeats
//     per_minute    uses in any sixty seconds
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace waylay::rules {

struct Limits {
  static constexpr uint32_t kMostPerMinute = 100'000;  // each is remembered for a minute, in 8 bytes
  static constexpr int64_t kUsualLife_ns = 3600 * kSecond_ns;

  int first_attempt = 0, last_attempt = 0;  // 0: any
  std::optional<int64_t> life_ns;           // nothing: forever
  std::optional<uint64_t> times;
  uint64_t every = 1;
  std::optional<double> probability;  // 0 to 1
  std::optional<uint64_t> seed;       // nothing: one is drawn when the rule is added
  uint32_t per_minute = 0;            // 0: no limit

  bool counts_matches() const { return times || every > 1 || probability || per_minute > 0; }
};

class Tally {
 public:
  // `added` is when the rule came into force: its life begins, and it draws a seed if it has none.
  Tally(const Limits& limits, Time added);

  // Counts one match and tells whether the rule acts on it. `attempt` is aws::Call::attempt.
  bool take(int attempt, Time now);

  // Whether it can never act again.
  bool is_over(Time now) const { return left() == 0 || life_left_ns(now) == 0; }
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::optional<uint64_t> left() const;  // uses; nothing: no limit
  std::optional<int64_t> life_left_ns(Time now) const;
  std::optional<uint64_t> seed() const;  // nothing: no probability

 private:
  bool is_attempt(int attempt) const;
  bool take_limited(Time now);
  bool is_drawn();
  bool has_room(Time now);

  const Limits limits_;
  const Time added_;
  const uint64_t seed_;
  std::atomic<uint64_t> hits_{0};  // changed with mutex_ held where matches are counted
  std::mutex mutex_;
  uint64_t matches_ = 0, draws_ = 0;
  std::vector<int64_t> uses_ns_;  // a ring of the last per_minute uses
  size_t oldest_ = 0;
};

}  // namespace waylay::rules
