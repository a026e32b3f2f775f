// Work done in a forked child: what must enter another mount namespace (which threads of one process cannot, each for
// itself), and what touches a container's files (a hung file system then stops the child only). The child holds no
// descriptor but the standard ones, `keep` and the way back, and is killed at the time-out or with its parent.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace waylay::warden {

// `work` must not write to the log: another thread may have held its lock at the fork.
Result<std::string> run_helper(const std::function<Result<std::string>()>& work, const std::vector<int>& keep,
                               int timeout_ms);

// Closes every descriptor above standard error but these.
void close_all_but(std::vector<int> keep);

}  // namespace waylay::warden
