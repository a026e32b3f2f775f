// A broken invariant is a bug in Waylay itself: say where, and stop.
#pragma once

namespace waylay {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::waylay::check_failed(#condition, __FILE__, __LINE__))
