#include "rules/limits.h"

#include <algorithm>

namespace waylay::rules {
namespace {

constexpr int64_t kMinute_ns = 60 * kSecond_ns;

// Short enough to be read, said and typed again.
uint64_t drawn_seed(Time added) {
  return Random(static_cast<uint64_t>(added.wall_ns)).branch(static_cast<uint64_t>(added.steady_ns)).bits() % 1'000'000;
}

}  // namespace

Tally::Tally(const Limits& limits, Time added)
    : limits_(limits), added_(added), seed_(limits.seed.value_or(drawn_seed(added))), draws_(seed_) {
  if (limits.rate) buckets_.emplace(*limits.rate);
}

std::optional<Tally::Use> Tally::take(int attempt, Time now, std::string_view rate_key) {
  if (!is_attempt(attempt) || life_left_ns(now) == 0) return std::nullopt;
  int64_t wait_ns = 0;
  if (buckets_ && buckets_->take(rate_key, now, &wait_ns)) return std::nullopt;
  if (!limits_.counts_matches()) return use(wait_ns);
  std::lock_guard lock(mutex_);
  return is_counted_in(now) ? std::optional(use(wait_ns)) : std::nullopt;
}

Tally::Use Tally::use(int64_t wait_ns) {
  return {Random(seed_).branch(hits_.fetch_add(1, std::memory_order_relaxed)), wait_ns};
}

bool Tally::is_attempt(int attempt) const {
  if (limits_.first_attempt == 0) return true;
  return attempt >= limits_.first_attempt && attempt <= limits_.last_attempt;
}

bool Tally::is_counted_in(Time now) {
  if (left() == 0) return false;
  if (++matches_ % limits_.every != 0) return false;
  return is_drawn(now) && has_room(now);
}

bool Tally::is_drawn(Time now) {
  std::optional<double> wanted = probability(now);
  return !wanted || draws_.number() < *wanted;
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

std::optional<double> Tally::probability(Time now) const {
  if (!limits_.ramp) return limits_.probability;
  const Ramp& ramp = *limits_.ramp;
  double lived = static_cast<double>(now.steady_ns - added_.steady_ns) / static_cast<double>(ramp.over_ns);
  return ramp.from + (ramp.to - ramp.from) * std::clamp(lived, 0.0, 1.0);
}

std::optional<uint64_t> Tally::seed() const {
  return limits_.draws() ? std::optional(seed_) : std::nullopt;
}

}  // namespace waylay::rules
