// Small files that the kernel makes up (proc, cgroup) or that a process can influence, read with a bound.
#pragma once

#include <string>

#include "base/result.h"

namespace waylay::kernel {

// At most `limit` bytes; what is beyond is cut off without an error.
Result<std::string> read_small_file(const std::string& path, size_t limit);

}  // namespace waylay::kernel
