// What is intercepted, as all workers see it; made when the warden adds it, kept while anybody shows it.
#pragma once

#include <atomic>
#include <cstdint>

#include "warden/protocol.h"

namespace waylay::proxy {

struct Target {
  uint32_t id = 0;  // 0: connections that somebody else redirected to --listen
  warden::TargetInfo info;

  struct Counts {  // of connections, counted by the workers
    std::atomic<uint64_t> accepted{0};
    std::atomic<uint64_t> intercepted{0};
    std::atomic<uint64_t> passed_through{0};
    std::atomic<uint64_t> failed{0};
    std::atomic<uint64_t> unknown{0};  // nobody knows where to: not redirected by us; closed at once
    std::atomic<uint64_t> open{0};
  };
  mutable Counts counts;
};

}  // namespace waylay::proxy
