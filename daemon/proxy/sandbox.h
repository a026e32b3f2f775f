// Gives up, for this process and for ever, every system call that the proxy does not need once it runs: no file can be
// opened, no program started, no ring made, no process traced or signalled. A call that is not on the list fails with
// EPERM.
#pragma once

#include "base/result.h"

namespace waylay::proxy {

struct SandboxOptions {
  bool own_sockets = false;  // --listen: upstream sockets are made here, as nobody's namespace has to be entered
};

// Before the first thread is started; all rings exist (they are restricted themselves: io/ring.h).
Result<void> enter_sandbox(const SandboxOptions& options);

}  // namespace waylay::proxy
