// The privileged process. run() does all of it: checks the machine, makes directories and sockets, starts the proxy,
// and serves until it is told to stop or the proxy ends. Threads: the loop (this one), one that attaches and detaches,
// one that serves the proxy's workers, one that asks slow questions.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "warden/configuration.h"
#include "warden/proxy_process.h"

namespace waylay::warden {

struct WardenOptions {
  ProxyProgram proxy;
  std::function<void(std::string_view state)> notify = [](std::string_view) {};  // sd_notify(3): "READY=1"
  int64_t watchdog_ns = 0;  // how often to notify "WATCHDOG=1"; 0: never
};

// Returns after an orderly stop (SIGTERM, SIGINT). An error when it could not start, or when the proxy ended.
Result<void> run(const Configuration& configuration, const WardenOptions& options);

}  // namespace waylay::warden
