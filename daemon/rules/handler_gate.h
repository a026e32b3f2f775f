// Who may call a handler now: at most so many at a time, and nobody for a while after so many failures in a row (a
// circuit breaker). One for each rule with a handler, shared by all workers.
//
//     closed ──failures in a row──> open ──pause over──> one call is let through ──it succeeds──> closed
//                                    ^────────────────────────it fails───────────────┘
#pragma once

#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace waylay::rules {

class HandlerGate {
 public:
  HandlerGate(uint32_t concurrency, uint32_t failures, int64_t pause_ns)
      : concurrency_(concurrency), failures_(failures), pause_ns_(pause_ns) {}

  enum class Entry : uint8_t {
    Granted,  // leave() must follow
    Busy,     // as many calls as allowed are on their way
    Broken,   // it failed too often: the pause is not over
  };
  Entry enter(Time now);
  // Of a call whose exchange ended first nothing is learnt.
  enum class Outcome : uint8_t { Success, Failure, Abandoned };
  void leave(Outcome outcome, Time now);

 private:
  const uint32_t concurrency_, failures_;
  const int64_t pause_ns_;
  std::mutex mutex_;
  uint32_t inside_ = 0, failed_in_a_row_ = 0;
  int64_t open_until_ns_ = 0;
  bool trying_ = false;  // the one call that may close the breaker again is on its way
};

}  // namespace waylay::rules
