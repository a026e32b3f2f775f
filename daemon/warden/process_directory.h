// Who is behind a connection: the program and the container of a process that the kernel named. Only processes of
// attached targets are told about. Answers may wait for a container engine, so one thread of its own asks; what
// a container is called is remembered.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernel/cgroup.h"
#include "kernel/container.h"
#include "warden/protocol.h"

namespace waylay::warden {

class ProcessDirectory {
 public:
  ProcessDirectory(std::optional<kernel::CgroupTree> cgroups, std::vector<std::string> docker_sockets)
      : cgroups_(std::move(cgroups)), docker_sockets_(std::move(docker_sockets)) {}

  // From any thread.
  void add_target(uint32_t target, std::string cgroup_path, const std::optional<kernel::Container>& container);
  void remove_target(uint32_t target);

  // From one thread. Nothing when the process is gone, its number belongs to another one now, or it is none of the
  // target's.
  std::optional<ProcessInfo> find(uint32_t target, pid_t pid, uint64_t cgroup_id);

 private:
  bool belongs_to(uint32_t target, const std::string& cgroup_path);
  void add_container(const std::string& cgroup_path, ProcessInfo& to);
  std::optional<kernel::Container> container(const std::string& id);
  void remember(kernel::Container container);

  std::optional<kernel::CgroupTree> cgroups_;
  std::vector<std::string> docker_sockets_;
  std::mutex mutex_;
  std::map<uint32_t, std::string> targets_;
  std::map<std::string, kernel::Container> containers_;  // by id; without a name: asked for in vain
};

}  // namespace waylay::warden
