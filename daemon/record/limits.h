// How much the daemon remembers. What goes beyond is dropped, the oldest first, and counted.
#pragma once

#include <cstddef>

namespace waylay::record {

struct Limits {
  size_t exchanges = 10'000;
  size_t exchange_bytes = 64 * 1024 * 1024;  // of their heads and texts
  size_t flows = 10'000;
  size_t invocations = 10'000;
};

}  // namespace waylay::record
