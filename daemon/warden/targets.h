// What a person asks to be intercepted, and what that turns out to be: a cgroup and a network namespace.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "base/result.h"
#include "kernel/cgroup.h"
#include "kernel/container.h"

namespace waylay::warden {

enum class TargetKind { Docker, Pid, Cgroup, Run };

// "docker:web", "web" (the same), "pid:42", "cgroup:/system.slice/job.service"; "run:1" names what `waylay run` made.
struct TargetSpec {
  TargetKind kind = TargetKind::Docker;
  std::string name;  // of a container, a cgroup's path, or a run's number
  pid_t pid = 0;
};
Result<TargetSpec> parse_target(std::string_view text);

struct AttachOptions {
  std::vector<uint16_t> ports = {443};
  bool insist = false;
  bool trust = true;
  bool tree = false;
  bool redirect_loopback = false;
};

// A target found, with its descriptors: nothing is changed yet.
struct FoundTarget {
  TargetKind kind = TargetKind::Docker;
  std::string name;  // canonical: "docker:web", "pid:42", "cgroup:/x", "run:1"
  std::optional<kernel::Container> container;
  std::optional<pid_t> only_pid;
  std::string cgroup_path;
  Fd cgroup, netns;
  uint64_t netns_inode = 0;
  std::optional<Fd> pidfd;       // of only_pid: held before anything was asked about it
  std::vector<pid_t> processes;  // at the moment of finding
};

// Asks the engines in order; blocking, seconds when an engine hangs. `cgroups` absent: no cgroup2 here.
Result<kernel::Container> find_container(const std::vector<std::string>& sockets, std::string_view name);

Result<FoundTarget> find_target(const TargetSpec& spec, const AttachOptions& options, const kernel::CgroupTree& cgroups,
                                const std::vector<std::string>& docker_sockets);

// A cgroup made for `waylay run`, its one process moved in.
Result<FoundTarget> find_run_target(unsigned number, const std::string& cgroup_path, const kernel::CgroupTree& cgroups);

}  // namespace waylay::warden
