#include "rules/limits.h"

namespace waylay::rules {
namespace {

constexpr int64_t kMinute_ns = 60 * kSecond_ns;

// SplitMix64 (Steele, Lea and Flood, 2014): the nth number of a seed's sequence without the ones before.
uint64_t number_of(uint64_t seed, uint64_t n) {
  uint64_t x = seed + (n + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Short enough to be read, said and typed again.
uint64_t drawn_seed(Time added) {
  return number_of(static_cast<uint64_t>(added.wall_ns), static_cast<uint64_t>(added.steady_ns)) % 1'000'000;
}

}  // namespace

Tally::Tally(const Limits& limits, Time added)
    : limits_(limits), added_(added), seed_(limits.seed.value_or(drawn_seed(added))) {}

bool Tally::take(int attempt, Time now) {
  if (!is_attempt(attempt) || life_left_ns(now) == 0) return false;
  if (limits_.counts_matches()) return take_limited(now);
  hits_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Tally::is_attempt(int attempt) const {
  if (limits_.first_attempt == 0) return true;
  return attempt >= limits_.first_attempt && attempt <= limits_.last_attempt;
}

bool Tally::take_limited(Time now) {
  std::lock_guard lock(mutex_);
  if (left() == 0) return false;
  if (++matches_ % limits_.every != 0) return false;
  if (!is_drawn() || !has_room(now)) return false;
  hits_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Tally::is_drawn() {
  if (!limits_.probability) return true;
  double drawn = static_cast<double>(number_of(seed_, draws_++) >> 11) * 0x1p-53;  // 0 <= drawn < 1
  return drawn < *limits_.probability;
}

bool Tally::has_room(Time now) {
  if (limits_.per_minute == 0) return true;
  if (uses_ns_.size() < limits_.per_minute) {
    uses_ns_.push_back(now.steady_ns);
    return true;
  }
  if (now.steady_ns - uses_ns_[oldest_] < kMinute_ns) return false;
  uses_ns_[oldest_] = now.steady_ns;
  oldest_ = (oldest_ + 1) % uses_ns_.size();
  return true;
}

std::optional<uint64_t> Tally::left() const {
  if (!limits_.times) return std::nullopt;
  uint64_t used = hits();
  return used < *limits_.times ? *limits_.times - used : 0;
}

std::optional<int64_t> Tally::life_left_ns(Time now) const {
  if (!limits_.life_ns) return std::nullopt;
  int64_t lived = now.steady_ns - added_.steady_ns;
  return lived < *limits_.life_ns ? *limits_.life_ns - lived : 0;
}

std::optional<uint64_t> Tally::seed() const {
  return limits_.probability ? std::optional(seed_) : std::nullopt;
}

}  // namespace waylay::rules
