// The unprivileged process: workers that intercept, the control channel to the warden, and what the API shows. The API
// itself is a floor above (control/): it is given a started Proxy.
//
//   Result<std::unique_ptr<Proxy>> proxy = Proxy::start(std::move(channel));  // receives Start, makes rings and
//   contexts,
//                                                                             // installs seccomp, then starts the
//                                                                             workers
//   ... the API answers on (*proxy)->take_api_listener() ...
//   return (*proxy)->run();   // says Ready, then serves the control channel until Stop or the warden's end
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/handle.h"
#include "base/result.h"
#include "kernel/flow_map.h"
#include "record/store.h"
#include "rules/rule_book.h"
#include "warden/protocol.h"

namespace waylay::proxy {

// Counted by the workers, read by the API; all since the target was attached.
struct TargetCounts {
  uint64_t accepted = 0;
  uint64_t intercepted = 0;
  uint64_t passed_through = 0;
  uint64_t failed = 0;
  uint64_t unknown = 0;  // accepted without an entry in the flow map: closed at once
  uint64_t open = 0;     // connections now
};

struct TargetStatus {
  uint32_t id = 0;  // 0: --listen
  warden::TargetInfo info;
  bool attached = true;
  std::string ended;     // why, when it is not attached any more
  int64_t ended_ns = 0;  // wall clock
  TargetCounts counts;
  kernel::TargetCounters hooks;  // what the kernel side saw
};

class Proxy {
 public:
  static Result<std::unique_ptr<Proxy>> start(Fd control);
  ~Proxy();

  Fd take_api_listener();
  int run();  // exit status

  // For the API: thread-safe.
  const warden::StartInfo& start_info() const;
  rules::RuleBook& rules();
  record::Store& store();                     // it is the workers' Recorder, and feeds the ledger and metrics
  std::vector<TargetStatus> targets() const;  // attached ones, and the last 100 that ended
  size_t learned_refusals() const;
  int64_t started_ns() const;  // wall clock

 private:
  struct Impl;
  explicit Proxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace waylay::proxy
