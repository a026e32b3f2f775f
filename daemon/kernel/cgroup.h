// The cgroup2 tree: where it is mounted, which cgroup a process is in, making and watching cgroups. Paths are relative
// to the root of the tree and begin with '/', as /proc/PID/cgroup writes them ("/" is the root itself).
// Source: cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "base/result.h"

namespace waylay::kernel {

// The mount point of cgroup2 in the text of a mountinfo file: /sys/fs/cgroup on unified hosts,
// /sys/fs/cgroup/unified on hybrid ones.
Result<std::string> cgroup2_mount_in(std::string_view mountinfo);
// The `0::` line of a /proc/PID/cgroup file.
Result<std::string> cgroup2_path_in(std::string_view proc_cgroup);

Result<std::string> cgroup_of_process(pid_t pid);

class CgroupTree {
 public:
  static Result<CgroupTree> find();  // of this process's mount namespace

  const std::string& mount_point() const { return mount_point_; }

  // What a person wrote ("docker/abc", "/docker/abc", "/sys/fs/cgroup/unified/docker/abc") as a path of the tree. It
  // must be an existing cgroup, without "..", and not reached by symbolic links.
  Result<std::string> resolve(std::string_view text) const;

  Result<Fd> open(std::string_view path) const;  // the directory, as attach() wants it
  std::string directory(std::string_view path) const;

  Result<std::string> create_child(std::string_view parent, std::string_view name) const;  // the child's path
  Result<void> move_process(std::string_view path, pid_t pid) const;
  Result<void> remove(
      std::string_view path) const;  // Conflict while it has processes or children; gone already is no error
  Result<std::vector<pid_t>> processes(std::string_view path) const;  // of it and everything below, sorted

 private:
  explicit CgroupTree(std::string mount_point) : mount_point_(std::move(mount_point)) {}
  std::string mount_point_;
};

// Equal to bpf_get_current_cgroup_id() of the processes in it.
Result<uint64_t> cgroup_id(int cgroup_fd);

// Tells when the last process of a cgroup and of everything below it ends. Owned by the caller; closes with it.
class PopulatedWatch {
 public:
  static Result<PopulatedWatch> open(int cgroup_fd);

  // Wait for POLLPRI on it (EPOLLPRI), then ask populated() again; level-triggered waiting needs that read.
  int fd() const { return events_.get(); }
  bool populated() const;  // false also when the cgroup was removed

 private:
  explicit PopulatedWatch(Fd events) : events_(std::move(events)) {}
  Fd events_;
};

}  // namespace waylay::kernel
