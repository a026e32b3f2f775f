// The proxy process put together: workers, store, and the API over them.
#pragma once

#include "base/handle.h"

namespace waylay::control {

// The whole life of the proxy process; `channel` is its end of the control channel to the warden. Returns the process's
// exit status.
int run_proxy(Fd channel);

}  // namespace waylay::control
