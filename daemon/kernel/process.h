// Facts about processes from /proc (proc(5)). A process may end, and its number be used again, between two questions:
// hold a pidfd first, or compare start_ticks. What a process can write itself (its environment) is bounded.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "base/result.h"

namespace waylay::kernel {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  uid_t uid = 0;  // effective
  gid_t gid = 0;
  uint64_t start_ticks = 0;  // since boot, in clock ticks: with pid, unique
  std::string comm;
  std::string exe;     // empty for a kernel thread or when not readable
  std::string cgroup;  // path in the cgroup2 tree; empty without cgroup2
};

Result<Process> read_process(pid_t pid);
Result<Fd> open_pidfd(pid_t pid);  // readable when the process has ended; a thread's number is NotFound
Result<bool> has_ended(int pidfd);

// The process's children, their children and so on, without itself, parents before children.
Result<std::vector<pid_t>> descendants(pid_t pid);

// The environment the process was started with, at most 1 MiB of it; entries without '=' are left out.
Result<std::vector<std::pair<std::string, std::string>>> read_environment(pid_t pid);

Result<uint64_t> mount_namespace(pid_t pid);    // the inode of /proc/PID/ns/mnt
Result<uint64_t> network_namespace(pid_t pid);  // the inode of /proc/PID/ns/net

}  // namespace waylay::kernel
