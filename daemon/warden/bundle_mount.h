// The three things done to a mount namespace, each in a helper process (helper.h): look for bundles and write merged
// copies; mount the copies, read-only, over the originals; unmount them. They are separate so that the journal is
// written between the first and the second. Sources: mount_setattr(2), open_tree, move_mount (kernel selftests),
// proc(5).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace waylay::warden {

struct MergedBundle {
  std::string path;                          // of the original, real, in its mount namespace
  uint64_t device = 0, inode = 0;            // the original's
  std::string file;                          // name of the merged copy in the merged directory; unique for ever
  uint64_t file_device = 0, file_inode = 0;  // the copy's: what is mounted is recognised by it
};

struct BundleScan {
  std::vector<MergedBundle> bundles;
  std::vector<std::string> notes;  // what was left alone, and why
};

// `merged_directory`: ours, on the host. Copies keep owner, mode and SELinux label of the original, so that whoever
// could read it still can. `name_prefix` begins the copies' names.
Result<BundleScan> scan_bundles(const std::vector<pid_t>& processes, const std::string& merged_directory,
                                const std::string& name_prefix, const std::string& ca_pem);

// All or none. An original that changed since the scan is an error.
Result<void> mount_bundles(pid_t process, const std::vector<MergedBundle>& bundles,
                           const std::string& merged_directory);

// Lazily; what is not mounted (any more) is no error. Nothing but our own files is ever unmounted.
Result<void> unmount_bundles(pid_t process, const std::vector<MergedBundle>& bundles);

// One line of /proc/PID/mountinfo as far as it matters here.
struct MountLine {
  uint64_t id = 0;
  std::string root, mount_point;  // unescaped
  bool shared = false;
};
std::vector<MountLine> parse_mountinfo(std::string_view text);

}  // namespace waylay::warden
