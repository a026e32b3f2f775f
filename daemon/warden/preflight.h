// What the machine must offer, asked before anything is made. An error names the likely cause and what to do.
#pragma once

#include <string_view>

#include "base/result.h"
#include "warden/sandbox.h"

namespace waylay::warden {

Result<void> check_root();
Result<void> check_kernel(std::string_view release);  // "6.1.0-18-amd64": 6.1 or newer
Result<void> check_kernel();
Result<void> check_io_uring(const Account& proxy);  // for the unprivileged process, which may need a group

// Cgroup2 or BPF missing means: nothing can be attached. The error of the part below, with advice.
Error with_advice_on_cgroups(Error error);
Error with_advice_on_bpf(Error error);

}  // namespace waylay::warden
