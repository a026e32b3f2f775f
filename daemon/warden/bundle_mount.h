// Mounting merged copies (bundle_scan.h), read-only, over their originals in a mount namespace, and unmounting them,
// each in a helper process (helper.h). Looking is apart from this, so that the journal is written in between. Sources:
// mount_setattr(2), open_tree, move_mount (kernel selftests).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "warden/merged_copies.h"

namespace waylay::warden {

// All or none. An original that changed since the scan is an error.
Result<void> mount_bundles(pid_t process, const std::vector<MergedBundle>& bundles,
                           const std::string& merged_directory);

// Lazily; what is not mounted (any more) is no error. Nothing but our own files is ever unmounted.
Result<void> unmount_bundles(pid_t process, const std::vector<MergedBundle>& bundles);

}  // namespace waylay::warden
