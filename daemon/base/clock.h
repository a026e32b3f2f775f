// Time is handed to pure code as a value; only shells ask the system.
#pragma once

#include <cstdint>
#include <string>

namespace waylay {

// One moment on two clocks. Intervals come from steady_ns, what people read from wall_ns.
struct Time {
  int64_t steady_ns = 0;  // CLOCK_MONOTONIC
  int64_t wall_ns = 0;    // nanoseconds since 1970-01-01 UTC
};

Time now();
std::string to_iso8601(int64_t wall_ns);  // 2026-11-22T04:05:06.789Z

constexpr int64_t kMillisecond_ns = 1'000'000;
constexpr int64_t kSecond_ns = 1'000'000'000;

}  // namespace waylay
