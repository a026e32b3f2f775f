#include "warden/process_directory.h"

#include "kernel/process.h"
#include "warden/targets.h"

namespace waylay::warden {
namespace {

constexpr size_t kMaximumContainers = 4096;  // then it begins anew: a few kilobytes each, asked again when needed

bool is_below(const std::string& path, const std::string& ancestor) {
  return ancestor == "/" || path == ancestor || path.starts_with(ancestor + "/");
}

}  // namespace

void ProcessDirectory::add_target(uint32_t target, std::string cgroup_path,
                                  const std::optional<kernel::Container>& container) {
  std::lock_guard lock(mutex_);
  targets_[target] = std::move(cgroup_path);
  if (container) remember(*container);
}

void ProcessDirectory::remove_target(uint32_t target) {
  std::lock_guard lock(mutex_);
  targets_.erase(target);
}

void ProcessDirectory::remember(kernel::Container container) {
  if (containers_.size() >= kMaximumContainers) containers_.clear();
  std::string id = container.id;
  containers_[id] = std::move(container);
}

bool ProcessDirectory::belongs_to(uint32_t target, const std::string& cgroup_path) {
  std::lock_guard lock(mutex_);
  auto found = targets_.find(target);
  return found != targets_.end() && is_below(cgroup_path, found->second);
}

std::optional<ProcessInfo> ProcessDirectory::find(uint32_t target, pid_t pid, uint64_t cgroup_id) {
  Result<kernel::Process> process = kernel::read_process(pid);
  if (!process || !cgroups_ || !belongs_to(target, process->cgroup)) return std::nullopt;
  Result<Fd> cgroup = cgroups_->open(process->cgroup);
  if (!cgroup) return std::nullopt;
  Result<uint64_t> id = kernel::cgroup_id(cgroup->get());
  if (!id || *id != cgroup_id) return std::nullopt;
  ProcessInfo info{.exe = process->exe, .comm = process->comm, .cgroup = process->cgroup};
  add_container(process->cgroup, info);
  return info;
}

void ProcessDirectory::add_container(const std::string& cgroup_path, ProcessInfo& to) {
  std::optional<std::string> id = kernel::container_id_in(cgroup_path);
  if (!id) return;
  to.container_id = *id;
  std::optional<kernel::Container> known = container(*id);
  if (!known) return;
  to.container_name = known->name;
  to.container_image = known->image;
}

std::optional<kernel::Container> ProcessDirectory::container(const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    auto found = containers_.find(id);
    if (found != containers_.end()) return found->second;
  }
  Result<kernel::Container> asked = find_container(docker_sockets_, id);
  // No answer is remembered too: an engine that hangs would otherwise be asked for every connection.
  kernel::Container result = asked ? *asked : kernel::Container{.id = id};
  result.id = id;
  std::lock_guard lock(mutex_);
  remember(result);
  return result;
}

}  // namespace waylay::warden
