#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace waylay {
namespace {

int64_t read(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return t.tv_sec * kSecond_ns + t.tv_nsec;
}

}  // namespace

Time now() {
  return {read(CLOCK_MONOTONIC), read(CLOCK_REALTIME)};
}

std::string to_iso8601(int64_t wall_ns) {
  time_t seconds = wall_ns / kSecond_ns;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ",
                static_cast<int>(wall_ns % kSecond_ns / kMillisecond_ns));
  return text;
}

}  // namespace waylay
