#include "rules/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace waylay::rules {
namespace {

// Between two looks for full buckets, so that a flood of keys does not pay for one each.
constexpr int64_t kSweepEvery_ns = kSecond_ns;

}  // namespace

bool TokenBuckets::take(std::string_view key, Time now, int64_t* wait_ns) {
  std::lock_guard lock(mutex_);
  Bucket& bucket = bucket_of(key, now);
  refill(bucket, now);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return true;
  }
  if (wait_ns) *wait_ns = static_cast<int64_t>(std::ceil((1 - bucket.tokens) / limit_.per_second * kSecond_ns));
  return false;
}

TokenBuckets::Bucket& TokenBuckets::bucket_of(std::string_view key, Time now) {
  if (auto found = buckets_.find(key); found != buckets_.end()) return found->second;
  if (buckets_.size() >= kMostKeys && now.steady_ns >= next_sweep_ns_) forget_full_ones(now);
  std::string_view name = buckets_.size() < kMostKeys ? key : "";
  return buckets_.try_emplace(std::string(name), Bucket{static_cast<double>(limit_.burst), now.steady_ns})
      .first->second;
}

void TokenBuckets::refill(Bucket& bucket, Time now) const {
  auto passed = static_cast<double>(std::max<int64_t>(now.steady_ns - bucket.at_ns, 0));
  bucket.tokens = std::min(static_cast<double>(limit_.burst), bucket.tokens + passed / kSecond_ns * limit_.per_second);
  bucket.at_ns = std::max(bucket.at_ns, now.steady_ns);
}

void TokenBuckets::forget_full_ones(Time now) {
  next_sweep_ns_ = now.steady_ns + kSweepEvery_ns;
  std::erase_if(buckets_, [&](const auto& entry) {
    Bucket bucket = entry.second;
    refill(bucket, now);
    return bucket.tokens >= static_cast<double>(limit_.burst);
  });
}

}  // namespace waylay::rules
