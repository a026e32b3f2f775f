// How much of what costs us more than the peer it may do: token buckets for frames that carry nothing (PING, SETTINGS,
// PRIORITY, empty DATA, window updates, unknown ones) and for streams that come to nothing (resets by the peer, and
// resets that its errors force on us). Pure: time comes with the call.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace waylay::http {

class TokenBucket {
 public:
  constexpr TokenBucket(int64_t burst, int64_t per_second) : burst_(burst), per_second_(per_second), tokens_(burst) {}

  bool take(Time now);  // false: none is left
  void give(int64_t tokens) { tokens_ = std::min(burst_, tokens_ + tokens); }

 private:
  int64_t burst_, per_second_, tokens_;
  int64_t refilled_ns_ = 0;
};

class FloodGuard {
 public:
  // What follows keeps far away from what is seen of real clients: gRPC's keep-alive and bandwidth probes are some
  // PINGs a second, a client that cancels all it asked for resets a few hundred streams.
  static constexpr int64_t kControlFrames = 5'000, kControlFramesPerSecond = 1'000;
  static constexpr int64_t kResets = 400, kResetsPerSecond = 50;
  static constexpr int64_t kBytesPerFrame =
      1024;  // of ours for which the peer may send one more frame (window updates)

  bool control_frame(Time now) { return control_.take(now); }
  bool reset(Time now) { return resets_.take(now); }
  void stream_completed() { resets_.give(1); }
  void body_sent(size_t bytes);

 private:
  TokenBucket control_{kControlFrames, kControlFramesPerSecond};
  TokenBucket resets_{kResets, kResetsPerSecond};
  size_t sent_ = 0;  // not yet turned into tokens
};

}  // namespace waylay::http
