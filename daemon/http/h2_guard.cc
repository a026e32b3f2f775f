#include "http/h2_guard.h"

namespace waylay::http {

bool TokenBucket::take(Time now) {
  if (tokens_ == 0) {
    // Refilled only when empty: no clock arithmetic in the common case. What was not needed meanwhile is not saved up
    // beyond the burst.
    int64_t elapsed_ns = now.steady_ns - refilled_ns_;
    int64_t earned = elapsed_ns / (kSecond_ns / per_second_);
    refilled_ns_ = now.steady_ns;
    give(earned);
  } else if (refilled_ns_ == 0) {
    refilled_ns_ = now.steady_ns;
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

void FloodGuard::body_sent(size_t bytes) {
  sent_ += bytes;
  if (sent_ < static_cast<size_t>(kBytesPerFrame)) return;
  control_.give(static_cast<int64_t>(sent_) / kBytesPerFrame);
  sent_ %= static_cast<size_t>(kBytesPerFrame);
}

}  // namespace waylay::http
