// A rate that a rule lets pass: what exceeds it, the rule acts on. Token buckets, one for each container (host, ...),
// shared by all threads and exact over them.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace waylay::rules {

struct RateLimit {
  static constexpr uint64_t kMostBurst = 1'000'000;

  enum class Per : uint8_t { All, Container, Host, Bucket, Operation, Target };

  double per_second = 0;
  uint64_t burst = 1;  // so many at once, after a pause
  Per per = Per::All;
  std::string text;  // for people: "100/s"
};

class TokenBuckets {
 public:
  // Keys come from requests. Full buckets are as good as none and make room; when there is none, newcomers share one
  // bucket.
  static constexpr size_t kMostKeys = 10'000;

  explicit TokenBuckets(const RateLimit& limit) : limit_(limit) {}

  // Takes a token of `key`'s bucket; false: it has none. With `wait_ns`, it says when there is one again.
  bool take(std::string_view key, Time now, int64_t* wait_ns = nullptr);

 private:
  struct Bucket {
    double tokens;
    int64_t at_ns;  // when it held them
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  Bucket& bucket_of(std::string_view key, Time now);
  void refill(Bucket& bucket, Time now) const;
  void forget_full_ones(Time now);

  const RateLimit limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket, Hash, std::equal_to<>> buckets_;
  int64_t next_sweep_ns_ = 0;
};

}  // namespace waylay::rules
